"""The controls that choose a picture, shared by the pages."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import session
from app.loading.dataset import list_images, load_dataset_sample, load_listed_analyses
from app.loading.pictures import (
    DATA,
    TITLES,
    UPLOAD,
    Picture,
    format_sample,
    list_ignored_ids,
    list_samples,
    list_sources,
    load_sample,
    load_upload,
    make_picture,
)
from hlcore.data.samples import Sample
from hlcore.errors import DatasetError
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run
from hlcore.types import IGNORE_INDEX

SIDES = (512, 768, 1024, 2048)
"""Longest side in px at which a picture may be analysed: 2048 px take about 1.5 GB of memory."""


def select_picture(run: Run, *, most_px: int = SIDES[-1]) -> Picture | None:
    """Source, sample and size, which is `most_px` where a page can take no more; None while an upload is awaited."""
    measured = load_listed_analyses(run)
    known = [*list_sources(run), *([DATA] if measured else [])]
    source_column, sample_column, side_column = st.columns([11, 8, 4])
    source = session.ensure_choice("source", known, default=known[0])
    with source_column:
        st.segmented_control(
            "Picture",
            known,
            format_func=lambda source: TITLES[source],
            key="source",
            required=True,
            wrap=True,
            persist_state="session",
            help="Scenes are drawn from a seed and come with labels; photos ship with scikit-image; "
            "followed images are those whose maps were kept while this run was trained; a data set is one that "
            "`hlcore analyze` has measured.",
        )
    session.ensure_choice("side", SIDES, default=768)
    with side_column:
        side = st.selectbox(
            "Analyse at",
            SIDES,
            format_func=lambda px: f"≤ {px} px",
            key="side",
            persist_state="session",
            help="The network sees the picture scaled down so that its longer side has at most so many pixels. "
            "Smaller pictures are never enlarged.",
        )
        if side > most_px:
            st.caption(f"≤ {most_px} px on this page, which trains.")
            side = most_px
    if source == UPLOAD:
        return _select_upload(run, side, source_column, sample_column, side_column)
    if source == DATA:
        return _select_dataset_image(measured, side, source_column, sample_column)
    names = list_samples(run, source)
    session.ensure_choice("sample", names, default=names[0])
    with sample_column:
        name = st.selectbox(
            "Sample",
            names,
            format_func=lambda name: format_sample(run, source, name),
            key="sample",
            persist_state="session",
        )
    return make_picture(load_sample(run, source, name), side)


def _select_dataset_image(
    measured: dict[str, Analysis], side: int, status: DeltaGenerator, place: DeltaGenerator
) -> Picture:
    analysis = measured[
        session.ensure_choice("data", list(measured), default=session.get_choice_or_first("scope", measured))
    ]
    if len(measured) > 1:
        data_column, place = place.columns(2)
        data_column.selectbox("Measured as", list(measured), key="data", persist_state="session")
    names = list_images(analysis)
    session.ensure_choice("sample", names, default=names[0])
    name = place.selectbox("Sample", names, key="sample", persist_state="session")
    if analysis.record.merged is not None:
        status.caption("No labels here: those of this data set are of other classes than the run's.")
    return make_picture(load_dataset_sample(analysis, name), side)


def _select_upload(
    run: Run, side: int, status: DeltaGenerator, photograph_column: DeltaGenerator, labels_column: DeltaGenerator
) -> Picture | None:
    with photograph_column:
        photograph = _upload_file(
            "photograph",
            "photograph_file",
            "Drop a photograph",
            "The network knows the classes it was trained on; hardness shows on any picture.",
        )
    if photograph is None:
        status.caption(
            "PNG, JPEG, WebP, TIFF, BMP or GIF, any orientation. It stays in this session; a link cannot hold it."
        )
        return None
    with labels_column, st.popover("Labels", width="stretch"):
        highest = len(run.record.class_names) - 1
        unlabelled = " or ".join(map(str, sorted((*list_ignored_ids(run), IGNORE_INDEX))))
        labels = _upload_file(
            "labels",
            f"labels_file of {photograph.name}",  # another photograph gets an empty uploader
            "Its label map",
            f"A PNG of the photograph's size: class ids 0 to {highest}, {unlabelled} where unlabelled.",
        )
    sample, complaint = _load_upload(run, photograph, labels)
    status.caption(
        f"Looking at {session.escape_markdown(photograph.name)}"
        f"{f' with {session.escape_markdown(labels.name)}' if labels and not complaint else ''}. "
        "It stays in this session; a link cannot hold it."
    )
    if complaint:
        st.error(
            f"{complaint[0].upper()}{complaint[1:]}. The photograph is shown without labels.",
            icon=":material/label_off:",
        )
    return make_picture(sample, side)


def _load_upload(run: Run, photograph: session.Upload, labels: session.Upload | None) -> tuple[Sample, str]:
    """The sample, and why its label map does not fit; the photograph alone where it does not.

    Raises:
        DatasetError: the photograph cannot be read.
    """
    try:
        return load_upload(run, photograph.name, photograph.content, labels and labels.content), ""
    except DatasetError as error:
        if labels is None:
            raise
        return load_upload(run, photograph.name, photograph.content, None), str(error)


def _upload_file(name: str, key: str, label: str, hint: str) -> session.Upload | None:
    """What was uploaded; Streamlit forgets on another page that its uploader holds it, so a button does that then."""
    held = st.file_uploader(label, key=key, help=hint, on_change=session.save_upload, args=(name, key))
    kept = session.get_upload(name)
    if kept is not None and held is None:
        st.button(
            f"Remove {session.escape_markdown(kept.name)}",
            key=f"{name}_remove",
            icon=":material/close:",
            on_click=session.remove_upload,
            args=(name,),
            width="stretch",
            help="It is in use, though the field above is empty; another file takes its place.",
        )
    return kept
