"""The hooks of the Moodle channel, here and in the modules that they are gathered from."""

from __future__ import annotations

import coursewire as cw
from coursewire_moodle import answers, check, client, content, grades
from coursewire_moodle.config import MoodleConfig
from coursewire_moodle.reasons import REASONS

CHANNEL = cw.Channel(
    code=MoodleConfig.code,
    title="Moodle",
    reasons=REASONS,
    config=MoodleConfig,
    capabilities=cw.Capabilities.of_gradebook(
        cw.RetireStrategy.HIDE,
        cw.RetireStrategy.DELETE,
        content_types={cw.ContentType.COURSE, cw.ContentType.COURSE_RUN},
        # Moodle would take them; each subsection needs an assignment that somebody makes by hand.
        assessments=cw.Support.NOT_IMPLEMENTED,
        # A revoked grade falls to what it is now; there is nothing else at Moodle to take back.
        idempotency=cw.Idempotency.NATURAL_KEY,
        list_remote=cw.Support.FULL,
        paging="offset",
    ),
    # 25 courses take 0.6 s on a small site and 4 s on a large one. 200 grades are 400 form fields; PHP drops what
    # is beyond 1,000. More calls at once would only wait for each other's locks.
    limits=cw.Limits(**answers.WORDS["limits"]),
    simulator="coursewire_moodle.simulator:MoodleSimulator",
    docs_url="https://docs.moodle.org/en/Web_services",
)

globals().update(cw.hooks_of(CHANNEL, answers, check, client, content, grades))
