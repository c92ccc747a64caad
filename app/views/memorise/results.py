"""Results of the Memorise page: a sentence, a table and curves."""

import pandas as pd
import streamlit as st

from app.components import definitions
from app.loading.memorise import Progress
from hlcore.figures.stability import make_memorise_figure

COLUMNS = {
    "map": "map",
    "step": "step",
    "level": "mean (loss in nats)",
    "relative_level": "mean, #0 = 1",
    "spearman": "Spearman to #0",
    "top10_iou": "top 10 % IoU to #0",
    "total_variation": "total variation to #0",
}

DEFINITIONS = {
    "level": "Memorise",
    "relative_level": "Memorise",
    "spearman": "Spearman",
    "top10_iou": "Top tenth IoU",
    "total_variation": "Total variation",
}
"""Column to its definition."""


def draw_results(table: pd.DataFrame, progress: Progress) -> None:
    """Draw the results as a sentence, a table and curves."""
    hardness, loss = (table[table["map"] == name].iloc[-1] for name in ("hardness", "loss"))
    steps = "1 step" if loss["step"] == 1 else f"{loss['step']} steps"
    st.markdown(
        f"After {steps} the mean loss is **{loss['relative_level']:.0%}** and the mean hardness "
        f"**{hardness['relative_level']:.0%}** of the value at #0; the hardest 10 % overlap those of #0 with an "
        f"IoU of **{hardness['top10_iou']:.2f}** (hardness) and **{loss['top10_iou']:.2f}** (loss)."
    )
    formats = {
        COLUMNS[column]: st.column_config.NumberColumn(format="%.3f", help=definitions.get_text(name))
        for column, name in DEFINITIONS.items()
    }
    shown = table.rename(columns=COLUMNS)[list(COLUMNS.values())]
    st.dataframe(shown, hide_index=True, column_config=formats, key="memorise_numbers")
    st.caption(definitions.list_links(*DEFINITIONS.values(), "Loss", "Hardness"))
    st.plotly_chart(make_memorise_figure(progress.curve_table()), key="memorise_curve", height=330)
