"""The findings of an analysis in sentences; every number comes from its tables."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from hlcore.analysis import error_prediction
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.cartography import QUANTITIES as LEARNING
from hlcore.figures.errors import REGIONS, name_score, order_scores
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
"""Function from the name of a table to the table."""

BEFORE_TRAINING = "epoch-0000"


class Findings(NamedTuple):
    """What the tables show, in paragraphs, and what they do not."""

    seen: tuple[str, ...]
    not_shown: str


def describe_segmentation(tables: Tables) -> Findings:
    """Findings on segmentation quality."""
    table = tables("segmentation")
    of_class = filter_rows(table, metric="iou").query("class_name != '' and value.notna()").sort_values("value")
    mean = {metric: find_number(table, class_name="", metric=metric) for metric in table["metric"].unique()}
    seen = (
        f"The mean IoU over the classes is {mean['iou']}; near contours (boundary IoU) it is {mean['boundary_iou']}. "
        f"{format_share(mean['accuracy'].value)} of the labelled pixels are correct. "
    )
    if len(of_class):
        worst, best = of_class.iloc[0], of_class.iloc[-1]
        seen += (
            f"The best class is {best['class_name']} ({format_number(best['value'])}), the worst {worst['class_name']} "
            f"({format_number(worst['value'])}). "
        )
    bands = [f"{mean[f'iou_{band}']} for {band}" for band in ("small", "medium", "large")]
    seen += f"By object area (limits 32² and 96² px) it is {join_names(bands)} objects."
    return Findings(
        (seen,),
        "This is one run with one seed: the interval covers the choice of images, not the choice of seed.",
    )


def describe_edges(tables: Tables, *, source: str = "label") -> Findings:
    """Findings on hardness, loss and errors by distance to an edge."""
    profile = filter_rows(tables("edges"), source=source, class_name="", quantity="hardness")
    contrast = {
        name: find_number(tables("edge_contrast"), source=source, class_name="", quantity=name)
        for name in ("hardness", "loss", "error_rate")
    }
    hardness, loss = contrast["hardness"], contrast["loss"]
    titles = {"hardness": "hardness", "loss": "the loss", "error_rate": "the error rate"}
    known = [f"{number} for {titles[name]}" for name, number in contrast.items() if not np.isnan(number.value)]
    at_edge, far = (find_number(profile, distance=distance) for distance in ("0", "> 32"))
    seen = (
        f"The mean hardness is {at_edge} on an edge of the label map and {far} more than 32 px from "
        f"every edge. The edge contrast (mean within 2 px divided by mean beyond 16 px) "
        f"is {join_names(known)}. "
    )
    if not np.isnan(loss.value):
        seen += compare_numbers(
            hardness,
            loss,
            higher="Hardness is more concentrated at edges than the loss.",
            lower="The loss is more concentrated at edges than hardness.",
        )
    return Findings(
        (seen,),
        "This does not show that hardness contains more than the position of edges: a map computed from the edges "
        "alone would look the same. Whether it does is measured below, at a fixed distance to the edge.",
    )


def describe_objects(tables: Tables) -> Findings:
    """Findings on hardness by object size, and how much of it edges explain."""
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
        neither="size and hardness are not clearly related",
    ).removesuffix(".")
    seen = (
        f"Spearman's rho between an object's mean hardness and its area is {plain} over {count['hardness_mean']} "
        f"objects: {trend}. Small objects are mostly edge, so edges must be accounted for. Inside the objects (farther "
        f"than 2 px from every edge; {count['hardness_interior']} objects have such pixels) rho is {interior}; for the "
        f"hardness beyond what the edge profile predicts it is {over}. "
    )
    off = float(max(filter_rows(table, quantity="hardness_over_edge")["bound"]))  # by the bins of its histogram
    seen += compare_numbers(
        Number(over.value, over.low - off, over.high + off),
        Number(0, 0, 0),
        higher="So, after accounting for edges, small objects are easier, not harder.",
        lower="So small objects are harder than their edges explain.",
        neither="So, after accounting for edges, small objects are hardly harder, if at all.",
    )
    bound = table[table["quantity"].isin(["hardness_mean", "hardness_interior", "hardness_over_edge"])]["bound"]
    return Findings(
        (seen,),
        "This does not name a cause: rare classes, distant objects and thin objects are small too. Pixels inside a "
        "small object are still nearer to an edge than those inside a large one, so only the last of the three fixes "
        "the distance. "
        f"Each rho comes from a histogram; binning changes it by at most {round_up_largest(bound)}.",
    )


def describe_errors(tables: Tables) -> Findings:
    """Findings on how well hardness finds errors, compared with scores every network gives for free."""
    scores = tables("scores")
    rate = find_number(scores, score="hardness", region="all", metric="error_rate")
    seen = [f"{format_share(rate.value)} of the labelled pixels are predicted wrongly."]
    for region, where in REGIONS.items():
        of_region = filter_rows(scores, region=region)
        if of_region.empty:
            continue
        auroc, ap = (find_number(of_region, score="hardness", metric=metric) for metric in ("auroc", "ap"))
        seen.append(
            f"{'Over all labelled pixels' if region == 'all' else where.capitalize()}, hardness separates wrong "
            f"from right pixels with an AUROC of {auroc} and an AP of {ap}.{_describe_standing(of_region)}"
        )
    curves = filter_rows(tables("risk_curves"), region="all")
    texts = [text for name in ("hardness", "max_softmax") if (text := _describe_tenth(curves, name))]
    if texts:
        seen.append(f"Flagging 10 % of the pixels catches {join_names(texts)}.")
    single = len(scores) > 0 and not np.isfinite(scores["low"]).any()
    return Findings(
        tuple(seen),
        ("There is no interval, so the comparison of the scores says nothing about other images. " if single else "")
        + "A score that ranks well is not a probability of error. Differences are paired over the same images, so they "
        "may be clear where intervals overlap. Each number comes from histograms; binning changes it by at most "
        f"{round_up_largest(scores['bound'])}.",
    )


def describe_stability(tables: Tables) -> Findings:
    """Findings on how stable both maps are between epochs, and how much each fades."""
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
    end, start = _epoch_text(last), _epoch_text(first_kept)
    if np.isnan(loss.value):
        texts.append(f"At {end} mean hardness is {hardness} times its value at {start}.")
    else:
        fades = compare_numbers(
            hardness, loss, higher="Hardness fades less than the loss.", lower="Hardness fades more than the loss."
        )
        texts.append(
            f"At {end} the mean loss is {loss} times its value at {start}, mean hardness {hardness} times. {fades}"
        )
    return Findings(
        tuple(texts),
        "A rank correlation says nothing about the level, and where a map is near 0 its ranks are noise. A loss that "
        "falls on training images may be memorisation; on other images it is learning.",
    )


def describe_learning(tables: Tables) -> Findings:
    """Findings on when pixels were learned, how often they were forgotten, and how that goes with hardness."""
    learning, correlations = tables("learning"), tables("learning_correlations")
    epochs = [group for group in dict.fromkeys(filter_rows(learning, quantity="learned")["group"]) if group != "never"]

    def find(quantity: str, group: str, measure: str) -> Number:
        return find_number(learning, quantity=quantity, group=group, measure=measure)

    first, never = (find("learned", group, "share") for group in (epochs[0], "never"))
    of_first, of_never = (find("learned", group, "hardness_mean") for group in (epochs[0], "never"))
    kept = find("forgetting", "0", "share")
    rhos = [f"{title} {find_number(correlations, quantity=name)}" for name, title in LEARNING.items()]
    return Findings(
        (
            (
                f"A share of {first} of the pixels was right from the first saved epoch ({epochs[0]}) on, with a mean "
                f"hardness of {of_first}; {never} was wrong at the last one, with a mean hardness of {of_never}."
            ),
            f"A share of {kept} was never forgotten: no saved epoch was wrong after one that was right.",
            f"Rank correlation with hardness, mean over images: {'; '.join(rhos)}.",
        ),
        "Only the saved epochs are seen, so a pixel that was forgotten and learned again between two of them counts as "
        "never forgotten. On images that were not trained on, learned means that the network came to be right.",
    )


def _describe_agreement(pairs: pd.DataFrame, measure: str, name: str) -> str:
    """A measure of consecutive saved epochs, over all pairs, in a sentence; epoch 0 (before training) is left out."""
    rows = filter_rows(pairs, measure=measure, kind="consecutive")
    rows = rows.loc[(rows["first"] != BEFORE_TRAINING) & rows["value"].notna()]
    hardness, loss = filter_rows(rows, map="hardness"), filter_rows(rows, map="loss")
    if loss.empty and len(hardness):
        return f"{name} between consecutive saved epochs is {_span(hardness)} for hardness."
    both = hardness.merge(loss, on=["first", "second"], suffixes=("", "_of_loss"))
    if both.empty:
        return f"{name} needs two consecutive saved epochs, which this run lacks."
    higher, lower = sum(both["low"] > both["high_of_loss"]), sum(both["high"] < both["low_of_loss"])
    return (
        f"{name} between consecutive saved epochs is {_span(hardness)} for hardness and {_span(loss)} for the loss; of "
        f"{len(both)} pairs it is clearly higher for hardness in {higher} and for the loss in {lower}."
    )


def _span(rows: pd.DataFrame) -> str:
    return f"{format_number(min(rows['value']))} to {format_number(max(rows['value']))}"


def group_scores_by_standing(of_region: pd.DataFrame) -> dict[str, list[str]]:
    """The other scores, grouped by whether hardness loses to them, beats them or neither, by paired AUROC differences.

    Args:
        of_region: Rows of the table "scores" for one region.
    """
    groups: dict[str, list[str]] = {name: [] for name in error_prediction.STANDINGS}
    for name in order_scores(of_region["score"]):
        auroc = find_number(of_region, score=name, metric="auroc")
        if name == "hardness" or np.isnan(auroc.value):
            continue
        row = filter_rows(of_region, score=name, metric="auroc_minus_hardness").iloc[0]
        stands = error_prediction.judge_standing(row["value"], low=row["low"], high=row["high"], bound=row["bound"])
        groups[stands].append(f"{name_score(name)} ({auroc.value_text})")
    return groups


def _describe_standing(of_region: pd.DataFrame) -> str:
    """How hardness compares with the other scores, in a sentence."""
    texts = [f"{verb} {join_names(names)}" for verb, names in group_scores_by_standing(of_region).items() if names]
    return f" It {'; it '.join(texts)}." if texts else ""


def _describe_tenth(curves: pd.DataFrame, score: str) -> str:
    """What the first threshold that flags at least 10 % of the pixels catches."""
    rows = filter_rows(curves, score=score).query("pixels_share >= 0.1").sort_values("pixels_share")
    if rows.empty or np.isnan(rows.iloc[0]["errors_share"]):
        return ""
    row = rows.iloc[0]
    tied = f"; ties make it {format_share(row['pixels_share'])} of the pixels" if row["pixels_share"] >= 0.11 else ""
    caught, precision = format_share(row["errors_share"]), format_share(row["precision"])
    return f"{caught} of the errors by {name_score(score)} (precision {precision}{tied})"


def _epoch_text(snapshot: str) -> str:
    return f"epoch {int(snapshot.removeprefix('epoch-'))}"
