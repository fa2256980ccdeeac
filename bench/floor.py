"""The floor: the same bodies posted by bare aiohttp with as many connections, the same rows inserted in bulk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from sqlalchemy import Engine, insert, select
from yarl import URL

from coursewire.storage.database.engine import open_engine
from coursewire.storage.database.schema import migrate
from coursewire.storage.tables.records import configuration, content_record, outcome_record, transmission

TABLES = (content_record, outcome_record, transmission)


async def post(url: str, code: str, payloads: Sequence[tuple[str, bytes]], fields: dict[str, Any]) -> float:
    """Post what a first transmission posts, and return the seconds; bodies are made before the clock starts."""
    return await {"SAP": _sap, "CANVAS": _canvas}[code](url, payloads, fields)


async def _sap(url: str, payloads: Sequence[tuple[str, bytes]], fields: dict[str, Any]) -> float:
    bodies = [
        b'{"ocnCourses":[' + b",".join(body for _, body in payloads[at : at + 1000]) + b"]}"
        for at in range(0, len(payloads), 1000)
    ]
    token_body = {
        "grant_type": "client_credentials",
        "scope": {
            "userId": fields["sapsf_user_id"],
            "companyId": fields["sapsf_company_id"],
            "userType": fields.get("user_type", "user"),
            "resourceType": "learning_public_api",
        },
    }
    async with aiohttp.ClientSession() as session:
        start = time.perf_counter()
        basic = aiohttp.BasicAuth(fields["key"], fields["secret"])
        token_url = f"{url}/learning/oauth-api/rest/v1/token"
        async with session.post(token_url, json=token_body, auth=basic) as answer:
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for body in bodies:
            target = f"{url}/learning/odatav4/public/admin/ocn/v1/OcnCourses"
            async with session.post(target, data=body, headers=headers) as answer:
                await answer.read()
                answer.raise_for_status()
        return time.perf_counter() - start


async def _canvas(url: str, payloads: Sequence[tuple[str, bytes]], fields: dict[str, Any]) -> float:
    creates = []
    for key, body in payloads:
        course = orjson.loads(body)["course"]
        image = {"course": {"event": "offer", "image_url": course.get("image_url")}}
        escaped = key.replace("+", "%2B").replace(":", "%3A").replace(".", "%2E")
        create = orjson.dumps({"course": course, "offer": True})
        creates.append((escaped, create, orjson.dumps(image) if course.get("image_url") else None))
    slots = asyncio.Semaphore(10)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=10)) as session:
        start = time.perf_counter()
        token = await _canvas_token(session, url, fields)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        account = f"{url}/api/v1/accounts/{fields['canvas_account_id']}/courses"

        async def one(key: str, create: bytes, image: bytes | None) -> None:
            async with slots:
                look = URL(
                    f"{url}/api/v1/courses/sis_integration_id:{key}?include[]=all_courses", encoded=True
                )
                async with session.get(look, headers=headers) as answer:
                    await answer.read()
                async with session.post(account, data=create, headers=headers) as answer:
                    course = orjson.loads(await answer.read())
                    answer.raise_for_status()
                if image is not None:
                    target = f"{url}/api/v1/courses/{course['id']}"
                    async with session.put(target, data=image, headers=headers) as answer:
                        await answer.read()
                        answer.raise_for_status()

        await asyncio.gather(*(one(*each) for each in creates))
        return time.perf_counter() - start


async def repeat(url: str, code: str, fields: dict[str, Any], connections: int) -> float:
    """Send again every request that a simulator has seen, with what it carried, and return the seconds."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        async with session.get(f"{url}/_simulator/requests") as answer:
            seen = orjson.loads(await answer.read())
        basic = aiohttp.BasicAuth(fields["key"], fields["secret"]).encode() if code == "SAP" else ""
        token = "" if code == "SAP" else await _canvas_token(session, url, fields)
        calls = []
        for each in seen:
            address = f"{url}{each['path']}" + (f"?{each['query']}" if each["query"] else "")
            is_token = "oauth" in each["path"]
            body = each["body"]
            headers = {"Authorization": basic if is_token and basic else f"Bearer {token}"}
            if isinstance(body, str):
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            elif body is not None:
                headers["Content-Type"] = "application/json"
            data = body.encode() if isinstance(body, str) else None if body is None else orjson.dumps(body)
            calls.append((each["method"], URL(address, encoded=True), data, headers))
        slots = asyncio.Semaphore(connections)

        async def one(method: str, address: URL, data: bytes | None, headers: dict[str, str]) -> None:
            async with slots, session.request(method, address, data=data, headers=headers) as answer:
                await answer.read()

        start = time.perf_counter()
        await asyncio.gather(*(one(*call) for call in calls))
        return time.perf_counter() - start


async def _canvas_token(session: aiohttp.ClientSession, url: str, fields: dict[str, Any]) -> str:
    form = {"grant_type": "refresh_token"} | {
        name: fields[name] for name in ("client_id", "client_secret", "refresh_token")
    }
    async with session.post(f"{url}/login/oauth2/token", data=form) as answer:
        return str((await answer.json())["access_token"])


def insert_rows(filled: Engine, folder: Path) -> float:
    """Insert the rows that a first transmission left into an empty database, and return the seconds."""
    rows = {}
    with filled.connect() as connection:
        parents = [dict(row._mapping) for row in connection.execute(select(configuration))]
        for table in TABLES:
            rows[table] = [dict(row._mapping) for row in connection.execute(select(table))]
    empty = open_engine(f"sqlite:///{folder / 'floor.db'}")
    migrate(empty)
    with empty.begin() as connection:
        connection.execute(insert(configuration), parents)
    start = time.perf_counter()
    for table, all_rows in rows.items():
        if not all_rows:
            continue
        with empty.begin() as connection:
            connection.execute(insert(table), all_rows)
    seconds = time.perf_counter() - start
    empty.dispose()
    return seconds
