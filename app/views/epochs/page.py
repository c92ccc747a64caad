"""Two epochs of a run on the same picture: what moved, and what held still."""

import streamlit as st

from app.components import definitions, epoch_planes, image_viewer, messages, picture_picker, pixel_history, run_picker
from app.loading import predictions as prediction_loading
from app.loading.pictures import Picture
from app.views.epochs import scenes
from hlcore.storage.runs import Run

KEY, STRIP_KEY, GROUP = "epochs_viewer", "strip_viewer", "epochs"


def show(run: Run, picture: Picture) -> None:
    """Draws the maps of both epochs, their difference, and the strip of all."""
    first = run_picker.chosen_epoch("other", run, at=1 / 3)
    second = run_picker.chosen_epoch("epoch", run)
    planes = epoch_planes.planes(run, picture, first, second)
    image_viewer.show(scenes.compared(run, picture, planes, group=GROUP), key=KEY)
    st.markdown(agreement(run, picture, first, second))
    pixel_history.show(run, picture)
    messages.notes(picture)
    both = "hardness" if picture.sample.label_map is None else "hardness above, loss below"
    st.markdown(f"##### Every kept epoch: {both}")
    image_viewer.show(scenes.strip(run, picture, planes, group=GROUP), key=STRIP_KEY)
    epoch_planes.finish(run, picture, first, second)


def agreement(run: Run, picture: Picture, first: int, second: int) -> str:
    """How alike the maps of two epochs are, in a sentence; that there are no two where one is kept."""
    if len(run.epochs) == 1:
        return f"Epoch {second} is the only one kept so far: there is none to compare it with."
    a, b = prediction_loading.maps(run, first, picture), prediction_loading.maps(run, second, picture)
    labelled = a.loss_map is not None and b.loss_map is not None
    spearman, iou = definitions.linked("Spearman"), definitions.linked("top 10 % IoU", "Top tenth IoU")
    found = {"hardness": prediction_loading.agreement(a, b, "hardness_map")}
    if labelled:
        found["loss"] = prediction_loading.agreement(a, b, "loss_map")
    texts = [f"{name} {spearman} **{rho:.3f}**, {iou} **{overlap:.2f}**" for name, (rho, overlap) in found.items()]
    return f"Epoch {first} against epoch {second}: {' · '.join(texts)}."


st.caption("Two epochs of a run look at the same picture: what moved between them, and what held still?")
chosen = run_picker.chosen_run()
if (taken := picture_picker.choose_picture(chosen)) is not None:
    show(chosen, taken)
