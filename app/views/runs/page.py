"""Runs: training, scores and settings of several runs side by side."""

import streamlit as st

from app.components import definitions
from app.loading.runs import load_epoch_table, load_steps
from app.views.runs import controls, scores
from hlcore.analysis import run_comparison
from hlcore.figures.runs import make_runs_by_epoch_figure
from hlcore.storage.runs import Run


def draw_progress(runs: dict[str, Run], classes: tuple[str, ...]) -> None:
    """Draw the mean IoU by epoch, and the last and best value of each run."""
    epochs = {name: load_epoch_table(run) for name, run in runs.items()}
    by_epoch = run_comparison.mean_iou_by_epoch(epochs, controls.list_mean_iou_columns(runs, classes))
    if by_epoch.empty:
        st.info("None of these runs has been validated on a class that all of them share.")
        return
    figure_column, table_column = st.columns([3, 2])
    with figure_column:
        st.plotly_chart(
            make_runs_by_epoch_figure(by_epoch, runs=list(runs), title="Validation mIoU (0 to 1)"), key="miou_by_epoch"
        )
    with table_column:
        controls.draw_miou_table(by_epoch)
        st.caption(
            f"{controls.describe_differences(runs, classes)} {controls.ONE_SEED} {definitions.list_links('mIoU')}"
        )


def draw_training(runs: dict[str, Run]) -> None:
    """Draw the HL lift and the time of a training step by epoch."""
    steps = run_comparison.training_by_epoch({name: load_steps(run) for name, run in runs.items()})
    titles = {"hardness_lift": "HL lift (1 = no effect)", "image_ms": "Training step (ms per image, log scale)"}
    for (measure, title), column in zip(titles.items(), st.columns(2), strict=True):
        rows = steps.loc[steps["measure"] == measure]
        if len(rows):
            figure = make_runs_by_epoch_figure(rows, runs=list(runs), title=title, log=measure == "image_ms")
            column.plotly_chart(figure, key=measure)
    defined = definitions.list_links("HL lift", "Training step")
    st.caption(f"Line: mean lift, median time. Band: middle 80 % of the steps of an epoch. {defined}")


st.caption("How did training go, how well do the runs segment, and what does one gain over another?")
if runs := controls.select_runs():
    classes = run_comparison.shared_classes([run.record.class_names for run in runs.values()])
    draw_progress(runs, classes)
    st.markdown("##### Scores")
    scores.draw_scores(runs, classes)
    if any(run.record.imported is None for run in runs.values()):
        st.markdown("##### Training")
        draw_training(runs)
    st.markdown("##### Settings")
    controls.draw_settings_table(runs)
else:
    st.info("Select one or more runs.")
