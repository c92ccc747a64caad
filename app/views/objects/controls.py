"""Controls and table of the Objects page."""

from dataclasses import dataclass
from typing import Any, get_args

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.table_picker import select_row
from app.components.words import explain, say, say_plainly
from app.loading.objects import Objects
from app.views.objects.scenes import Row
from hlcore.analysis.object_sizes import CUT_POINTS_PX, Size, SizeBins
from hlcore.errors import InvalidInputError

SIZES = {"area_px": "Area", "thickness_px": "Thickness"}
QUANTITIES = {"hardness_mean": "Hardness", "loss_mean": "Loss", "error_share": "Wrong pixels", "iou": "IoU"}
LARGE_PX = 300
"""Objects of at least this area are listed first, because smaller ones can hardly be seen."""
ORDER = f"Sorted by value, highest first; objects below {LARGE_PX} px are listed last."
_CUTS = {"area_px": "area_cuts", "thickness_px": "thickness_cuts"}
"""URL parameter of the cut points of each size."""
_COLUMNS = {
    "image": ("Image", None, None),
    "object": ("No.", None, None),
    "class_name": ("Class", None, None),
    "area_px": ("Area, px", "%d", "Object"),
    "hardness_mean": ("Hardness", "%.3f", "Hardness"),
    "hardness_over_edge": ("Over edge", "%+.3f", "Over edge"),
    "hardness_interior": ("Interior", "%.3f", "Edge pixels and interior"),
    "hardness_p95": ("95th pct.", "%.3f", "Hardness"),
    "loss_mean": ("Loss, nats", "%.3f", "Loss"),
    "error_share": ("Wrong pixels", "percent", "Error"),
    "iou": ("IoU", "%.3f", "IoU of an object"),
    "thickness_px": ("Thickness, px", "%.1f", "Thickness"),
    "edge_share": ("Edge pixels", "percent", "Edge pixels and interior"),
    "touches_border": ("Touches border", None, "Object"),
}
"""Column to header, format and definition."""


@dataclass(frozen=True)
class Choice:
    """What the charts show.

    Attributes:
        quantity: A column of the table of objects.
        bins: Size bins of the horizontal axis.
        classes: Only these classes; all if empty.
    """

    quantity: str
    bins: SizeBins
    classes: tuple[str, ...]


def select_choice(objects: Objects) -> Choice:
    """The selected size, quantity, classes and bins."""
    size_column, quantity_column, classes_column, bins_column = st.columns([4, 3, 5, 2], vertical_alignment="bottom")
    size: Size = session.ensure_choice("object_size", get_args(Size), default="area_px")
    size_column.segmented_control(
        "Size",
        get_args(Size),
        format_func=SIZES.__getitem__,
        key="object_size",
        required=True,
        persist_state="session",
        help="Thickness is twice the largest distance from a pixel inside the object to the outside. "
        + definitions.list_links("Object", "Thickness"),
    )
    measured = list_known_columns(objects.table)
    known = [name for name in QUANTITIES if name in measured or name == "hardness_mean"]
    session.ensure_choice("object_quantity", known, default=known[0])
    quantity = quantity_column.selectbox(
        "Quantity",
        known,
        format_func=lambda name: say_plainly(QUANTITIES[name]),
        key="object_quantity",
        persist_state="session",
        help=say(definitions.list_links("Hardness", "Loss", "Error", "IoU of an object")),
    )
    session.ensure_choices("object_classes", objects.class_names, default=[])
    classes = classes_column.multiselect(
        "Classes", objects.class_names, key="object_classes", placeholder="All classes", persist_state="session"
    )
    with bins_column, st.popover("Bins", width="stretch"):
        bins = _select_bins(size)
    return Choice(quantity, bins, tuple(classes))


def format_object_name(image: Any, number: Any) -> str:
    """The name of an object in links."""
    return f"{image}#{number}"


def sort_objects(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """The objects by value, highest first, with small objects last."""
    rows = table.sort_values(quantity, ascending=False, na_position="last", kind="stable")
    return rows.sort_values("area_px", ascending=False, key=lambda area: area >= LARGE_PX, kind="stable")


def select_object(table: pd.DataFrame, *, identity: str, clicked: str | None, selections: int) -> Row:
    """Draw a table of the objects and return the row of the selected one.

    At first, and whenever `selections` changes (a click in a viewer, or a link), this is the object clicked in the
    chart or else the one in the link.
    """
    names = [format_object_name(*pair) for pair in zip(table["image"], table["object"], strict=True)]
    if clicked in names and session.detect_change("clicked_object", clicked):
        session.set_choice("object", clicked)
    first = names.index(session.ensure_choice("object", names, default=names[0]))
    at = select_row(
        table,
        first,
        columns={name: _make_column(*_COLUMNS[name]) for name in list_known_columns(table)},
        key=f"objects_table {identity} {clicked} {selections}",
    )
    session.set_choice("object", names[at])
    return table.iloc[at].to_dict()


def list_known_columns(table: pd.DataFrame) -> list[str]:
    """The columns of the table on the page that have a value: without labels there is no loss, for example."""
    return [name for name in _COLUMNS if name in table and bool(table[name].notna().any())]


def _make_column(title: str, form: str | None, defined: str | None) -> Any:
    hint, title = explain(defined) if defined else None, say_plainly(title)
    if form is None:
        return st.column_config.Column(title, help=hint)
    return st.column_config.NumberColumn(title, format=form, help=hint)


def _select_bins(size: Size) -> SizeBins:
    """The bins entered, or an error message and the default bins."""
    defaults = ", ".join(f"{point:g}" for point in CUT_POINTS_PX[size])
    session.ensure_text(_CUTS[size], default=defaults)
    typed = st.text_input(
        f"Cut points of {SIZES[size].lower()}, px",
        key=_CUTS[size],
        persist_state="session",
        help=f"Boundaries between bins, separated by commas, such as {defaults}. "
        + definitions.list_links("Mean by size"),
    )
    try:
        return SizeBins(size, _parse_numbers(typed))
    except InvalidInputError as error:
        st.error(f"{session.escape_sentence(error)}. Showing the default bins.", icon=":material/error:")
        return SizeBins(size, CUT_POINTS_PX[size])


def _parse_numbers(typed: str) -> tuple[float, ...]:
    """The numbers in a comma-separated text.

    Raises:
        InvalidInputError: a part is not a number.
    """
    try:
        return tuple(float(part) for part in typed.replace(";", ",").split(",") if part.strip())
    except ValueError as error:
        raise InvalidInputError(f"cut points must be numbers separated by commas, got {typed!r}") from error
