"""What the tables of an analysis show and what they do not, in plain sentences; every number is looked up."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from hlcore.analysis import error_prediction
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.errors import REGIONS, SCORES
from hlcore.report.numbers import (
    Number,
    compare_numbers,
    find_number,
    format_number,
    format_share,
    join_names,
    round_up_largest,
)

Tables = Callable[[str], pd.DataFrame]
"""From the name of a table to the table."""

BEFORE_TRAINING = "epoch-0000"


class Findings(NamedTuple):
    """What is seen, in paragraphs, and what that does not show."""

    seen: tuple[str, ...]
    not_shown: str


def describe_segmentation(tables: Tables) -> Findings:
    """How well the images are segmented."""
    table = tables("segmentation")
    of_class = filter_rows(table, metric="iou").query("class_name != '' and value.notna()").sort_values("value")
    mean = {metric: find_number(table, class_name="", metric=metric) for metric in table["metric"].unique()}
    seen = (
        f"The mean IoU over the classes is {mean['iou']}, of the pixels near contours alone (boundary IoU) "
        f"{mean['boundary_iou']}; {format_share(mean['accuracy'].value)} of the labelled pixels are predicted right. "
    )
    if len(of_class):
        worst, best = of_class.iloc[0], of_class.iloc[-1]
        seen += (
            f"The best class is {best['class_name']} ({format_number(best['value'])}), the worst {worst['class_name']} "
            f"({format_number(worst['value'])}). "
        )
    bands = [f"{mean[f'iou_{band}']} for {band}" for band in ("small", "medium", "large")]
    seen += f"By area of the object (cut at 32² and 96² px) it is {join_names(bands)} ones."
    return Findings(
        (seen,),
        "One run with one seed: the interval says how much other images would change the score, not how much "
        "another training would.",
    )


def describe_edges(tables: Tables, *, source: str = "label") -> Findings:
    """How hardness, loss and errors fall off from the edges."""
    profile = filter_rows(tables("edges"), source=source, class_name="", quantity="hardness")
    contrast = {
        name: find_number(tables("edge_contrast"), source=source, class_name="", quantity=name)
        for name in ("hardness", "loss", "error_rate")
    }
    hardness, loss = contrast["hardness"], contrast["loss"]
    at_edge, far = (find_number(profile, distance=distance) for distance in ("0", "> 32"))
    seen = (
        f"On an edge of the label map the mean hardness is {at_edge}, more than 32 px away from "
        f"every edge {far}. The edge contrast (mean within 2 px over mean beyond 16 px) "
        f"is {hardness} for hardness, {loss} for the loss and {contrast['error_rate']} for the error rate. "
    )
    seen += compare_numbers(
        hardness,
        loss,
        higher="Hardness clings to the edges more than the loss does.",
        lower="The loss clings to the edges more than hardness does.",
    )
    return Findings(
        (seen,),
        "It does not show that hardness knows more than where the edges are: a map drawn from the edges alone would "
        "look the same here. Whether it knows more is measured below, with the distance to the edge held still.",
    )


def describe_objects(tables: Tables) -> Findings:
    """How hardness depends on the size of objects, and what of it the edges explain."""
    table = filter_rows(tables("size_correlations"), size="area_px")
    plain, interior, over = (
        find_number(table, quantity=name) for name in ("hardness_mean", "hardness_interior", "hardness_over_edge")
    )
    count = {
        name: filter_rows(table, quantity=name)["objects"].tolist()[0]
        for name in ("hardness_mean", "hardness_interior")
    }
    trend = compare_numbers(
        plain,
        Number(0, 0, 0),
        higher="large objects are harder",
        lower="small objects are harder",
        neither="size and hardness do not go together",
    ).removesuffix(".")
    seen = (
        f"Spearman's rho of an object's mean hardness on its area is {plain} over {count['hardness_mean']} objects: "
        f"{trend}. Small objects are mostly edge, so edges must be held still. Inside the objects alone (farther than "
        f"2 px from every edge; {count['hardness_interior']} objects have such pixels) rho is {interior}; of the "
        f"hardness above what the edge profile predicts it is {over}. "
    )
    off = float(max(filter_rows(table, quantity="hardness_over_edge")["bound"]))  # by the bins of its histogram
    seen += compare_numbers(
        Number(over.value, over.low - off, over.high + off),
        Number(0, 0, 0),
        higher="So, edges taken into account, small objects are not harder but easier.",
        lower="So small objects are harder than their edges explain.",
        neither="So, edges taken into account, little or nothing is left of small objects being harder.",
    )
    bound = table[table["quantity"].isin(["hardness_mean", "hardness_interior", "hardness_over_edge"])]["bound"]
    return Findings(
        (seen,),
        "It names no cause: rare classes, far things and thin things are small too. Inside a small object the pixels "
        "still lie nearer to an edge than inside a large one, so only the last of the three holds the distance still. "
        f"Each rho comes from a histogram, whose bins may change it by {round_up_largest(bound)} at most.",
    )


def describe_errors(tables: Tables) -> Findings:
    """Whether hardness finds the wrong pixels, against signals that cost nothing."""
    scores = tables("scores")
    rate = find_number(scores, score="hardness", region="all", metric="error_rate")
    seen = [f"{format_share(rate.value)} of the labelled pixels are predicted wrong."]
    for region, where in REGIONS.items():
        of_region = filter_rows(scores, region=region)
        if of_region.empty:
            continue
        auroc, ap = (find_number(of_region, score="hardness", metric=metric) for metric in ("auroc", "ap"))
        seen.append(
            f"{'Over all labelled pixels' if region == 'all' else where.capitalize()}, hardness tells wrong from right "
            f"with an AUROC of {auroc} and an AP of {ap}.{_describe_standing(of_region)}"
        )
    curves = filter_rows(tables("risk_curves"), region="all")
    texts = [text for name in ("hardness", "max_softmax") if (text := _describe_tenth(curves, name))]
    if texts:
        seen.append(f"Flagging a tenth of the pixels catches {join_names(texts)}.")
    single = len(scores) > 0 and not np.isfinite(scores["low"]).any()
    return Findings(
        tuple(seen),
        ("There is no interval, so the standing of the scores says nothing about other images. " if single else "")
        + "A score that ranks well is no probability of an error. Differences are paired over the same images, so they "
        "may be clear where intervals overlap. Each number comes from histograms, whose bins may change it by "
        f"{round_up_largest(scores['bound'])} at most.",
    )


def describe_stability(tables: Tables) -> Findings:
    """How still both maps hold between epochs, and how far each fades."""
    pairs, levels = tables("epoch_pairs"), tables("levels")
    snapshots = list(dict.fromkeys(levels["snapshot"]))
    first_kept, last = next((name for name in snapshots if name != BEFORE_TRAINING), snapshots[-1]), snapshots[-1]
    texts = [
        _describe_agreement(pairs, "spearman", "Spearman's rho"),
        _describe_agreement(pairs, "top10_iou", "The top 10 % IoU"),
    ]
    hardness, loss = (
        find_number(levels, map=of, snapshot=last, measure="relative_level") for of in ("hardness", "loss")
    )
    fades = compare_numbers(
        hardness, loss, higher="Hardness fades less than the loss.", lower="Hardness fades more than the loss."
    )
    texts.append(
        f"At {_epoch_text(last)} the mean loss is {loss} times what it was at {_epoch_text(first_kept)}, mean hardness "
        f"{hardness} times. {fades}"
    )
    return Findings(
        tuple(texts),
        "A rank correlation says nothing about the level, and where a map is near 0 its ranks are noise. What fades on "
        "images that were trained on is memorised; on other images a falling loss is learning.",
    )


def _describe_agreement(pairs: pd.DataFrame, measure: str, name: str) -> str:
    """A measure of two kept epochs in a row, over all pairs, in a sentence; epoch 0 (before training) is left out."""
    rows = filter_rows(pairs, measure=measure, kind="consecutive")
    rows = rows.loc[(rows["first"] != BEFORE_TRAINING) & rows["value"].notna()]
    hardness, loss = filter_rows(rows, map="hardness"), filter_rows(rows, map="loss")
    both = hardness.merge(loss, on=["first", "second"], suffixes=("", "_of_loss"))
    if both.empty:
        return f"{name} takes two kept epochs in a row, which there are not."
    higher, lower = sum(both["low"] > both["high_of_loss"]), sum(both["high"] < both["low_of_loss"])
    return (
        f"{name} of two kept epochs in a row is {_span(hardness)} for hardness and {_span(loss)} for the loss; of "
        f"{len(both)} pairs it is clearly higher for hardness in {higher} and for the loss in {lower}."
    )


def _span(rows: pd.DataFrame) -> str:
    return f"{format_number(min(rows['value']))} to {format_number(max(rows['value']))}"


def group_scores_by_standing(of_region: pd.DataFrame) -> dict[str, list[str]]:
    """The other scores that hardness loses to, beats and cannot be told from, by the paired differences of AUROC.

    Args:
        of_region: Rows of the table "scores" of one region.
    """
    groups: dict[str, list[str]] = {name: [] for name in error_prediction.STANDINGS}
    for name in SCORES:
        auroc = find_number(of_region, score=name, metric="auroc")
        if name == "hardness" or np.isnan(auroc.value):
            continue
        row = filter_rows(of_region, score=name, metric="auroc_minus_hardness").iloc[0]
        stands = error_prediction.judge_standing(row["value"], low=row["low"], high=row["high"], bound=row["bound"])
        groups[stands].append(f"{SCORES[name]} ({auroc.value_text})")
    return groups


def _describe_standing(of_region: pd.DataFrame) -> str:
    """How hardness stands against every other score, in a sentence."""
    texts = [f"{verb} {join_names(names)}" for verb, names in group_scores_by_standing(of_region).items() if names]
    return f" It {'; it '.join(texts)}." if texts else ""


def _describe_tenth(curves: pd.DataFrame, score: str) -> str:
    """What the first threshold does that flags a tenth of the pixels."""
    rows = filter_rows(curves, score=score).query("pixels_share >= 0.1").sort_values("pixels_share")
    if rows.empty or np.isnan(rows.iloc[0]["errors_share"]):
        return ""
    row = rows.iloc[0]
    tied = f"; ties make it {format_share(row['pixels_share'])} of the pixels" if row["pixels_share"] >= 0.11 else ""
    caught, precision = format_share(row["errors_share"]), format_share(row["precision"])
    return f"{caught} of the errors by {SCORES[score]} (precision {precision}{tied})"


def _epoch_text(snapshot: str) -> str:
    return f"epoch {int(snapshot.removeprefix('epoch-'))}"
