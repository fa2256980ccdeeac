"""Coursewire carries course catalogues to learning management systems and results back.

What authors of channels and host services need is here, under one name: ``import coursewire as cw``. The names
load on first use, so that ``import coursewire`` stays cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursewire.errors import BlockedError as BlockedError
    from coursewire.errors import CredentialsError as CredentialsError
    from coursewire.errors import IncompleteListError as IncompleteListError
    from coursewire.errors import NotExportableError as NotExportableError
    from coursewire.errors import OutcomeUnknownError as OutcomeUnknownError
    from coursewire.errors import RejectedError as RejectedError
    from coursewire.errors import SendError as SendError
    from coursewire.errors import ThrottledError as ThrottledError
    from coursewire.errors import UnreachableError as UnreachableError
    from coursewire.hooks import hookimpl as hookimpl
    from coursewire.host import Host as Host
    from coursewire.http.urls import quoted_path as quoted_path
    from coursewire.installation import Installation as Installation
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
    from coursewire.plugins.data import packaged_data as packaged_data
    from coursewire.plugins.gathering import hooks_of as hooks_of
    from coursewire.toolkit.auth import BearerAuth as BearerAuth
    from coursewire.toolkit.auth import FormAuth as FormAuth
    from coursewire.toolkit.auth import OAuthToken as OAuthToken
    from coursewire.toolkit.auth import TokenAuth as TokenAuth
    from coursewire.toolkit.auth import read_oauth_token as read_oauth_token
    from coursewire.toolkit.course_runs import choose_run as choose_run
    from coursewire.toolkit.course_runs import first_active_price as first_active_price
    from coursewire.toolkit.executive_education import description_with_type as description_with_type
    from coursewire.toolkit.executive_education import title_with_type as title_with_type
    from coursewire.toolkit.forms import bracketed as bracketed
    from coursewire.toolkit.forms import with_field as with_field
    from coursewire.toolkit.gradebook import Cell as Cell
    from coursewire.toolkit.gradebook import blocked as blocked
    from coursewire.toolkit.gradebook import only_one as only_one
    from coursewire.toolkit.gradebook import people_by_members as people_by_members
    from coursewire.toolkit.gradebook import people_by_name as people_by_name
    from coursewire.toolkit.gradebook import same_score as same_score
    from coursewire.toolkit.gradebook import write_score as write_score
    from coursewire.toolkit.grades import final_grade as final_grade
    from coursewire.toolkit.grades import learner_of as learner_of
    from coursewire.toolkit.grading import send_best as send_best
    from coursewire.toolkit.items import ItemWriter as ItemWriter
    from coursewire.toolkit.items import Results as Results
    from coursewire.toolkit.items import results_by_id as results_by_id
    from coursewire.toolkit.oauth import OAuthApplication as OAuthApplication
    from coursewire.toolkit.paging import rows_of as rows_of
    from coursewire.toolkit.plain_text import plain_text as plain_text
    from coursewire.toolkit.polling import poll as poll
    from coursewire.toolkit.refusals import CodedAuth as CodedAuth
    from coursewire.toolkit.refusals import Preflight as Preflight
    from coursewire.toolkit.refusals import coded_error as coded_error
    from coursewire.toolkit.refusals import worded_error as worded_error
    from coursewire.toolkit.responses import Printed as Printed
    from coursewire.toolkit.responses import dig as dig
    from coursewire.toolkit.responses import dig_object as dig_object
    from coursewire.toolkit.responses import error_text as error_text
    from coursewire.toolkit.responses import is_done as is_done
    from coursewire.toolkit.responses import is_missing as is_missing
    from coursewire.toolkit.responses import read_json as read_json
    from coursewire.toolkit.responses import read_noisy as read_noisy
    from coursewire.toolkit.responses import read_object as read_object
    from coursewire.toolkit.responses import rows_by as rows_by
    from coursewire.toolkit.results import error_from as error_from
    from coursewire.toolkit.results import read_rows as read_rows
    from coursewire.toolkit.results import read_success as read_success
    from coursewire.toolkit.results import result_from as result_from
    from coursewire.toolkit.results import result_from_echo as result_from_echo
    from coursewire.toolkit.results import result_from_error as result_from_error
    from coursewire.toolkit.results import result_of_call as result_of_call
    from coursewire.toolkit.texts import digest as digest
    from coursewire.toolkit.texts import require_length as require_length
    from coursewire.toolkit.texts import require_text as require_text
    from coursewire.toolkit.texts import truncate as truncate
    from coursewire.toolkit.xml_replies import XmlNames as XmlNames

__all__ = [
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
    "ItemWriter",
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
    "blocked",
    "bracketed",
    "choose_run",
    "coded_error",
    "description_with_type",
    "dig",
    "dig_object",
    "digest",
    "error_from",
    "error_text",
    "final_grade",
    "first_active_price",
    "hookimpl",
    "hooks_of",
    "instead_of",
    "is_done",
    "is_missing",
    "iso_utc",
    "learner_of",
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
    "read_rows",
    "read_success",
    "require_length",
    "require_text",
    "result_from",
    "result_from_echo",
    "result_from_error",
    "result_of_call",
    "results_by_id",
    "rows_by",
    "rows_of",
    "same_score",
    "send_best",
    "title_with_type",
    "truncate",
    "with_field",
    "worded_error",
    "write_score",
]

_HOMES = {
    "ApiPath": "coursewire.model.fields",
    "Assessment": "coursewire.model.outcomes",
    "Batch": "coursewire.model.payload",
    "BearerAuth": "coursewire.toolkit.auth",
    "BlockedError": "coursewire.errors",
    "Capabilities": "coursewire.model.channel",
    "Cell": "coursewire.toolkit.gradebook",
    "Channel": "coursewire.model.channel",
    "ChannelConfig": "coursewire.model.configuration",
    "CodedAuth": "coursewire.toolkit.refusals",
    "Completion": "coursewire.model.outcomes",
    "ContentItem": "coursewire.model.content",
    "ContentType": "coursewire.model.content",
    "CredentialsError": "coursewire.errors",
    "Filled": "coursewire.model.fields",
    "FormAuth": "coursewire.toolkit.auth",
    "Host": "coursewire.host",
    "Idempotency": "coursewire.model.channel",
    "IncompleteListError": "coursewire.errors",
    "Installation": "coursewire.installation",
    "ItemWriter": "coursewire.toolkit.items",
    "JsonObject": "coursewire.model.payload",
    "Kind": "coursewire.model.payload",
    "LearnerId": "coursewire.model.configuration",
    "Limits": "coursewire.model.channel",
    "LmsUrl": "coursewire.model.configuration",
    "NotExportableError": "coursewire.errors",
    "OAuthApplication": "coursewire.toolkit.oauth",
    "OAuthToken": "coursewire.toolkit.auth",
    "Operation": "coursewire.model.payload",
    "Outcome": "coursewire.model.outcomes",
    "OutcomeUnknownError": "coursewire.errors",
    "Payload": "coursewire.model.payload",
    "Preflight": "coursewire.toolkit.refusals",
    "Printed": "coursewire.toolkit.responses",
    "Rate": "coursewire.model.channel",
    "RejectedError": "coursewire.errors",
    "RemoteItem": "coursewire.model.payload",
    "Result": "coursewire.model.payload",
    "ResultKind": "coursewire.model.payload",
    "Results": "coursewire.toolkit.items",
    "RetireStrategy": "coursewire.model.channel",
    "Secret": "coursewire.model.configuration",
    "SendError": "coursewire.errors",
    "Session": "coursewire.model.session",
    "Support": "coursewire.model.channel",
    "Text": "coursewire.model.fields",
    "ThrottledError": "coursewire.errors",
    "Token": "coursewire.model.session",
    "TokenAuth": "coursewire.toolkit.auth",
    "Tokens": "coursewire.model.session",
    "UnreachableError": "coursewire.errors",
    "XmlNames": "coursewire.toolkit.xml_replies",
    "blocked": "coursewire.toolkit.gradebook",
    "bracketed": "coursewire.toolkit.forms",
    "choose_run": "coursewire.toolkit.course_runs",
    "coded_error": "coursewire.toolkit.refusals",
    "description_with_type": "coursewire.toolkit.executive_education",
    "dig": "coursewire.toolkit.responses",
    "dig_object": "coursewire.toolkit.responses",
    "digest": "coursewire.toolkit.texts",
    "error_from": "coursewire.toolkit.results",
    "error_text": "coursewire.toolkit.responses",
    "final_grade": "coursewire.toolkit.grades",
    "first_active_price": "coursewire.toolkit.course_runs",
    "hookimpl": "coursewire.hooks",
    "hooks_of": "coursewire.plugins.gathering",
    "instead_of": "coursewire.model.fields",
    "is_done": "coursewire.toolkit.responses",
    "is_missing": "coursewire.toolkit.responses",
    "iso_utc": "coursewire.model.instant",
    "learner_of": "coursewire.toolkit.grades",
    "needed_without": "coursewire.model.fields",
    "only_one": "coursewire.toolkit.gradebook",
    "packaged_data": "coursewire.plugins.data",
    "people_by_members": "coursewire.toolkit.gradebook",
    "people_by_name": "coursewire.toolkit.gradebook",
    "plain_text": "coursewire.toolkit.plain_text",
    "poll": "coursewire.toolkit.polling",
    "quoted_path": "coursewire.http.urls",
    "read_json": "coursewire.toolkit.responses",
    "read_noisy": "coursewire.toolkit.responses",
    "read_oauth_token": "coursewire.toolkit.auth",
    "read_object": "coursewire.toolkit.responses",
    "read_rows": "coursewire.toolkit.results",
    "read_success": "coursewire.toolkit.results",
    "require_length": "coursewire.toolkit.texts",
    "require_text": "coursewire.toolkit.texts",
    "result_from": "coursewire.toolkit.results",
    "result_from_echo": "coursewire.toolkit.results",
    "result_from_error": "coursewire.toolkit.results",
    "result_of_call": "coursewire.toolkit.results",
    "results_by_id": "coursewire.toolkit.items",
    "rows_by": "coursewire.toolkit.responses",
    "rows_of": "coursewire.toolkit.paging",
    "same_score": "coursewire.toolkit.gradebook",
    "send_best": "coursewire.toolkit.grading",
    "title_with_type": "coursewire.toolkit.executive_education",
    "truncate": "coursewire.toolkit.texts",
    "with_field": "coursewire.toolkit.forms",
    "worded_error": "coursewire.toolkit.refusals",
    "write_score": "coursewire.toolkit.gradebook",
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
