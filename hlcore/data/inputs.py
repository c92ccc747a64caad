"""Resolve files, folders and globs to image files."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from hlcore.errors import DatasetError

BUNDLE_MANIFEST = "manifest.parquet"
"""The file by which a folder is known as a bundle of maps that hlcore wrote."""
TOOL_FOLDERS = {"@eaDir", "__MACOSX", "__pycache__"}
"""Folders that file managers and other tools leave beside images."""
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif"}


def find_images(inputs: Iterable[str]) -> dict[str, Path]:
    """Image files by unique name, in the given order and sorted within folders and globs.

    A file is named by its stem; a file in a given folder by its path below that folder, without suffix. Linked folders
    are followed, each folder once; hidden files and folders, TOOL_FOLDERS and bundles are skipped.

    Raises:
        DatasetError: an input matches nothing, or two files get the same name.
    """
    found: dict[str, Path] = {}
    for given in inputs:
        for name, path in _find_matches(given):
            if found.setdefault(name, path) != path:
                raise DatasetError(f"{found[name]} and {path} would both be named {name!r}; run them separately")
    return found


def _find_matches(given: str) -> Iterator[tuple[str, Path]]:
    path = Path(given)
    if path.is_file():
        yield path.stem, path
        return
    if path.is_dir():
        files = sorted(p for p in _walk(path) if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith("."))
        named = [(p.relative_to(path).with_suffix("").as_posix(), p) for p in files]
    else:
        files = sorted(Path(p) for p in glob.glob(given, recursive=True))  # noqa: PTH207  (absolute patterns too)
        named = [(p.stem, p) for p in files if p.suffix.lower() in IMAGE_SUFFIXES]
    if not named:
        raise DatasetError(f"no image found for {given!r}; give image files, a folder of them or a quoted glob")
    yield from named


def _walk(folder: Path) -> Iterator[Path]:
    seen = set()
    for where, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(where)
        if real in seen or BUNDLE_MANIFEST in files:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in TOOL_FOLDERS)
        yield from (Path(where, name) for name in files)
