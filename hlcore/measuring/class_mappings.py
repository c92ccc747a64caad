"""Which classes of a run and of a data set are the same: from a file, or known for the built-in data sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, ValidationError

from hlcore.analysis.merging import ClassMerge, check_mapping
from hlcore.config import FrozenModel
from hlcore.data.labels import ADE20K, CAMVID, CITYSCAPES, IDD_LITE, VOC
from hlcore.data.text import normalise_name, read_yaml
from hlcore.errors import DatasetError, InvalidInputError

BUILT_IN = {"camvid": CAMVID, "cityscapes": CITYSCAPES, "ade20k": ADE20K, "voc": VOC, "idd_lite": IDD_LITE}
"""Name of a data set in shared_classes.yaml to its classes; those of streets are CamVid's."""
_REST, _IGNORED = "*", "ignore"
"""In shared_classes.yaml: all classes that are not mentioned, and the row of classes to leave out."""

_Name = Annotated[str, AfterValidator(normalise_name)]


class ClassMapping(FrozenModel):
    """Class to merged class, for a run and a data set."""

    run: dict[_Name, _Name]
    """Class of the run to merged class."""
    data: dict[_Name, _Name] | None = None
    """Class of the data set to merged class. Default: the merged classes are classes of the data set."""
    ignore: tuple[_Name, ...] = ()
    """Classes that are left out, of either side, even if they are mapped."""

    def without(self, ignore: Sequence[str]) -> "ClassMapping":
        """The mapping with further classes left out."""
        return self.model_copy(update={"ignore": (*self.ignore, *map(normalise_name, ignore))})

    def resolve(self, run_names: Sequence[str], data_names: Sequence[str]) -> ClassMerge:
        """The mapping as indices.

        Args:
            run_names: The classes of the run.
            data_names: The classes of the data set.

        Raises:
            InvalidInputError: a class of either side is unknown, or neither mapped nor ignored.
        """
        data = {name: name for name in self.run.values()} if self.data is None else self.data
        run_merged, data_merged = (
            {name: merged for name, merged in side.items() if name not in self.ignore} for side in (self.run, data)
        )
        names = {"run_names": run_names, "data_names": data_names}
        check_mapping(run_merged, data_merged, **names, ignore=self.ignore)
        return ClassMerge.from_names(run_merged, data_merged, **names)


def read_mapping(path: Path) -> ClassMapping:
    """The mapping in a YAML or JSON file.

    The file either maps classes of the run to classes of the data set, or has the keys `run`, `data` and `ignore` of
    `ClassMapping`.

    Raises:
        InvalidInputError: the file cannot be read or has neither form.
    """
    form = "expected one line per class of the run, such as 'Car: vehicles', or the keys run, data and ignore"
    try:
        content = read_yaml(path)  # JSON is YAML
    except (OSError, DatasetError, yaml.YAMLError) as error:
        raise InvalidInputError(f"{path} cannot be read: {error}; {form}") from error
    has_keys = isinstance(content, dict) and isinstance(content.get("run"), dict)
    try:
        return ClassMapping.model_validate(content if has_keys else {"run": content})
    except ValidationError as error:
        raise InvalidInputError(f"{path} does not map class names to class names; {form}") from error


def map_shared_names(run_names: Sequence[str], data_names: Sequence[str]) -> ClassMapping:
    """The mapping of each class of the run to the class of the data set with the same name."""
    return ClassMapping(run={name: name for name in run_names if name in data_names})


def find_known_mapping(run_names: Sequence[str], data_names: Sequence[str]) -> ClassMapping | None:
    """The known mapping between the classes of two built-in data sets; None if either has other classes.

    Example:
        >>> find_known_mapping(CAMVID.names, IDD_LITE.names).run["Bicyclist"]
        'living things'
    """
    known = {table.names: name for name, table in BUILT_IN.items()}
    of_run, of_data = known.get(tuple(run_names)), known.get(tuple(data_names))
    for pair in _read_shared_classes():
        if {of_run, of_data} == set(pair.names):
            run, data = pair.merged(of_run), pair.merged(of_data)
            ignore = [name for name in (*run_names, *data_names) if name not in {*run, *data}]
            return ClassMapping(run=run, data=data, ignore=tuple(dict.fromkeys(ignore)))
    return None


@dataclass(frozen=True)
class _Pair:
    """Two data sets and the classes they share."""

    names: tuple[str, ...]
    classes: dict[str, tuple[list[str], ...]]
    """Merged class to the classes of each data set."""

    def merged(self, name: str | None) -> dict[str, str]:
        """Class of a data set to merged class."""
        position = self.names.index(str(name))
        return {own: merged for merged, sides in self.classes.items() for own in sides[position]}


@cache
def _read_shared_classes() -> tuple[_Pair, ...]:
    with as_file(files("hlcore.measuring") / "shared_classes.yaml") as path:
        content: dict[str, dict[str, str]] = read_yaml(path)
    return tuple(_parse_pair(_split(pair, "|"), rows) for pair, rows in content.items())


def _parse_pair(names: tuple[str, ...], rows: dict[str, str]) -> _Pair:
    listed = {merged: [list(_split(side, ",")) for side in _split(text, "|")] for merged, text in rows.items()}
    for position, name in enumerate(names):
        mentioned = [own for sides in listed.values() for own in sides[position]]
        rest = [own for own in BUILT_IN[name].names if own not in mentioned]
        for sides in listed.values():
            sides[position] = rest if sides[position] == [_REST] else sides[position]
    return _Pair(names, {merged: tuple(sides) for merged, sides in listed.items() if merged != _IGNORED})


def _split(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator))
