"""Coursewire carries course catalogues to learning management systems and results back.

What authors of channels and host services need is here, under one name: ``import coursewire as cw``. The names
load on first use, so that ``import coursewire`` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursewire.client.answers import acknowledged as acknowledged
    from coursewire.client.answers import read_json as read_json
    from coursewire.client.answers import read_object as read_object
    from coursewire.client.answers import read_success as read_success
    from coursewire.client.answers import result_of as result_of
    from coursewire.client.auth import BearerAuth as BearerAuth
    from coursewire.client.auth import TokenAuth as TokenAuth
    from coursewire.client.auth import read_oauth_token as read_oauth_token
    from coursewire.client.urls import quoted_path as quoted_path
    from coursewire.errors import BlockedError as BlockedError
    from coursewire.errors import NotExportableError as NotExportableError
    from coursewire.export.texts import cut as cut
    from coursewire.export.texts import required as required
    from coursewire.hookspecs import hookimpl as hookimpl
    from coursewire.jobs.installation import Installation as Installation
    from coursewire.model.channel import Capabilities as Capabilities
    from coursewire.model.channel import Channel as Channel
    from coursewire.model.channel import Idempotency as Idempotency
    from coursewire.model.channel import Limits as Limits
    from coursewire.model.channel import Rate as Rate
    from coursewire.model.channel import RetireStrategy as RetireStrategy
    from coursewire.model.channel import Support as Support
    from coursewire.model.configuration import ChannelConfig as ChannelConfig
    from coursewire.model.configuration import LmsUrl as LmsUrl
    from coursewire.model.configuration import Secret as Secret
    from coursewire.model.content import ContentItem as ContentItem
    from coursewire.model.content import ContentType as ContentType
    from coursewire.model.instant import iso_utc as iso_utc
    from coursewire.model.outcomes import Assessment as Assessment
    from coursewire.model.outcomes import Completion as Completion
    from coursewire.model.payload import Batch as Batch
    from coursewire.model.payload import JsonObject as JsonObject
    from coursewire.model.payload import Kind as Kind
    from coursewire.model.payload import Operation as Operation
    from coursewire.model.payload import Payload as Payload
    from coursewire.model.payload import RemoteItem as RemoteItem
    from coursewire.model.payload import Result as Result
    from coursewire.model.payload import ResultKind as ResultKind
    from coursewire.model.session import Session as Session
    from coursewire.model.session import Token as Token
    from coursewire.model.session import Tokens as Tokens
    from coursewire.service.host import Host as Host

__all__ = [
    "Assessment",
    "Batch",
    "BearerAuth",
    "BlockedError",
    "Capabilities",
    "Channel",
    "ChannelConfig",
    "Completion",
    "ContentItem",
    "ContentType",
    "Host",
    "Idempotency",
    "Installation",
    "JsonObject",
    "Kind",
    "Limits",
    "LmsUrl",
    "NotExportableError",
    "Operation",
    "Payload",
    "Rate",
    "RemoteItem",
    "Result",
    "ResultKind",
    "RetireStrategy",
    "Secret",
    "Session",
    "Support",
    "Token",
    "TokenAuth",
    "Tokens",
    "__version__",
    "acknowledged",
    "cut",
    "hookimpl",
    "iso_utc",
    "quoted_path",
    "read_json",
    "read_oauth_token",
    "read_object",
    "read_success",
    "required",
    "result_of",
]

_HOMES = {
    "Assessment": "coursewire.model.outcomes",
    "Batch": "coursewire.model.payload",
    "BearerAuth": "coursewire.client.auth",
    "BlockedError": "coursewire.errors",
    "Capabilities": "coursewire.model.channel",
    "Channel": "coursewire.model.channel",
    "ChannelConfig": "coursewire.model.configuration",
    "Completion": "coursewire.model.outcomes",
    "ContentItem": "coursewire.model.content",
    "ContentType": "coursewire.model.content",
    "Host": "coursewire.service.host",
    "Idempotency": "coursewire.model.channel",
    "Installation": "coursewire.jobs.installation",
    "JsonObject": "coursewire.model.payload",
    "Kind": "coursewire.model.payload",
    "Limits": "coursewire.model.channel",
    "LmsUrl": "coursewire.model.configuration",
    "NotExportableError": "coursewire.errors",
    "Operation": "coursewire.model.payload",
    "Payload": "coursewire.model.payload",
    "Rate": "coursewire.model.channel",
    "RemoteItem": "coursewire.model.payload",
    "Result": "coursewire.model.payload",
    "ResultKind": "coursewire.model.payload",
    "RetireStrategy": "coursewire.model.channel",
    "Secret": "coursewire.model.configuration",
    "Session": "coursewire.model.session",
    "Support": "coursewire.model.channel",
    "Token": "coursewire.model.session",
    "TokenAuth": "coursewire.client.auth",
    "Tokens": "coursewire.model.session",
    "acknowledged": "coursewire.client.answers",
    "cut": "coursewire.export.texts",
    "hookimpl": "coursewire.hookspecs",
    "iso_utc": "coursewire.model.instant",
    "quoted_path": "coursewire.client.urls",
    "read_json": "coursewire.client.answers",
    "read_oauth_token": "coursewire.client.auth",
    "read_object": "coursewire.client.answers",
    "read_success": "coursewire.client.answers",
    "required": "coursewire.export.texts",
    "result_of": "coursewire.client.answers",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - costs milliseconds, seldom asked

        return version("coursewire")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
