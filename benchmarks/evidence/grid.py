"""A grid of runs: shared settings, axes of named settings, and the combinations to run."""

from itertools import product
from pathlib import Path
from typing import Any

from hlcore.config import FrozenModel, TrainConfig
from hlcore.data.text import read_yaml

EVIDENCE_FOLDER = Path(__file__).parent


class Grid(FrozenModel):
    """The content of a table's YAML file."""

    base: dict[str, Any]
    """Settings of every run, nested as those of `hlcore train`."""
    axes: dict[str, dict[str, dict[str, Any]]]
    """Axis to value name to settings; later axes override earlier ones."""
    plan: tuple[dict[str, tuple[str, ...]], ...] = ()
    """The runs, in order: each entry is a product of axis values, the last axis varying fastest. Default: the
    product of all axes."""
    compared: str
    """The axis whose values are compared with a baseline."""
    against: str
    """The baseline: one value of that axis."""
    score_split: dict[str, str]
    """Value of the axis `data` to the split to score. If it is val, `best` was chosen on it."""

    def cells(self) -> list[dict[str, str]]:
        """Axis to value for every run, in order, without duplicates."""
        plan = self.plan or ({axis: tuple(values) for axis, values in self.axes.items()},)
        found = [dict(zip(entry, values, strict=True)) for entry in plan for values in product(*entry.values())]
        return [dict(cell) for cell in dict.fromkeys(tuple((axis, cell[axis]) for axis in self.axes) for cell in found)]

    def others(self, cell: dict[str, str]) -> list[dict[str, str]]:
        """The runs that define a run's fidelity: the baselines with the other seeds."""
        seeds = [seed for seed in self.axes["seed"] if seed != cell["seed"]]
        return [{**cell, "seed": seed, self.compared: self.against} for seed in seeds]

    def run_name(self, table: str, cell: dict[str, str]) -> str:
        """Name of a run."""
        return "-".join([table, *cell.values()])

    def config(self, cell: dict[str, str], *, table: str, data: Path, out: Path) -> TrainConfig:
        """Settings of one run; its data set is in the folder `data`/NAME, except streets."""
        settings: dict[str, Any] = {}
        for part in (self.base, *(self.axes[axis][value] for axis, value in cell.items())):
            settings = _merge_settings(settings, part)
        dataset = settings["data"]["dataset"]
        root = None if dataset == "streets" else data / dataset
        own = {"name": self.run_name(table, cell), "out": out, "data": {"root": root}}
        return TrainConfig.model_validate(_merge_settings(settings, own))


def open_grid(table: str, folder: Path = EVIDENCE_FOLDER) -> Grid:
    """The grid of a table."""
    return Grid.model_validate(read_yaml(folder / f"{table}.yaml"))


def _merge_settings(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = {**first, **second}
    for key in first.keys() & second.keys():
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            both[key] = _merge_settings(first[key], second[key])
    return both
