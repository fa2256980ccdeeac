"""What people do in the console, in a real browser."""

from __future__ import annotations

import pytest
from axe_core_python.sync_playwright import Axe
from sqlalchemy import select

from coursewire.sources.database import load_bundle
from coursewire.sources.sample import sample_bundle
from coursewire.storage.tables.source import source_customer

CUSTOMER = "1fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e1111"
PAGES = (
    "/",
    "/configurations",
    "/configurations/new",
    "/configurations/{uuid}",
    "/configurations/{uuid}/preview",
    "/configurations/{uuid}/plan/content",
    "/jobs",
    "/records",
    "/records?what=outcomes",
    "/transmissions",
    "/learners",
    "/channels",
    "/configurations/{uuid}/content/item?key=RiverU%2BC0001",
)


def transmit(page, site, uuid):
    page.goto(f"{site}/configurations/{uuid}/plan/content")
    page.get_by_role("button", name="Transmit").click()
    page.get_by_text("finished", exact=False).first.wait_for()


def test_a_wrong_password_is_told_and_a_right_one_leads_to_where_one_wanted_to_go(page, site):
    page.goto(f"{site}/jobs")
    page.get_by_label("Name").fill("ada@example.com")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert "do not fit" in page.get_by_role("alert").inner_text()
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Jobs").wait_for()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{site}/jobs")
    page.get_by_role("heading", name="Sign in").wait_for()


def test_a_configuration_goes_from_draft_to_live_and_its_first_run(signed_in, site, canvas, shelf):
    page, fields = signed_in, canvas.sample_config()
    shelf.fill(3)
    page.get_by_role("link", name="Add the first one").click()
    page.get_by_label("Channel").select_option("CANVAS")
    page.get_by_label("Customer").select_option(CUSTOMER)
    page.get_by_label("Name").fill("Acme's Canvas")
    page.get_by_role("button", name="Make the draft").click()

    assert page.get_by_role("button", name="Ask for access").is_disabled()
    page.get_by_label("Canvas base url").fill("not a url")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("write an absolute URL").first.wait_for()
    assert page.get_by_role("button", name="Go live").is_disabled()
    for label, name in (
        ("Canvas base url", "canvas_base_url"),
        ("Canvas account id", "canvas_account_id"),
        ("Client id", "client_id"),
        ("Client secret", "client_secret"),
    ):
        page.get_by_label(label).fill(str(fields[name]))
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    assert fields["client_secret"] not in page.content()

    page.get_by_role("link", name="Preview").click()
    assert "integration_id" in page.get_by_role("region", name="To the LMS").inner_text()
    page.get_by_role("link", name="Acme's Canvas").click()

    page.get_by_role("button", name="Ask for access").click()
    page.get_by_role("link", name="Go to Canvas").click()
    page.get_by_role("button", name="Deny").click()
    page.get_by_role("heading", name="The administrator did not allow it").wait_for()
    page.go_back()
    page.goto(f"{site}/configurations")
    page.get_by_role("link", name="Acme's Canvas").click()
    page.get_by_role("button", name="Ask for access").click()
    page.get_by_role("link", name="Go to Canvas").click()
    page.get_by_role("button", name="Allow").click()
    page.get_by_text("Access was given").wait_for()

    page.get_by_role("button", name="Test the connection").click()
    page.get_by_text("works").first.wait_for()
    page.get_by_role("button", name="Go live").click()
    page.get_by_text("It is live").wait_for()

    page.get_by_role("link", name="Plan content").click()
    page.get_by_role("button", name="Transmit").click()
    page.get_by_text("finished").wait_for()
    assert len(canvas.items) == 3
    page.goto(f"{site}/")
    page.get_by_text("healthy").wait_for()


def test_an_answer_of_the_lms_that_nobody_asked_for_changes_nothing(signed_in, site):
    signed_in.goto(f"{site}/connected?state=made-up&code=made-up")
    signed_in.get_by_role("heading", name="This answer belongs to no grant").wait_for()


def test_a_refused_item_is_seen_and_tried_again(signed_in, site, sap, shelf, configure):
    page = signed_in
    shelf.fill(3)
    sap.poisoned.add("RiverU+C0001")
    uuid = configure(sap).uuid
    transmit(page, site, uuid)
    page.goto(f"{site}/records?state=rejected")
    page.get_by_role("link", name="Course RiverU+C0001").click()
    page.get_by_role("cell", name="rejected").first.wait_for()

    sap.poisoned.clear()
    page.get_by_label("Why it may go again").fill("mended at SAP")
    page.get_by_role("button", name="Try again with the next run").click()
    page.get_by_role("button", name="Transmit").click()
    page.get_by_text("finished").wait_for()
    assert len(sap.items) == 3


def test_a_learner_whom_nobody_knows_is_linked_and_the_result_goes_out(signed_in, site, sap, installation):
    page = signed_in
    load_bundle(installation.engine, sample_bundle())
    channel = installation.channels.get("SAP").channel
    with installation.engine.connect() as connection:
        customers = connection.scalars(select(source_customer.c.uuid)).all()
    made = [
        installation.configurations.add(channel, each, sap.sample_config(), active=True, actor="test")
        for each in customers
    ]
    for kind in ("content", "completions"):
        for each in made:
            page.goto(f"{site}/configurations/{each.uuid}/plan/{kind}")
            if page.get_by_role("button", name="Transmit").is_enabled():
                page.get_by_role("button", name="Transmit").click()
                page.get_by_text("finished").wait_for()
    sent = len(sap.completions)

    page.goto(f"{site}/learners")
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name="Link")).first
    row.get_by_role("textbox").fill("E-4417")
    row.get_by_role("button", name="Link").click()
    page.get_by_role("status").get_by_text("is linked").wait_for()
    for each in made:
        page.goto(f"{site}/configurations/{each.uuid}/plan/completions")
        if page.get_by_role("button", name="Transmit").is_enabled():
            page.get_by_role("button", name="Transmit").click()
            page.get_by_text("finished").wait_for()

    assert len(sap.completions) > sent
    assert {each["userID"] for each in sap.completions[sent:]} == {"E-4417"}


def test_the_guard_asks_before_much_is_retired(signed_in, site, canvas, shelf, configure):
    page = signed_in
    shelf.fill(12)
    uuid = configure(canvas).uuid
    transmit(page, site, uuid)
    for key in list(shelf.courses)[:8]:
        del shelf.courses[key]
    shelf.load()

    page.goto(f"{site}/configurations/{uuid}/plan/content")
    assert "would retire 8" in page.get_by_role("alert").inner_text()
    page.get_by_label("Yes, retire 8 items").check()
    page.get_by_role("button", name="Transmit").click()
    page.get_by_text("finished").wait_for()
    assert page.get_by_role("listitem").filter(has_text="retired").inner_text().split() == ["8", "retired"]


def test_a_channel_is_checked_against_its_simulator(signed_in, site):
    page = signed_in
    page.goto(f"{site}/channels")
    section = page.get_by_role("region", name="Canvas CANVAS")
    section.get_by_role("button", name="Check it against its simulator").click()
    section.get_by_text("checks passed").wait_for(timeout=120_000)
    assert "conforms" in section.inner_text()


def test_a_form_without_the_proof_of_the_session_does_nothing(signed_in, site, canvas, configure):
    uuid = configure(canvas).uuid
    answer = signed_in.request.post(f"{site}/configurations/{uuid}/deactivate")
    assert answer.status == 403
    signed_in.goto(f"{site}/configurations/{uuid}")
    signed_in.get_by_text("Runs take this configuration").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_on_any_page(signed_in, site, canvas, shelf, configure, scheme):
    page = signed_in
    page.emulate_media(color_scheme=scheme)
    shelf.fill(3)
    uuid = configure(canvas).uuid
    transmit(page, site, uuid)
    faults = {}
    for path in PAGES:
        page.goto(site + path.replace("{uuid}", str(uuid)))
        found = Axe().run(page)["violations"]
        bad = [
            f"{each['id']}: {each['nodes'][0]['html'][:120]}"
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        if bad:
            faults[path] = bad
    assert faults == {}


def test_no_page_is_wider_than_a_phone(signed_in, site, canvas, shelf, configure):
    page = signed_in
    page.set_viewport_size({"width": 375, "height": 800})
    shelf.fill(3)
    uuid = configure(canvas).uuid
    transmit(page, site, uuid)
    for path in PAGES:
        page.goto(site + path.replace("{uuid}", str(uuid)))
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path


def test_everything_is_reached_by_keyboard(signed_in, site):
    page = signed_in
    page.goto(f"{site}/jobs")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_theme_that_was_chosen_stays(signed_in, site):
    page = signed_in
    page.get_by_role("button", name="Light or dark").click()
    chosen = page.evaluate("document.documentElement.dataset.theme")
    page.goto(f"{site}/jobs")
    assert page.evaluate("document.documentElement.dataset.theme") == chosen
