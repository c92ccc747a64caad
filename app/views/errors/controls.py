"""Controls of the Errors page."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.run_picker import select_epoch
from app.components.scope_picker import format_measured
from app.components.words import find_score, say_plainly
from app.loading.analyses import load_table
from app.loading.errors import PASSES, has_dropout, load_error_tables
from app.loading.pictures import Picture
from app.views.errors import sentences
from hlcore.analysis.error_prediction import REGIONS, Region
from hlcore.analysis.flagging import FlaggingResult
from hlcore.figures.errors import SCORES, choose_colour, name_score
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run
from hlcore.types import IMPORTED_PREFIX

REGION_TITLES: dict[Region, str] = {"all": "All", "edge": "Near edges", "interior": "Inside"}
DROPOUT = "mc_entropy"
"""The score that needs MC dropout."""
SUSPICION = "error_suspicion"
"""The score that needs the run's error model; thresholds of an analysis hold for the model it was made with."""


@dataclass(frozen=True)
class ErrorTables:
    """The tables of `analysis.error_prediction` for a data set or one picture.

    Attributes:
        scores: By score, region and metric.
        curves: By score, region and threshold.
        images: Number of images.
        name: Name for downloads.
    """

    scores: pd.DataFrame
    curves: pd.DataFrame
    images: int
    name: str

    def filter_curve(self, score: str, region: Region) -> pd.DataFrame:
        """The thresholds of one score in one region, highest first."""
        return self.curves.loc[(self.curves["score"] == score) & (self.curves["region"] == region)]

    def find_threshold(self, score: str, region: Region, share: float) -> tuple[float, FlaggingResult]:
        """The highest threshold that flags at least this share of pixels, and its effect; infinity without pixels."""
        curve = self.filter_curve(score, region)
        reached = curve.loc[curve["pixels_share"] >= share - 1e-9]
        if reached.empty:
            return float("inf"), FlaggingResult(float("nan"), float("nan"), float("nan"))
        row = reached.iloc[0]
        return row["threshold"], FlaggingResult(row["pixels_share"], row["errors_share"], row["precision"])


@dataclass(frozen=True)
class Choice:
    """What the page shows.

    Attributes:
        epoch: The epoch whose network predicts.
        score: The score that flags pixels.
        share: Share of the pixels to flag, 0 to 1.
        dropout: Whether MC dropout is used.
        tables: Measures of the data set or the picture; None without labels.
    """

    epoch: int
    score: str
    share: float
    dropout: bool
    tables: ErrorTables | None


def select_choice(run: Run, picture: Picture, analysis: Analysis | None) -> Choice:
    """The selected epoch, score, share of flagged pixels and MC dropout.

    Raises:
        CheckpointError: the run has no kept epoch, or a table of the analysis is missing.
    """
    epoch_column, score_column, share_column, more_column = st.columns([4, 4, 4, 2], vertical_alignment="bottom")
    has_network = run.record.imported is None
    with epoch_column:
        if analysis is None:
            epoch = select_epoch(run)
        else:
            epoch = analysis.record.epoch
            st.caption(
                f"Epoch {epoch}, as measured on {analysis.record.dataset}" if has_network else format_measured(analysis)
            )
    with more_column, st.popover("More", width="stretch"):
        dropout = analysis is None and has_network and _select_dropout(available=has_dropout(run, epoch))
        tables = load_tables(run, epoch, picture, analysis, dropout=dropout)
        if tables is not None:
            _draw_downloads(tables)
    with score_column:
        score = _select_score(_list_scores(run, analysis, tables, dropout=dropout))
    with share_column:
        session.ensure_number("flagged", 1, 100, default=10)
        hint = definitions.list_links("Flagged", "Error")
        share = st.slider("Pixels flagged", 1, 100, key="flagged", format="%d %%", persist_state="session", help=hint)
    return Choice(epoch, score, share / 100, dropout or score == DROPOUT, tables)


def load_tables(
    run: Run, epoch: int, picture: Picture, analysis: Analysis | None, *, dropout: bool
) -> ErrorTables | None:
    """The measures of the data set or, without an analysis, of the picture; None if it has no labels.

    Raises:
        CheckpointError: a table of the analysis is missing.
    """
    if analysis is not None:
        scores, curves = (load_table(analysis, name) for name in ("scores", "risk_curves"))
        return ErrorTables(scores, curves, analysis.record.images, f"{run.path.name}-{analysis.name}")
    if picture.sample.label_map is None:
        return None
    tables = load_error_tables(run, epoch, picture, dropout=dropout)
    name = f"{run.path.name}-{picture.sample.name}-epoch{epoch}"
    return ErrorTables(tables["scores"], tables["risk_curves"], 1, name)


def select_region() -> Region:
    """The selected region, whose pixels are counted."""
    chosen: Region = session.ensure_choice("region", REGIONS, default=REGIONS[0])
    st.segmented_control(
        "Pixels",
        REGIONS,
        format_func=REGION_TITLES.__getitem__,
        key="region",
        required=True,
        persist_state="session",
        help="Near edges: at most 2 px from an edge between predicted classes; inside: farther away. Most errors are "
        "near edges, so an edge map alone finds many of them. Comparing pixels within one region removes this "
        "advantage. " + definitions.list_links("Near edges and inside"),
    )
    return chosen


def draw_metrics_table(tables: ErrorTables, region: Region) -> None:
    """Draw one row per score and one column per metric."""
    heads = {sentences.METRICS[metric]: definitions.get_text(name) for metric, name in sentences.DEFINITIONS.items()}
    columns = {head: st.column_config.TextColumn(help=hint) for head, hint in heads.items()}
    table = sentences.make_metrics_table(tables.scores, region).rename(index=say_plainly)
    st.dataframe(table, column_config=columns)


def draw_legend(scores: Sequence[str]) -> None:
    """Draw the colours of all scores, for all charts at once."""
    lines = [
        f'<span style="white-space: nowrap"><span style="border-top: 2px solid {choose_colour(score)}; '
        f'display: inline-block; width: 1.5rem; vertical-align: middle"></span> {escape(name)}</span>'
        for score, name in ((score, say_plainly(name_score(score))) for score in scores)
    ]
    st.html(f'<p style="margin: 0; font-size: 0.875rem">{" &emsp;".join(lines)}</p>')


def _list_scores(run: Run, analysis: Analysis | None, tables: ErrorTables | None, *, dropout: bool) -> list[str]:
    """The scores that a picture can be shown with: those of an analysis or, without one, all that are available."""
    if analysis is None or tables is None:
        if (imported := run.record.imported) is not None:
            further = [IMPORTED_PREFIX + score.title for score in imported.further]
            return ["hardness", "edge_distance", *further]
        absent = {*(() if dropout else (DROPOUT,)), *(() if run.record.error_model else (SUSPICION,))}
        return [score for score in SCORES if score not in absent]
    is_current = run.record.error_model is not None and run.record.error_model == analysis.record.error_model
    return [score for score in tables.scores["score"].unique() if is_current or score != SUSPICION]


def _select_score(known: Sequence[str]) -> str:
    session.ensure_choice("score", known, default=known[0])
    return st.selectbox(
        "Flag pixels by",
        known,
        format_func=lambda score: say_plainly(name_score(score)),
        key="score",
        persist_state="session",
        help="Each score is high where an error is expected. 1 − max softmax, 1 − margin, entropy and the distance to "
        "the nearest predicted edge come with every network at no cost, so hardness has to beat them. "
        + definitions.list_links("Scores", "Hardness", "Suspicion of error", "Entropy", "Probability")
        if find_score() is None
        else "Each score is high where an error is expected. " + definitions.list_links("Scores"),
    )


def _select_dropout(*, available: bool) -> bool:
    if not available:
        st.caption("MC dropout is not available: this network has no dropout.")
        return False
    session.ensure_choice("dropout", [False, True], default=False)
    return st.toggle(
        "MC dropout",
        key="dropout",
        persist_state="session",
        help=f"Adds a score: the entropy of the mean prediction over {PASSES} passes with dropout. "
        + definitions.list_links("Scores"),
    )


def _draw_downloads(tables: ErrorTables) -> None:
    for title, table in (("Scores", tables.scores), ("Curves", tables.curves)):
        csv, file = partial(table.to_csv, index=False), f"{tables.name}-{title.lower()}.csv"
        st.download_button(f"{title}, CSV", csv, file, "text/csv", on_click="ignore", width="stretch")
