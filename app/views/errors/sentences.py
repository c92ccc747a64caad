"""The sentences and the metrics table of the Errors page."""

from collections.abc import Collection
from typing import get_args

import numpy as np
import pandas as pd

from app.components.definitions import link_text, list_links
from hlcore.analysis.error_prediction import STANDINGS, Region, judge_standing
from hlcore.analysis.flagging import FlaggingResult
from hlcore.figures.errors import REGIONS, name_score, order_scores
from hlcore.figures.words import capitalise
from hlcore.storage.analyses import Analysis
from hlcore.storage.maps import ImportedScore
from hlcore.types import FreeScore

FREE_SCORES = get_args(FreeScore)
IN_NATS = ("entropy", "mc_entropy")
"""Scores in nats."""
ABOUT = "Which pixels are wrong, and does hardness find them better than scores that any network provides at no cost?"
ABOUT_IMPORTED = "Which pixels are wrong, and does hardness find them better than the other scores?"
WITHOUT_LABELS = (
    "This image has no labels, so errors cannot be measured; only the flagged pixels are shown. To measure errors, "
    "choose a scene, or upload a label map under *Your photo*, *Labels*."
)
NO_DIFFERENCE = "No pixel is wrong here, or all are, so the scores cannot be compared."
TIE_TOLERANCE = 0.02
"""Share of pixels: if this many more are flagged than requested, the sentence explains why."""
PURPOSE = (
    " Hardness has another purpose: it learns where the loss is above average, so that training can weight those "
    "pixels."
)
METRICS = {"auroc": "AUROC ↑", "ap": "AP ↑", "fpr95": "FPR95 ↓", "aurc": "AURC ↓"}
"""Metric to column header; the arrow points to better values."""
DEFINITIONS = {"auroc": "AUROC", "ap": "AP", "fpr95": "FPR95", "aurc": "Risk and coverage"}
"""Metric to its definition."""


def describe_flagging(
    score: str,
    threshold: float,
    region: Region,
    shares: FlaggingResult,
    *,
    share: float,
    imported: ImportedScore | None = None,
) -> str:
    """What a threshold flags, and why it may flag more than the requested share; `imported` gives it its unit."""
    of = "" if region == "all" else f" {REGIONS[region]}"
    if not np.isfinite(threshold) and threshold > 0:
        return f"there are no pixels{of} to flag."
    rule = _describe_rule(score, threshold, imported)
    start = f"flagging where {rule}: **{format_percent(shares.pixels_share)} of the pixels**{of}"
    ties = " Pixels with equal scores are flagged together." if shares.pixels_share > share + TIE_TOLERANCE else ""
    return f"{start}{_describe_errors(shares)}.{ties}"


def describe_picture(name: str, shares: FlaggingResult, analysis: Analysis, *, labelled: bool) -> str:
    """What the threshold of a data set flags on the image above."""
    text = f"On the image above, {name}, the same threshold flags "
    text += f"{format_percent(shares.pixels_share)} of its pixels{_describe_errors(shares).replace('**', '')}."
    if not labelled:
        text += " It has no labels, so no errors are shown."
    if analysis.record.merged is not None:
        text += " The data set was measured in merged classes; the image shows those of the network."
    return text


def summarise_hardness(scores: pd.DataFrame, region: Region) -> str:
    """How hardness compares with every other score, in one sentence; `summarise_differences` has the numbers.

    `error_prediction.judge_standing` decides what counts as a difference, as in the report.
    """
    table = _filter_region(scores, region)
    if table is None:
        return NO_DIFFERENCE
    groups = {verb: [name_score(name) for name in rows] for verb, rows in _group_standings(table).items()}
    auroc = table.loc[("auroc", "hardness"), "value"]
    return f"{_name_region(region)}, hardness (AUROC {auroc:.3f}) {_join_groups(groups)}."


def recommend_score(scores: pd.DataFrame, region: Region, *, unfit: Collection[str] = ()) -> str:
    """Which score to find errors with, and what hardness is for; empty if no pixel is wrong, or all are.

    Args:
        scores: The table of the scores.
        region: The pixels that count.
        unfit: Scores that cannot be judged on these images.
    """
    table = _filter_region(scores, region)
    if table is None:
        return ""
    aurocs = table.loc["auroc", "value"].dropna().drop(list(unfit), errors="ignore")
    best = str(aurocs.idxmax())
    purpose = PURPOSE if FREE_SCORES[0] in aurocs else ""  # imported maps have scores of other methods only
    if best == "hardness":
        return f"Hardness has the highest AUROC here ({aurocs[best]:.3f}), so it is the score to find errors with."
    row = table.loc[("auroc_minus_hardness", best)].to_dict()
    if judge_standing(row["value"], low=row["low"], high=row["high"], bound=row["bound"]) != STANDINGS[0]:
        return (
            f"{capitalise(name_score(best))} has the highest AUROC here ({aurocs[best]:.3f}), but hardness "
            f"({aurocs['hardness']:.3f}) cannot be told apart from it: either finds the errors."
        )
    return f"To find errors here, flag by {name_score(best)} (AUROC {aurocs[best]:.3f}, the highest).{purpose}"


def summarise_differences(scores: pd.DataFrame, region: Region, *, images: int) -> str:
    """How much better than hardness each other score ranks wrong pixels: paired differences of AUROC."""
    table = _filter_region(scores, region)
    if table is None:
        return NO_DIFFERENCE
    groups: dict[str, list[str]] = {}
    for verb, rows in _group_standings(table).items():
        for name, row in rows.items():
            interval = "" if np.isnan(row["low"]) else f", {row['low']:+.3f} to {row['high']:+.3f}"
            text = f"{name_score(name)} ({'free, ' if name in FREE_SCORES else ''}{row['value']:+.3f}{interval})"
            groups.setdefault(verb, []).append(text.replace("-", "−"))
    row = table.loc[("auroc", "hardness")]
    interval = f" ({row['low']:.3f} to {row['high']:.3f})" if images > 1 else ""
    paired = (
        f"In brackets: the difference of their AUROC, paired over {images} images, with 95 % interval."
        if images > 1
        else "In brackets: the difference of their AUROC. A single image has no interval and says nothing about others."
    )
    return (
        f"{_name_region(region)}, hardness ranks wrong pixels above right ones with an AUROC of "
        f"{row['value']:.3f}{interval}. It {_join_groups(groups)}. {paired}"
    )


def make_metrics_table(scores: pd.DataFrame, region: Region) -> pd.DataFrame:
    """One row per score and one column per metric: value, interval if there is one, and error bound."""
    rows = scores.loc[(scores["region"] == region) & scores["metric"].isin(list(METRICS))]
    table = rows.assign(text=[_format_interval(row) for row in rows.to_dict("records")])
    table = table.set_index(["score", "metric"])["text"].unstack("metric")  # noqa: PD010 - texts cannot be averaged
    table = table.loc[order_scores(table.index), list(METRICS)]
    return table.rename(index=name_score, columns=METRICS)


def describe_metrics() -> str:
    """A short explanation of the table's columns, with links to their definitions."""
    auroc, ap, fpr95 = (link_text(name, name) for name in ("AUROC", "AP", "FPR95"))
    aurc, interval = link_text("AURC", "Risk and coverage"), link_text("interval")
    bound, flagged = link_text("±", "Bin error"), link_text("Flagged")
    return (
        f"{auroc}: the probability that a wrong pixel scores above a right one (0.5 is chance). {ap}: mean precision "
        f"over the wrong pixels (chance is their share). {fpr95}: share of the right pixels flagged where 95 % of the "
        f"wrong ones are. {aurc}: mean error rate of the pixels kept, over all coverages. In brackets: the 95 % "
        f"{interval} over images; {bound}: the error bound due to binning. {flagged}, errors caught and precision: "
        f"see the sentence at the top. {list_links('Error', 'Scores', 'Losing to a score')}"
    )


def format_percent(share: float) -> str:
    """A share in percent with one decimal, or – for NaN."""
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def _filter_region(scores: pd.DataFrame, region: Region) -> pd.DataFrame | None:
    """The rows of one region by metric and score; None if no pixel is wrong, or all are."""
    table = scores.loc[scores["region"] == region].set_index(["metric", "score"])
    known = ("auroc", "hardness") in table.index and not np.isnan(table.loc[("auroc", "hardness"), "value"])
    return table if known else None


def _group_standings(table: pd.DataFrame) -> dict[str, dict[str, dict]]:
    """Standing of hardness to the scores with that standing and their differences of AUROC."""
    groups: dict[str, dict[str, dict]] = {verb: {} for verb in STANDINGS}
    for name, row in table.loc["auroc_minus_hardness"].to_dict("index").items():
        verb = judge_standing(row["value"], low=row["low"], high=row["high"], bound=row["bound"])
        groups[verb][str(name)] = row
    return {verb: rows for verb, rows in groups.items() if rows}


def _join_groups(groups: dict[str, list[str]]) -> str:
    return "; it ".join(f"**{verb}** {', '.join(names)}" for verb, names in groups.items())


def _name_region(region: Region) -> str:
    text = ("over " if region == "all" else "") + REGIONS[region]
    return text[0].upper() + text[1:]


def _format_interval(row: dict) -> str:
    interval = "" if np.isnan(row["low"]) else f" ({row['low']:.3f}–{row['high']:.3f})"
    return f"{row['value']:.3f}{interval} ± {row['bound']:.4f}"


def _describe_rule(score: str, threshold: float, imported: ImportedScore | None) -> str:
    if imported is not None:
        return f"{name_score(score)} ≥ {imported.restore(threshold):.3g}{imported.shown_unit}"
    if score == "edge_distance":
        return f"a predicted edge is at most {-threshold:.1f} px away"
    return f"{name_score(score)} ≥ {threshold:.3g}{' nats' if score in IN_NATS else ''}"


def _describe_errors(shares: FlaggingResult) -> str:
    if np.isnan(shares.errors_share):
        return "" if np.isnan(shares.precision) else ", none of them wrong"
    return (
        f", **{format_percent(shares.errors_share)} of the errors**, **{format_percent(shares.precision)} precision**"
    )
