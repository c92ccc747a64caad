"""A copy of a network learns one picture by heart: the loss map goes dark; what does the hardness map do?"""

import time

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions, image_viewer, picture_picker, run_picker
from app.components import layers as map_layers
from app.loading import memorise as memorise_loading
from app.loading import predictions as prediction_loading
from app.loading.memorise import STEPS, Memorised
from app.loading.pictures import Picture
from app.views.memorise.scenes import memorised
from hlcore.figures.stability import memorise_figure
from hlcore.storage.runs import Run

KEY = "memorise_viewer"
MOST_PX = 768
"""Longest side at which a picture is learned: a step takes several times the memory and time of a look."""
COLUMNS = {
    "map": "map",
    "step": "step",
    "level": "mean (loss in nats)",
    "relative_level": "mean, #0 = 1",
    "spearman": "Spearman to #0",
    "top10_iou": "top 10 % IoU to #0",
    "total_variation": "total variation to #0",
}

DEFINED = {
    "level": "Memorise",
    "relative_level": "Memorise",
    "spearman": "Spearman",
    "top10_iou": "Top tenth IoU",
    "total_variation": "Total variation",
}
"""Under which name each measured column is defined."""

WITHOUT_OTHER_STOP = '<style>[data-testid="stStatusWidget"] button { display: none; }</style>'
"""Streamlit's own Stop would end the script where it is, and leave a page of which nothing works."""


def show(run: Run, picture: Picture) -> None:
    """Draws what was learned of the picture so far, or learns it when the button is pressed."""
    epoch_column, start_column = st.columns([7, 3], vertical_alignment="bottom")
    with epoch_column:
        epoch = run_picker.choose_epoch(run)
    if picture.sample.label_map is None:
        st.info(
            "To learn a picture by heart its labels are needed, and this one has none the run knows. Choose a scene or "
            "a followed image, or upload a photograph and, under *Labels*, its label map.",
            icon=":material/label_off:",
        )
        return
    identity = prediction_loading.identity(run, epoch, picture)
    known: Memorised | None = session.result(identity)
    with start_column:
        text = "Learn it by heart" if known is None else "Learn it again"
        pressed = st.button(text, icon=":material/play_arrow:", type="primary", key="memorise_start", width="stretch")
    if pressed:
        learn(run, epoch, picture)
        st.rerun()
    if known is None or not known.maps:
        maps = prediction_loading.maps(run, epoch, picture)
        known = Memorised(identity, maps={0: (maps.hardness_map, maps.loss_map)})
        st.caption(
            f"{STEPS} steps on this picture alone, with the run's own loss and learning rates, train a copy in memory; "
            "the checkpoint on disk stays as it is."
        )
    elif known.done < STEPS:
        st.caption(f"Stopped after {known.done} of {STEPS} steps.")
    draw(run, picture, known, key=KEY)
    if known.curve:
        report(memorise_loading.numbers(known, picture, c=run.record.config.loss.c), known)


def learn(run: Run, epoch: int, picture: Picture) -> None:
    """Learns the picture and shows how far it is; a press on Stop ends it, and what was seen is kept."""
    known = session.keep_result(identity := prediction_loading.identity(run, epoch, picture), Memorised(identity))
    st.html(WITHOUT_OTHER_STOP)
    bar_column, stop_column = st.columns([5, 1], vertical_alignment="bottom")
    bar = bar_column.progress(0.0, "Loading the network …")
    stop_column.button("Stop", icon=":material/stop:", key="memorise_stop", width="stretch")
    place, began = st.empty(), time.monotonic()
    for seen in memorise_loading.learn(run, epoch, picture):
        known.take(seen)
        if seen.step == 0:
            began = time.monotonic()
        else:
            left = (time.monotonic() - began) / seen.step * (seen.steps - seen.step)
            text = f"Step {seen.step} of {seen.steps}, loss {seen.mean_loss:.3f} nats, about {left:.0f} s left"
            bar.progress(seen.step / seen.steps, text)
        if seen.snapshot is not None:
            with place.container():
                draw(run, picture, known, key=f"{KEY}_{seen.step}", quiet=True)


def draw(run: Run, picture: Picture, known: Memorised, *, key: str, quiet: bool = False) -> None:
    """The maps of the kept steps; `quiet` while it is learned, which a choice in the viewer would end."""
    table = memorise_loading.numbers(known, picture, c=run.record.config.loss.c)
    scene = memorised(picture, known, table, caption=map_layers.caption(run, picture), quiet=quiet)
    image_viewer.show(scene, key=key)


def report(table: pd.DataFrame, known: Memorised) -> None:
    """What was seen, in a sentence, in numbers and as curves."""
    hardness, loss = (table[table["map"] == name].iloc[-1] for name in ("hardness", "loss"))
    steps = "1 step" if loss["step"] == 1 else f"{loss['step']} steps"
    st.markdown(
        f"After {steps} the mean loss is **{loss['relative_level']:.0%}** and the mean hardness "
        f"**{hardness['relative_level']:.0%}** of what it was; the hardest 10 % overlap with those of #0 with an IoU "
        f"of **{hardness['top10_iou']:.2f}** (hardness) and **{loss['top10_iou']:.2f}** (loss)."
    )
    formats = {
        COLUMNS[column]: st.column_config.NumberColumn(format="%.3f", help=definitions.text(name))
        for column, name in DEFINED.items()
    }
    shown = table.rename(columns=COLUMNS)[list(COLUMNS.values())]
    st.dataframe(shown, hide_index=True, column_config=formats, key="memorise_numbers")
    st.caption(definitions.listed(*DEFINED.values(), "Loss", "Hardness"))
    st.plotly_chart(memorise_figure(known.curve_table()), key="memorise_curve", height=330)


st.caption("A copy of the network learns one picture by heart. The loss map goes dark; what does the hardness map do?")
chosen = run_picker.chosen_run()
if (taken := picture_picker.choose_picture(chosen, most_px=MOST_PX)) is not None:
    show(chosen, taken)
