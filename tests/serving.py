"""Serve the app on a free port, for browser tests and screenshots."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PATIENCE_S = 120
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def served(runs: Path | None = None, *, base: str = "") -> Iterator[str]:
    """The address of the app, which shows the bundled runs and those in `runs`, until the block ends.

    With `base` it is served under that path, as behind a proxy.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/server.py", "--server.address=127.0.0.1"]
    address = f"http://127.0.0.1:{port}{base and f'/{base}'}"
    environment = {**os.environ, "HLCORE_RUNS": str(runs or "")}
    with subprocess.Popen(
        [*command, f"--server.port={port}", f"--server.baseUrlPath={base}"], cwd=PROJECT, env=environment
    ) as server:
        try:
            _wait_for_health(server, f"{address}/_stcore/health")
            yield address
        finally:
            server.terminate()


def _wait_for_health(server: subprocess.Popen, url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    message = f"the app did not answer on {url} within {PATIENCE_S} s"
    raise TimeoutError(message)
