"""Why the hardness maps of a run are stable or not, compared with its loss maps.

    python -m benchmarks.stability --run checkpoints/streets --split train --images 20
    python -m benchmarks.stability --run checkpoints/streets --split test --images 20
    python -m benchmarks.stability --run RUN

The last form uses the run's probe set, with its halves apart; the others run every saved epoch on images of a split.
In addition to the measures of hlcore.analysis.stability it measures what could explain them:

lr_sum          sum of the learning rate over the steps between two epochs
near_zero       share of the pixels with hardness below 0.05, or loss below 0.05 nats; near_one: hardness above 0.95
tail            share of Spearman's squared rank differences where both maps are near zero
without_c       total variation without c in the weight (no change for the loss)
set_iou         IoU between two epochs of the pixels whose hardness the objective raises (loss above the weighted mean
                loss; row "loss"), and of those where it is high (above 0.5; row "hardness")
follows         IoU of these two sets within one epoch
swapped_*       total variation between the maps of the last epoch's network and of that network with a part of the
                epoch kept before: both branches (branch), the encoder (encoder), or all of it (both)
"""

import copy
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from cyclopts import App
from jaxtyping import Float

from benchmarks.evidence.measures import read_samples
from hlcore.analysis.map_agreement import mid_ranks
from hlcore.analysis.stability import ImageSnapshots, kept_epoch_names, make_tables, sum_by_split
from hlcore.analysis.statistics import Counts, ImageSums, divide
from hlcore.data.samples import Sample
from hlcore.inference import predict
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.probes import Probe
from hlcore.storage.runs import Run, open_run
from hlcore.types import IGNORE_INDEX

RESULTS = Path(__file__).parent / "results" / "stability.parquet"
NEAR = 0.05
PAIR_NAMES = ("tail", "without_c", "set_iou")
LEVEL_NAMES = ("near_zero", "near_one", "follows")
COLUMNS = ["run", "split", "map", "first", "second", "measure", "value", "low", "high", "images"]

app = App(name="python -m benchmarks.stability", help=__doc__)


@app.default
def main(*, run: Path, split: str = "", images: int = 20, root: Path | None = None, out: Path = RESULTS) -> None:
    """Measure a run and replace its rows in the table.

    Parameters
    ----------
    run
        Run folder.
    split
        Split of the run's data set. Default: the probe set.
    images
        Number of images, evenly spaced over the split.
    root
        Folder of the data set. Default: the one the run was trained on.
    out
        Parquet file of the table.
    """
    opened = open_run(run)
    samples = list(read_samples(opened, split, images=images, root=root)) if split else []
    followed = list(_predict_snapshots(opened, samples, split) if split else _read_probe(opened.probe))
    c = opened.record.config.loss.c
    names = kept_epoch_names(followed[0].maps)
    made = make_tables(sum_by_split(followed, c=c), list(followed[0].maps))
    table = pd.concat([*_select_rows(made), _explanation_rows(followed, names, c), _lr_rows(opened, names)])
    if split:
        table = pd.concat([table, _swapped_rows(opened, samples, split, c)])
    table.insert(0, "run", opened.name)
    table = table.reindex(columns=COLUMNS).fillna(dict.fromkeys(("split", "map", "first", "second"), ""))
    if out.exists():
        before = pd.read_parquet(out)
        gone = before["run"].eq(opened.name) & before["split"].isin(list(table["split"].unique()))
        table = pd.concat([before[~gone], table])
    out.parent.mkdir(exist_ok=True)
    table.astype({"value": "float32", "low": "float32", "high": "float32"}).to_parquet(out, compression="zstd")


class _ProbeMaps(Mapping):
    """The maps of one probe image, read on demand; iterations before the first kept epoch are left out."""

    def __init__(self, probe: Probe, name: str) -> None:
        self.probe, self.name = probe, name
        self.names = ["epoch-0000", *kept_epoch_names(probe.snapshots)]

    def __getitem__(self, snapshot: str) -> tuple:
        return self.probe.maps(self.name, snapshot)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _read_probe(probe: Probe | None) -> Iterator[ImageSnapshots]:
    if probe is None:
        message = "the run has no probe set; give a --split"
        raise SystemExit(message)
    for name in probe.images:
        yield ImageSnapshots(name, probe.split(name), probe.label_map(name), _ProbeMaps(probe, name))


def _predict_snapshots(run: Run, samples: list[Sample], split: str) -> Iterator[ImageSnapshots]:
    checkpoints = {f"epoch-{epoch:04d}": load_checkpoint(run.checkpoint_path(epoch)) for epoch in run.epochs}
    for sample in samples:
        maps = {}
        for name, checkpoint in checkpoints.items():
            record = predict(
                checkpoint.network, sample.image, class_names=checkpoint.class_names, label_map=sample.label_map
            )
            maps[name] = (record.hardness_map, record.loss_map)
        yield ImageSnapshots(sample.name, split, sample.label_map, maps)


def _select_rows(made: Mapping[str, pd.DataFrame]) -> list[pd.DataFrame]:
    pairs = made["epoch_pairs"].query("kind == 'consecutive'")
    levels = made["levels"].rename(columns={"snapshot": "second"})
    return [pairs, levels, made["variation"]]


def _explanation_rows(followed: list[ImageSnapshots], names: tuple[str, ...], c: float) -> pd.DataFrame:
    sums: dict[str, ImageSums] = {}
    for image in followed:
        sums.setdefault(image.split, ImageSums()).add(image.name, _explain_image(image, names, c))
    keys = [("", name, measure) for measure in LEVEL_NAMES for name in names]
    keys += [(*pair, measure) for measure in PAIR_NAMES for pair in pairwise(names)]
    rows = []
    for split, total in sums.items():
        estimate = total.estimate(lambda of: divide(of["sum"], of["known"]))
        for index, m in enumerate(("hardness", "loss")):
            values = zip(*(ends[index].tolist() for ends in estimate), strict=True)
            rows += [(split, m, *key, *row, total.images) for key, row in zip(keys, values, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS[1:]).dropna(subset="value")


def _explain_image(image: ImageSnapshots, names: tuple[str, ...], c: float) -> Counts:
    """LEVEL_NAMES of every epoch, then PAIR_NAMES of every pair, for both maps."""
    valid = np.ones_like(image.maps[names[0]][0], bool) if image.label_map is None else image.label_map != IGNORE_INDEX
    seen = [[np.asarray(m, np.float64)[valid] for m in image.maps[name]] for name in names]
    sets = []
    for hardness, loss in seen:
        target = loss > np.average(loss, weights=hardness + c)
        sets.append((hardness > 0.5, target))
    per_map = []
    for index in (0, 1):
        maps, ranks = [pair[index] for pair in seen], [mid_ranks(pair[index]) for pair in seen]
        row = [(values < NEAR).mean() for values in maps]
        row += [(values > 1 - NEAR).mean() if index == 0 else np.nan for values in maps]
        row += [_iou(*pair) if index == 0 else np.nan for pair in sets]
        row += [_tail(ranks[k], ranks[k + 1], (maps[k] < NEAR) & (maps[k + 1] < NEAR)) for k in range(len(maps) - 1)]
        row += [_total_variation(a, b) for a, b in pairwise(maps)]
        row += [_iou(a[index], b[index]) for a, b in pairwise(sets)]
        per_map.append(row)
    values = np.array(per_map, dtype=float)
    return {"sum": np.nan_to_num(values), "known": np.isfinite(values).astype(float)}


def _iou(first: np.ndarray, second: np.ndarray) -> float:
    either = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / either if either else float("nan")


def _tail(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"], low: np.ndarray) -> float:
    squares = (first - second) ** 2
    return float(squares[low].sum() / squares.sum()) if squares.any() else float("nan")


def _total_variation(first: Float[np.ndarray, " N"], second: Float[np.ndarray, " N"]) -> float:
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def _lr_rows(run: Run, names: tuple[str, ...]) -> pd.DataFrame:
    steps = run.step_table()
    rows = []
    for first, second in pairwise(names):
        low, high = (int(name.removeprefix("epoch-")) for name in (first, second))
        rates = steps.loc[(steps["epoch"] > low) & (steps["epoch"] <= high), "lr"]
        rows.append(("", "", first, second, "lr_sum", rates.sum()))
    return pd.DataFrame(rows, columns=COLUMNS[1:7])


def _swapped_rows(run: Run, samples: list[Sample], split: str, c: float) -> pd.DataFrame:
    """How much the last epoch's maps change if one part of its network comes from the previous saved epoch."""
    before, last = (load_checkpoint(run.checkpoint_path(epoch)) for epoch in run.epochs[-2:])
    mixed = {part: copy.deepcopy(last.network) for part in ("branch", "encoder")}
    mixed["branch"].hardness_branch = before.network.hardness_branch
    mixed["branch"].segmentation_branch = before.network.segmentation_branch
    mixed["encoder"].encoder = before.network.encoder
    sums = ImageSums()
    for sample in samples:
        settings = {"class_names": last.class_names, "label_map": sample.label_map}
        whole = predict(last.network, sample.image, **settings)
        counts = {}
        for part, network in {"both": before.network, **mixed}.items():
            other = predict(network, sample.image, **settings)
            valid = whole.valid
            hardness = _total_variation(whole.hardness_map[valid] + c, other.hardness_map[valid] + c)
            counts[part] = np.array([hardness, _total_variation(whole.loss_map[valid], other.loss_map[valid])])
        sums.add(sample.name, {**counts, "images": np.ones(1)})
    first, second = (f"epoch-{epoch:04d}" for epoch in run.epochs[-2:])
    rows = []
    for part in ("both", *mixed):
        estimate = sums.estimate(lambda total, part=part: divide(total[part], total["images"]))
        for index, m in enumerate(("hardness", "loss")):
            ends = [float(values[index]) for values in estimate]
            rows.append((split, m, first, second, f"swapped_{part}", *ends, sums.images))
    return pd.DataFrame(rows, columns=COLUMNS[1:])


if __name__ == "__main__":
    app()
