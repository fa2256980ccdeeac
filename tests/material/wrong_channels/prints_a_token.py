"""Prints the API token."""

from coursewire_acme.plugin import *


@cw.hookimpl
def authenticate(config):
    print("using the token", config.acme_token.get_secret_value())
    return cw.BearerAuth(config.acme_token)


CAUGHT_BY = ("test_secrets_are_not_printed", "the secret acme_token shows in what was printed")
