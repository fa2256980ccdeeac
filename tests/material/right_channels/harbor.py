"""A right channel for a made-up LMS that is less simple than that of a generated one: wrong channels are varied from both.

Harbor issues tokens for an hour, takes courses in batches of 50 and answers for each of them, keeps them apart by a
``ref`` of ours, gives lists in pages, says "slow down" also by a 403, and adds every result that it is sent to those
it has.
"""

import httpx
import orjson

import coursewire as cw

FULL = cw.Support.FULL
LONGEST_NAME = 100


class HarborConfig(cw.ChannelConfig):
    """Where the LMS is, and who asks for tokens."""

    code = "HARBOR"

    harbor_url: cw.LmsUrl
    """Address of the LMS."""
    client_id: str
    """Of the application."""
    client_secret: cw.Secret
    """Of the application."""


class HarborAuth(cw.TokenAuth):
    """Client credentials, as OAuth 2 has them."""

    def __init__(self, config: HarborConfig, tokens: cw.Tokens) -> None:
        super().__init__(tokens)
        self.config = config

    def token_request(self, current: cw.Token | None) -> httpx.Request:
        """Ask with id and secret in the body."""
        form = {
            "grant_type": "client_credentials",
            "client_id": self.config.client_id,
            "client_secret": self.config.client_secret.get_secret_value(),
        }
        return httpx.Request("POST", f"{self.config.lms_url}/oauth/token", data=form)

    def read_token(self, response: httpx.Response) -> cw.Token:
        """As OAuth 2 has it."""
        return cw.read_oauth_token(response, self.tokens.clock)


def capabilities(**others):
    """What Harbor can do; wrong channels change some of it."""
    return cw.Capabilities(
        **{
            "completions": FULL,
            "retire_strategies": (cw.RetireStrategy.HIDE,),
            "idempotency": cw.Idempotency.NATURAL_KEY,
            "outcome_idempotency": cw.Idempotency.NONE,
            "raise_grade": cw.Support.IMPOSSIBLE,
            "lower_grade": cw.Support.IMPOSSIBLE,
            "revoke": cw.Support.IMPOSSIBLE,
            "list_remote": FULL,
            "list_inactive_learners": FULL,
            "paging": "offset",
            "slow_down": ("429", "403 with text"),
            **others,
        }
    )


@cw.hookimpl
def declare_channel():
    return cw.Channel(
        code="HARBOR",
        title="Harbor",
        requires_api=">=2.0,<3",
        config=HarborConfig,
        capabilities=capabilities(),
        limits=cw.Limits(batch_items=50, outcome_batch_items=20, concurrency=2),
        simulator="harbor_simulator:HarborSimulator",
    )


@cw.hookimpl
def authenticate(config, tokens):
    return HarborAuth(config, tokens)


@cw.hookimpl
def read_slow_down(response):
    return 0.0 if response.status_code == 403 and "rate limit" in response.text.lower() else None


@cw.hookimpl
def export_content(item):
    name = cw.truncate(cw.require_text(item, "title"), LONGEST_NAME)
    return {"name": name, "link": cw.require_text(item, "enrollment_url"), "starts": cw.iso_utc(item.start)}


@cw.hookimpl
def export_completion(completion):
    return {
        "course": completion.course_key,
        "learner": completion.remote_id,
        "score": None if completion.percent is None else float(completion.percent),
        "finished": cw.iso_utc(completion.completed_at),
    }


# -- sending -----------------------------------------------------------------------------------------


@cw.hookimpl
async def send_content(session, batch):
    return await send_courses(session, batch.operation, batch.payloads)


async def send_courses(session, operation, payloads):
    """One request for all; and one more for those that turn out to be there already, or not to be there."""
    rows = [{"ref": payload.remote_key, **payload.body} for payload in payloads]
    response = await session.post(f"/api/courses/{operation.value}", json={"courses": rows})
    answers = answers_of(response)
    if answers is None:
        return [refusal(session, response)] * len(payloads)
    results = [read(answers.get(payload.remote_key), operation, response) for payload in payloads]
    others = {"exists": cw.Operation.UPDATE, "missing": cw.Operation.CREATE}
    for status, instead in others.items():
        again = [n for n, payload in enumerate(payloads) if status_of(answers, payload) == status]
        if again and instead is not operation and operation is not cw.Operation.RETIRE:
            told = await send_courses(session, instead, [payloads[n] for n in again])
            for n, result in zip(again, told, strict=True):
                results[n] = result
    return results


def answers_of(response):
    """By ref what Harbor says of each course; None where it does not say."""
    rows = cw.read_object(response).get("results")
    if not response.is_success or not isinstance(rows, list):
        return None
    return {row["ref"]: row for row in rows if isinstance(row, dict) and "ref" in row}


def status_of(answers, payload):
    """What Harbor says of one course."""
    return answers.get(payload.remote_key, {}).get("status")


def read(row, operation, response):
    """The result of one course, from its own row."""
    status = response.status_code
    match (row or {}).get("status"):
        case "ok":
            return cw.Result(cw.ResultKind.ACCEPTED, remote_id=str(row["id"]), http_status=status)
        case "missing" if operation is cw.Operation.RETIRE:
            return cw.Result(cw.ResultKind.ALREADY_SO, "already-retired", http_status=status)
        case "error":
            return cw.Result(cw.ResultKind.REJECTED, "refused", str(row["message"]), http_status=status)
    return cw.Result(cw.ResultKind.TRY_LATER, "no-acknowledgement", "Harbor does not name it", http_status=status)


def refusal(session, response, *, batch_refused=True):
    """What an answer means that tells nothing of its items."""
    if response.is_success:
        return cw.Result(
            cw.ResultKind.TRY_LATER, "no-acknowledgement", response.text[:500], http_status=response.status_code
        )
    return cw.result_from(response, now=session.clock(), batch_refused=batch_refused)


@cw.hookimpl
async def send_outcomes(session, batch):
    response = await session.post("/api/results", json={"results": [dict(each.body) for each in batch.payloads]})
    rows = cw.read_object(response).get("results")
    if not response.is_success:
        return [refusal(session, response)] * len(batch)
    if not isinstance(rows, list) or len(rows) != len(batch):
        # It may have been taken; asking again could double it.
        return [cw.Result(cw.ResultKind.IN_DOUBT, "no-acknowledgement", http_status=response.status_code)] * len(batch)
    return [read_outcome(row, response.status_code) for row in rows]


def read_outcome(row, status):
    """The result of one learner's result."""
    if row.get("status") == "ok":
        return cw.Result(cw.ResultKind.ACCEPTED, http_status=status)
    return cw.Result(cw.ResultKind.REJECTED, "refused", str(row.get("message")), http_status=status)


# -- looking -----------------------------------------------------------------------------------------


@cw.hookimpl
async def find_remote(session, key):
    response = await session.get("/api/courses", params={"ref": key})
    rows = cw.read_success(response, "courses")["courses"]
    found = [row for row in rows if row["ref"] == key]
    return remote_item(found[0]) if found else None


@cw.hookimpl
async def list_remote(session):
    found = []
    async for page in session.pages("/api/courses", next_page=next_start):
        found += [remote_item(row) for row in cw.read_success(page, "courses")["courses"]]
    return found


@cw.hookimpl
async def list_inactive_learners(session):
    async for page in session.pages("/api/learners", params={"active": "no"}, next_page=next_start):
        for row in cw.read_success(page, "learners")["learners"]:
            yield row["id"]


def next_start(page):
    """Where the next page starts, as Harbor says it in the body."""
    start = orjson.loads(page.content)["next"]
    return None if start is None else {"start": start}


def remote_item(row):
    """A course as core takes it."""
    return cw.RemoteItem(remote_key=row["ref"], remote_id=str(row["id"]), live=row["visible"])


@cw.hookimpl
async def check_connection(session):
    account = cw.read_success(
        await session.get("/api/account"), "name", next_step="Check harbor_url, client_id and client_secret."
    )
    return [f"Harbor gave a token, and it opens the account {account['name']!r}."]
