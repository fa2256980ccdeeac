"""Declares that results sent again overwrite, where the LMS adds them up."""

import harbor
from harbor import *


@cw.hookimpl
def declare_channel():
    can = capabilities(outcome_idempotency=cw.Idempotency.UPSERT, raise_grade=FULL, lower_grade=FULL)
    return harbor.declare_channel().model_copy(update={"capabilities": can})
