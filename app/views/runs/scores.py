"""Scores of the Runs page: all metrics, each class, and the gain of one run over another."""

import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.loading.analyses import group_analyses_by_data, load_table
from app.loading.runs import load_epoch_table
from app.views.runs import controls
from app.views.runs.controls import VALIDATION
from hlcore.analysis import run_comparison
from hlcore.figures.segmentation import make_class_iou_figure, make_gain_figure, make_scores_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run


def draw_scores(runs: dict[str, Run], classes: tuple[str, ...]) -> None:
    """Draw the scores of the runs on one data set."""
    scored = group_analyses_by_data(runs)
    data = controls.select_scores(scored, runs=len(runs))
    caveat = controls.ONE_SEED
    if data == VALIDATION:
        epochs = {name: load_epoch_table(run) for name, run in runs.items()}
        class_iou = run_comparison.last_class_iou(epochs, controls.list_iou_columns(classes))
        caveat = f"{controls.describe_differences(runs, classes)} {caveat}"
        st.caption(
            "Boundary IoU, IoU by object size and intervals are available for data sets measured with `hlcore analyze`."
        )
    else:
        scores = load_scores(scored[data])
        st.plotly_chart(
            make_scores_figure(scores.loc[scores["class_name"] == ""], runs=list(runs)), key="scores_figure"
        )
        defined = definitions.list_links(*controls.METRICS, "Interval")
        only = (
            "" if len(scored[data]) == len(runs) else f"Only {', '.join(map(session.escape_markdown, scored[data]))}. "
        )
        st.caption(f"{only}Intervals are over images (95 %). {defined}")
        class_iou = scores.loc[(scores["metric"] == "iou") & (scores["class_name"] != "")]
    draw_classes(class_iou.dropna(subset=["value"]), runs, caveat=caveat)


def draw_classes(class_iou: pd.DataFrame, runs: dict[str, Run], *, caveat: str) -> None:
    """Draw the IoU of each class and, with two runs or more, the gain of one over another."""
    names = list(dict.fromkeys(class_iou["run"]))
    if not names:
        return
    class_column, gain_column = st.columns(2)
    class_column.plotly_chart(make_class_iou_figure(class_iou, runs=list(runs)), key="class_iou")
    with gain_column:
        if len(names) < 2:
            st.caption("Select a second run with these scores to see the gain.")
            return
        baseline, compared = controls.select_pair(names, runs)
        gains = run_comparison.class_iou_gains(class_iou, baseline=baseline, compared=compared)
        points = 100 * float(np.mean(gains["value"]))
        st.markdown(
            f"{session.escape_markdown(compared)} gains **{points:+.1f} points of mIoU** over "
            f"{session.escape_markdown(baseline)}, the mean of the classes below."
        )
        st.plotly_chart(make_gain_figure(gains, baseline=baseline, compared=compared), key="gains")
        st.caption(f"{caveat} {definitions.list_links('Gain', 'mIoU', 'Interval')}")


def load_scores(analyses: dict[str, Analysis]) -> pd.DataFrame:
    """The `segmentation` tables of the analyses in one table, with a column `run`."""
    tables = [load_table(analysis, "segmentation").assign(run=run) for run, analysis in analyses.items()]
    return pd.concat(tables, ignore_index=True)
