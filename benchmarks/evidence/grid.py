"""A grid of runs: shared settings, and axes of named settings whose product is the table."""

from itertools import product
from pathlib import Path
from typing import Any

import yaml

from hlcore.config import Frozen, TrainConfig

HERE = Path(__file__).parent


class Grid(Frozen):
    """What a table's YAML file holds."""

    base: dict[str, Any]
    """Settings of every run, nested as those of `hlcore train`."""
    axes: dict[str, dict[str, dict[str, Any]]]
    """Axis to its values' names to their settings. The last axis varies fastest: its values are filled side by side."""
    compared: str
    """The axis whose values are compared ..."""
    against: str
    """... with this one of them."""
    score_split: dict[str, str]
    """Value of the axis `data` to the split that is scored. Where it is val, `best` was chosen on it."""

    def cells(self) -> list[dict[str, str]]:
        """Axis to value, of every run in order."""
        return [dict(zip(self.axes, values, strict=True)) for values in product(*self.axes.values())]

    def config(self, cell: dict[str, str], *, table: str, data: Path, out: Path) -> TrainConfig:
        """The settings of one run; a data set lies in the folder of its name in `data`."""
        settings: dict[str, Any] = {}
        for part in (self.base, *(self.axes[axis][value] for axis, value in cell.items())):
            settings = _merged(settings, part)
        own = {"name": "-".join([table, *cell.values()]), "out": out, "data": {"root": data / cell["data"]}}
        return TrainConfig.model_validate(_merged(settings, own))


def open_grid(table: str) -> Grid:
    """The grid of a table."""
    return Grid.model_validate(yaml.safe_load((HERE / f"{table}.yaml").read_text(encoding="utf-8")))


def rows_path(table: str) -> Path:
    """Where the rows of a table lie."""
    return HERE / f"{table}.jsonl"


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {**first, **second}
    for key in first.keys() & second.keys():
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            both[key] = _merged(first[key], second[key])
    return both
