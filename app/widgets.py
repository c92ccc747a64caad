"""The controls and texts that several pages share."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image as PillowImage

from app import cache, samples, state
from app.cache import Maps
from app.samples import Picture
from app.scenes import INSPECTED, Look
from hlcore.data.resize import resize_image
from hlcore.figures.maps import colour_map, overlay, resize_map
from hlcore.figures.style import HARDNESS_SCALES
from hlcore.storage.planes import write_hardness_png
from hlcore.storage.runs import Run

ABOUT = (
    "**Hardness** is how hard the network expects each pixel to be, learned from the loss during training and read from "
    "the image alone. Bright means hard: edges, thin and small things, unusual sights; it needs no label."
)
SIDES = (512, 768, 1024, 2048)
NATS = (1, 2, 4, 8)


def style() -> None:
    """The page's own few rules."""
    st.html(Path(__file__).with_name("style.css"))


def about() -> None:
    """What hardness is, in two sentences."""
    st.caption(ABOUT)


def no_runs() -> None:
    """What to do where there is nothing to show."""
    st.title("No trained network yet")
    about()
    st.markdown(
        "There is no run in `checkpoints/`, in `runs/` or in a folder named by `$HLCORE_RUNS`. Train a small one on "
        "the built-in street scenes, which needs no download, then reload this page:"
    )
    st.code("hlcore train --data.dataset streets", language="bash")
    st.markdown("Runs that lie elsewhere are found with")
    st.code("HLCORE_RUNS=/path/to/runs hlcore app", language="bash")


def choose_run(folders: dict[str, Path]) -> Run:
    """The run picker."""
    names = list(folders)
    state.choice("run", names, default=names[0])
    name = st.selectbox("Run", names, key="run", persist_state="session")
    return cache.run(folders[name])


def facts(run: Run) -> None:
    """What the run is, as a small table."""
    config, table = run.record.config, cache.epoch_table(run)
    data = config.data.dataset
    if data == "streets":
        data = f"streets, {config.data.train_scenes} scenes"
    rows = {
        "Network": config.network.network,
        "Encoder": config.network.encoder.removeprefix("tu-"),
        "Parameters": f"{run.record.parameters / 1e6:.2f} M ({run.record.hardness_parameters / 1e6:.2f} M hardness)",
        "Data": data,
        "Loss": config.loss.name,
        "Epochs kept": f"{len(run.epochs)} of {config.optim.epochs + 1}",
        "State": run.record.state,
    }
    if "mean_iou" in table and len(table):
        best = table.loc[table["mean_iou"].idxmax()]
        rows["mIoU, last"] = f"{table['mean_iou'].iloc[-1]:.3f} (epoch {table['epoch'].iloc[-1]})"
        rows["mIoU, best"] = f"{best['mean_iou']:.3f} (epoch {best['epoch']:.0f})"
    cells = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in rows.items())
    st.html(f'<dl class="facts">{cells}</dl>')


def choose_epoch(name: str, label: str, run: Run, *, default: int) -> int:
    """A slider over the kept epochs."""
    epochs = list(run.epochs)
    chosen = state.choice(name, epochs, default=default)
    if len(epochs) == 1:
        st.caption(f"{label}: {chosen}, the only one kept")
        return chosen
    return st.select_slider(label, epochs, key=name, persist_state="session")


def choose_picture(run: Run) -> Picture | None:
    """Source, sample and size; None while an upload is awaited."""
    known = samples.sources(run)
    source_column, sample_column, side_column = st.columns([5, 4, 2], vertical_alignment="bottom")
    state.choice("source", known, default=known[0])
    with source_column:
        source = st.segmented_control(
            "Picture", known, format_func=samples.TITLES.get, key="source", required=True, persist_state="session"
        )
    state.choice("side", SIDES, default=1024)
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
    if source == samples.UPLOAD:
        with sample_column:
            return _uploaded(run, side)
    names = samples.names(run, source)
    state.choice("sample", names, default=names[0])
    with sample_column:
        name = st.selectbox(
            "Sample",
            names,
            format_func=lambda name: samples.title(run, source, name),
            key="sample",
            persist_state="session",
        )
    return samples.fit(cache.sample(run, source, name), side)


def _uploaded(run: Run, side: int) -> Picture | None:
    photograph = _uploader("Photograph", "PNG, JPEG, WebP, TIFF, BMP or GIF. It stays in this session: links cannot hold it.")
    if photograph is None:
        st.caption("A link to this page cannot hold a photograph: drop yours here.")
        return None
    with st.popover("Its labels" if state.upload("labels") is None else "Its labels ✓", width="stretch"):
        labels = _uploader(
            "Label map", f"A PNG of the photograph's size with class ids 0 to {len(run.record.class_names) - 1}, 255 = none."
        )
    sample = cache.uploaded(run, photograph.name, photograph.content, labels and labels.content)
    return samples.fit(sample, side)


def _uploader(label: str, help: str) -> state.Upload | None:
    name = label.split()[0].lower()
    name = "labels" if name == "label" else name
    widget = f"{name}_file"
    st.file_uploader(label, key=widget, help=help, on_change=state.keep_upload, args=(name, widget))
    return state.upload(name)


def choose_hardest() -> float:
    """The share of the pixels that is highlighted, 0 to 1."""
    state.number("hardest", 1, 100, default=100)
    return st.slider("Show the hardest", 1, 100, key="hardest", format="%d %%", persist_state="session") / 100


def choose_look() -> Look:
    """Opacity, colour scale of the hardness maps and range of the loss maps."""
    state.number("opacity", 0, 100, default=70)
    opacity = st.slider("Opacity over the image", 0, 100, key="opacity", format="%d %%", persist_state="session")
    state.choice("scale", HARDNESS_SCALES, default=HARDNESS_SCALES[0])
    scale = st.selectbox("Colours of hardness", HARDNESS_SCALES, key="scale", persist_state="session")
    state.choice("nats", NATS, default=4)
    nats = st.selectbox("Loss from 0 to", NATS, format_func=lambda n: f"{n} nats", key="nats", persist_state="session")
    return Look(scale, opacity / 100, nats)


def with_hardest(look: Look, maps: Maps, share: float) -> Look:
    """The look with only the hardest share of the pixels coloured."""
    return look if share == 1 else replace(look, above=cache.threshold(maps, share))


def choose_panels(*, labelled: bool) -> list[str]:
    """Which maps are shown."""
    options = INSPECTED if labelled else INSPECTED[:3]
    state.choices("show", options, default=options)
    return st.pills("Maps", options, selection_mode="multi", key="show", persist_state="session") or list(options)


def point_values(run: Run, picture: Picture, maps: Maps) -> None:
    """The pinned pixel by numbers, for those who do not click, and what is known of it."""
    height, width = picture.size
    x_column, y_column, values_column = st.columns([2, 2, 7], vertical_alignment="center")
    for column, name, size in ((x_column, "x", width), (y_column, "y", height)):
        column.number_input(f"{name} (px)", 0, size - 1, value=None, step=1, key=name, persist_state="session")
    place = state.point(width, height)
    if place is None:
        values_column.caption("Click on a panel or type x and y to read one pixel.")
        return
    x, y = place
    names, label_map = run.record.class_names, picture.sample.label_map
    texts = [f"predicted **{names[maps.prediction[y, x]]}** (probability {maps.probability[y, x]:.3f})"]
    if label_map is not None:
        label = label_map[y, x]
        texts.append(f"labelled **{names[label]}**" if label < len(names) else "not labelled")
    texts.append(f"hardness **{maps.hardness_map[y, x]:.3f}**")
    if maps.loss_map is not None and np.isfinite(maps.loss_map[y, x]):
        texts.append(f"loss **{maps.loss_map[y, x]:.3f}** nats")
    values_column.markdown(" · ".join(texts))


def size_note(picture: Picture) -> None:
    """Says so where the picture was scaled down."""
    if picture.size != picture.own_size:
        (height, width), (own_height, own_width) = picture.size, picture.own_size
        st.caption(f"Analysed at {width} × {height} px; the picture itself has {own_width} × {own_height} px.")


def downloads(picture: Picture, maps: Maps, look: Look, *, epoch: int) -> None:
    """Hardness and overlay as files, at the analysed size or the picture's own."""
    sizes = list(dict.fromkeys([picture.size, picture.own_size]))
    size = sizes[0]
    if len(sizes) > 1:
        size = st.radio("Size", sizes, format_func=lambda hw: _size_text(hw, picture), key="download_size")
    stem = f"{Path(picture.sample.name).stem}-epoch{epoch}"

    def resized() -> np.ndarray:
        same = size == picture.size
        return maps.hardness_map if same else np.clip(resize_map(maps.hardness_map, size), 0, 1)

    def overlaid() -> PillowImage.Image:
        hardness_map = resized()
        colours = colour_map(hardness_map, scale=look.scale, low=0, high=1)
        where = None if look.above is None else hardness_map >= look.above
        image = resize_image(picture.sample.image, size)
        return PillowImage.fromarray(overlay(image, colours, opacity=look.opacity, where=where))

    files: dict[str, tuple[str, str, Callable[[io.BytesIO], None]]] = {
        "Hardness, 16-bit PNG": ("hardness.png", "image/png", lambda file: write_hardness_png(file, resized())),
        "Hardness, NPY": ("hardness.npy", "application/octet-stream", lambda file: np.save(file, resized())),
        "Overlay, PNG": ("overlay.png", "image/png", lambda file: overlaid().save(file, "PNG")),
    }
    for label, (suffix, mime, write) in files.items():
        content = partial(_content, write)
        st.download_button(label, content, f"{stem}.{suffix}", mime, on_click="ignore", width="stretch")


def _content(write: Callable[[io.BytesIO], None]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def _size_text(size: tuple[int, int], picture: Picture) -> str:
    meaning = "as analysed" if size == picture.size else "the picture's own, interpolated"
    return f"{size[1]} × {size[0]} px, {meaning}"
