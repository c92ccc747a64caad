"""The tables of an analysis, as files hold them: their columns, and what each column may hold."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from hlcore.storage.files import check_name
from hlcore.types import IMPORTED_PREFIX

Check: TypeAlias = Callable[[pd.Series, Sequence[str]], bool]
"""Takes a column with rows and the names of the scored classes, and says whether the column holds what it should."""


_ROUNDING = 1e-6


def _is_text(column: pd.Series, _classes: Sequence[str]) -> bool:
    return types.is_string_dtype(column) and bool(column.map(lambda value: isinstance(value, str)).all())


def _is_count(column: pd.Series, _classes: Sequence[str]) -> bool:
    return types.is_integer_dtype(column) and bool((column >= 0).all())


def _is_area(column: pd.Series, classes: Sequence[str]) -> bool:
    return _is_count(column, classes) and bool((column > 0).all())


def _is_number(column: pd.Series, _classes: Sequence[str]) -> bool:
    return types.is_numeric_dtype(column) and not types.is_bool_dtype(column) and not types.is_complex_dtype(column)


def _is_size(column: pd.Series, classes: Sequence[str]) -> bool:
    """A quantity such as a loss or a length, or NaN; not infinite."""
    return _is_number(column, classes) and not bool((column.abs() > 1e12).any())


def _is_share(column: pd.Series, classes: Sequence[str]) -> bool:
    return _is_number(column, classes) and bool(column.dropna().between(-_ROUNDING, 1 + _ROUNDING).all())


def _is_flag(column: pd.Series, _classes: Sequence[str]) -> bool:
    return types.is_bool_dtype(column) and not bool(column.isna().any())


def _is_file_name(column: pd.Series, classes: Sequence[str]) -> bool:
    with suppress(ValueError):
        return _is_text(column, classes) and all(map(check_name, column.unique()))
    return False


def _is_class(column: pd.Series, classes: Sequence[str]) -> bool:
    return _is_text(column, classes) and set(column.unique()) <= set(classes)


def _is_class_or_all(column: pd.Series, classes: Sequence[str]) -> bool:
    return _is_class(column, ("", *classes))


def _is_side(column: pd.Series, classes: Sequence[str]) -> bool:
    return _is_text(column, classes) and set(column.unique()) <= {"run", "data"}


def _is_snapshot(column: pd.Series, classes: Sequence[str]) -> bool:
    return _is_text(column, classes) and bool(column.str.fullmatch(r"(epoch|iteration)-[0-9]{1,12}").all())


def _all_of(*values: str) -> Check:
    """The column holds exactly these values, each at least once."""
    return lambda column, classes: _is_text(column, classes) and set(column.unique()) == set(values)


def _some_of(*values: str) -> Check:
    """The column holds only these values, and the first of them."""
    return lambda column, classes: _is_text(column, classes) and {values[0]} <= set(column.unique()) <= set(values)


class Schema(NamedTuple):
    """What a table must hold."""

    columns: dict[str, Check]
    crossed: tuple[str, ...] = ()
    """Columns that identify a row; each combination of their values has one."""
    may_be_empty: bool = False
    optional: Mapping[str, Check] = MappingProxyType({})
    """Columns that analyses of older versions lack."""

    def find_fault(self, table: pd.DataFrame, classes: Sequence[str]) -> str | None:
        """What is wrong with a table, such as "has no column 'image'"; None if it fits."""
        if missing := [name for name in self.columns if name not in table]:
            return f"has no column {missing[0]!r}"
        if table.empty:
            return None if self.may_be_empty else "has no rows"
        checks = self.columns | {name: fits for name, fits in self.optional.items() if name in table}
        if wrong := [name for name, fits in checks.items() if not fits(pd.Series(table[name]), classes)]:
            return f"has invalid values in column {wrong[0]!r}"
        for low, high in (("left", "right"), ("top", "bottom")):
            if low in self.columns and np.any(table[low] >= table[high]):
                return f"has a box whose {low} is not before its {high}"
        keys = list(self.crossed)
        combinations = 1
        for name in keys:
            combinations *= table[name].nunique()
        if keys and (len(table) != combinations or table.duplicated(keys).any()):
            return f"does not have one row for each combination of {', '.join(keys)}"
        return None


_ESTIMATE: dict[str, Check] = {"value": _is_number, "low": _is_number, "high": _is_number}
_SPLIT_AND_MAP: dict[str, Check] = {"split": _is_text, "map": _all_of("hardness", "loss")}
_BOX: dict[str, Check] = dict.fromkeys(("left", "top", "right", "bottom"), _is_count)
_DISTANCES = ("0", "1", "2", "3–4", "5–8", "9–16", "17–32", "> 32")
_EDGE_QUANTITIES = _all_of("hardness", "loss", "error_rate")
_EDGE_SOURCES = _some_of("label", "prediction", "gradient")
_OBJECT_QUANTITIES = _all_of(
    "hardness_mean", "hardness_interior", "hardness_over_edge", "loss_mean", "error_share", "iou"
)
_METRICS = _all_of("auroc", "ap", "fpr95", "aurc", "error_rate", "auroc_minus_hardness", "ap_minus_hardness")
_KNOWN_SCORES = _some_of(
    "hardness",
    "max_softmax",
    "entropy",
    "edge_distance",
    "mc_entropy",
    "hardness_x_max_softmax",
    "margin",
    "error_suspicion",
)
_REGIONS = _some_of("all", "edge", "interior")


def _is_score(column: pd.Series, classes: Sequence[str]) -> bool:
    """A score computed here, or an imported one."""
    return _is_text(column, classes) and _KNOWN_SCORES(
        pd.Series(column[~column.str.startswith(IMPORTED_PREFIX)]), classes
    )


SCHEMAS: dict[str, Schema] = {
    "cartography": Schema(
        {
            **dict.fromkeys(("mean_from", "spread_from", "hardness_mean"), _is_share),
            "pixels": _is_count,
        }
    ),
    "learning": Schema(
        {
            "quantity": _all_of("learned", "forgetting"),
            "group": _is_text,
            "measure": _all_of("share", "hardness_mean"),
            **_ESTIMATE,
        },
        (),
    ),
    "learning_correlations": Schema(
        {
            "quantity": _all_of("mean_probability", "spread", "forgetting", "learned"),
            **_ESTIMATE,
            "images": _is_count,
        },
        ("quantity",),
    ),
    "confusion": Schema({"label": _is_class, "prediction": _is_class, "pixels": _is_count}, ("label", "prediction")),
    "edge_contrast": Schema(
        {"source": _EDGE_SOURCES, "class_name": _is_class_or_all, "quantity": _EDGE_QUANTITIES, **_ESTIMATE},
        ("source", "class_name", "quantity"),
    ),
    "edge_pairs": Schema(
        {
            "source": _is_text,
            "first": _is_class,
            "second": _is_class,
            "distance": _is_text,
            "quantity": _EDGE_QUANTITIES,
            "pixels": _is_count,
            **_ESTIMATE,
        },
        may_be_empty=True,
    ),
    "edges": Schema(
        {
            "source": _EDGE_SOURCES,
            "class_name": _is_class_or_all,
            "distance": _all_of(*_DISTANCES),
            "quantity": _EDGE_QUANTITIES,
            "pixels": _is_count,
            **_ESTIMATE,
        },
        ("source", "class_name", "distance", "quantity"),
    ),
    "epoch_pairs": Schema(
        {
            **_SPLIT_AND_MAP,
            "first": _is_snapshot,
            "second": _is_snapshot,
            "kind": _is_text,
            "measure": _all_of("spearman", "pearson", "top10_iou", "turnover", "total_variation"),
            **_ESTIMATE,
            "images": _is_count,
        }
    ),
    "ignored_classes": Schema(
        {"side": _is_side, "class_name": _is_text, "pixels": _is_count, "share": _is_share},
        may_be_empty=True,
    ),
    "image_classes": Schema(
        {
            "image": _is_file_name,
            "class_name": _is_class,
            "pixels": _is_count,
            "hardness_mean": _is_share,
            "loss_mean": _is_size,
            "error_share": _is_share,
        },
        may_be_empty=True,
    ),
    "images": Schema(
        {
            "image": _is_file_name,
            "width": _is_count,
            "height": _is_count,
            **dict.fromkeys(("hardness_mean", "hardness_p95", "error_share", "mean_iou", "disagreement"), _is_share),
            **dict.fromkeys(("loss_mean", "entropy_mean"), _is_size),
        },
        ("image",),
        optional={"label_quality": _is_share, "dice_over_training": _is_share},
    ),
    "levels": Schema(
        {
            **_SPLIT_AND_MAP,
            "snapshot": _is_snapshot,
            "measure": _all_of("level", "relative_level", "edge_share"),
            **_ESTIMATE,
            "images": _is_count,
        },
        ("split", "map", "snapshot", "measure"),
    ),
    "objects": Schema(
        {
            "image": _is_file_name,
            "object": _is_count,
            "class_name": _is_class,
            "area_px": _is_area,
            **dict.fromkeys(("edge_share", "hardness_mean", "hardness_p95", "hardness_interior"), _is_share),
            **dict.fromkeys(("error_share", "iou"), _is_share),
            **dict.fromkeys(("equivalent_diameter_px", "thickness_px", "hardness_over_edge", "loss_mean"), _is_size),
            **_BOX,
            "touches_border": _is_flag,
        },
        may_be_empty=True,
    ),
    "risk_curves": Schema(
        {
            "score": _is_score,
            "region": _REGIONS,
            **dict.fromkeys(("pixels_share", "errors_share", "precision", "false_positive_share"), _is_number),
            **dict.fromkeys(("risk", "threshold", "low", "high"), _is_number),
        }
    ),
    "scores": Schema({"score": _is_score, "region": _REGIONS, "metric": _METRICS, "bound": _is_number, **_ESTIMATE}),
    "segmentation": Schema(
        {
            "class_name": _is_class_or_all,
            "metric": _all_of("iou", "boundary_iou", "iou_small", "iou_medium", "iou_large", "accuracy"),
            **_ESTIMATE,
        },
        ("class_name", "metric"),
    ),
    "size_correlations": Schema(
        {
            "size": _all_of("area_px", "thickness_px"),
            "quantity": _OBJECT_QUANTITIES,
            "objects": _is_count,
            **_ESTIMATE,
            "bound": _is_number,
        },
        ("size", "quantity"),
        may_be_empty=True,
    ),
    "size_curve": Schema(
        {
            **dict.fromkeys(("area_low_px", "area_high_px", "area_px"), _is_number),
            "quantity": _OBJECT_QUANTITIES,
            "objects": _is_count,
            **_ESTIMATE,
        },
        ("area_low_px", "quantity"),
        may_be_empty=True,
    ),
    "suspects": Schema(
        {
            "image": _is_file_name,
            "region": _is_count,
            "class_name": _is_class,
            "predicted": _is_class,
            "area_px": _is_area,
            "score": _is_size,
            "loss_mean": _is_size,
            "hardness_mean": _is_share,
            **_BOX,
        },
        may_be_empty=True,
        optional={"label_quality": _is_share},
    ),
    "variation": Schema(
        {
            **_SPLIT_AND_MAP,
            "measure": _all_of("coefficient_of_variation", "coefficient_of_variation_normalised"),
            **_ESTIMATE,
            "images": _is_count,
        },
        ("split", "map", "measure"),
    ),
}
"""Name of a table to its schema."""
