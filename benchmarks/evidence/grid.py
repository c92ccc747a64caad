"""A grid of runs: shared settings, axes of named settings, and which of their combinations are run."""

from itertools import product
from pathlib import Path
from typing import Any

import yaml

from hlcore.config import FrozenModel, TrainConfig

EVIDENCE_FOLDER = Path(__file__).parent


class Grid(FrozenModel):
    """What a table's YAML file holds."""

    base: dict[str, Any]
    """Settings of every run, nested as those of `hlcore train`."""
    axes: dict[str, dict[str, dict[str, Any]]]
    """Axis to its values' names to their settings, which go over each other in the order of the axes."""
    plan: tuple[dict[str, tuple[str, ...]], ...] = ()
    """What is run, in order: each entry is the product of its values, its last axis varying fastest. Default: the
    product of all axes."""
    compared: str
    """The axis whose values are compared ..."""
    against: str
    """... with this one of them."""
    score_split: dict[str, str]
    """Value of the axis `data` to the split that is scored. Where it is val, `best` was chosen on it."""

    def cells(self) -> list[dict[str, str]]:
        """Axis to value, of every run in order; one that stands in several entries of the plan comes once."""
        plan = self.plan or ({axis: tuple(values) for axis, values in self.axes.items()},)
        found = [dict(zip(entry, values, strict=True)) for entry in plan for values in product(*entry.values())]
        return [dict(cell) for cell in dict.fromkeys(tuple((axis, cell[axis]) for axis in self.axes) for cell in found)]

    def others(self, cell: dict[str, str]) -> list[dict[str, str]]:
        """The runs that a run's fidelity is measured against: compared with `against`, of the other seeds."""
        seeds = [seed for seed in self.axes["seed"] if seed != cell["seed"]]
        return [{**cell, "seed": seed, self.compared: self.against} for seed in seeds]

    def run_name(self, table: str, cell: dict[str, str]) -> str:
        """The name of a run of a table."""
        return "-".join([table, *cell.values()])

    def config(self, cell: dict[str, str], *, table: str, data: Path, out: Path) -> TrainConfig:
        """The settings of one run; a data set lies in the folder of its name in `data`, streets nowhere."""
        settings: dict[str, Any] = {}
        for part in (self.base, *(self.axes[axis][value] for axis, value in cell.items())):
            settings = _merge_settings(settings, part)
        dataset = settings["data"]["dataset"]
        root = None if dataset == "streets" else data / dataset
        own = {"name": self.run_name(table, cell), "out": out, "data": {"root": root}}
        return TrainConfig.model_validate(_merge_settings(settings, own))


def open_grid(table: str, folder: Path = EVIDENCE_FOLDER) -> Grid:
    """The grid of a table."""
    return Grid.model_validate(yaml.safe_load((folder / f"{table}.yaml").read_text(encoding="utf-8")))


def _merge_settings(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {**first, **second}
    for key in first.keys() & second.keys():
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            both[key] = _merge_settings(first[key], second[key])
    return both
