"""The changelog's table of what moved in the plugin API names what is there, and only what is gone as gone."""

import re
from pathlib import Path

import coursewire as cw
from coursewire.model.channel import PLUGIN_API

CHANGELOG = (Path(__file__).parents[1] / "CHANGELOG.md").read_text(encoding="utf-8")
TABLE = CHANGELOG.partition(f"### Plugin API {PLUGIN_API}")[2].partition("\n### ")[0]
ROWS = re.findall(r"^\| (.+?) \| (.+) \|$", TABLE, re.MULTILINE)[2:]


def names(text):
    return set(re.findall(r"\bcw\.(\w+)", text))


def test_what_moved_is_gone_and_what_it_became_is_there():
    assert len(ROWS) > 20
    old, new = names(" ".join(row[0] for row in ROWS)), names(" ".join(row[1] for row in ROWS))
    assert new <= set(cw.__all__)
    assert old & set(cw.__all__) == {"Capabilities"}, "of which only two ways to make them are gone"


def test_every_name_of_plugin_api_1_is_still_there_or_in_the_table():
    gone = set(OLD.split()) - set(cw.__all__)
    assert gone - names(" ".join(row[0] for row in ROWS)) == set()


OLD = """
Adopter ApiPath Assessment Batch BearerAuth BlockedError Capabilities Cell Channel ChannelConfig
CodedAuth Completion ContentItem ContentType CredentialsError Filled FormAuth Host Idempotency
IncompleteListError Installation JsonObject Kind LearnerId Limits LmsUrl NotExportableError
OAuthApplication OAuthToken Operation Outcome OutcomeUnknownError Payload Preflight Printed Rate
RejectedError RemoteItem Result ResultKind Results RetireStrategy Secret SendError Session Support
Text ThrottledError Token TokenAuth Tokens UnreachableError XmlNames acknowledged as_result blocked
bracketed choose_run coded_error cut digest error_of error_text final_grade first_active_price
fitting hookimpl hooks_of instead_of is_done is_missing iso_utc learner_of marked_description
marked_title member_at named needed_without object_at only_one packaged_data people_by_members
people_by_name plain_text poll quoted_path read_json read_noisy read_oauth_token read_object
read_rows read_success required result_of result_of_error rows_by rows_of same_score send_best
with_field worded_error write_score
"""
