"""Tables split into pages, and tables with a selectable row."""

from math import ceil
from typing import Any

import pandas as pd
import streamlit as st

from app import session

TABLE_PX = 420


def select_page(name: str, rows: pd.DataFrame, *, size: int, identity: str, first: int = 0) -> pd.DataFrame:
    """The rows of the selected page; the page with row `first` whenever `identity` changes."""
    session.reset_choices_on_change([name], identity)
    pages = max(1, ceil(len(rows) / size))
    page = session.ensure_number(name, 1, pages, default=first // size + 1)
    if pages > 1:
        page = session.set_choice(name, st.pagination(pages, default=page))
    return rows.iloc[(page - 1) * size : page * size]


def select_row(table: pd.DataFrame, first: int, *, columns: dict[str, Any], key: str) -> int:
    """The index of the selected row in a table with these columns; `first` until one is selected."""
    shown = st.dataframe(
        table,
        hide_index=True,
        height=TABLE_PX,
        column_order=list(columns),
        column_config=columns,
        on_select="rerun",
        selection_mode="single-cell",
        selection_default={"selection": {"cells": [(first, next(iter(columns)))]}},
        key=key,
    )
    rows = [row for row, _ in shown["selection"]["cells"] if row < len(table)]
    return rows[0] if rows else first
