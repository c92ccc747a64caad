"""The sections of a report: figures, what they show and what they do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from hlcore.analysis.statistics import filter_rows
from hlcore.figures import cartography as cartography_figures
from hlcore.figures import edges as edge_figures
from hlcore.figures import errors as error_figures
from hlcore.figures import objects as object_figures
from hlcore.figures import segmentation as segmentation_figures
from hlcore.figures import stability as stability_figures
from hlcore.figures.errors import REGIONS, name_score, order_scores
from hlcore.figures.words import replace_hardness, replace_hardness_in_figure
from hlcore.report import sentences
from hlcore.report.numbers import Number, find_number
from hlcore.report.sentences import Findings
from hlcore.storage.analyses import Analysis

POINTS = 1500
"""Maximum number of objects drawn as points; more would make the page slow."""
ERRORS = "Does hardness find the errors?"
WITHOUT_PREDICTIONS = "The maps came without predictions."
PAIRS = 20
"""Maximum number of class pairs drawn."""


@dataclass(frozen=True)
class Drawing:
    """A figure on the page.

    Attributes:
        key: Its name on the page.
        figure: The figure.
        caption: What the axes do not say.
        broad: Scroll sideways on a phone, since its panels are side by side.
    """

    key: str
    figure: go.Figure
    caption: str
    broad: bool = False


@dataclass(frozen=True)
class NumberTable:
    """A table on the page."""

    columns: Sequence[str]
    rows: Mapping[str, Sequence[Number]]


@dataclass(frozen=True)
class Section:
    """A section of the report."""

    title: str
    findings: Findings
    drawings: Sequence[Drawing]
    table: NumberTable | None = None


def make_sections(analysis: Analysis) -> list[Section]:
    """The sections of the report of an analysis, in order; one whose measure has no value says why instead.

    Raises:
        CheckpointError: a table is missing or cannot be read.
    """
    table, has_predictions = analysis.table, analysis.table_path("scores").is_file()
    contrast = find_number(table("edge_contrast"), source="label", class_name="", quantity="hardness")
    rho = find_number(table("size_correlations"), size="area_px", quantity="hardness_mean")
    parts = [
        Section("Segmentation", sentences.describe_segmentation(table), _segmentation_drawings(analysis))
        if has_predictions
        else _empty_section("Segmentation", WITHOUT_PREDICTIONS),
        Section("Hardness and edges", sentences.describe_edges(table), _edge_drawings(analysis))
        if not np.isnan(contrast.value)
        else _empty_section(
            "Hardness and edges",
            "There are no labelled pixels within 2 px of an edge of a label map, or none more than 16 px away.",
        ),
        Section("Hardness and object size", sentences.describe_objects(table), _object_drawings(analysis))
        if not np.isnan(rho.value)
        else _empty_section("Hardness and object size", "There are no labelled objects of different sizes."),
        _make_error_section(analysis) if has_predictions else _empty_section(ERRORS, WITHOUT_PREDICTIONS),
    ]
    if analysis.record.epochs:
        parts.append(
            Section("Are the maps stable?", sentences.describe_stability(table), _stability_drawings(analysis))
        )
    if analysis.table_path("learning").is_file():
        parts.append(
            Section("How were the pixels learned?", sentences.describe_learning(table), _learning_drawings(analysis))
        )
    imported = analysis.record.imported
    return parts if imported is None else [_replace_words(part, imported.score.title) for part in parts]


def _make_error_section(analysis: Analysis) -> Section:
    table = analysis.table
    if np.isnan(find_number(table("scores"), score="hardness", region="all", metric="auroc").value):
        return _empty_section(ERRORS, "The labelled pixels are all predicted correctly, or all wrongly.")
    return Section(ERRORS, sentences.describe_errors(table), _error_drawings(analysis), _score_table(table("scores")))


def _replace_words(section: Section, title: str) -> Section:
    """The section with the title of an imported score in place of hardness."""
    found = section.findings
    table = section.table and replace(
        section.table, rows={replace_hardness(name, title): numbers for name, numbers in section.table.rows.items()}
    )
    drawings = [
        replace(one, figure=replace_hardness_in_figure(one.figure, title), caption=replace_hardness(one.caption, title))
        for one in section.drawings
    ]
    findings = Findings(
        tuple(replace_hardness(text, title) for text in found.seen), replace_hardness(found.not_shown, title)
    )
    return Section(replace_hardness(section.title, title), findings, drawings, table)


def _empty_section(title: str, reason: str) -> Section:
    return Section(title, Findings((f"{reason} So there is nothing to measure here.",), ""), ())


def _score_table(scores: pd.DataFrame) -> NumberTable:
    """AUROC and AP of each score in each region."""
    columns = [f"{metric}, {region}" for metric in ("AUROC", "AP") for region in REGIONS]
    rows = {
        name_score(name): [
            find_number(scores, score=name, region=r, metric=m) for m in ("auroc", "ap") for r in REGIONS
        ]
        for name in order_scores(scores["score"])
    }
    return NumberTable(["score", *columns], rows)


def _segmentation_drawings(analysis: Analysis) -> list[Drawing]:
    run = analysis.record.run
    table = filter_rows(analysis.table("segmentation").query("class_name != ''"), metric="iou").assign(run=run)
    figure = segmentation_figures.make_class_iou_figure(table, runs=[run])
    return [
        Drawing("segmentation", figure, "IoU of each class; classes that are neither labelled nor predicted have none.")
    ]


def _edge_drawings(analysis: Analysis) -> list[Drawing]:
    edges, pairs = analysis.table("edges"), analysis.table("edge_pairs")
    of_pairs = filter_rows(pairs, source="label", quantity="hardness", distance="≤ 2")
    drawings = [
        Drawing(
            "edges-profile",
            edge_figures.make_hardness_by_distance_figure(
                filter_rows(edges, source="label", class_name=""), name="all classes"
            ),
            "Mean over all labelled pixels at each distance from the nearest edge of the label map.",
            broad=True,
        )
    ]
    if len(of_pairs):
        hardest = of_pairs.sort_values("value", ascending=False).head(PAIRS)
        text = f"Mean hardness within 2 px of edges between two classes: the {len(hardest)} hardest of {len(of_pairs)}."
        drawings.append(Drawing("edges-pairs", edge_figures.make_hardness_by_pair_figure(hardest), text))
    return drawings


def _object_drawings(analysis: Analysis) -> list[Drawing]:
    objects, curve = analysis.table("objects"), analysis.table("size_curve")
    some = objects.iloc[np.linspace(0, len(objects) - 1, min(len(objects), POINTS)).astype(int)]
    shown = {"size": "area_px", "quantity": "hardness_mean", "class_names": analysis.record.class_names}
    points = f"{len(some)} of the {len(objects)} objects, evenly spaced" if len(some) < len(objects) else "All objects"
    return [
        Drawing(
            "objects",
            object_figures.make_objects_figure(some, curve, **shown),
            f"{points}; the curve is the mean of all objects.",
        ),
        Drawing(
            "objects-edge-matched",
            object_figures.make_edge_matched_figure(curve, size="area_px"),
            "Where the last curve is flat at 0, small objects are hard only because of their edges.",
        ),
    ]


def _error_drawings(analysis: Analysis) -> list[Drawing]:
    curves = analysis.table("risk_curves")
    return [
        Drawing(
            "errors-scores",
            error_figures.make_score_figure(analysis.table("scores")),
            "AUROC and AP-Error of each score; the lower panels hold the distance to the predicted edge fixed.",
            broad=True,
        ),
        Drawing(
            "errors-risk",
            error_figures.make_risk_coverage_figure(filter_rows(curves, region="all")),
            "Error rate among the remaining pixels when those with the highest scores are rejected.",
            broad=True,
        ),
        Drawing(
            "errors-roc",
            error_figures.make_roc_figure(filter_rows(curves, region="all")),
            "Share of wrong pixels and of right pixels that a threshold flags.",
            broad=True,
        ),
    ]


def _learning_drawings(analysis: Analysis) -> list[Drawing]:
    return [
        Drawing(
            "cartography",
            cartography_figures.make_cartography_figure(analysis.table("cartography")),
            "Pixels by the mean and the spread of the probability of their label over the saved epochs; colour: mean "
            "hardness at the measured epoch; a larger square has more pixels.",
        ),
        Drawing(
            "learning",
            cartography_figures.make_learning_figure(analysis.table("learning")),
            "Pixels by the epoch from which on they were right, and by how often they were right at one saved epoch "
            "and wrong at the next.",
        ),
    ]


def _stability_drawings(analysis: Analysis) -> list[Drawing]:
    pairs, levels = analysis.table("epoch_pairs"), analysis.table("levels")
    return [
        Drawing(
            "stability-spearman",
            stability_figures.make_pair_figure(pairs, measure="spearman", kind="consecutive"),
            "Rank correlation between the maps of consecutive saved epochs.",
        ),
        Drawing(
            "stability-overlap",
            stability_figures.make_pair_figure(pairs, measure="top10_iou", kind="consecutive"),
            "Overlap (IoU) of the hardest 10 % of the pixels, between consecutive saved epochs.",
        ),
        Drawing(
            "stability-level",
            stability_figures.make_level_figure(levels, measure="relative_level"),
            "Mean of each map relative to its mean at the first saved epoch.",
        ),
    ]
