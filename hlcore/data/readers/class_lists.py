"""Class lists of your own data sets: classes.json, and those that annotation tools export."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from hlcore.data.labels import ClassTable, Colour, voc_palette
from hlcore.data.text import read_text
from hlcore.errors import DatasetError, InvalidInputError
from hlcore.types import IGNORE_INDEX

_JSON_FORM = (
    '["sky", "road"] or [{"name": "sky", "color": [70, 130, 180]}, {"name": "void", "id": 0, "ignore": true}, ...]'
)


@dataclass(frozen=True)
class ClassList:
    """The classes of label files, and how the files show them."""

    classes: ClassTable
    ids: dict[int, int]
    """Value in a grey or palette PNG to class index, or to 255 = ignored."""
    colours: dict[Colour, int]
    """Colour in an RGB PNG to class index, or to 255 = ignored; empty if some class has no colour of its own."""
    coloured: tuple[int, ...]
    """Indices of the classes whose colours are given; the others have those of Pascal VOC."""


@dataclass(frozen=True)
class _Entry:
    name: str
    number: int
    """Value in label files."""
    colour: Colour | None
    is_ignored: bool = False


def read_class_json(path: Path) -> ClassList:
    """The classes of a `classes.json`: names in the order of the ids, or entries.

    An entry has a name and may have a color, an id (else its position in the list) and "ignore": true.

    Raises:
        DatasetError: the file is missing or has another form, or two classes share an id.
    """
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError as error:
        raise DatasetError(
            f"{path} does not exist; expected the class names in the order of the ids: {_JSON_FORM}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON ({error}); expected {_JSON_FORM}") from error
    if not isinstance(content, list):
        raise DatasetError(f"{path} holds a {type(content).__name__}; expected a list: {_JSON_FORM}")
    with_id = [entry for entry in content if isinstance(entry, dict) and "id" in entry]
    entries = [_parse_entry(entry, position, path) for position, entry in enumerate(content)]
    if with_id and len(with_id) < len(content):
        lacking = next(entry for entry in content if entry not in with_id)
        raise DatasetError(f"{path} gives some classes an id, but not {json.dumps(lacking)}; give all of them one")
    return _make_list(entries, path)


def read_label_text(path: Path) -> ClassList:
    """The classes of a `labelmap.txt` (CVAT) or a `class_names.txt` (labelme), in the order of the ids.

    A line of labelmap.txt is "name:red,green,blue:parts:actions"; one of class_names.txt is a name, and the colours are
    those of Pascal VOC.

    Raises:
        DatasetError: a line has another form.
    """
    has_colours = path.name == "labelmap.txt"
    lines = [line.strip() for line in read_text(path).splitlines()]
    lines = [line for line in lines if line and line != "__ignore__" and not (has_colours and line.startswith("#"))]
    palette = voc_palette(len(lines))
    entries = [
        _parse_line(line, position, path) if has_colours else _Entry(line, position, palette[position])
        for position, line in enumerate(lines)
    ]
    return _make_list(entries, path)


def _parse_entry(entry: object, position: int, path: Path) -> _Entry:
    match {"name": entry} if isinstance(entry, str) else entry:
        case {"name": str(name), **others} if set(others) <= {"color", "id", "ignore"}:
            colour = _parse_colour(others.get("color"))
            number, ignored = others.get("id", position), others.get("ignore", False)
            if isinstance(number, bool) or not isinstance(ignored, bool) or (colour is None and "color" in others):
                pass
            elif isinstance(number, int) and 0 <= number <= 65535:
                return _Entry(name, number, colour, ignored)
    raise DatasetError(f"{path} has the entry {json.dumps(entry)}; expected {_JSON_FORM}")


def _parse_colour(value: Any) -> Colour | None:
    match value:
        case [int(red), int(green), int(blue)] if not any(isinstance(one, bool) for one in value):
            return red, green, blue
    return None


def _parse_line(line: str, position: int, path: Path) -> _Entry:
    name, _, rest = line.partition(":")
    numbers = rest.split(":")[0].split(",")
    if not name or len(numbers) != 3 or not all(number.strip().isdecimal() for number in numbers):
        raise DatasetError(f"{path} has the line {line!r}; expected 'name:red,green,blue:parts:actions'")
    red, green, blue = map(int, numbers)
    return _Entry(name, position, (red, green, blue))


def _make_list(entries: Sequence[_Entry], path: Path) -> ClassList:
    kept = [entry for entry in entries if not entry.is_ignored]
    for first, second in combinations(entries, 2):
        if first.number == second.number:
            raise DatasetError(f"{path}: {first.name} and {second.name} have the same id {first.number}")
        if first.colour and first.colour == second.colour and (first.is_ignored or second.is_ignored):
            raise DatasetError(f"{path}: {first.name} and {second.name} have the same colour {first.colour}")
    default = voc_palette(len(kept))
    palette = tuple(entry.colour or default[index] for index, entry in enumerate(kept))
    try:
        classes = ClassTable(tuple(entry.name for entry in kept), palette)
    except InvalidInputError as error:
        raise DatasetError(f"{path}: {error}") from error
    index_of = {id(entry): index for index, entry in enumerate(kept)}
    target = [(entry, index_of.get(id(entry), IGNORE_INDEX)) for entry in entries]
    ids = {IGNORE_INDEX: IGNORE_INDEX} | {entry.number: index for entry, index in target}
    is_complete = all(entry.colour for entry in kept) and len(set(palette)) == len(palette)
    colours = {entry.colour: index for entry, index in target if entry.colour} if is_complete else {}
    return ClassList(classes, ids, colours, tuple(index for index, entry in enumerate(kept) if entry.colour))
