"""About the method: how hardness is learned, what it is not, and the definitions of all numbers."""

import streamlit as st

from app.components import definitions
from app.components.messages import ABOUT
from app.components.run_picker import load_selected_run
from app.loading import runs as run_loading
from app.views.method import pipeline, text
from hlcore.config import LossConfig


def draw_equations() -> None:
    """Draw the equations, their symbols, the variants and the source."""
    defaults = LossConfig()
    for equation in text.EQUATIONS:
        st.latex(equation)
    ratio = (1 + defaults.c) / defaults.c
    st.markdown(text.SYMBOLS.format(c=defaults.c, ratio=ratio, hardness_lambda=defaults.hardness_lambda))
    st.markdown(f"##### Why it learns slowly\n\n{text.LEARNING_SPEED}")
    st.latex(text.SATURATION_EQUATION)
    st.markdown(text.SATURATION)
    st.markdown(f"##### Batch or image\n\n{text.NORMALISATION}")
    st.markdown(f"##### Other losses\n\n{text.BASELINES}")
    st.markdown(text.SOURCES)


def draw_definitions() -> None:
    """Draw every definition under its own anchor."""
    st.header("Definitions", anchor="numbers")
    with st.container(key="definitions"):
        for group, defined in definitions.read_definitions().items():
            st.markdown(f"### {group}")
            for name, sentences in defined.items():
                st.subheader(name, anchor=definitions.make_anchor(name))
                st.markdown(sentences)


st.markdown(ABOUT)
left, right = st.columns([6, 5], gap="large")
drawing = left.container()
left.markdown(f"##### Three gradient walls\n\n{text.GRADIENT_STOPS}")
with right:
    draw_equations()
st.markdown(f"##### What hardness is not\n\n{text.LIMITS}")
draw_definitions()
pipeline.keep_scroll_position()
with drawing:  # last, because loading a network takes seconds and may fail
    pipeline.draw_pipeline(pipeline.make_pipeline_maps(load_selected_run()) if run_loading.find_run_folders() else {})
