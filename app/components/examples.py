"""The gallery of examples with their maps, computed when the app was built, and what one click on it selects."""

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from app import session
from app.loading.pictures import PHOTOGRAPHS, SCENES, UPLOAD
from app.loading.runs import find_run_folders

FOLDER = Path(__file__).parents[1] / "assets" / "examples"


class Example(NamedTuple):
    """An image, and the bundled run that is at home on it."""

    title: str
    run: str
    source: str
    sample: str

    @property
    def path(self) -> Path:
        """The image beside its hardness map; `python -m tests.screenshots` makes it."""
        return FOLDER / f"{self.run}-{self.sample}.webp"


EXAMPLES = (
    Example("street 1", "streets", SCENES, "test-0003"),
    Example("street 2", "streets", SCENES, "test-0005"),
    Example("street 3", "streets", SCENES, "test-0008"),
    Example("motorcycle", "camvid", PHOTOGRAPHS, "motorcycle"),
    Example("rocket", "camvid", PHOTOGRAPHS, "rocket"),
    Example("cat", "camvid", PHOTOGRAPHS, "cat"),
    Example("astronaut", "camvid", PHOTOGRAPHS, "astronaut"),
    Example("coffee", "camvid", PHOTOGRAPHS, "coffee"),
)


def draw_examples() -> None:
    """Draw the examples whose run is there; open at first, unless a link says what to show."""
    known = [example for example in EXAMPLES if example.run in find_run_folders() and example.path.is_file()]
    if not known:
        return
    is_open = session.decide_once("examples", not session.came_by_link())
    with st.expander("Examples: an image, and how hard each of its pixels is", expanded=is_open):
        gallery, upload = st.columns([9, 1.3])
        grid = gallery.grid(min_column_width=72)
        for example in known:
            with grid.cell(), st.container(key=f"shows_{example.path.stem}"):  # for style.css
                st.image(str(example.path), width="stretch", alt=f"{example.title} and its hardness map")
                st.button(
                    example.title,
                    key=f"example_{example.path.stem}",
                    type="tertiary",
                    on_click=select_example,
                    args=(example,),
                )
        upload.button("Your photo", key="example_upload", on_click=select_upload, width="stretch")


def select_example(example: Example) -> None:
    """Select the example and the run that is at home on it."""
    for name, value in (("run", example.run), ("source", example.source), ("sample", example.sample)):
        session.set_choice(name, value)


def select_upload() -> None:
    """Select an upload, looked at by a run that was trained on photographs if there is one."""
    if "camvid" in find_run_folders():
        session.set_choice("run", "camvid")
    session.set_choice("source", UPLOAD)
