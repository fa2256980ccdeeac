"""rest-api.md: every operation of the REST API, from the OpenAPI document of the service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from coursewire.service.app import DESCRIPTION, ROUTERS, document_of
from coursewire.service.authorization import right_of
from docs.generate.markdown import code, page, table

INTRO = """\
The whole document, OpenAPI 3.1, is served at `/api/v1/openapi.json`. Routes of channels lie below
`/channels/`; the channels' own pages and that document name them."""

PAGES = """\
A list answers with `items` and `next`. Give `next` as `after` for the following page; it is null on the last one. What is
added or changed meanwhile makes no page skip or repeat a row that stays."""

PROBLEMS = """\
An error is `application/problem+json` (RFC 9457): `title` says what failed, `detail` why, `where` narrows it down,
`next_step` says what you can do, `code` is the stable name of the [kind of error](errors.md), `errors` names the fields at
fault. What you may not see is answered with 404, as if it were not there."""

SECTIONS = {
    "configurations": "Configurations",
    "jobs": "Jobs and plans",
    "records": "Records",
    "transmissions": "Transmissions",
    "learners": "Learners",
    "customers": "Customers and catalogs",
    "channels": "Channels",
    "access": "Accounts and tokens",
    "events": "Events",
    "health": "Health and metrics",
}
COMMON = {"400", "401", "403", "404", "409", "413", "422", "503"}
"""Statuses that nearly every operation may answer with; a row each time would tell nothing."""


def pages() -> dict[str, str]:
    """The page."""
    routes = [route for router in ROUTERS for route in router.routes]
    document = document_of(routes)
    rights = {
        (route.path, method.lower()): right_of(route.endpoint)
        for route in routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    found: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            (tag,) = operation["tags"]
            found.setdefault(tag, []).append(_operation(path, method, operation, rights[path, method]))
    parts = [DESCRIPTION, INTRO, "## Pages", PAGES, "## Errors", PROBLEMS]
    for tag in [*SECTIONS, *sorted(found.keys() - SECTIONS.keys())]:
        if tag in found:
            parts += [f"## {SECTIONS.get(tag, tag.capitalize())}", *found[tag]]
    parts += ["## Shapes", *_shapes(document)]
    return {"rest-api.md": page("REST API", *parts)}


def _operation(path: str, method: str, operation: dict[str, Any], right: Any) -> str:
    needs = f"Needs the right {code(right.value)}." if right else "Open to everybody."
    parts = [
        f"### {method.upper()} {path}",
        f"**{operation['summary']}.** {operation.get('description', '').strip()}".strip(),
        needs,
        table(
            ("parameter", "in", "type", "meaning"),
            [
                (
                    code(each["name"]) + (" (needed)" if each.get("required") else ""),
                    each["in"],
                    _type(each["schema"]),
                    each.get("description") or each["schema"].get("description", ""),
                )
                for each in operation.get("parameters", ())
                if each["in"] != "cookie"
            ],
        ),
    ]
    body = operation.get("requestBody", {}).get("content", {})
    parts += [f"Body: {_type(content['schema'])} ({kind})" for kind, content in body.items()]
    answers = []
    for status, answer in operation["responses"].items():
        schemas = [content.get("schema", {}) for content in answer.get("content", {}).values()]
        shape = ", ".join(_type(schema) for schema in schemas if schema) if status < "3" else ""
        if status not in COMMON:
            said = answer["description"].strip().replace("Successful Response", "It is done.")
            answers.append((status, said, shape))
    parts.append(table(("answer", "when", "what"), answers))
    return "\n\n".join(filter(None, parts))


def _shapes(document: dict[str, Any]) -> Iterator[str]:
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield f"### {name}"
        if "enum" in schema:
            yield "One of " + ", ".join(map(code, schema["enum"])) + "."
            continue
        if not name.startswith(("Body_", "Page_")):
            yield " ".join(str(schema.get("description", "")).split())
        needed = schema.get("required", ())
        yield table(
            ("field", "type", "meaning"),
            [
                (
                    code(field) + (" (needed)" if field in needed else ""),
                    _type(value),
                    value.get("description", ""),
                )
                for field, value in schema.get("properties", {}).items()
            ],
        )


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            types = [_type(each) for each in schema[several] if each.get("type") != "null"]
            return " or ".join(dict.fromkeys(types))
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(map(code, schema["enum"]))
    kind = str(schema.get("type", "any"))
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return {"date-time": "instant", "uuid": "UUID"}.get(schema.get("format", ""), kind)
