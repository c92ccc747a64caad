"""The paper's claims about hardness and what was measured here: the first table of docs/results.md.

A claim holds if the whole 95 % interval lies on its side of a limit, does not hold if it lies on the other side, and is
open if the interval contains the limit or there are fewer than three seeds.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.evidence.compare import CLASS_MEASURES, compare_paired, estimate_mean
from benchmarks.evidence.grid import Grid
from benchmarks.evidence.rule import summarise
from hlcore.analysis.statistics import filter_rows
from hlcore.config import HARDNESS_SGD_LR
from hlcore.report.numbers import Number, find_number, format_number

DEFAULT = f"sgd_{HARDNESS_SGD_LR:g}"
"""The variant with the default settings of `hlcore train`."""
SEEDS = 3
HOLDS, FAILS, OPEN = "holds", "does not hold", "open"
DATA_TITLES = {
    "streets": "streets (synthetic), DeepLabV3+, 24 epochs",
    "camvid_fpn": "CamVid, FPN, 12 epochs",
    "camvid_fpn_24": "CamVid, FPN, 24 epochs",
    "camvid_deeplab": "CamVid, DeepLabV3+, 45 epochs",
    "idd_lite_fpn": "IDD-Lite, FPN, 4 epochs",
}


class Claim(NamedTuple):
    """A line of the table.

    Attributes:
        claim: What is claimed.
        measured: The measured value, its interval and the number of seeds.
        verdict: HOLDS, FAILS or OPEN.
    """

    claim: str
    measured: str
    verdict: str


def judge_claim(found: Number, line: float, *, above: bool = True, seeds: int = SEEDS) -> str:
    """Whether the whole interval lies above (or below) a line."""
    if seeds < SEEDS or np.isnan([*found]).any():
        return OPEN
    if found.low > line:
        return HOLDS if above else FAILS
    if found.high < line:
        return FAILS if above else HOLDS
    return OPEN


def list_training_claims(rows: pd.DataFrame, grid: Grid) -> Iterator[Claim]:
    """The claims about the gain, the stability and the fidelity of the default variant."""
    gains = compare_paired(rows, grid, measures=("mean_iou_last", *CLASS_MEASURES))
    for gain in _filter_default(gains, "mean_iou_last"):
        points = Number(*(100 * gain[name] for name in ("difference", "low", "high")))
        yield Claim(
            "The hardness loss raises mIoU (the paper: +1.37 points on average, Cityscapes)",
            f"{DATA_TITLES[gain['data']]}: {format_signed(points)} points over cross entropy, {_seeds(gain['seeds'])}",
            judge_claim(points, 0, seeds=gain["seeds"]),
        )
    for data in dict.fromkeys(gain["data"] for gain in _filter_default(gains, "mean_iou_last")):
        thin = [gain for measure in CLASS_MEASURES for gain in _filter_default(gains, measure) if gain["data"] == data]
        texts = "; ".join(
            f"{gain['measure'].removeprefix('iou/').removesuffix('_last')} "
            f"{format_signed(Number(*(100 * gain[name] for name in ('difference', 'low', 'high'))))}"
            for gain in thin
        )
        verdicts = {
            judge_claim(Number(gain["difference"], gain["low"], gain["high"]), 0, seeds=gain["seeds"]) for gain in thin
        }
        if thin:
            yield Claim(
                "Each of the thin and small classes gains",
                f"{DATA_TITLES[data]}: {texts}; points of IoU, {_seeds(thin[0]['seeds'])}",
                next(verdict for verdict in (FAILS, OPEN, HOLDS) if verdict in verdicts),
            )
    yield from _list_stability_claims(summarise(rows, grid))


def list_analysis_claims(tables: Mapping[str, Mapping[str, pd.DataFrame]]) -> Iterator[Claim]:
    """The claims about the analyses of the bundled runs; `tables` maps data set to table name to table."""
    for data, of in tables.items():
        contrast = find_number(of["edge_contrast"], source="label", class_name="", quantity="hardness")
        yield Claim(
            "Hard pixels lie at edges",
            f"{data}: mean hardness within 2 px of an edge divided by that beyond 16 px: {contrast}",
            judge_claim(contrast, 1),
        )
    for data, of in tables.items():
        rho = find_number(of["size_correlations"], quantity="hardness_mean", size="area_px")
        yield Claim(
            "Small objects are hard", f"{data}: Spearman's rho of an object's hardness and area: {rho}",
            judge_claim(rho, 0, above=False),
        )  # fmt: skip
    for data, of in tables.items():
        scores = filter_rows(of["scores"], region="all", metric="auroc")
        hardness, softmax = (find_number(scores, score=score) for score in ("hardness", "max_softmax"))
        lead = find_number(filter_rows(of["scores"], region="all"), score="max_softmax", metric="auroc_minus_hardness")
        yield Claim(
            "Not a claim of the paper: hardness finds errors better than the softmax",
            f"{data}: AUROC {hardness} against {softmax} for 1 − max softmax",
            judge_claim(lead, 0, above=False),
        )


def list_memorising_claims(table: pd.DataFrame) -> Iterator[Claim]:
    """The claim about both maps while a network memorises one image; `table` is that of benchmarks.memorise."""
    rows = table.to_dict("records")
    for run, split in dict.fromkeys((row["run"], row["split"]) for row in rows):
        steps = max(int(row["step"]) for row in rows if (row["run"], row["split"]) == (run, split))
        last = {
            (row["image"], row["map"]): row
            for row in rows
            if (row["run"], row["split"], int(row["step"])) == (run, split, steps)
        }
        names = list(dict.fromkeys(name for name, _ in last))
        loss, hardness = (
            Number(*estimate_mean([last[name, of]["relative_level"] for name in names])) for of in ("loss", "hardness")
        )
        moved = [last[name, "hardness"]["total_variation"] / last[name, "loss"]["total_variation"] for name in names]
        movement = Number(*estimate_mean(moved))
        yield Claim(
            "Figure 1: a network that memorises one image loses its loss map and keeps its hardness map",
            f"{run}, {split}, {len(names)} images, {steps} steps: the mean loss ends at {loss} of its initial value, "
            f"mean hardness at {hardness}; the hardness weight moves {movement} times as much as the loss map",
            judge_claim(movement, 0.5, above=False),
        )


def format_headline(rows: pd.DataFrame, grid: Grid) -> str:
    """The README's sentence: gain and movement on the first data set that has all seeds, CamVid before streets."""
    gains = {gain["data"]: gain for gain in _filter_default(compare_paired(rows, grid), "mean_iou_last")}
    ready = [data for data in ("camvid_fpn", "streets") if gains.get(data, {"seeds": 0})["seeds"] >= SEEDS]
    if not ready:
        return "The runs that measure its gain over several seeds are still in progress."
    gain, of_default = gains[ready[0]], filter_rows(summarise(rows, grid), data=ready[0], variant=DEFAULT)
    points = format_signed(Number(*(100 * gain[name] for name in ("difference", "low", "high"))))
    movement = find_number(of_default, measure="movement/held_out")
    return (
        f"Measured here on {DATA_TITLES[ready[0]]}, light branch, {SEEDS} seeds, with 95 % intervals over seeds: "
        f"**{points} points** of mIoU over cross entropy, and a hardness map that moves **{movement} times** as "
        "much as the loss map from epoch to epoch on held-out images."
    )


def _list_stability_claims(summary: pd.DataFrame) -> Iterator[Claim]:
    by_data = {data: filter_rows(summary, variant=DEFAULT, data=data) for data in DATA_TITLES}
    for data, rows in by_data.items():
        movement = find_number(rows, measure="movement/held_out")
        if not np.isnan(movement.value):
            seeds = _count(rows, "movement/held_out")
            yield Claim(
                "Hardness maps are stable between epochs, loss maps are not",
                f"{DATA_TITLES[data]}: from epoch to epoch the hardness weight moves {movement} times as much as the "
                f"loss map (total variation, held-out images), {_seeds(seeds)}",
                judge_claim(movement, 1, above=False, seeds=seeds),
            )
    for data, rows in by_data.items():
        for place, images in (("train", "training images"), ("held_out", "held-out images")):
            kept = [find_number(rows, measure=f"{of}_last_over_first/{place}") for of in ("hardness", "loss")]
            if not np.isnan(kept[0].value):
                seeds = _count(rows, f"hardness_last_over_first/{place}")
                yield Claim(
                    "The loss fades during training, hardness does not",
                    f"{DATA_TITLES[data]}, {images}: hardness retains {kept[0]} of its mean after the first epoch, the "
                    f"loss {kept[1]}, {_seeds(seeds)}",
                    _judge_level(*kept, seeds=seeds),
                )
    for data, rows in by_data.items():
        found = {of: find_number(rows, measure=f"fidelity/{of}_spearman") for of in ("hardness", "loss", "entropy")}
        if not np.isnan(found["hardness"].value):
            seeds = _count(rows, "fidelity/hardness_spearman")
            yield Claim(
                "Hardness is intrinsic: what is hard for one network is hard for others",
                f"{DATA_TITLES[data]}: rank correlation with the mean loss of other seeds, held-out images: "
                f"hardness {found['hardness']}, own loss {found['loss']}, entropy {found['entropy']}, {_seeds(seeds)}",
                judge_claim(found["hardness"], found["loss"].value, seeds=seeds),
            )


def _judge_level(hardness: Number, loss: Number, *, seeds: int) -> str:
    """Whether hardness keeps nine tenths of its mean; "in part" if it does not, but fades less than the loss."""
    stays = judge_claim(hardness, 0.9, seeds=seeds)
    return "in part: it fades less" if stays == FAILS and hardness.low > loss.high else stays


def _filter_default(differences: pd.DataFrame, measure: str) -> list[dict]:
    of_default = [row for row in differences.to_dict("records") if row["variant"] == DEFAULT]
    return [row for row in of_default if row["measure"] == measure and row["data"] in DATA_TITLES]


def _count(rows: pd.DataFrame, measure: str) -> int:
    return filter_rows(rows, measure=measure)["seeds"].tolist()[0]


def _seeds(count: int) -> str:
    return "one seed" if count == 1 else f"{count} seeds"


def format_signed(points: Number) -> str:
    """A difference with its sign, and its interval if there is one."""
    signs = [("+" if value > 0 else "") + format_number(value) for value in points if not np.isnan(value)]
    return signs[0] if len(signs) < 3 else f"{signs[0]} ({signs[1]} to {signs[2]})"
