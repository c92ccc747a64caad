"""Compare runs: shared classes, training curves, and the gain of one run over another."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

BEST, LAST = "best", "last"
_NO_INTERVAL = {"low": np.nan, "high": np.nan}


def shared_classes(class_names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Classes that all runs have, in the order of the first.

    Example:
        >>> shared_classes([("sky", "road", "car"), ("car", "sky")])
        ('sky', 'car')
    """
    first, *others = class_names
    return tuple(name for name in first if all(name in other for other in others))


def mean_iou_by_epoch(epochs: Mapping[str, pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Mean IoU of each run after each epoch: run, epoch, value, low, high.

    There is no interval (NaN). Classes absent in an epoch (NaN) are left out of its mean.

    Args:
        epochs: Run to its table of epochs.
        columns: IoU columns of the classes to average.
    """
    tables = [
        pd.DataFrame({"run": run, "epoch": table["epoch"], "value": table[list(columns)].mean(axis=1), **_NO_INTERVAL})
        for run, table in epochs.items()
    ]
    return pd.concat(tables, ignore_index=True).dropna(subset=["value"])


def find_last_and_best(by_epoch: pd.DataFrame) -> pd.DataFrame:
    """Last and best epoch of each run: run, which ("last" or "best"), epoch, value."""
    rows = []
    for run, table in by_epoch.groupby("run", sort=False):
        for which, row in ((LAST, table.iloc[-1]), (BEST, table.loc[table["value"].idxmax()])):
            rows.append({"run": run, "which": which, "epoch": int(row["epoch"]), "value": row["value"]})
    return pd.DataFrame(rows, columns=["run", "which", "epoch", "value"])


def last_class_iou(epochs: Mapping[str, pd.DataFrame], columns: Mapping[str, str]) -> pd.DataFrame:
    """IoU of each class after each run's last epoch: run, class_name, value, low, high.

    Args:
        epochs: Run to its table of epochs; an empty one adds no row.
        columns: Class to its IoU column.
    """
    rows = [
        {"run": run, "class_name": name, "value": table[column].iloc[-1], **_NO_INTERVAL}
        for run, table in epochs.items()
        for name, column in columns.items()
        if len(table)
    ]
    return pd.DataFrame(rows, columns=["run", "class_name", "value", "low", "high"])


def class_iou_gains(class_iou: pd.DataFrame, *, baseline: str, compared: str) -> pd.DataFrame:
    """IoU of one run minus that of another by class, largest gain first: class_name, value.

    Classes without an IoU in either run are left out. There is no interval, as each run has one seed.

    Args:
        class_iou: run, class_name, value.
        baseline: The run that is subtracted.
        compared: The run it is subtracted from.

    Example:
        >>> iou = pd.DataFrame({"run": ["a", "b"], "class_name": "sky", "value": [0.25, 0.75]})
        >>> class_iou_gains(iou, baseline="a", compared="b").to_dict("records")
        [{'class_name': 'sky', 'value': 0.5}]
    """
    of_run = class_iou.set_index(["run", "class_name"])["value"]
    difference = (of_run.loc[compared] - of_run.loc[baseline]).dropna().rename("value")
    return difference.sort_values(ascending=False, kind="stable").rename_axis("class_name").reset_index()


def training_by_epoch(steps: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Training measures by epoch: run, epoch, measure, value, low, high.

    Measures are `hardness_lift`, the mean over the steps, and `image_ms`, the median time of a step per image,
    including data loading. `low` to `high` holds the middle 80 % of the steps; it is not an interval of the mean.

    Args:
        steps: Run to its table of steps: epoch, hardness_lift, images_per_s.
    """
    tables = []
    for run, table in steps.items():
        values = {"hardness_lift": table["hardness_lift"], "image_ms": 1000 / table["images_per_s"]}
        for measure, column in values.items():
            by_epoch = column.groupby(table["epoch"])
            middle = by_epoch.mean() if measure == "hardness_lift" else by_epoch.median()
            columns = {"value": middle, "low": by_epoch.quantile(0.1), "high": by_epoch.quantile(0.9)}
            tables.append(pd.DataFrame(columns).reset_index().assign(run=run, measure=measure))
    columns = ["run", "epoch", "measure", "value", "low", "high"]
    return pd.concat(tables, ignore_index=True).reindex(columns=columns).dropna(subset=["value"])
