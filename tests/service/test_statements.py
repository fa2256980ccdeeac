"""What a page asks of the database: a few statements, however many rows there are and whoever looks."""

from __future__ import annotations

import pytest

from coursewire.testing.database import count_statements

MOST = {
    "/console/": 10,
    "/console/configurations": 3,
    "/console/jobs": 4,
    "/console/records": 4,
    "/console/records?what=outcomes&search=a": 4,
    "/console/transmissions": 4,
    "/console/transmissions?result=rejected": 4,
    "/console/learners": 4,
    "/console/channels": 1,
    "/api/v1/channels": 1,
    "/api/v1/configurations": 3,
    "/api/v1/customers": 2,
    "/api/v1/content-records": 2,
    "/api/v1/outcome-records?kind=completions": 2,
    "/api/v1/transmissions": 2,
    "/api/v1/transmissions?since=2026-01-01T00:00:00Z": 3,
    "/api/v1/jobs": 2,
    "/api/v1/learners/unmatched": 4,
}
"""One of them tells who asks, two read the configurations."""


@pytest.mark.parametrize("path", MOST)
def test_a_page_costs_few_statements(client, token, configured, installation, path):
    headers = token("viewer")
    client.get(path, headers=headers)  # the token's use is noted once an hour; counts are kept
    with count_statements(installation.engine) as seen:
        answer = client.get(path, headers=headers)
    assert answer.status_code == 200
    assert seen.count <= MOST[path], seen.texts


def test_one_statement_tells_who_asks(client, token, installation):
    headers = token("viewer")
    client.get("/api/v1/channels", headers=headers)
    with count_statements(installation.engine) as seen:
        client.get("/api/v1/channels", headers=headers)
    assert seen.count == 1
