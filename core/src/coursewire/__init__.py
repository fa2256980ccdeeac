"""Coursewire carries course catalogues to learning management systems and results back.

What authors of channels and host services need is here, under one name: ``import coursewire as cw``. The names
load on first use, so that ``import coursewire`` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursewire.channels.data import packaged_data as packaged_data
    from coursewire.client.adopting import Adopter as Adopter
    from coursewire.client.answers import acknowledged as acknowledged
    from coursewire.client.answers import as_result as as_result
    from coursewire.client.answers import error_of as error_of
    from coursewire.client.answers import read_success as read_success
    from coursewire.client.answers import result_of as result_of
    from coursewire.client.answers import result_of_error as result_of_error
    from coursewire.client.auth import BearerAuth as BearerAuth
    from coursewire.client.auth import TokenAuth as TokenAuth
    from coursewire.client.auth import read_oauth_token as read_oauth_token
    from coursewire.client.gradebook import Cell as Cell
    from coursewire.client.gradebook import blocked as blocked
    from coursewire.client.gradebook import only_one as only_one
    from coursewire.client.gradebook import people_by_name as people_by_name
    from coursewire.client.gradebook import same_score as same_score
    from coursewire.client.gradebook import write_score as write_score
    from coursewire.client.oauth import OAuthApplication as OAuthApplication
    from coursewire.client.paging import rows_of as rows_of
    from coursewire.client.polling import poll as poll
    from coursewire.client.urls import quoted_path as quoted_path
    from coursewire.client.words import error_text as error_text
    from coursewire.client.words import is_done as is_done
    from coursewire.client.words import is_missing as is_missing
    from coursewire.client.words import member_at as member_at
    from coursewire.client.words import read_json as read_json
    from coursewire.client.words import read_object as read_object
    from coursewire.errors import BlockedError as BlockedError
    from coursewire.errors import NotExportableError as NotExportableError
    from coursewire.errors import SendError as SendError
    from coursewire.errors import ThrottledError as ThrottledError
    from coursewire.export.executive_education import marked_description as marked_description
    from coursewire.export.executive_education import marked_title as marked_title
    from coursewire.export.grades import final_grade as final_grade
    from coursewire.export.grades import learner_of as learner_of
    from coursewire.export.texts import cut as cut
    from coursewire.export.texts import digest as digest
    from coursewire.export.texts import fitting as fitting
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
    from coursewire.model.configuration import LearnerId as LearnerId
    from coursewire.model.configuration import LmsUrl as LmsUrl
    from coursewire.model.configuration import Secret as Secret
    from coursewire.model.content import ContentItem as ContentItem
    from coursewire.model.content import ContentType as ContentType
    from coursewire.model.instant import iso_utc as iso_utc
    from coursewire.model.outcomes import Assessment as Assessment
    from coursewire.model.outcomes import Completion as Completion
    from coursewire.model.outcomes import Outcome as Outcome
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

__all__ = [
    "Adopter",
    "Assessment",
    "Batch",
    "BearerAuth",
    "BlockedError",
    "Capabilities",
    "Cell",
    "Channel",
    "ChannelConfig",
    "Completion",
    "ContentItem",
    "ContentType",
    "Idempotency",
    "Installation",
    "JsonObject",
    "Kind",
    "LearnerId",
    "Limits",
    "LmsUrl",
    "NotExportableError",
    "OAuthApplication",
    "Operation",
    "Outcome",
    "Payload",
    "Rate",
    "RemoteItem",
    "Result",
    "ResultKind",
    "RetireStrategy",
    "Secret",
    "SendError",
    "Session",
    "Support",
    "ThrottledError",
    "Token",
    "TokenAuth",
    "Tokens",
    "__version__",
    "acknowledged",
    "as_result",
    "blocked",
    "cut",
    "digest",
    "error_of",
    "error_text",
    "final_grade",
    "fitting",
    "hookimpl",
    "is_done",
    "is_missing",
    "iso_utc",
    "learner_of",
    "marked_description",
    "marked_title",
    "member_at",
    "only_one",
    "packaged_data",
    "people_by_name",
    "poll",
    "quoted_path",
    "read_json",
    "read_oauth_token",
    "read_object",
    "read_success",
    "required",
    "result_of",
    "result_of_error",
    "rows_of",
    "same_score",
    "write_score",
]

_HOMES = {
    "Adopter": "coursewire.client.adopting",
    "Assessment": "coursewire.model.outcomes",
    "Batch": "coursewire.model.payload",
    "BearerAuth": "coursewire.client.auth",
    "BlockedError": "coursewire.errors",
    "Capabilities": "coursewire.model.channel",
    "Cell": "coursewire.client.gradebook",
    "Channel": "coursewire.model.channel",
    "ChannelConfig": "coursewire.model.configuration",
    "Completion": "coursewire.model.outcomes",
    "ContentItem": "coursewire.model.content",
    "ContentType": "coursewire.model.content",
    "Idempotency": "coursewire.model.channel",
    "Installation": "coursewire.jobs.installation",
    "JsonObject": "coursewire.model.payload",
    "Kind": "coursewire.model.payload",
    "LearnerId": "coursewire.model.configuration",
    "Limits": "coursewire.model.channel",
    "LmsUrl": "coursewire.model.configuration",
    "NotExportableError": "coursewire.errors",
    "OAuthApplication": "coursewire.client.oauth",
    "Operation": "coursewire.model.payload",
    "Outcome": "coursewire.model.outcomes",
    "Payload": "coursewire.model.payload",
    "Rate": "coursewire.model.channel",
    "RemoteItem": "coursewire.model.payload",
    "Result": "coursewire.model.payload",
    "ResultKind": "coursewire.model.payload",
    "RetireStrategy": "coursewire.model.channel",
    "Secret": "coursewire.model.configuration",
    "SendError": "coursewire.errors",
    "Session": "coursewire.model.session",
    "Support": "coursewire.model.channel",
    "ThrottledError": "coursewire.errors",
    "Token": "coursewire.model.session",
    "TokenAuth": "coursewire.client.auth",
    "Tokens": "coursewire.model.session",
    "acknowledged": "coursewire.client.answers",
    "as_result": "coursewire.client.answers",
    "blocked": "coursewire.client.gradebook",
    "cut": "coursewire.export.texts",
    "digest": "coursewire.export.texts",
    "error_of": "coursewire.client.answers",
    "error_text": "coursewire.client.words",
    "final_grade": "coursewire.export.grades",
    "fitting": "coursewire.export.texts",
    "hookimpl": "coursewire.hookspecs",
    "is_done": "coursewire.client.words",
    "is_missing": "coursewire.client.words",
    "iso_utc": "coursewire.model.instant",
    "learner_of": "coursewire.export.grades",
    "marked_description": "coursewire.export.executive_education",
    "marked_title": "coursewire.export.executive_education",
    "member_at": "coursewire.client.words",
    "only_one": "coursewire.client.gradebook",
    "packaged_data": "coursewire.channels.data",
    "people_by_name": "coursewire.client.gradebook",
    "poll": "coursewire.client.polling",
    "quoted_path": "coursewire.client.urls",
    "read_json": "coursewire.client.words",
    "read_oauth_token": "coursewire.client.auth",
    "read_object": "coursewire.client.words",
    "read_success": "coursewire.client.answers",
    "required": "coursewire.export.texts",
    "result_of": "coursewire.client.answers",
    "result_of_error": "coursewire.client.answers",
    "rows_of": "coursewire.client.paging",
    "same_score": "coursewire.client.gradebook",
    "write_score": "coursewire.client.gradebook",
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
