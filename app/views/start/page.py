"""What to do where there is no run yet."""

import streamlit as st

from app.components.messages import draw_about

st.title("No trained network yet")
draw_about()
st.markdown(
    "There is no run in `checkpoints/`, in `runs/` or in a folder named by `$HLCORE_RUNS`. Train a small network on "
    "the built-in street scenes, which needs no download, then reload this page:"
)
st.code("hlcore train", language="bash")
st.markdown("Runs that lie elsewhere are found with")
st.code("hlcore app /path/to/runs", language="bash")
