"""Fixtures shared by every test."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a slow machine must not fail a test
settings.load_profile("patient")
os.environ["HLCORE_BACKEND"] = "torch"  # other libraries first export each network, which takes seconds

PROJECT = Path(__file__).parents[1]
SLOW_FIXTURES = {"few_steps", "quick_analyses"}
"""Fixtures of tests that train a network or analyse a run."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """At most 8 workers: one for each core, and one more with the browser tests, which often wait."""
    waiting = "not browser" not in config.option.markexpr
    return min(8, (os.cpu_count() or 1) + waiting)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests with a slow fixture as slow; other slow tests and files carry the marker themselves."""
    for item in items:
        if SLOW_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with CamVid and IDD-Lite: $HLCORE_DATA, otherwise ../shared/data beside the project."""
    folder = Path(os.environ.get("HLCORE_DATA", PROJECT.parent / "shared" / "data"))
    if not (folder / "camvid").is_dir():
        pytest.skip(f"no CamVid in {folder}; set HLCORE_DATA to the folder with camvid/ and idd_lite/")
    return folder


@pytest.fixture
def only_localhost(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse every connection and name look-up but those of this machine; the test fails if one was tried."""
    tried: list[object] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def is_local(host: object) -> bool:
        return host in (None, "", "localhost", "127.0.0.1", "::1", socket.gethostname())

    def guarded_connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_local(address[0]):
            tried.append(address)
            raise ConnectionRefusedError(f"a test tried to reach {address}")
        connect(self, address)

    def guarded_look_up(host: object, *further: object, **settings: object) -> list[tuple]:
        if not is_local(host):
            tried.append(host)
            raise socket.gaierror(socket.EAI_NONAME, f"a test looked up {host}")
        return look_up(host, *further, **settings)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)
    yield
    assert tried == [], "something outside this machine was asked"
