"""Find a Chromium for the browser tests; as a script, install one if there is none.

`make test` runs it before pytest. If CI is set in the environment, finding none is an error.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome that starts, or None: $HLCORE_CHROMIUM, an installed one, Playwright's download."""
    with sync_playwright() as playwright:
        downloaded = playwright.chromium.executable_path
    names = (os.environ.get("HLCORE_CHROMIUM"), *NAMES)
    installed = [found for name in names if name and (found := shutil.which(name))]
    return next((path for path in (*installed, *MAC_APPS, downloaded) if _starts(path)), None)


def get_chromium() -> str | None:
    """`find_chromium`, after installing one if needed: from Debian as root, otherwise from Playwright."""
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        ways.insert(0, ["sh", "-c", "apt-get -q update && apt-get -qy install --no-install-recommends chromium"])
    path = find_chromium()
    while path is None and ways:
        subprocess.run(ways.pop(0), check=False, stdin=subprocess.DEVNULL)
        path = find_chromium()
    return path


def _starts(path: str) -> bool:
    if not Path(path).is_file():
        return False
    # A file is not enough: Ubuntu's is a stub that asks for a snap.
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


def main() -> None:
    """Print which Chromium the browser tests will use."""
    path = get_chromium()
    print(f"Chromium: {path}" if path else "Chromium: none found or installed; the browser tests will be skipped")
    if path is None and os.environ.get("CI"):
        raise SystemExit("in CI the browser tests must run; install Chromium or Chrome")


if __name__ == "__main__":
    main()
