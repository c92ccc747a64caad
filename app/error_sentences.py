"""What the Errors page says; every number is computed."""

import numpy as np
import pandas as pd

from app.definitions import linked, listed
from hlcore.analysis.error_prediction import Region
from hlcore.analysis.flagging import Caught
from hlcore.figures.errors import REGIONS, SCORES
from hlcore.storage.analyses import Analysis

FREE = ("max_softmax", "entropy", "edge_distance")
"""Signals that every network gives for nothing, without a hardness branch."""
WITHOUT_LABELS = (
    "Nobody labelled this picture, so which pixels are wrong is not known and nothing can be measured; the flagged "
    "pixels are shown all the same. To measure, choose one of the scenes, or bring a label map along: *Your photo*, "
    "then *Labels*."
)
TIES = 0.02
"""Of the pixels; so many more flagged than asked for want an explanation."""
METRICS = {"auroc": "AUROC ↑", "ap": "AP ↑", "fpr95": "FPR95 ↓", "aurc": "AURC ↓"}
"""Heads of the columns; the arrow says which way is better."""
DEFINED = {"auroc": "AUROC", "ap": "AP", "fpr95": "FPR95", "aurc": "Risk and coverage"}
"""Under which name each metric is defined."""


def flagging(score: str, threshold: float, region: Region, shares: Caught, *, share: float) -> str:
    """What a threshold does, in one sentence, and why it may flag more than the share that was asked for."""
    of = "" if region == "all" else f" {REGIONS[region]}"
    if not np.isfinite(threshold) and threshold > 0:
        return f"nothing is flagged, for there is no pixel{of}."
    start = f"flagging where {_rule(score, threshold)}: **{percent(shares.pixels_share)} of the pixels**{of}"
    ties = " Pixels of equal score are flagged together." if shares.pixels_share > share + TIES else ""
    return f"{start}{_found(shares)}.{ties}"


def one_picture(name: str, shares: Caught, analysis: Analysis) -> str:
    """What the threshold of a data set does to the picture above."""
    text = (
        f"The picture, {name}, is one of your choice: the same threshold flags {percent(shares.pixels_share)} of its "
    )
    text += f"pixels{_found(shares).replace('**', '')}."
    if np.isnan(shares.errors_share):
        text += " It has no label that could be wrong, so no error is shown."
    if analysis.record.merged is not None:
        text += " The data set was measured with merged classes; the picture shows the network's own."
    return text


def verdict(scores: pd.DataFrame, region: Region, *, images: int) -> str:
    """Whether hardness ranks wrong pixels better than each other score, by the paired difference of AUROC.

    A difference counts where its whole interval lies on one side of 0; on one image, which has no interval, where the
    value lies farther from 0 than its bins may have moved it.
    """
    table = scores.loc[scores["region"] == region].set_index(["metric", "score"])
    if ("auroc", "hardness") not in table.index or np.isnan(table.loc[("auroc", "hardness"), "value"]):
        return "Here no pixel is wrong, or all are: no score can be told from another."
    several = images > 1
    groups: dict[str, list[str]] = {"loses to": [], "beats": [], "cannot be told apart from": []}
    for name, row in table.loc["auroc_minus_hardness"].to_dict("index").items():
        ends = (row["low"], row["high"]) if several else (row["value"] - row["bound"], row["value"] + row["bound"])
        verb = "loses to" if ends[0] > 0 else "beats" if ends[1] < 0 else "cannot be told apart from"
        numbers = f"{row['value']:+.3f}" + (f", {ends[0]:+.3f} to {ends[1]:+.3f}" if several else "")
        groups[verb].append(f"{SCORES[name]} ({'free, ' if name in FREE else ''}{numbers})".replace("-", "−"))
    found = "; it ".join(f"**{verb}** {', '.join(names)}" for verb, names in groups.items() if names)
    row = table.loc[("auroc", "hardness")]
    interval = f" ({row['low']:.3f} to {row['high']:.3f})" if several else ""
    paired = (
        f"In brackets: how much higher their AUROC is, paired over {images} images, with 95 % interval."
        if several
        else "In brackets: how much higher their AUROC is. One picture has no interval and says nothing about another."
    )
    where = ("over " if region == "all" else "") + REGIONS[region]
    return (
        f"{where[0].upper()}{where[1:]}, hardness ranks wrong pixels above right ones with an AUROC of "
        f"{row['value']:.3f}{interval}. It {found}. {paired}"
    )


def metrics(scores: pd.DataFrame, region: Region) -> pd.DataFrame:
    """A row a score and a column a metric: value, interval if there is one, and what the bins may change."""
    rows = scores.loc[(scores["region"] == region) & scores["metric"].isin(list(METRICS))]
    table = rows.assign(text=[_with_interval(row) for row in rows.to_dict("records")])
    table = table.set_index(["score", "metric"])["text"].unstack("metric")  # noqa: PD010 - texts cannot be averaged
    table = table.loc[[score for score in SCORES if score in table.index], list(METRICS)]
    return table.rename(index=dict(SCORES), columns=METRICS)


def about_metrics() -> str:
    """What the columns of the table are, in a few words each; their names lead to their definitions."""
    auroc, ap, fpr95 = (linked(name, name) for name in ("AUROC", "AP", "FPR95"))
    return (
        f"{auroc}: the probability that a wrong pixel scores above a right one (0.5 is chance). {ap}: mean precision "
        f"over the wrong pixels (chance is their share). {fpr95}: share of the right pixels flagged where 95 % of the "
        f"wrong ones are. {linked('AURC', 'Risk and coverage')}: mean error rate among the kept, over all coverages. "
        f"In brackets the 95 % {linked('interval')} over images; {linked('±', 'Bin error')} how far the bins may have "
        f"moved the value. {linked('Flagged')}, errors caught and precision are those of the sentence at the top. "
        f"{listed('Error', 'Scores', 'Losing to a score')}"
    )


def percent(share: float) -> str:
    """A share in percent, with one decimal; – where there is none."""
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


def _with_interval(row: dict) -> str:
    interval = "" if np.isnan(row["low"]) else f" ({row['low']:.3f}–{row['high']:.3f})"
    return f"{row['value']:.3f}{interval} ± {row['bound']:.4f}"


def _rule(score: str, threshold: float) -> str:
    if score == "edge_distance":
        return f"a predicted edge is at most {-threshold:.1f} px away"
    return f"{SCORES[score]} ≥ {threshold:.3g}{' nats' if 'entropy' in score else ''}"


def _found(shares: Caught) -> str:
    if np.isnan(shares.errors_share):
        return "" if np.isnan(shares.precision) else ", no error among them"
    return f", **{percent(shares.errors_share)} of the errors**, **{percent(shares.precision)} precision**"
