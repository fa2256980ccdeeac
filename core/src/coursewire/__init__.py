"""Coursewire carries course catalogues to learning management systems and results back.

What authors of channels and host services need is here, under one name: ``import coursewire as cw``. The names
load on first use, so that ``import coursewire`` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursewire.channels.data import packaged_data as packaged_data
    from coursewire.channels.gathering import hooks_of as hooks_of
    from coursewire.client.adopting import Adopter as Adopter
    from coursewire.client.adopting import Results as Results
    from coursewire.client.adopting import named as named
    from coursewire.client.answers import acknowledged as acknowledged
    from coursewire.client.answers import as_result as as_result
    from coursewire.client.answers import error_of as error_of
    from coursewire.client.answers import read_success as read_success
    from coursewire.client.answers import result_of as result_of
    from coursewire.client.answers import result_of_error as result_of_error
    from coursewire.client.auth import BearerAuth as BearerAuth
    from coursewire.client.auth import FormAuth as FormAuth
    from coursewire.client.auth import OAuthToken as OAuthToken
    from coursewire.client.auth import TokenAuth as TokenAuth
    from coursewire.client.auth import read_oauth_token as read_oauth_token
    from coursewire.client.forms import bracketed as bracketed
    from coursewire.client.forms import with_field as with_field
    from coursewire.client.gradebook import Cell as Cell
    from coursewire.client.gradebook import blocked as blocked
    from coursewire.client.gradebook import only_one as only_one
    from coursewire.client.gradebook import people_by_members as people_by_members
    from coursewire.client.gradebook import people_by_name as people_by_name
    from coursewire.client.gradebook import same_score as same_score
    from coursewire.client.gradebook import write_score as write_score
    from coursewire.client.grading import send_best as send_best
    from coursewire.client.oauth import OAuthApplication as OAuthApplication
    from coursewire.client.paging import rows_of as rows_of
    from coursewire.client.polling import poll as poll
    from coursewire.client.refusals import CodedAuth as CodedAuth
    from coursewire.client.refusals import Preflight as Preflight
    from coursewire.client.refusals import coded_error as coded_error
    from coursewire.client.refusals import worded_error as worded_error
    from coursewire.client.urls import quoted_path as quoted_path
    from coursewire.client.words import Printed as Printed
    from coursewire.client.words import error_text as error_text
    from coursewire.client.words import is_done as is_done
    from coursewire.client.words import is_missing as is_missing
    from coursewire.client.words import member_at as member_at
    from coursewire.client.words import read_json as read_json
    from coursewire.client.words import read_noisy as read_noisy
    from coursewire.client.words import read_object as read_object
    from coursewire.client.xml_replies import XmlNames as XmlNames
    from coursewire.errors import BlockedError as BlockedError
    from coursewire.errors import CredentialsError as CredentialsError
    from coursewire.errors import IncompleteListError as IncompleteListError
    from coursewire.errors import NotExportableError as NotExportableError
    from coursewire.errors import OutcomeUnknownError as OutcomeUnknownError
    from coursewire.errors import RejectedError as RejectedError
    from coursewire.errors import SendError as SendError
    from coursewire.errors import ThrottledError as ThrottledError
    from coursewire.errors import UnreachableError as UnreachableError
    from coursewire.export.course_runs import choose_run as choose_run
    from coursewire.export.course_runs import first_active_price as first_active_price
    from coursewire.export.executive_education import marked_description as marked_description
    from coursewire.export.executive_education import marked_title as marked_title
    from coursewire.export.grades import final_grade as final_grade
    from coursewire.export.grades import learner_of as learner_of
    from coursewire.export.plain_text import plain_text as plain_text
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
    from coursewire.model.fields import ApiPath as ApiPath
    from coursewire.model.fields import Filled as Filled
    from coursewire.model.fields import Text as Text
    from coursewire.model.fields import instead_of as instead_of
    from coursewire.model.fields import needed_without as needed_without
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
    from coursewire.service.host import Host as Host

__all__ = [
    "Adopter",
    "ApiPath",
    "Assessment",
    "Batch",
    "BearerAuth",
    "BlockedError",
    "Capabilities",
    "Cell",
    "Channel",
    "ChannelConfig",
    "CodedAuth",
    "Completion",
    "ContentItem",
    "ContentType",
    "CredentialsError",
    "Filled",
    "FormAuth",
    "Host",
    "Idempotency",
    "IncompleteListError",
    "Installation",
    "JsonObject",
    "Kind",
    "LearnerId",
    "Limits",
    "LmsUrl",
    "NotExportableError",
    "OAuthApplication",
    "OAuthToken",
    "Operation",
    "Outcome",
    "OutcomeUnknownError",
    "Payload",
    "Preflight",
    "Printed",
    "Rate",
    "RejectedError",
    "RemoteItem",
    "Result",
    "ResultKind",
    "Results",
    "RetireStrategy",
    "Secret",
    "SendError",
    "Session",
    "Support",
    "Text",
    "ThrottledError",
    "Token",
    "TokenAuth",
    "Tokens",
    "UnreachableError",
    "XmlNames",
    "__version__",
    "acknowledged",
    "as_result",
    "blocked",
    "bracketed",
    "choose_run",
    "coded_error",
    "cut",
    "digest",
    "error_of",
    "error_text",
    "final_grade",
    "first_active_price",
    "fitting",
    "hookimpl",
    "hooks_of",
    "instead_of",
    "is_done",
    "is_missing",
    "iso_utc",
    "learner_of",
    "marked_description",
    "marked_title",
    "member_at",
    "named",
    "needed_without",
    "only_one",
    "packaged_data",
    "people_by_members",
    "people_by_name",
    "plain_text",
    "poll",
    "quoted_path",
    "read_json",
    "read_noisy",
    "read_oauth_token",
    "read_object",
    "read_success",
    "required",
    "result_of",
    "result_of_error",
    "rows_of",
    "same_score",
    "send_best",
    "with_field",
    "worded_error",
    "write_score",
]

_HOMES = {
    "Adopter": "coursewire.client.adopting",
    "ApiPath": "coursewire.model.fields",
    "Assessment": "coursewire.model.outcomes",
    "Batch": "coursewire.model.payload",
    "BearerAuth": "coursewire.client.auth",
    "BlockedError": "coursewire.errors",
    "Capabilities": "coursewire.model.channel",
    "Cell": "coursewire.client.gradebook",
    "Channel": "coursewire.model.channel",
    "ChannelConfig": "coursewire.model.configuration",
    "CodedAuth": "coursewire.client.refusals",
    "Completion": "coursewire.model.outcomes",
    "ContentItem": "coursewire.model.content",
    "ContentType": "coursewire.model.content",
    "CredentialsError": "coursewire.errors",
    "Filled": "coursewire.model.fields",
    "FormAuth": "coursewire.client.auth",
    "Host": "coursewire.service.host",
    "Idempotency": "coursewire.model.channel",
    "IncompleteListError": "coursewire.errors",
    "Installation": "coursewire.jobs.installation",
    "JsonObject": "coursewire.model.payload",
    "Kind": "coursewire.model.payload",
    "LearnerId": "coursewire.model.configuration",
    "Limits": "coursewire.model.channel",
    "LmsUrl": "coursewire.model.configuration",
    "NotExportableError": "coursewire.errors",
    "OAuthApplication": "coursewire.client.oauth",
    "OAuthToken": "coursewire.client.auth",
    "Operation": "coursewire.model.payload",
    "Outcome": "coursewire.model.outcomes",
    "OutcomeUnknownError": "coursewire.errors",
    "Payload": "coursewire.model.payload",
    "Preflight": "coursewire.client.refusals",
    "Printed": "coursewire.client.words",
    "Rate": "coursewire.model.channel",
    "RejectedError": "coursewire.errors",
    "RemoteItem": "coursewire.model.payload",
    "Result": "coursewire.model.payload",
    "ResultKind": "coursewire.model.payload",
    "Results": "coursewire.client.adopting",
    "RetireStrategy": "coursewire.model.channel",
    "Secret": "coursewire.model.configuration",
    "SendError": "coursewire.errors",
    "Session": "coursewire.model.session",
    "Support": "coursewire.model.channel",
    "Text": "coursewire.model.fields",
    "ThrottledError": "coursewire.errors",
    "Token": "coursewire.model.session",
    "TokenAuth": "coursewire.client.auth",
    "Tokens": "coursewire.model.session",
    "UnreachableError": "coursewire.errors",
    "XmlNames": "coursewire.client.xml_replies",
    "acknowledged": "coursewire.client.answers",
    "as_result": "coursewire.client.answers",
    "blocked": "coursewire.client.gradebook",
    "bracketed": "coursewire.client.forms",
    "choose_run": "coursewire.export.course_runs",
    "coded_error": "coursewire.client.refusals",
    "cut": "coursewire.export.texts",
    "digest": "coursewire.export.texts",
    "error_of": "coursewire.client.answers",
    "error_text": "coursewire.client.words",
    "final_grade": "coursewire.export.grades",
    "first_active_price": "coursewire.export.course_runs",
    "fitting": "coursewire.export.texts",
    "hookimpl": "coursewire.hookspecs",
    "hooks_of": "coursewire.channels.gathering",
    "instead_of": "coursewire.model.fields",
    "is_done": "coursewire.client.words",
    "is_missing": "coursewire.client.words",
    "iso_utc": "coursewire.model.instant",
    "learner_of": "coursewire.export.grades",
    "marked_description": "coursewire.export.executive_education",
    "marked_title": "coursewire.export.executive_education",
    "member_at": "coursewire.client.words",
    "named": "coursewire.client.adopting",
    "needed_without": "coursewire.model.fields",
    "only_one": "coursewire.client.gradebook",
    "packaged_data": "coursewire.channels.data",
    "people_by_members": "coursewire.client.gradebook",
    "people_by_name": "coursewire.client.gradebook",
    "plain_text": "coursewire.export.plain_text",
    "poll": "coursewire.client.polling",
    "quoted_path": "coursewire.client.urls",
    "read_json": "coursewire.client.words",
    "read_noisy": "coursewire.client.words",
    "read_oauth_token": "coursewire.client.auth",
    "read_object": "coursewire.client.words",
    "read_success": "coursewire.client.answers",
    "required": "coursewire.export.texts",
    "result_of": "coursewire.client.answers",
    "result_of_error": "coursewire.client.answers",
    "rows_of": "coursewire.client.paging",
    "same_score": "coursewire.client.gradebook",
    "send_best": "coursewire.client.grading",
    "with_field": "coursewire.client.forms",
    "worded_error": "coursewire.client.refusals",
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
