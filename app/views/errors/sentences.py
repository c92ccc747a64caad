"""What the Errors page says; every number is computed."""

import numpy as np
import pandas as pd

from app.components.definitions import link_text, list_links
from hlcore.analysis.error_prediction import STANDINGS, Region, judge_standing
from hlcore.analysis.flagging import FlaggingResult
from hlcore.figures.errors import REGIONS, SCORES
from hlcore.storage.analyses import Analysis

FREE = ("max_softmax", "entropy", "edge_distance")
"""Signals that every network gives for nothing, without a hardness branch."""
WITHOUT_LABELS = (
    "Nobody labelled this picture, so which pixels are wrong is not known and nothing can be measured; the flagged "
    "pixels are shown all the same. To measure, choose one of the scenes, or bring a label map along: *Your photo*, "
    "then *Labels*."
)
NO_DIFFERENCE = "Here no pixel is wrong, or all are: no score can be told from another."
TIES = 0.02
"""Of the pixels; so many more flagged than asked for want an explanation."""
METRICS = {"auroc": "AUROC ↑", "ap": "AP ↑", "fpr95": "FPR95 ↓", "aurc": "AURC ↓"}
"""Heads of the columns; the arrow says which way is better."""
DEFINITIONS = {"auroc": "AUROC", "ap": "AP", "fpr95": "FPR95", "aurc": "Risk and coverage"}
"""Under which name each metric is defined."""


def describe_flagging(score: str, threshold: float, region: Region, shares: FlaggingResult, *, share: float) -> str:
    """What a threshold does, in one sentence, and why it may flag more than the share that was asked for."""
    of = "" if region == "all" else f" {REGIONS[region]}"
    if not np.isfinite(threshold) and threshold > 0:
        return f"nothing is flagged, for there is no pixel{of}."
    rule = _describe_rule(score, threshold)
    start = f"flagging where {rule}: **{format_percent(shares.pixels_share)} of the pixels**{of}"
    ties = " Pixels of equal score are flagged together." if shares.pixels_share > share + TIES else ""
    return f"{start}{_describe_errors(shares)}.{ties}"


def describe_picture(name: str, shares: FlaggingResult, analysis: Analysis) -> str:
    """What the threshold of a data set does to the picture above."""
    text = f"The picture, {name}, is one of your choice: the same threshold flags "
    text += f"{format_percent(shares.pixels_share)} of its pixels{_describe_errors(shares).replace('**', '')}."
    if np.isnan(shares.errors_share):
        text += " It has no label that could be wrong, so no error is shown."
    if analysis.record.merged is not None:
        text += " The data set was measured with merged classes; the picture shows the network's own."
    return text


def summarise_hardness(scores: pd.DataFrame, region: Region) -> str:
    """How hardness stands against every other score, in one sentence; `verdict` has the numbers.

    What counts as a difference is said by error_prediction.standing, as in a report.
    """
    table = _filter_region(scores, region)
    if table is None:
        return NO_DIFFERENCE
    groups = {verb: [SCORES[name] for name in rows] for verb, rows in _group_standings(table).items()}
    auroc = table.loc[("auroc", "hardness"), "value"]
    return f"{_name_region(region)}, hardness (AUROC {auroc:.3f}) {_join_groups(groups)}."


def summarise_differences(scores: pd.DataFrame, region: Region, *, images: int) -> str:
    """How much better than hardness each other score ranks wrong pixels, by the paired difference of AUROC."""
    table = _filter_region(scores, region)
    if table is None:
        return NO_DIFFERENCE
    groups: dict[str, list[str]] = {}
    for verb, rows in _group_standings(table).items():
        for name, row in rows.items():
            interval = "" if np.isnan(row["low"]) else f", {row['low']:+.3f} to {row['high']:+.3f}"
            text = f"{SCORES[name]} ({'free, ' if name in FREE else ''}{row['value']:+.3f}{interval})"
            groups.setdefault(verb, []).append(text.replace("-", "−"))
    row = table.loc[("auroc", "hardness")]
    interval = f" ({row['low']:.3f} to {row['high']:.3f})" if images > 1 else ""
    paired = (
        f"In brackets: how much higher their AUROC is, paired over {images} images, with 95 % interval."
        if images > 1
        else "In brackets: how much higher their AUROC is. One picture has no interval and says nothing about another."
    )
    return (
        f"{_name_region(region)}, hardness ranks wrong pixels above right ones with an AUROC of "
        f"{row['value']:.3f}{interval}. It {_join_groups(groups)}. {paired}"
    )


def make_metrics_table(scores: pd.DataFrame, region: Region) -> pd.DataFrame:
    """A row a score and a column a metric: value, interval if there is one, and what the bins may change."""
    rows = scores.loc[(scores["region"] == region) & scores["metric"].isin(list(METRICS))]
    table = rows.assign(text=[_format_interval(row) for row in rows.to_dict("records")])
    table = table.set_index(["score", "metric"])["text"].unstack("metric")  # noqa: PD010 - texts cannot be averaged
    table = table.loc[[score for score in SCORES if score in table.index], list(METRICS)]
    return table.rename(index=dict(SCORES), columns=METRICS)


def describe_metrics() -> str:
    """What the columns of the table are, in a few words each; their names lead to their definitions."""
    auroc, ap, fpr95 = (link_text(name, name) for name in ("AUROC", "AP", "FPR95"))
    aurc, interval = link_text("AURC", "Risk and coverage"), link_text("interval")
    bound, flagged = link_text("±", "Bin error"), link_text("Flagged")
    return (
        f"{auroc}: the probability that a wrong pixel scores above a right one (0.5 is chance). {ap}: mean precision "
        f"over the wrong pixels (chance is their share). {fpr95}: share of the right pixels flagged where 95 % of the "
        f"wrong ones are. {aurc}: mean error rate among the kept, over all coverages. In brackets the 95 % {interval} "
        f"over images; {bound} how far the bins may have moved the value. {flagged}, errors caught and precision are "
        f"those of the sentence at the top. {list_links('Error', 'Scores', 'Losing to a score')}"
    )


def format_percent(share: float) -> str:
    """A share in percent, with one decimal; – where there is none."""
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def _filter_region(scores: pd.DataFrame, region: Region) -> pd.DataFrame | None:
    """The rows of one region by metric and score; None where no pixel is wrong, or all are."""
    table = scores.loc[scores["region"] == region].set_index(["metric", "score"])
    known = ("auroc", "hardness") in table.index and not np.isnan(table.loc[("auroc", "hardness"), "value"])
    return table if known else None


def _group_standings(table: pd.DataFrame) -> dict[str, dict[str, dict]]:
    """Each way hardness may stand, to the scores it stands so against and their difference of AUROC."""
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


def _describe_rule(score: str, threshold: float) -> str:
    if score == "edge_distance":
        return f"a predicted edge is at most {-threshold:.1f} px away"
    return f"{SCORES[score]} ≥ {threshold:.3g}{' nats' if 'entropy' in score else ''}"


def _describe_errors(shares: FlaggingResult) -> str:
    if np.isnan(shares.errors_share):
        return "" if np.isnan(shares.precision) else ", no error among them"
    return (
        f", **{format_percent(shares.errors_share)} of the errors**, **{format_percent(shares.precision)} precision**"
    )
