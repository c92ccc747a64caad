"""The app: run picker, navigation, and the one place where an expected error becomes a sentence."""

import sys
from functools import partial
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[1]))  # `streamlit run` puts only this file's folder on the path

from app import cache, state, widgets
from app.views import epochs, inspect
from hlcore.errors import HlcoreError


def main() -> None:
    """Draws the chosen page of the chosen run."""
    st.set_page_config(page_title="Pixel hardness", page_icon=":material/grain:", layout="wide")
    widgets.style()
    state.read_url()
    folders = cache.run_folders()
    if not folders:
        st.navigation([st.Page(widgets.no_runs, title="Start", default=True)], position="hidden").run()
        return
    try:
        with st.sidebar:
            run = widgets.choose_run(folders)
            widgets.facts(run)
        pages = [
            st.Page(partial(inspect.show, run), title="Inspect", icon=":material/search:", default=True),
            st.Page(partial(epochs.show, run), title="Epochs", icon=":material/timeline:", url_path="epochs"),
        ]
        st.navigation(pages).run()
    except HlcoreError as error:
        st.error(str(error), icon=":material/error:")
    for sentence in state.complaints():
        st.warning(f"The link could not be followed in all: {sentence}.", icon=":material/link_off:")
    state.write_url()


main()
