"""The scores on the Runs page: all metrics, each class, and what one run gains over another."""

import pandas as pd
import streamlit as st

from app import cache, definitions, state
from app import run_controls as controls
from app.cache import runs as runs_cache
from app.run_controls import VALIDATION
from hlcore.analysis import run_comparison
from hlcore.figures.segmentation import class_iou_figure, gain_figure, scores_figure
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run


def show_scores(runs: dict[str, Run], classes: tuple[str, ...]) -> None:
    """Draws what the runs reach on one data set: all metrics, each class, and the gain of one over another."""
    scored = runs_cache.scored(runs)
    data = controls.choose_scores(scored, runs=len(runs))
    caveat = controls.ONE_SEED
    if data == VALIDATION:
        epochs = {name: cache.epoch_table(run) for name, run in runs.items()}
        class_iou = run_comparison.last_class_iou(epochs, controls.iou_columns(classes))
        caveat = f"{controls.about_data(runs, classes)} {caveat}"
        st.caption(
            "Boundary IoU, IoU by size of object and intervals are there for data `hlcore analyze` has measured."
        )
    else:
        scores = analysed_scores(scored[data])
        st.plotly_chart(scores_figure(scores.loc[scores["class_name"] == ""], runs=list(runs)), key="scores_figure")
        defined = definitions.listed(*controls.METRICS, "Interval")
        only = "" if len(scored[data]) == len(runs) else f"Of {', '.join(map(state.literal, scored[data]))} only. "
        st.caption(f"{only}Intervals are over images (95 %). {defined}")
        class_iou = scores.loc[(scores["metric"] == "iou") & (scores["class_name"] != "")]
    show_classes(class_iou.dropna(subset=["value"]), list(runs), caveat=caveat)


def show_classes(class_iou: pd.DataFrame, runs: list[str], *, caveat: str) -> None:
    """Draws each class, and the gains where there are two runs, above what they do not show."""
    names = list(dict.fromkeys(class_iou["run"]))
    if not names:
        return
    class_column, gain_column = st.columns(2)
    class_column.plotly_chart(class_iou_figure(class_iou, runs=runs), key="class_iou")
    with gain_column:
        if len(names) < 2:
            st.caption("Choose a second run that was scored here to see what one gains over the other.")
            return
        baseline, compared = controls.choose_pair(names)
        gains = run_comparison.class_iou_gains(class_iou, baseline=baseline, compared=compared)
        st.plotly_chart(gain_figure(gains, baseline=baseline, compared=compared), key="gains")
        st.caption(f"{caveat} {definitions.listed('Gain', 'mIoU', 'Interval')}")


def analysed_scores(analyses: dict[str, Analysis]) -> pd.DataFrame:
    """The table `segmentation` of each run's analysis, below each other, with a column run."""
    tables = [cache.table(analysis, "segmentation").assign(run=run) for run, analysis in analyses.items()]
    return pd.concat(tables, ignore_index=True)
