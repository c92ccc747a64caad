"""The app: run picker, navigation, and the one place where an expected error becomes a sentence."""

import sys
from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # `streamlit run` puts only this file's folder on the path

from app import cache, state, widgets  # noqa: E402 - needs the path
from hlcore.errors import HlcoreError  # noqa: E402 - the same

st.set_page_config(page_title="Pixel hardness", page_icon=HERE / "icon.png", layout="wide")
widgets.style()
learn = {
    "Learn": [st.Page("views/method.py", title="About the method", url_path="method", icon=":material/menu_book:")]
}
folders = cache.run_folders()
if folders:
    pages = {
        "Look": [
            st.Page("views/inspect.py", title="Inspect", icon=":material/search:", default=True),
            st.Page("views/epochs.py", title="Epochs", icon=":material/timeline:"),
        ],
        "Measure": [
            st.Page("views/edges.py", title="Edges", icon=":material/border_style:"),
            st.Page("views/objects.py", title="Objects", icon=":material/category:"),
            st.Page("views/errors.py", title="Errors", icon=":material/report:"),
            st.Page("views/stability.py", title="Stability", icon=":material/stacked_line_chart:"),
        ],
        "Hunt": [
            st.Page("views/dataset.py", title="Data set", icon=":material/grid_view:"),
            st.Page("views/labels.py", title="Labels", icon=":material/rule:"),
        ],
        "Train": [
            st.Page("views/memorise.py", title="Memorise", icon=":material/psychology:"),
            st.Page("views/runs.py", title="Runs", icon=":material/compare:"),
        ],
        **learn,
    }
else:
    pages = {"": [st.Page("views/start.py", title="Start", default=True)], **learn}
page = st.navigation(pages)
state.read_url()
state.arrive(page.title)
sentences = st.container()
try:
    if folders:
        with st.sidebar:
            widgets.choose_run(folders)
            widgets.facts(widgets.chosen_run())
    page.run()
except HlcoreError as error:
    st.error(str(error), icon=":material/error:")
if complaints := state.complaints():
    sentences.warning(widgets.not_followed(complaints), icon=":material/link_off:")
state.write_url()
state.stay(page.title)
