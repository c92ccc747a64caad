"""A headless Chromium, the app served with the tiny runs, and the predictions for its first scene."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from app.loading.pictures import SCENES, Picture, make_picture, read_sample
from hlcore.inference import predict
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run
from hlcore.types import PredictionRecord
from tests.app.browser.pages import Watched
from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS, served

BROWSER_TESTS = Path(__file__).parent
SIDE = 768


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if item.path.parent == BROWSER_TESTS:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; without one the tests are skipped, or fail on CI."""
    path = find_chromium()
    if path is None:
        reason = "no Chromium or Chrome found; install one or name it in $HLCORE_CHROMIUM"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return path


@pytest.fixture(scope="module")
def browser(chromium) -> Iterator[Browser]:
    """A browser, closed after each file: while Playwright runs, no other test can run an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*CHROMIUM_FLAGS, "--enable-precise-memory-info"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(runs, chromium) -> Iterator[str]:
    """URL of the app with the tiny runs; needs `chromium`, so that skipped tests do not start the app."""
    with served(runs) as address:
        yield address


@pytest.fixture
def watch(browser) -> Iterator[Callable[..., Watched]]:
    """Create browser contexts; fail if there were any problems in them."""
    made: list[Watched] = []

    def watching(**options) -> Watched:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        made.append(Watched(context))
        return made[-1]

    yield watching
    for watched in made:
        watched.context.close()
    assert [problem for watched in made for problem in watched.problems] == []


@pytest.fixture
def watched(watch) -> Watched:
    return watch()


@pytest.fixture(scope="session")
def picture(runs) -> Picture:
    """The scene that the app shows first."""
    return make_picture(read_sample(open_run(runs / "tiny"), SCENES, "test-0000"), SIDE)


@pytest.fixture(scope="session")
def record(runs, picture) -> Callable[[int], PredictionRecord]:
    """Epoch to its prediction for the scene, computed by hlcore."""
    run = open_run(runs / "tiny")

    @cache
    def recorded(epoch: int) -> PredictionRecord:
        checkpoint = load_checkpoint(run.checkpoint_path(epoch))
        return predict(
            checkpoint.network,
            picture.sample.image,
            class_names=checkpoint.class_names,
            label_map=picture.sample.label_map,
            window=picture.window,
        )

    return recorded
