"""Many users, one server: what the page says of an upload until its maps are there, whose it is, and who is let in."""

import re

import numpy as np
from playwright.sync_api import expect

from app.server import HEADERS
from tests.app.browser.pages import canvas, png, sent, settle, upload
from tests.serving import served

SIZE = (24, 32)
UPLOADS = "**/_stcore/upload_file/**"


def photograph(level: int) -> bytes:
    return png(np.full((*SIZE, 3), level, np.uint8))


def choose(page, name: str, content: bytes) -> None:
    field = page.locator("input[type=file]").first
    field.set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


def test_the_page_names_a_photograph_from_the_moment_it_is_chosen_until_its_maps_are_there(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=upload")
    held = []

    def hold(route):
        held.append(route)

    page.route(UPLOADS, hold)
    choose(page, "me.png", photograph(90))
    status = page.get_by_role("status").filter(has_text="me.png")
    expect(status).to_have_text("Analysing me.png …")
    expect(page.get_by_text("Showing me.png")).to_have_count(0)
    page.wait_for_timeout(7_000)  # longer than a lost upload is waited for
    expect(status).to_have_text("Analysing me.png …")
    for route in held:
        route.continue_()
    page.unroute(UPLOADS)
    expect(page.get_by_text("Showing me.png")).to_be_visible()
    expect(status).to_be_hidden()
    assert sent(page, "Hardness", size=SIZE).any()

    choose(page, "me.png", photograph(91))  # another file of the same name
    expect(status).to_be_visible()
    expect(status).to_be_hidden()


def test_a_file_that_is_refused_or_removed_is_not_called_lost(watched, address, tmp_path):
    page = watched.open(f"{address}/?run=tiny&source=upload")
    status = page.locator(".upload-status")
    with (tmp_path / "huge.png").open("wb") as huge:
        huge.truncate(65 * 2**20)
    page.locator("input[type=file]").first.set_input_files(tmp_path / "huge.png")
    expect(page.get_by_text(re.compile("must be 64.*MB or smaller"))).to_be_attached()
    expect(status).to_be_hidden()
    page.route(UPLOADS, lambda _: None)  # never ends
    choose(page, "me.png", photograph(90))
    expect(status).to_have_text("Analysing me.png …")
    page.get_by_test_id("stFileChipDeleteBtn").last.click()
    expect(status).to_be_hidden()
    assert all("CanceledError" in problem for problem in watched.problems), "Streamlit logs that its upload was ended"
    watched.problems.clear()


def test_a_photograph_that_never_arrives_is_named(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=upload")
    upload(page, "first.png", photograph(10))
    page.route(UPLOADS, lambda route: route.fulfill(status=204) if route.request.method == "PUT" else route.continue_())
    choose(page, "second.png", photograph(200))
    status = page.get_by_role("status").filter(has_text="second.png")
    expect(status).to_have_text("second.png was not uploaded. Choose it again.")
    page.unroute(UPLOADS)
    upload(page, "second.png", photograph(200))
    expect(status).to_be_hidden()


def test_sessions_do_not_see_each_others_photographs(watch, address):
    pages = [watch().open(f"{address}/?run=tiny&source=upload") for _ in range(2)]
    for page, level in zip(pages, (40, 210), strict=True):
        upload(page, "me.png", photograph(level))
    for page, level in zip(pages, (40, 210), strict=True):
        assert (canvas(page) == level).any()
        assert not (canvas(page) == 250 - level).any()
    other = watch().open(f"{address}/?run=tiny&source=upload")
    expect(other.get_by_text("Uploads stay in this session")).to_be_visible()
    expect(other.get_by_text("Showing")).to_have_count(0)


def test_the_viewer_works_under_a_base_path_as_behind_a_proxy(watch, runs):
    with served(runs, base="hardness") as address:
        page = watch().open(f"{address}/?run=tiny&source=upload")
        upload(page, "me.png", photograph(70))
        assert (canvas(page) == 70).any()
        assert page.url.startswith(f"{address}/?")
        page.get_by_role("link", name="Epochs").click()
        expect(page).to_have_url(re.compile(f"{re.escape(address)}/epochs\\?"))
        settle(page)
        expect(page.get_by_text("Showing me.png")).to_be_visible()
        assert canvas(page).any()


def test_every_response_has_the_security_headers_and_the_browser_may_not_ask_elsewhere(watch, address):
    watched = watch()
    for path in ("", "/_stcore/health", "/static/none.js"):
        answer = watched.context.request.get(f"{address}{path}")
        assert {name: answer.headers[name.lower()] for name in HEADERS} == HEADERS
    page = watched.context.new_page()
    page.goto(address)
    refused = page.evaluate(
        """() => new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => resolve(event.blockedURI));
        fetch("http://127.0.0.2:9/secret").catch(() => {});
    })"""
    )
    assert refused == "http://127.0.0.2:9/secret"
    assert watched.problems
    watched.problems[:] = [text for text in watched.problems if "Content Security Policy" not in text]


def test_a_browser_keeps_the_maps_and_is_told_that_they_have_not_changed(watched, address):
    answers = []
    page = watched.open(f"{address}/?run=tiny")
    page.on("response", lambda answer: answers.append(answer) if "/media/" in answer.url else None)
    page.reload()
    page.locator(".stage canvas").first.wait_for()
    settle(page)
    first = answers[0]
    assert first.headers["cache-control"] == "private, max-age=86400, immutable"
    again = page.context.request.get(first.url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body()) == (304, b"")
    assert page.context.request.get(first.url, headers={"If-None-Match": '"another"'}).status == 200
    missing = page.context.request.get(f"{address}/media/missing.png")
    assert (missing.status, "etag" in missing.headers) == (404, False)
