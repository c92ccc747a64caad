"""Epochs: two epochs of a run on the same image, and every kept epoch."""

import streamlit as st

from app import session
from app.components import definitions
from app.components.epoch_planes import make_ready_planes, prepare_remaining_epochs
from app.components.image_viewer import draw_viewer
from app.components.messages import draw_size_note
from app.components.picture_picker import select_picture
from app.components.pixel_history import draw_pixel_history
from app.components.run_picker import ensure_epoch, load_selected_run
from app.components.words import draw_needs_steps, say
from app.loading.pictures import Picture
from app.loading.predictions import load_maps, measure_agreement
from app.views.epochs import scenes
from app.views.epochs.scenes import has_loss
from hlcore.figures.words import keep_word
from hlcore.storage.runs import Run

KEY, STRIP_KEY, GROUP = "epochs_viewer", "strip_viewer", "epochs"


def draw_epochs(run: Run, picture: Picture) -> None:
    """Draw the maps of two epochs, their difference, and a strip of all epochs."""
    first = ensure_epoch("other", run, at=1 / 3)
    second = ensure_epoch("epoch", run)
    planes = make_ready_planes(run, picture, first, second)
    draw_viewer(scenes.make_comparison_scene(run, picture, planes, group=GROUP), key=KEY)
    st.markdown(summarise_agreement(run, picture, first, second))
    draw_pixel_history(run, picture)
    draw_size_note(picture)
    both = "hardness above, loss below" if has_loss(planes) else "hardness"
    st.markdown(say(f"##### All kept epochs: {both}"))
    draw_viewer(scenes.make_strip_scene(run, picture, planes, group=GROUP), key=STRIP_KEY)
    prepare_remaining_epochs(run, picture, first, second)


def summarise_agreement(run: Run, picture: Picture, first: int, second: int) -> str:
    """How similar the maps of two epochs are, in one sentence."""
    if len(run.epochs) == 1:
        return f"Epoch {second} is the only one kept so far, so there is nothing to compare it with."
    a, b = load_maps(run, first, picture), load_maps(run, second, picture)
    labelled = a.loss_map is not None and b.loss_map is not None
    spearman, iou = definitions.link_text("Spearman"), definitions.link_text("top 10 % IoU", "Top tenth IoU")
    found = {"hardness": measure_agreement(a, b, "hardness_map")}
    if labelled:
        found["loss"] = measure_agreement(a, b, "loss_map")
    texts = [f"{name} {spearman} **{rho:.3f}**, {iou} **{overlap:.2f}**" for name, (rho, overlap) in found.items()]
    names = [keep_word(session.escape_sentence(run.name_epoch(epoch))) for epoch in (first, second)]
    if run.record.imported is None:
        names = [f"Epoch {first}", f"epoch {second}"]
    return say(f"{names[0]} against {names[1]}: {' · '.join(texts)}.")


run = load_selected_run()
st.caption(say("What changed between two epochs on the same image, and what stayed the same?"))
if run.record.imported is not None and len(run.epochs) == 1:
    draw_needs_steps()
elif (picture := select_picture(run)) is not None:
    draw_epochs(run, picture)
