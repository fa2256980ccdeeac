"""The hooks of the BRIGHTPATH channel: courses as modules, completions as results in bulk."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import coursewire as cw
import httpx
from pydantic import Field

FIELDS = ("name", "summary", "link", "language", "opens_at", "archived")
"""What a module holds beside its key."""
LONGEST_KEY, LONGEST_NAME, LONGEST_SUMMARY = 64, 120, 4000
CHECK = "Check brightpath_url, client_id and client_secret."


class BrightpathConfig(cw.ChannelConfig):
    """Settings of one customer: where Brightpath is, and who asks."""

    brightpath_url: cw.LmsUrl
    """Address of the customer's Brightpath, such as https://acme.brightpath.example."""
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    """Id of the API client, from Brightpath's page "API clients"."""
    client_secret: cw.Secret
    """Secret of the API client, shown once when the client is made."""

    @property
    def limit_scope(self) -> str:
        """Brightpath counts calls by API client, so that two clients at one address share nothing."""
        return f"{super().limit_scope} {_digest(self.client_id)}"


@cw.hookimpl
def declare_channel() -> cw.Channel:
    """One module a request, fifty results a request; both are put under keys of ours."""
    return cw.Channel(
        code="BRIGHTPATH",
        title="Brightpath",
        requires_api=">=2.0,<3",
        reasons=(
            cw.ReasonInfo(
                code="already-stored",
                group=cw.ReasonGroup.LMS,
                counted_as=cw.CountedAs.DONE,
                text="Brightpath had this result before",
            ),
        ),
        config=BrightpathConfig,
        capabilities=cw.Capabilities(
            content_types=frozenset({cw.ContentType.COURSE, cw.ContentType.COURSE_RUN}),
            completions=cw.Support.FULL,
            assessments=cw.Support.IMPOSSIBLE,
            enrollments=cw.Support.IMPOSSIBLE,
            in_progress=cw.Support.FULL,
            outcomes_need_content=True,
            list_remote=cw.Support.FULL,
            paging="page number",
            retire_strategies=(cw.RetireStrategy.HIDE,),
            idempotency=cw.Idempotency.UPSERT,
            outcome_idempotency=cw.Idempotency.UPSERT,
            raise_grade=cw.Support.FULL,
            lower_grade=cw.Support.FULL,
            revoke=cw.Support.FULL,
        ),
        limits=cw.Limits(
            outcome_batch_items=50,
            rates={"default": cw.Rate(calls=120, seconds=60)},
            counted_by="application key",
        ),
        simulator="coursewire_brightpath.simulator:BrightpathSimulator",
    )


@cw.hookimpl
def authenticate(config: BrightpathConfig, tokens: cw.Tokens) -> httpx.Auth:
    """Tokens of an hour, for the API client's id and secret."""
    form = {
        "grant_type": "client_credentials",
        "client_id": config.client_id,
        "client_secret": config.client_secret.get_secret_value(),
    }
    return cw.FormAuth(tokens, f"{config.lms_url}/oauth/token", form)


@cw.hookimpl
def remote_key(item: cw.ContentItem) -> str:
    """Brightpath takes 64 characters. What is longer keeps its beginning, and a digest keeps it apart."""
    key = item.content_key
    if len(key) <= LONGEST_KEY and key.strip("."):  # a path of dots alone would lead elsewhere
        return key
    return f"{key[: LONGEST_KEY - 17]}-{_digest(key)}"


@cw.hookimpl
def export_content(item: cw.ContentItem, moment: Any) -> cw.JsonObject:
    """Build one module, without its key. Language and beginning are those of the course's run."""
    link, run = cw.require_text(item, "enrollment_url"), cw.choose_run(item, moment)
    if not link.startswith(("https://", "http://")):
        raise cw.NotExportableError("enrollment_url", "Brightpath takes absolute addresses only")
    summary = cw.plain_text(item.full_description) or cw.plain_text(item.short_description)
    return {
        "name": cw.truncate(cw.require_text(item, "title"), LONGEST_NAME),
        "summary": cw.truncate(summary, LONGEST_SUMMARY),
        "link": link,
        "language": _two_letters((run and run.content_language) or item.content_language),
        "opens_at": cw.iso_utc((run and run.start) or item.start),
        "archived": False,
    }


@cw.hookimpl
def export_retirement(confirmed: Mapping[str, Any]) -> cw.JsonObject:
    """Brightpath hides an archived module, and shows it again when the mark goes."""
    return {**confirmed, "archived": True}


@cw.hookimpl
def export_completion(completion: cw.Completion) -> cw.JsonObject:
    """Build one result, without its reference. A grade that nobody knows is null, which is not zero."""
    score = None if completion.percent is None else float(round(completion.percent * 100, 2))
    return {
        "learner": completion.remote_id,
        "module": completion.course_key,
        "passed": completion.complete,
        "score": score,
        "finished_at": cw.iso_utc(completion.completed_at),
    }


@cw.hookimpl
async def send_content(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Put the modules of a batch, which is one."""
    return [await _put_module(session, payload) for payload in batch.payloads]


async def _put_module(session: cw.Session, payload: cw.Payload) -> cw.Result:
    path, body = cw.quoted_path("api", "v2", "modules", payload.remote_key), payload.body
    if payload.operation is cw.Operation.RETIRE:  # a PUT would make one that is gone anew
        held = await session.get(path)
        if cw.is_missing(held):  # Brightpath's own 404, and not the page of a proxy
            return cw.Result(cw.ResultKind.ALREADY_SO, "already-retired", http_status=held.status_code)
        if not held.is_success:
            return _refused(held, session)
        if "name" not in body:  # nothing was ever confirmed: archive what is there
            module = cw.read_success(held, "name", next_step=CHECK)
            body = {**{field: module.get(field) for field in FIELDS}, **body}
    response = await session.put(path, json={"external_id": payload.remote_key, **body})
    if not response.is_success:
        return _refused(response, session)
    echo = {"external_id": payload.remote_key}
    result = cw.result_from_echo(response, payload.operation, echo, now=session.clock())
    number = cw.read_object(response).get("id")
    return replace(result, remote_id=str(number)) if number else result


def _refused(response: httpx.Response, session: cw.Session) -> cw.Result:
    """Say which field it is about, where Brightpath says so."""
    result, error = cw.result_from(response, now=session.clock()), cw.read_object(response).get("error")
    if isinstance(error, dict) and error.get("field"):
        return replace(result, message=f"{error['field']}: {error.get('message')}")
    return result


@cw.hookimpl
async def send_outcomes(session: cw.Session, batch: cw.Batch) -> list[cw.Result]:
    """Send up to fifty results in one call. It may be repeated; the answer has its own order."""
    results = [{"reference": payload.key, **payload.body} for payload in batch.payloads]
    response = await session.post("/api/v2/results", json={"results": results}, safe_to_repeat=True)
    if not response.is_success:
        return [cw.result_from(response, now=session.clock(), batch_refused=True)] * len(batch)
    rows = cw.read_object(response).get("results")
    objects = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    told = {row.get("reference"): row for row in objects}
    return [_result_of_row(told.get(payload.key, {}), response) for payload in batch.payloads]


def _result_of_row(row: Mapping[str, Any], response: httpx.Response) -> cw.Result:
    """What Brightpath said about one result. Silence about it is no acknowledgement."""
    kind, reason = cw.ResultKind.TRY_LATER, "no-acknowledgement"
    match row.get("status"), row.get("message"):
        case "stored", _:
            kind, reason = cw.ResultKind.ACCEPTED, ""
        case "duplicate", _:
            kind, reason = cw.ResultKind.ALREADY_SO, "already-stored"
        case "error", "unknown learner":
            kind, reason = cw.ResultKind.BLOCKED, "learner-unmatched"
        case "error", _:
            kind, reason = cw.ResultKind.REJECTED, "invalid"
    return cw.Result(kind, reason, str(row.get("message") or ""), http_status=response.status_code)


@cw.hookimpl
async def list_remote(session: cw.Session) -> list[cw.RemoteItem]:
    """All modules, archived ones too."""
    found = []
    first = {"page": 1, "per_page": 100}
    async for page in session.pages("/api/v2/modules", params=first, next_page=_next_page):
        for module in cw.read_success(page, "modules")["modules"]:
            live = not module["archived"]
            key, number = module["external_id"], str(module["id"])
            found.append(cw.RemoteItem(key, number, live=live, fields=module))
    return found


def _next_page(response: httpx.Response) -> Mapping[str, Any] | None:
    """The parameter that changes; None on the last page. A page without its number ends nothing."""
    body = cw.read_object(response)
    page, pages = body.get("page"), body.get("pages")
    if not isinstance(page, int) or not isinstance(pages, int):
        raise cw.IncompleteListError("a page of the list of modules does not say which one it is")
    return {"page": page + 1} if page < pages else None


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Get a token and read one row of the list. Nothing harmless tells whether the client may write."""
    response = await session.get("/api/v2/modules", params={"page": 1, "per_page": 1})
    cw.read_success(response, "modules", "page", "pages", next_step=CHECK)
    return ["Brightpath gave a token for the API client.", "The modules can be listed."]


def _two_letters(language: str | None) -> str | None:
    """``en`` of ``en-us``; None for what is not written so."""
    found = re.match(r"([a-z]{2})(?![a-z])", (language or "").lower())
    return found[1] if found else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
