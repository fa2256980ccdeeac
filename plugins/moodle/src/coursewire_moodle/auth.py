"""Tokens of Moodle's web services, and how a request carries one."""

from __future__ import annotations

from datetime import timedelta

import httpx

import coursewire as cw
from coursewire_moodle.answers import WORDS, error_code
from coursewire_moodle.config import MoodleConfig


@cw.hookimpl
def authenticate(config: MoodleConfig, tokens: cw.Tokens) -> httpx.Auth:
    """A token in the form of each call: the configured one, or the account's of the service."""
    form = {name: getattr(config, name).get_secret_value() for name in ("username", "password")}
    return cw.CodedAuth(
        tokens,
        f"{config.lms_url}/login/token.php",
        {**form, "service": config.service_short_name},
        given=config.token.get_secret_value(),
        # Moodle does not tell how long a token lasts. Asking again gives the same one until it is over.
        lifetime=timedelta(days=1),
        refusals=WORDS["token_refusals"],
        code_of=error_code,
        **WORDS["token"],
    )
