"""Two epochs of a run on the same picture: what moved, and what held still."""

import streamlit as st

from app import cache, definitions, epochs_ready, looks, picking, pixel_history, scenes, widgets
from app.samples import Picture
from hlcore.storage.runs import Run

KEY, STRIP_KEY, GROUP = "epochs_viewer", "strip_viewer", "epochs"


def show(run: Run, picture: Picture) -> None:
    """Draws the maps of both epochs, their difference, and the strip of all."""
    first = widgets.chosen_epoch("other", run, at=1 / 3)
    second = widgets.chosen_epoch("epoch", run)
    planes = epochs_ready.planes(run, picture, first, second)
    looks.show(scenes.compared(run, picture, planes, group=GROUP), key=KEY)
    st.markdown(agreement(run, picture, first, second))
    pixel_history.show(run, picture)
    widgets.notes(picture)
    both = "hardness" if picture.sample.label_map is None else "hardness above, loss below"
    st.markdown(f"##### Every kept epoch: {both}")
    looks.show(scenes.strip(run, picture, planes, group=GROUP), key=STRIP_KEY)
    epochs_ready.finish(run, picture, first, second)


def agreement(run: Run, picture: Picture, first: int, second: int) -> str:
    """How alike the maps of two epochs are, in a sentence; that there are no two where one is kept."""
    if len(run.epochs) == 1:
        return f"Epoch {second} is the only one kept so far: there is none to compare it with."
    a, b = cache.maps(run, first, picture), cache.maps(run, second, picture)
    labelled = a.loss_map is not None and b.loss_map is not None
    spearman, iou = definitions.linked("Spearman"), definitions.linked("top 10 % IoU", "Top tenth IoU")
    found = {"hardness": cache.agreement(a, b, "hardness_map")}
    if labelled:
        found["loss"] = cache.agreement(a, b, "loss_map")
    texts = [f"{name} {spearman} **{rho:.3f}**, {iou} **{overlap:.2f}**" for name, (rho, overlap) in found.items()]
    return f"Epoch {first} against epoch {second}: {' · '.join(texts)}."


st.caption("Two epochs of a run look at the same picture: what moved between them, and what held still?")
chosen = widgets.chosen_run()
if (taken := picking.choose_picture(chosen)) is not None:
    show(chosen, taken)
