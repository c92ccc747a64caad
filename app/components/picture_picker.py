"""Controls to select an image."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import session
from app.limits import MAX_IMPORTED_PX, SIDES
from app.loading.dataset import list_images, load_dataset_sample, load_listed_analyses
from app.loading.pictures import (
    DATA,
    IMPORTED,
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
from hlcore.errors import DatasetError
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run
from hlcore.types import IGNORE_INDEX


def select_picture(run: Run, *, max_px: int = SIDES[-1]) -> Picture | None:
    """The selected image, at most `max_px` on its longer side; None while waiting for an upload."""
    if run.record.imported is not None:
        return _select_imported(run)
    measured = load_listed_analyses(run)
    known = [*list_sources(run), *([DATA] if measured else [])]
    source_column, sample_column, side_column = st.columns([11, 8, 4])
    source = session.ensure_choice("source", known, default=known[0])
    with source_column:
        st.segmented_control(
            "Image",
            known,
            format_func=lambda source: TITLES[source],
            key="source",
            required=True,
            wrap=True,
            persist_state="session",
            help="Scenes: synthetic and labelled. Photos: examples from scikit-image. Followed: images whose maps were "
            "saved during training. Data set: the images of a data set measured with `hlcore analyze`.",
        )
    session.ensure_choice("side", SIDES, default=768)
    with side_column:
        side = st.selectbox(
            "Analyse at",
            SIDES,
            format_func=lambda px: f"≤ {px} px",
            key="side",
            persist_state="session",
            help="Larger images are scaled down so that their longer side has this many pixels. "
            "Smaller images are not enlarged.",
        )
        if side > max_px:
            st.caption(f"Limited to {max_px} px, because this page trains a network.")
            side = max_px
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


def _select_imported(run: Run) -> Picture:
    """An imported image at its own size, as its maps were made for."""
    session.ensure_choice("source", [IMPORTED], default=IMPORTED)
    session.ensure_choice("side", SIDES, default=768)
    names = list_samples(run, IMPORTED)
    session.ensure_choice("sample", names, default=names[0])
    name = st.selectbox("Imported image", names, key="sample", persist_state="session")
    return make_picture(load_sample(run, IMPORTED, name), MAX_IMPORTED_PX)


def _select_dataset_image(
    measured: dict[str, Analysis], side: int, status: DeltaGenerator, place: DeltaGenerator
) -> Picture:
    analysis = measured[
        session.ensure_choice("data", list(measured), default=session.get_choice_or_first("scope", measured))
    ]
    if len(measured) > 1:
        data_column, place = place.columns(2)
        data_column.selectbox("Analysis", list(measured), key="data", persist_state="session")
    names = list_images(analysis)
    session.ensure_choice("sample", names, default=names[0])
    name = place.selectbox("Sample", names, key="sample", persist_state="session")
    if analysis.record.merged is not None:
        status.caption("Shown without labels: the analysis merged or left out classes.")
    return make_picture(load_dataset_sample(analysis, name), side)


def _select_upload(
    run: Run, side: int, status: DeltaGenerator, photograph_column: DeltaGenerator, labels_column: DeltaGenerator
) -> Picture | None:
    with photograph_column:
        photograph = _upload_file(
            "photograph",
            "photograph_file",
            "Upload a photo",
            "The network predicts only the classes it was trained on; hardness works on any image.",
        )
    if photograph is None:
        status.caption("PNG, JPEG, WebP, TIFF, BMP or GIF. Uploads stay in this session and are not part of links.")
        return None
    with labels_column, st.popover("Labels", width="stretch"):
        highest = len(run.record.class_names) - 1
        unlabelled = " or ".join(map(str, sorted((*list_ignored_ids(run), IGNORE_INDEX))))
        labels = _upload_file(
            "labels",
            f"labels_file of {photograph.name}",  # a new photo starts with an empty uploader
            "Label map",
            f"A PNG of the same size as the photo: class ids 0 to {highest}; {unlabelled} for unlabelled pixels.",
        )
    picture, error = _load_upload(run, photograph, labels, side)
    status.caption(
        f"Showing {session.escape_markdown(photograph.name)}"
        f"{f' with {session.escape_markdown(labels.name)}' if labels and not error else ''}. "
        "Uploads stay in this session and are not part of links."
    )
    if error:
        st.error(
            f"{session.escape_sentence(error[0].upper() + error[1:])}. The photo is shown without labels.",
            icon=":material/label_off:",
        )
    return picture


def _load_upload(run: Run, photograph: session.Upload, labels: session.Upload | None, side: int) -> tuple[Picture, str]:
    """The uploaded picture, and an error message if its label map was left out because it does not fit.

    Raises:
        DatasetError: the photograph cannot be read.
    """
    try:
        return load_upload(run, photograph.name, photograph.content, labels and labels.content, side=side), ""
    except DatasetError as error:
        if labels is None:
            raise
        return load_upload(run, photograph.name, photograph.content, None, side=side), str(error)


def _upload_file(name: str, key: str, label: str, hint: str) -> session.Upload | None:
    """The uploaded file; after a page change Streamlit's uploader is empty, so a button removes the file instead."""
    shown = st.file_uploader(label, key=key, help=hint, on_change=session.save_upload, args=(name, key))
    upload = session.get_upload(name)
    if upload is not None and shown is None:
        st.button(
            f"Remove {session.escape_markdown(upload.name)}",
            key=f"{name}_remove",
            icon=":material/close:",
            on_click=session.remove_upload,
            args=(name,),
            width="stretch",
            help="The page still uses this file. Upload another to replace it.",
        )
    return upload
