"""Keeps the API token in a field of plain text, so that it is stored and shown as it is."""

from coursewire_acme import plugin
from coursewire_acme.plugin import *
from pydantic import SecretStr


class AcmeConfig(cw.ChannelConfig):
    acme_url: cw.LmsUrl
    acme_token: str


@cw.hookimpl
def declare_channel():
    return plugin.declare_channel().model_copy(update={"config": AcmeConfig})


@cw.hookimpl
def authenticate(config):
    return cw.BearerAuth(SecretStr(config.acme_token))


CAUGHT_BY = ("test_secrets_are_declared", "plain text: acme_token")
