"""The public names of Coursewire, grouped by what their user wants to do.

This is the one list: ``__init__.py`` hands the names out from it, and each loads on its first use.
"""

# -- Declare a channel --
from .model.channel import Channel as Channel
from .model.channel import Capabilities as Capabilities
from .model.channel import Limits as Limits
from .model.channel import Rate as Rate
from .model.channel import Support as Support
from .model.channel import Idempotency as Idempotency
from .model.channel import RetireStrategy as RetireStrategy
from .model.content import ContentType as ContentType
from .hooks import hookimpl as hookimpl
from .model.reasons import ReasonInfo as ReasonInfo
from .model.reasons import ReasonGroup as ReasonGroup
from .model.reasons import Reason as Reason
from .model.reasons import CountedAs as CountedAs
from .model.reasons import LiftedBy as LiftedBy
from .model.reasons import TRIED_AGAIN as TRIED_AGAIN
from .model.reasons import UNTIL_CHANGED as UNTIL_CHANGED

# -- Describe the fields of its configuration --
from .model.configuration import ChannelConfig as ChannelConfig
from .model.configuration import Destination as Destination
from .model.configuration import LmsUrl as LmsUrl
from .model.configuration import OptionalUrl as OptionalUrl
from .model.fields import ApiPath as ApiPath
from .model.configuration import AbsolutePath as AbsolutePath
from .model.configuration import Secret as Secret
from .model.fields import OptionalSecret as OptionalSecret
from .model.fields import Text as Text
from .model.fields import CommaSeparated as CommaSeparated
from .model.fields import Filled as Filled
from .model.fields import needed_with as needed_with
from .model.fields import needed_without as needed_without
from .model.fields import instead_of as instead_of
from .model.configuration import LearnerId as LearnerId
from .model.configuration import Resend as Resend

# -- Authenticate --
from .toolkit.auth import BearerAuth as BearerAuth
from .toolkit.auth import TokenAuth as TokenAuth
from .toolkit.auth import FormAuth as FormAuth
from .toolkit.auth import OAuthToken as OAuthToken
from .toolkit.oauth import OAuthApplication as OAuthApplication
from .model.inbound import CodeGrant as CodeGrant
from .toolkit.auth import read_oauth_token as read_oauth_token
from .model.session import Token as Token
from .model.session import Tokens as Tokens

# -- Send a request and read its response --
from .model.session import Session as Session
from .http.urls import quoted_path as quoted_path
from .toolkit.responses import read_json as read_json
from .toolkit.responses import read_object as read_object
from .toolkit.responses import rows_by as rows_by
from .toolkit.responses import dig as dig
from .toolkit.responses import dig_object as dig_object
from .toolkit.responses import is_done as is_done
from .toolkit.responses import is_missing as is_missing
from .toolkit.responses import error_text as error_text

# -- Say what a response means --
from .model.payload import Result as Result
from .model.payload import ResultKind as ResultKind
from .toolkit.results import admitted as admitted
from .toolkit.results import read_success as read_success
from .toolkit.results import read_rows as read_rows
from .toolkit.results import result_from as result_from
from .toolkit.results import result_from_echo as result_from_echo
from .toolkit.results import error_from as error_from
from .toolkit.results import result_from_error as result_from_error
from .toolkit.results import result_of_call as result_of_call

# -- Send items --
from .model.payload import Batch as Batch
from .model.payload import Payload as Payload
from .model.payload import Operation as Operation
from .model.kinds import Kind as Kind
from .model.payload import JsonObject as JsonObject
from .toolkit.items import ItemWriter as ItemWriter
from .toolkit.items import BulkItemWriter as BulkItemWriter
from .toolkit.items import Results as Results
from .toolkit.items import results_by_id as results_by_id

# -- Send results, also to a gradebook --
from .model.outcomes import Outcome as Outcome
from .model.outcomes import Completion as Completion
from .model.outcomes import Assessment as Assessment
from .model.outcomes import EnrollmentReport as EnrollmentReport
from .model.outcomes import Verdict as Verdict
from .model.outcomes import LastReported as LastReported
from .toolkit.grades import final_grade as final_grade
from .toolkit.grades import learner_of as learner_of
from .toolkit.gradebook import Cell as Cell
from .toolkit.gradebook import write_score as write_score
from .toolkit.gradebook import send_best as send_best
from .toolkit.gradebook import people_by_name as people_by_name
from .toolkit.gradebook import only_one as only_one
from .toolkit.gradebook import blocked as blocked

# -- Read lists of the LMS --
from .model.payload import RemoteItem as RemoteItem
from .toolkit.paging import rows_of as rows_of
from .toolkit.polling import poll as poll

# -- Write texts and runs of content --
from .model.content import ContentItem as ContentItem
from .model.content import CourseRun as CourseRun
from .toolkit.course_runs import choose_run as choose_run
from .toolkit.course_runs import is_open as is_open
from .toolkit.course_runs import first_active_price as first_active_price
from .toolkit.texts import require_text as require_text
from .toolkit.texts import require_length as require_length
from .toolkit.texts import truncate as truncate
from .toolkit.html import plain_text as plain_text
from .model.addresses import is_web_address as is_web_address
from .toolkit.html import clean_html as clean_html
from .toolkit.executive_education import title_with_type as title_with_type
from .toolkit.executive_education import description_with_type as description_with_type
from .toolkit.texts import digest as digest

# -- Tell the time --
from .model.instant import Clock as Clock
from .model.instant import Moment as Moment
from .model.instant import utc_now as utc_now
from .model.instant import iso_utc as iso_utc

# -- Answer calls of the LMS and of its users --
from .model.inbound import InboundRoute as InboundRoute
from .model.inbound import InboundAccess as InboundAccess
from .model.inbound import InboundRequest as InboundRequest
from .model.inbound import InboundAnswer as InboundAnswer
from .model.inbound import InboundDesk as InboundDesk
from .model.inbound import InboundRefusal as InboundRefusal
from .model.inbound import PublishedItem as PublishedItem
from .model.inbound import Launch as Launch
from .model.inbound import list_route as list_route

# -- Add a command --
from .cli.channel_commands import CommandOutput as CommandOutput
from .cli.channel_commands import OpenConfiguration as OpenConfiguration
from .cli.channel_commands import StoredConfiguration as StoredConfiguration
from .cli.channel_commands import open_configuration as open_configuration
from .cli.channel_commands import open_configuration_file as open_configuration_file

# -- Raise errors --
from .errors import CoursewireError as CoursewireError
from .errors import NotExportableError as NotExportableError
from .errors import SendError as SendError
from .errors import ThrottledError as ThrottledError
from .errors import CredentialsError as CredentialsError
from .errors import UnreachableError as UnreachableError
from .errors import OutcomeUnknownError as OutcomeUnknownError
from .errors import RejectedError as RejectedError
from .errors import BlockedError as BlockedError
from .errors import IncompleteListError as IncompleteListError
from .errors import ConfigurationError as ConfigurationError
from .errors import SetupError as SetupError

# -- Embed Coursewire in a program --
from .host import Host as Host
from .installation import Installation as Installation

__all__: list[str]
__version__: str
