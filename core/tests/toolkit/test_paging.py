from __future__ import annotations

import asyncio

import httpx
import pytest
from aiohttp import web

from coursewire.errors import IncompleteListError, OutcomeUnknownError, UnreachableError
from coursewire.http.paging import next_link
from coursewire.testing.misbehave import Misbehaviour
from coursewire.testing.simulator import json_response
from coursewire.toolkit.paging import rows_of


def collect(kit, lms, time, *, max_pages=100, params=None, **options):
    got = []

    async def main():
        async with kit.draft(lms.url, time, **options) as session:
            async for page in session.pages("list", params=params, max_pages=max_pages):
                got.extend(page.json())

    try:
        asyncio.run(main())
    except (IncompleteListError, UnreachableError, OutcomeUnknownError) as error:
        return got, error
    return got, None


def serve(lms, pages, link=None):
    """Pages by number; ``link`` makes the header of page n, by default the next page's."""

    def answer(request):
        number = int(request.query.get("page", 1))
        items = pages[number - 1]
        if isinstance(items, int):
            return web.Response(status=items)
        if link:
            header = link(number)
        else:
            header = f'<{lms.url}/list?page={number + 1}>; rel="next"' if number < len(pages) else ""
        return json_response(items, headers={"Link": header} if header else None)

    lms.answer = answer


def test_a_list_is_read_to_its_end_and_an_empty_page_ends_nothing(kit, lms, time):
    serve(lms, [[1, 2], [], [3]])
    assert collect(kit, lms, time) == ([1, 2, 3], None)


def test_parameters_go_with_the_first_page_only(kit, lms, time):
    serve(lms, [[1], [2]])
    collect(kit, lms, time, params={"per_page": 50})
    assert [seen.query for seen in lms.seen] == ["per_page=50", "page=2"]


def test_relative_links_are_followed(kit, lms, time):
    serve(lms, [[1], [2]], link=lambda n: '</list?page=2>; rel="next"' if n == 1 else "")
    assert collect(kit, lms, time) == ([1, 2], None)


@pytest.mark.parametrize(
    "target", ["http://evil.example/list?page=2", "//evil.example/list", "ftp://127.0.0.1/list", "//[bad"]
)
def test_a_next_page_elsewhere_is_refused(kit, lms, time, target):
    serve(lms, [[1], [2]], link=lambda n: f'<{target}>; rel="next"')
    got, error = collect(kit, lms, time)
    assert got == [1]
    assert isinstance(error, IncompleteListError)
    assert len(lms.seen) == 1


def test_a_loop_is_found(kit, lms, time):
    serve(lms, [[1], [2]], link=lambda n: f'<{lms.url}/list?page={3 - n}>; rel="next"')
    got, error = collect(kit, lms, time)
    assert got == [1, 2, 1]  # the first page had no number in its URL
    assert "earlier page" in str(error)


def test_a_page_that_points_to_itself_is_found(kit, lms, time):
    serve(lms, [[1]], link=lambda n: f'<{lms.url}/list>; rel="next"')
    got, error = collect(kit, lms, time)
    assert got == [1]
    assert "earlier page" in str(error)


def test_too_many_pages_are_an_error_not_an_end(kit, lms, time):
    serve(lms, [[1], [2], [3]])
    got, error = collect(kit, lms, time, max_pages=2)
    assert got == [1, 2]
    assert "more than 2 pages" in str(error)
    assert collect(kit, lms, time, max_pages=3) == ([1, 2, 3], None)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refused_page_makes_the_list_incomplete(kit, lms, time, status):
    serve(lms, [[1], status, [3]])
    got, error = collect(kit, lms, time)
    assert got == [1]
    assert str(status) in str(error)


def test_a_page_without_an_answer_is_an_error(kit, lms, time):
    serve(lms, [[1], [2]])
    lms.misbehave.append(Misbehaviour("slow answer", every=2, times=None, seconds=1))
    got, error = collect(kit, lms, time, limits={"read_timeout_s": 0.1})
    # The second page is slow, its repeat is not.
    assert (got, error) == ([1, 2], None)


def link(header):
    answer = httpx.Response(
        200, headers={"Link": header}, request=httpx.Request("GET", "https://lms.example/list?page=1")
    )
    return next_link(answer)


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://lms.example/a?ids=1,2,3;x=y>; rel="next"', "https://lms.example/a?ids=1,2,3;x=y"),
        ('<https://a/1>; rel="prev", <https://a/3,4>; rel="next"', "https://a/3,4"),
        ('<https://a/1>;rel=next;title="a, <b>; rel=prev"', "https://a/1"),
        ('<https://a/1>; title="x; rel=next"; rel="prev"', None),
        ('<https://a/1>; REL="Last NEXT"', "https://a/1"),
        ('<?page=2>; rel="next"', "?page=2"),
        ('<https://a/1>; rel="nextone"', None),
        ("<https://a/1>", None),
        ("rubbish", None),
        ("", None),
    ],
)
def test_link_headers_as_rfc_8288_writes_them(header, target):
    assert link(header) == target


def test_several_link_headers_are_one():
    answer = httpx.Response(
        200,
        headers=[("Link", '<https://a/1>; rel="prev"'), ("Link", '<https://a/2>; rel="next"')],
        request=httpx.Request("GET", "https://a/"),
    )
    assert str(next_link(answer)) == "https://a/2"


def test_a_next_link_that_is_no_url_is_not_the_end(kit, lms, time):
    serve(lms, [[1], [2]], link=lambda n: '<https://a:x/>; rel="next"')
    got, error = collect(kit, lms, time)
    assert got == [1]
    assert "no URL" in str(error)


def test_a_body_may_tell_where_the_next_page_is(kit, lms, time):
    def answer(request):
        number = int(request.query.get("page", 1))
        return json_response({"items": [number], "next": f"?page={number + 1}" if number < 3 else None})

    lms.answer = answer
    got = numbers(kit, lms, time, next_page=lambda page: page.json()["next"])
    assert got == [1, 2, 3]


def test_parameters_may_tell_which_page_is_next(kit, lms, time):
    lms.answer = lambda request: json_response({"items": [int(request.query["page"])]})

    def following(page):
        number = int(page.request.url.params["page"])
        return {"page": number + 1} if number < 3 else None

    got = numbers(kit, lms, time, params=[("page", "1"), ("of", "a"), ("of", "b")], next_page=following)

    assert got == [1, 2, 3]
    assert lms.seen[-1].query == "of=a&of=b&page=3"


def test_a_list_may_be_asked_for_with_a_form(kit, lms, time):
    lms.answer = lambda _request: json_response({"items": [len(lms.seen)]})

    def following(page):
        return {"from": len(lms.seen) * 10} if len(lms.seen) < 3 else None

    numbers(kit, lms, time, data={"function": "users", "from": 0}, next_page=following)

    assert [(seen.method, seen.body) for seen in lms.seen] == [
        ("POST", "function=users&from=0"),
        ("POST", "function=users&from=10"),
        ("POST", "function=users&from=20"),
    ]


def test_parameters_that_do_not_change_are_a_loop(kit, lms, time):
    lms.answer = lambda _request: json_response({"items": [1]})
    with pytest.raises(IncompleteListError, match="earlier page"):
        numbers(kit, lms, time, params={"page": 1}, next_page=lambda _page: {"page": 1})


def numbers(kit, lms, time, **how):
    """All items of a list whose pages are objects."""
    got = []

    async def main():
        async with kit.draft(lms.url, time) as session:
            async for page in session.pages("list", **how):
                got.extend(page.json()["items"])

    asyncio.run(main())
    return got


def objects(kit, lms, time, **options):
    async def main():
        async with kit.draft(lms.url, time) as session:
            return [row async for row in rows_of(session, "list", **options)]

    return asyncio.run(main())


def test_the_objects_of_a_list_are_given_over_all_of_its_pages(kit, lms, time):
    serve(lms, [[{"id": 1}], [], [{"id": 2}]])
    assert objects(kit, lms, time) == [{"id": 1}, {"id": 2}]


def test_the_next_page_may_stand_in_the_body_as_a_path(kit, lms, time):
    def answer(request):
        start = int(request.query.get("offset", 0))
        more = {"paging": {"nextPage": f"/list?offset={start + 2}"}} if start < 4 else {"paging": {}}
        return json_response({"results": [{"id": start}, {"id": start + 1}], **more})

    lms.answer = answer
    found = objects(kit, lms, time, member="results", next_at=("paging", "nextPage"))
    assert [row["id"] for row in found] == list(range(6))


@pytest.mark.parametrize("page", [{"results": {}}, {"results": [1]}, {"error": "x"}, "text", None])
def test_a_page_without_objects_proves_nothing(kit, lms, time, page):
    lms.answer = lambda _request: json_response(page)
    with pytest.raises(IncompleteListError, match="cannot be read"):
        objects(kit, lms, time, member="results", next_at=("paging", "nextPage"))
