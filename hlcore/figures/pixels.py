"""Figure of one pixel over the epochs."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from hlcore.figures.style import QUANTITIES, escape_name, make_template


def make_pixel_history_figure(table: pd.DataFrame) -> go.Figure:
    """Hardness (left axis) and loss in nats, if any (right axis), of a pixel; crosses mark wrong predictions.

    Args:
        table: One row per epoch: epoch, hardness, class_name (predicted), error; optionally loss.
    """
    figure = make_subplots(specs=[[{"secondary_y": True}]])
    for name, unit in (("hardness", ""), ("loss", " nats")):
        if name not in table or not table[name].notna().to_numpy().any():
            continue
        figure.add_scatter(
            x=table["epoch"],
            y=table[name],
            name=name,
            mode="lines+markers",
            line={"color": QUANTITIES[name], "dash": "solid" if name == "hardness" else "dash"},
            marker={"symbol": ["x" if error else "circle" for error in table["error"]], "size": 8},
            customdata=table["class_name"].map(escape_name),
            hovertemplate=f"epoch %{{x}}: {name} %{{y:.3f}}{unit}, predicted %{{customdata}}<extra></extra>",
            secondary_y=name == "loss",
        )
    figure.update_layout(template=make_template(), margin={"t": 30, "b": 40, "r": 60}, hovermode="closest")
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(title="hardness", range=[0, 1], secondary_y=False)
    figure.update_yaxes(title="loss, nats", rangemode="tozero", showgrid=False, secondary_y=True)
    return figure
