"""Writes the API token to the log."""

import logging

from coursewire_acme.plugin import *


@cw.hookimpl
def authenticate(config):
    logging.getLogger(__name__).info("using the token %s", config.acme_token.get_secret_value())
    return cw.BearerAuth(config.acme_token)


CAUGHT_BY = ("test_secrets_show_nowhere", "the secret acme_token shows in the log")
