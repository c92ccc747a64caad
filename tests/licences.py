"""The licences of all pinned packages.

    python -m tests.licences            # fails if docs/licences.md is out of date, or a licence is not allowed
    python -m tests.licences --write    # writes docs/licences.md

pip-licenses reads them from the metadata of the installed packages.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[1]
DOCUMENT = PROJECT / "docs" / "licences.md"
FORBIDDEN = ("AGPL", "Affero", "SSPL", "Server Side Public", "UNKNOWN")
"""Parts of the names of licences that also bind whoever only serves the software, and an unknown licence."""
ABOUT = """\
# Licences of the packages

What `requirements.txt` installs, and what `requirements-dev.txt` adds for tests. hlcore itself is under Apache-2.0
([LICENSE](../LICENSE)). `make lint` fails if an installed package has a licence that also binds whoever only serves the
software, such as the AGPL, and if this list is out of date; `make lock` writes it. The CUDA builds of torch bring
NVIDIA's libraries under NVIDIA's own terms.
"""


def main() -> None:
    """Check, and write the document if asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/licences.md")
    packages = read_licences()
    if parser.parse_args().write:
        DOCUMENT.write_text(render(packages), encoding="utf-8")
    if found := find_forbidden(packages):
        sys.exit(f"licences that are not allowed: {', '.join(found)}")
    if lines := find_outdated(packages, DOCUMENT.read_text(encoding="utf-8")):
        sys.exit("\n".join(["docs/licences.md is out of date; run `make lock`:", *lines]))


def read_licences() -> list[dict[str, str]]:
    """Name, Version, License and URL of every installed package, sorted by name; versions without a local part."""
    options = ("--from=mixed", "--format=json", "--with-urls", "--with-system", "--with-license-file")
    command = [sys.executable, "-m", "piplicenses", *options, "--no-license-path"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    packages = [
        {
            "Name": canonicalize_name(package["Name"]),
            "Version": package["Version"].partition("+")[0],
            "License": _name_licence(package),
            "URL": package["URL"].replace("UNKNOWN", ""),
        }
        for package in found
    ]
    return sorted(packages, key=lambda package: package["Name"])


def read_pins(file: str) -> dict[str, str]:
    """Name to version of the pins in a requirements file and in those it includes."""
    found: dict[str, str] = {}
    for line in (PROJECT / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= read_pins(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            name, version = line.split("==")
            found[name] = version
    return found


def find_forbidden(packages: list[dict[str, str]]) -> list[str]:
    """Packages whose licence is not allowed, each with that licence."""
    return [
        f"{package['Name']} ({package['License']})"
        for package in packages
        if any(part.lower() in package["License"].lower() for part in FORBIDDEN)
    ]


def find_outdated(packages: list[dict[str, str]], document: str) -> list[str]:
    """Lines that the document lacks, or has of other packages."""
    return sorted({*render(packages).splitlines()} ^ {*document.splitlines()})


def render(packages: list[dict[str, str]]) -> str:
    """The document."""
    lines = [f"| {p['Name']} | {p['Version']} | {p['License']} | {p['URL']} |" for p in _keep_pinned(packages)]
    return "\n".join([ABOUT, "| package | version | licence | source |", "|---|---|---|---|", *lines]) + "\n"


def _keep_pinned(packages: list[dict[str, str]]) -> list[dict[str, str]]:
    pinned = {canonicalize_name(name) for name in read_pins("requirements-dev.txt")}
    return [package for package in packages if package["Name"] in pinned]


def _name_licence(package: dict[str, str]) -> str:
    """The name of a package's licence; its whole text, which some packages give instead, begins with the name."""
    stated = package["License"]
    text = package["LicenseText"] if stated == "UNKNOWN" else stated
    first, *more = [line.strip() for line in text.splitlines() if line.strip()] or ["UNKNOWN"]
    return f"{first} {more[0]}" if text == stated and more else first


if __name__ == "__main__":
    main()
