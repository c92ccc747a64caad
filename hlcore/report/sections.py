"""The parts of a report: figures of an analysis, each with what it shows and what it does not."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from hlcore.figures import stability as stability_figures
from hlcore.report import sentences
from hlcore.report.numbers import number
from hlcore.report.sentences import REGIONS, SCORES, Findings
from hlcore.storage.analyses import Analysis


@dataclass(frozen=True)
class Drawing:
    """A figure on the page.

    Attributes:
        key: Its name on the page.
        figure: What is drawn.
        caption: What the axes do not say.
        low: Less high than others.
    """

    key: str
    figure: go.Figure
    caption: str
    low: bool = False


@dataclass(frozen=True)
class Cells:
    """A table on the page."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    title: str
    findings: Findings
    drawings: Sequence[Drawing]
    table: Cells | None = None


def sections(analysis: Analysis) -> list[Section]:
    """The parts of the report of an analysis, in order.

    Raises:
        CheckpointError: a table is missing or cannot be read.
    """
    table = analysis.table
    parts = [
        Section("Segmentation", sentences.segmentation(table), []),
        Section("Hardness and edges", sentences.edges(table), []),
        Section("Hardness and the size of objects", sentences.objects(table), []),
        Section("Does hardness find the errors?", sentences.errors(table), [], _score_cells(table("scores"))),
    ]
    if analysis.record.epochs:
        parts.append(Section("Do the maps hold still?", sentences.stability(table), _stability_drawings(analysis)))
    return parts


def _score_cells(scores: pd.DataFrame) -> Cells:
    """AUROC and AP of every score in every region."""
    columns = [f"{metric}, {region}" for metric in ("AUROC", "AP") for region in REGIONS]
    rows = [
        [SCORES[name], *(str(number(scores, score=name, region=r, metric=m)) for m in ("auroc", "ap") for r in REGIONS)]
        for name in SCORES
        if name in set(scores["score"])
    ]
    return Cells(["score", *columns], rows)


def _stability_drawings(analysis: Analysis) -> list[Drawing]:
    pairs, levels = analysis.table("epoch_pairs"), analysis.table("levels")
    return [
        Drawing(
            "stability-spearman",
            stability_figures.pair_figure(pairs, measure="spearman", kind="consecutive"),
            "Rank correlation of the maps of two kept epochs in a row.",
        ),
        Drawing(
            "stability-overlap",
            stability_figures.pair_figure(pairs, measure="top10_iou", kind="consecutive"),
            "Overlap of the hardest tenth of the pixels.",
        ),
        Drawing(
            "stability-level",
            stability_figures.level_figure(levels, measure="relative_level"),
            "Mean of each map over its mean at the first kept epoch.",
        ),
    ]
