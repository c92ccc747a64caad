"""Several runs side by side: what they share, how they went, and what one gains over another."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

BEST, LAST = "best", "last"
_NO_INTERVAL = {"low": np.nan, "high": np.nan}


def shared_classes(class_names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """The classes every run knows, in the order of the first.

    Example:
        >>> shared_classes([("sky", "road", "car"), ("car", "sky")])
        ('sky', 'car')
    """
    first, *others = class_names
    return tuple(name for name in first if all(name in other for other in others))


def mean_iou_by_epoch(epochs: Mapping[str, pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """Mean IoU of each run after each epoch: run, epoch, value, low, high.

    One validation has no interval (NaN). A class that is absent in an epoch (NaN) is left out of its mean.

    Args:
        epochs: Run to its table of epochs.
        columns: The columns that hold the IoU of the classes that are averaged.
    """
    tables = [
        pd.DataFrame({"run": run, "epoch": table["epoch"], "value": table[list(columns)].mean(axis=1), **_NO_INTERVAL})
        for run, table in epochs.items()
    ]
    return pd.concat(tables, ignore_index=True).dropna(subset=["value"])


def find_last_and_best(by_epoch: pd.DataFrame) -> pd.DataFrame:
    """Where each run ended and its best epoch: run, which ("last" or "best"), epoch, value."""
    rows = []
    for run, table in by_epoch.groupby("run", sort=False):
        for which, row in ((LAST, table.iloc[-1]), (BEST, table.loc[table["value"].idxmax()])):
            rows.append({"run": run, "which": which, "epoch": int(row["epoch"]), "value": row["value"]})
    return pd.DataFrame(rows, columns=["run", "which", "epoch", "value"])


def last_class_iou(epochs: Mapping[str, pd.DataFrame], columns: Mapping[str, str]) -> pd.DataFrame:
    """IoU of each class after each run's last epoch: run, class_name, value, low, high.

    Args:
        epochs: Run to its table of epochs; one without any adds no row.
        columns: Class to the column that holds its IoU.
    """
    rows = [
        {"run": run, "class_name": name, "value": table[column].iloc[-1], **_NO_INTERVAL}
        for run, table in epochs.items()
        for name, column in columns.items()
        if len(table)
    ]
    return pd.DataFrame(rows, columns=["run", "class_name", "value", "low", "high"])


def class_iou_gains(class_iou: pd.DataFrame, *, baseline: str, compared: str) -> pd.DataFrame:
    """IoU of one run minus that of another, by class, the largest gain first: class_name, value.

    Classes that either run has no IoU of are left out. There is no interval: two runs are two seeds.

    Args:
        class_iou: run, class_name, value.
        baseline: What is subtracted.
        compared: What it is subtracted from.

    Example:
        >>> iou = pd.DataFrame({"run": ["a", "b"], "class_name": "sky", "value": [0.25, 0.75]})
        >>> class_iou_gains(iou, baseline="a", compared="b").to_dict("records")
        [{'class_name': 'sky', 'value': 0.5}]
    """
    of_run = class_iou.set_index(["run", "class_name"])["value"]
    difference = (of_run.loc[compared] - of_run.loc[baseline]).dropna().rename("value")
    return difference.sort_values(ascending=False, kind="stable").rename_axis("class_name").reset_index()


def training_by_epoch(steps: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How the steps of each epoch went: run, epoch, measure, value, low, high.

    Measures are `hardness_lift`, its mean over the steps, and `image_ms`, the median time a step took for each image
    of its batch, waiting for data included. The interval holds the middle 80 % of the steps; it is none of the mean.

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
