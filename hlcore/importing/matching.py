"""Match files to images by their names."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Matched(NamedTuple):
    """The file of each image in a folder."""

    files: dict[str, Path]
    others: list[Path]
    """Files of no image."""


def match_names(images: Sequence[str], files: Mapping[str, Path]) -> Matched:
    """The file of each image: its name is that of the image, followed by an ending that all files share.

    What the names of all images end with, such as "_leftImg8bit", need not be in the files' names.

    Example:
        >>> names = {"a_img_h": Path("x"), "b_h": Path("y"), "b_2": Path("z")}
        >>> files, others = match_names(("a_img", "b_img"), names)
        >>> [str(path) for path in files.values()], [str(path) for path in others]
        (['x', 'y'], ['z'])
    """
    ending = _find_ending(images) if len(images) > 1 else ""
    ending = ending[re.search(r"[^0-9A-Za-z]|$", ending).start() :]  # pyright: ignore[reportOptionalMemberAccess]
    by_name = {name.removesuffix(ending): name for name in images} | {name: name for name in images}
    possible = {}
    for file in files:
        start = next((start for start in _list_starts(file) if start in by_name), None)
        if start is not None:
            possible[file] = by_name[start], file.removeprefix(start)
    (shared, _), *_ = Counter(rest for _, rest in possible.values()).most_common(1) or [("", 0)]
    found = {image: files[file] for file, (image, rest) in possible.items() if rest == shared}
    taken = set(found.values())
    ordered = {name: found[name] for name in images if name in found}
    return Matched(ordered, [path for path in files.values() if path not in taken])


def _find_ending(names: Sequence[str]) -> str:
    """The longest text that all names end with."""
    shortest = min(names, key=len)
    return next(shortest[at:] for at in range(len(shortest) + 1) if all(name.endswith(shortest[at:]) for name in names))


def _list_starts(name: str) -> Iterator[str]:
    """The name and its beginnings before a separator, the longest first."""
    yield name
    for separator in reversed(list(re.finditer(r"[^0-9A-Za-z/]", name))):
        yield name[: separator.start()]
