"""What a network can be asked: the classes it knows, and whether an image is unlike those it was measured on."""

import numpy as np
import streamlit as st

from app import session
from app.components import definitions
from app.loading.analyses import load_analyses, load_table
from app.loading.pictures import Picture
from app.loading.predictions import load_maps
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

MAX_CLASSES = 12
"""Classes that are listed; of more, only the first."""


def draw_reach_note(run: Run, epoch: int, picture: Picture) -> None:
    """Draw what the network knows, beside an image without labels; labelled ones come from its own kind of data."""
    if picture.sample.label_map is not None or run.record.imported is not None:
        return
    st.caption(describe_classes(run))
    entropy = load_maps(run, epoch, picture).entropy
    if entropy is not None and (sentence := compare_with_known(run, float(entropy.mean()))):
        st.info(sentence, icon=":material/help:")


def describe_classes(run: Run) -> str:
    """The classes that the network knows, in a sentence."""
    names = [session.escape_markdown(name) for name in run.record.class_names]
    more = f" and {len(names) - MAX_CLASSES} more" if len(names) > MAX_CLASSES else ""
    what = "drawn street scenes" if run.record.config.data.dataset == "streets" else run.record.config.data.dataset
    return (
        f"This network was trained on {session.escape_markdown(what)} and knows {len(names)} classes: "
        f"{', '.join(names[:MAX_CLASSES])}{more}. To everything else it gives one of them."
    )


def compare_with_known(run: Run, entropy: float) -> str:
    """A warning if the network is less sure of an image than of any that it was measured on; otherwise empty.

    Args:
        run: The run; without an analysis of its own data set nothing is known.
        entropy: Mean entropy of the image in nats.
    """
    own = [one for one in load_analyses(run).values() if _is_own(run, one)]
    if not own:
        return ""
    known = load_table(own[0], "images")["entropy_mean"].to_numpy()
    highest, record = float(np.nanmax(known)), own[0].record
    if entropy <= highest:
        return ""
    link = definitions.link_text("mean entropy", "Entropy")
    where = f"{session.escape_markdown(record.dataset)} {session.escape_markdown(record.split)}"
    return (
        "This image is probably unlike what the network was trained on, so its maps may mean little here, and dark "
        f"need not mean easy: its {link} is **{entropy:.2f} nats**, above that of all {record.images} images of "
        f"{where} (at most {highest:.2f}). For images like this one, take a network that knows them: `hlcore fit` "
        "gives it a hardness map."
    )


def _is_own(run: Run, analysis: Analysis) -> bool:
    is_at_home = analysis.record.dataset == run.record.config.data.dataset and analysis.record.merged is None
    return is_at_home and analysis.table_path("images").is_file()
