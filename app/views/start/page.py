"""Start: shown as long as there is no run."""

import streamlit as st

from app.components.messages import draw_about

st.title("No trained network yet")
draw_about(None)
st.markdown(
    "There is no run in `checkpoints/`, in `runs/` or in the folders in `$HLCORE_RUNS`. Train a small network on the "
    "built-in street scenes (no download needed), then reload this page:"
)
st.code("hlcore train", language="bash")
st.markdown("To use runs in another folder:")
st.code("hlcore app /path/to/runs", language="bash")
