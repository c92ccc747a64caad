"""Which image files a folder, a glob or a list of them stands for, and their names."""

import glob
import logging
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePath
from urllib.parse import unquote, urlsplit

from PIL import Image as PillowImage

from hlcore.data.text import normalise_name
from hlcore.errors import DatasetError
from hlcore.remote import is_uri, join, list_files

log = logging.getLogger(__name__)

BUNDLE_MANIFEST = "manifest.parquet"
"""The file by which a folder is known as a bundle of maps that hlcore wrote."""
TOOL_FOLDERS = {
    *("@eaDir", "@Recycle", "#recycle", "#snapshot", "$RECYCLE.BIN", "System Volume Information", "lost+found"),
    *("__MACOSX", "__pycache__", "node_modules"),
}
"""Folders that file managers, storage devices and other tools leave beside images."""
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".tif", ".tiff", ".bmp", ".gif"}
UNKNOWN_TO_PILLOW = {
    *(".heic", ".heif", ".jxl", ".exr", ".hdr"),
    *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".raf", ".rw2"),
}
"""Suffixes of images, many of them raw photographs."""
DOCUMENT_SUFFIXES = {".pdf", ".ps", ".eps", ".mpg", ".mpeg", ".h5", ".hdf", ".grib", ".bufr", ".ico", ".icns", ".cur"}
"""Suffixes of what Pillow knows but nobody takes for an image of a data set."""


def find_images(inputs: Iterable[str]) -> dict[str, Path]:
    """Image files by unique name, in the given order and sorted within folders and globs.

    A file is named by its stem; a file in a given folder by its path below that folder, without suffix. Folders are
    read by `walk_files`; globs leave out the same folders and do not open those they match. A file that is found again,
    under another path too, is left out and counted.

    Raises:
        DatasetError: an input matches nothing, or two files get the same name.
    """
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    repeated = 0
    for given in inputs:
        for name, path in _find_matches(given):
            real = path.parent.resolve() / path.name  # two links to one file are two images
            if real in seen:
                repeated += 1
                continue
            seen.add(real)
            if name in found:
                raise DatasetError(f"{found[name]} and {path} would both be named {name!r}; run them separately")
            found[name] = path
    if repeated:
        log.info("left out files that were found already (%d)", repeated)
    return found


def find_sources(inputs: Iterable[str]) -> dict[str, str]:
    """Path or URI of each image by unique name: as `find_images`, and the images below folders of object stores.

    Of a store, hidden files, hidden and tools' folders, bundles and what was found already are left out, as on disk.

    Raises:
        DatasetError: an input matches nothing, two images get the same name, or a store does not answer.
        InvalidInputError: pyarrow does not know the store.
    """
    given = list(inputs)
    local = [each for each in given if not is_uri(each)]
    found = {name: str(path) for name, path in find_images(local).items()} if local else {}
    for uri in filter(is_uri, given):
        sources = list(_find_in_store(uri))
        if not sources:
            raise DatasetError(f"no image found for {uri!r}; give an image or a folder of them")
        for name, source in sources:
            if found.setdefault(name, source) != source:
                raise DatasetError(f"{found[name]} and {source} would both be named {name!r}; run them separately")
    return found


def _find_in_store(uri: str) -> Iterator[tuple[str, str]]:
    names = [PurePath(name) for name in list_files(uri)]
    if names == [PurePath()]:
        yield normalise_name(PurePath(unquote(urlsplit(uri).path)).stem), uri
        return
    bundles = {name.parent for name in names if name.name == BUNDLE_MANIFEST}
    for name in names:
        hidden = name.name.startswith(".") or not all(map(is_visible_folder, name.parts[:-1]))
        if is_image_file(name) and not hidden and bundles.isdisjoint(name.parents):
            yield name_file(name), join(uri, str(name))


def walk_files(folder: Path) -> list[Path]:
    """Every file below a folder, sorted.

    Linked folders are followed, each folder once. Hidden files and folders, TOOL_FOLDERS, bundles and folders that
    cannot be opened are left out. The number of folders and image files left out is logged, and that of images in
    formats that hlcore does not read.
    """
    found: list[Path] = []
    left_out: Counter[str] = Counter()
    seen: set[str] = set()

    def leave_out(_: OSError) -> None:
        left_out["folders that cannot be opened"] += 1

    for where, folders, files in os.walk(folder, onerror=leave_out, followlinks=True):
        real = os.path.realpath(where)
        if real in seen or BUNDLE_MANIFEST in files:
            left_out["folders that were read already" if real in seen else "bundles of maps"] += 1
            folders.clear()
            continue
        seen.add(real)
        opened = sorted(filter(is_visible_folder, folders))
        opened.sort(
            key=lambda name, where=where: Path(where, name).is_symlink()
        )  # the folder itself before a link to it
        left_out["hidden or tools' folders"] += len(folders) - len(opened)
        folders[:] = opened
        visible = [name for name in files if not name.startswith(".")]
        left_out["hidden image files"] += sum(map(is_image_file, files)) - sum(map(is_image_file, visible))
        unknown = [PurePath(name).suffix.lower() for name in visible]
        left_out["images in formats that cannot be read"] += sum(map(list_other_suffixes().__contains__, unknown))
        found += [Path(where, name) for name in visible]
    if left_out.total():
        counts = [f"{kind} ({number})" for kind, number in left_out.items() if number]
        log.info("%s: left out %s", folder, ", ".join(counts))
    return sorted(found)


def is_visible_folder(name: str) -> bool:
    """Whether a folder of this name is read: it is neither hidden nor one of TOOL_FOLDERS."""
    return not name.startswith(".") and name not in TOOL_FOLDERS


def is_image_file(file: str | PurePath) -> bool:
    """Whether a file has the suffix of an image that hlcore reads."""
    return PurePath(file).suffix.lower() in IMAGE_SUFFIXES


@cache
def list_other_suffixes() -> frozenset[str]:
    """Suffixes of images that hlcore does not read."""
    return frozenset(PillowImage.registered_extensions()) - IMAGE_SUFFIXES - DOCUMENT_SUFFIXES | UNKNOWN_TO_PILLOW


def name_file(path: PurePath) -> str:
    """The name of the sample in a file: its path without suffix, in the form in which names are compared.

    Example:
        >>> name_file(PurePath("aachen/aachen_000001.png"))
        'aachen/aachen_000001'
    """
    return normalise_name(path.with_suffix("").as_posix())


def _find_matches(given: str) -> Iterator[tuple[str, Path]]:
    path = Path(given)
    if path.is_file():
        yield normalise_name(path.stem), path
        return
    if path.is_dir():
        named = [(name_file(p.relative_to(path)), p) for p in walk_files(path) if is_image_file(p)]
    else:
        named = [(normalise_name(p.stem), p) for p in _find_in_glob(given)]
    if not named:
        raise DatasetError(f"no image found for {given!r}; give image files, a folder of them or a quoted glob")
    yield from named


def _find_in_glob(pattern: str) -> list[Path]:
    """The image files that match, without those in folders that `walk_files` would leave out."""
    parts = Path(pattern).parts
    fixed = next((i for i, part in enumerate(parts) if glob.has_magic(part)), 0)
    if "**" in parts:  # glob itself would follow linked folders again and again
        base = Path(*parts[:fixed])
        files = walk_files(base) if base.is_dir() else []
        return [path for path in files if is_image_file(path) and _matches(path.relative_to(base).parts, parts[fixed:])]
    matches = sorted(map(Path, glob.glob(pattern)))  # noqa: PTH207  (absolute patterns too)
    folders = sum(map(Path.is_dir, matches))
    if folders:
        log.info("%s: left out folders (%d); give them by name to read the images in them", pattern, folders)
    return [path for path in matches if is_image_file(path) and path.is_file() and _would_be_walked(path, fixed)]


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path matches a pattern, part by part; "**" stands for any number of folders."""
    if not pattern or not parts:
        return not pattern and not parts
    if pattern == ("**",):
        return True
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or _matches(parts[1:], pattern)
    return fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _would_be_walked(path: Path, fixed: int) -> bool:
    """Whether `walk_files` would come to a file that a glob found below its first `fixed` parts."""
    opened = path.parents[: len(path.parts) - fixed]
    return all(map(is_visible_folder, path.parts[fixed:-1])) and not any(map(_is_bundle, opened))


def _is_bundle(folder: Path) -> bool:
    return (folder / BUNDLE_MANIFEST).is_file()
