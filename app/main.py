"""Entry point of the app: navigation, run picker and the only handler of expected errors."""

import sys
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # `streamlit run` puts only this file's folder on the path

from app import session  # noqa: E402 - needs the path
from app.components.messages import format_link_warnings, list_received_uploads  # noqa: E402 - the same
from app.components.run_picker import draw_run_facts, draw_run_picker, load_selected_run  # noqa: E402 - the same
from app.loading import runs as run_loading  # noqa: E402 - the same
from app.loading.worker import follow_waiting  # noqa: E402 - the same
from hlcore.errors import HlcoreError  # noqa: E402 - the same

ASSETS = ROOT / "app" / "assets"
SECTIONS = {
    "Explore": {"inspect": ("Inspect", "search"), "epochs": ("Epochs", "timeline")},
    "Measure": {
        "edges": ("Edges", "border_style"),
        "objects": ("Objects", "category"),
        "errors": ("Errors", "report"),
        "stability": ("Stability", "stacked_line_chart"),
    },
    "Review": {"dataset": ("Data set", "grid_view"), "labels": ("Labels", "rule")},
    "Train": {"memorise": ("Memorise", "psychology"), "runs": ("Runs", "compare")},
    "Learn": {"method": ("About the method", "menu_book")},
}
"""Section to pages; a page's folder in views/, which is also its URL path, to its title and icon."""
WITHOUT_RUNS = {"": {"start": ("Start", "play_arrow")}, "Learn": SECTIONS["Learn"]}


def add_styles() -> None:
    """Add the style sheet, and the scripts that keep one entry per step in the history and follow uploads."""
    st.html(ASSETS / "style.css")
    for name in ("history.js", "uploads.js"):
        script = (ASSETS / name).read_text(encoding="utf-8")
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def make_page(folder: str, title: str, icon: str) -> StreamlitPage:
    """The page of a folder in views/; the app opens with Inspect, or Start if there is no run."""
    is_default = folder in {"inspect", "start"}
    return st.Page(
        f"views/{folder}/page.py", title=title, icon=f":material/{icon}:", url_path=folder, default=is_default
    )


st.set_page_config(page_title="Pixel hardness", page_icon=ASSETS / "icon.png", layout="wide")
add_styles()
folders = run_loading.find_run_folders()
page = st.navigation(
    {
        section: [make_page(folder, *shown) for folder, shown in pages.items()]
        for section, pages in (SECTIONS if folders else WITHOUT_RUNS).items()
    }
)
session.read_url()
session.restore_page_state(page.title)
warnings_place = st.container()
follow_waiting(st.container(key="waiting").empty(), session.look_for_input)
try:
    if folders:
        with st.sidebar:
            draw_run_picker(folders)
            draw_run_facts(load_selected_run())
    page.run()
except HlcoreError as error:
    st.error(session.escape_sentence(error), icon=":material/error:")
finally:
    session.save_choices()
if warnings := session.get_link_warnings():
    warnings_place.warning(format_link_warnings(warnings), icon=":material/link_off:")
list_received_uploads()
session.write_url()
session.save_page_state(page.title)
