"""What is known of each image of a data set: how hard, how wrong, and how far loss and hardness part ways."""

import numpy as np
import pandas as pd

from hlcore.analysis.map_agreement import hardest_threshold
from hlcore.analysis.segmentation import confusion_matrix, mean_iou
from hlcore.analysis.statistics import divide
from hlcore.types import PredictionRecord

HIGHEST = 0.1
"""Share of a map whose turnover is the disagreement of loss and hardness."""

RANKINGS = {
    "hardness": "hardness_mean",
    "loss": "loss_mean",
    "error": "error_share",
    "disagreement": "disagreement",
    "iou": "mean_iou",
    "entropy": "entropy_mean",
}
"""What images can be ranked by, and its column."""
CLASS_RANKINGS = ("hardness", "loss", "error")
"""Those of them that each class of an image has too."""


def describe_image(record: PredictionRecord) -> pd.DataFrame:
    """The image in one row.

    Returns:
        - `image` (its name), `width`, `height` (px)
        - `hardness_mean`, `hardness_p95` (95th percentile), `entropy_mean` (nats): over all pixels
        - `loss_mean` (nats), `error_share`, `mean_iou` (over the classes that are labelled or predicted in this
          image), `disagreement` (see `disagreement`): over the labelled pixels; NaN where there are none
    """
    height, width = record.image.shape[:2]
    row = {
        "image": record.name,
        "width": width,
        "height": height,
        "hardness_mean": record.hardness_map.mean(dtype=float),
        "hardness_p95": float(np.quantile(record.hardness_map, 0.95)),
        "loss_mean": np.nan,
        "error_share": np.nan,
        "entropy_mean": record.entropy.mean(dtype=float),
        "mean_iou": np.nan,
        "disagreement": np.nan,
    }
    if record.label_map is not None and record.valid.any():
        confusion = confusion_matrix(record.labels, record.prediction, num_classes=len(record.class_names))
        row |= {
            "loss_mean": np.nanmean(record.loss_map, dtype=float),
            "error_share": record.error.sum() / record.valid.sum(),
            "mean_iou": mean_iou(confusion),
            "disagreement": disagreement(record),
        }
    return pd.DataFrame([row])


def describe_classes(record: PredictionRecord) -> pd.DataFrame:
    """The labelled classes of the image, a row each; no row without a label map.

    Returns:
        `image`, `class_name`, `pixels` (labelled as this class), and over these pixels `hardness_mean`, `loss_mean`
        (nats) and `error_share`.
    """
    columns = ("image", "class_name", "pixels", "hardness_mean", "loss_mean", "error_share")
    if record.label_map is None:
        return pd.DataFrame(columns=list(columns))
    labels, count = record.labels[record.valid], len(record.class_names)
    pixels = np.bincount(labels, minlength=count)
    maps = {"hardness_mean": record.hardness_map, "loss_mean": record.loss_map, "error_share": record.error}
    means = {name: divide(np.bincount(labels, m[record.valid], minlength=count), pixels) for name, m in maps.items()}
    table = pd.DataFrame(
        {"image": record.name, "class_name": record.class_names, "pixels": pixels, **means}, columns=list(columns)
    )
    return table.loc[pixels > 0].reset_index(drop=True)


def rank_images(table: pd.DataFrame, *, by: str, highest_first: bool = True, containing: str = "") -> pd.DataFrame:
    """The images in order: image, value; those without a value come last.

    Args:
        table: From `describe_image`, or the rows of one class from `describe_classes`.
        by: One of RANKINGS.
        highest_first: Or the lowest.
        containing: Only images with this in their names, in upper or lower case.

    Example:
        >>> table = pd.DataFrame({"image": ["b1", "a1", "a2"], "loss_mean": [0.5, 0.2, 0.7]})
        >>> rank_images(table, by="loss", containing="A")["image"].tolist()
        ['a2', 'a1']
    """
    found = table["image"].str.contains(containing, case=False, regex=False)
    values = table.loc[found, ["image", RANKINGS[by]]].rename(columns={RANKINGS[by]: "value"})
    return values.sort_values(["value", "image"], ascending=[not highest_first, True], ignore_index=True)


def disagreement(record: PredictionRecord) -> float:
    """Share of the loss map's highest 10 % that is not among the hardness map's highest 10 %, over labelled pixels.

    0 where both single out the same pixels, 0.9 for chance, 1 where they have none in common; NaN where no pixel is
    labelled. Pixels that tie with a threshold belong to the highest, so a map that is flat agrees with any other.

    Example:
        >>> shape = (1, 10)
        >>> labels, image = np.zeros(shape, int), np.zeros((*shape, 3), np.uint8)
        >>> right = np.linspace(0.1, 0.9, 10, dtype=np.float32)[None]
        >>> disagreement(PredictionRecord("a", image, labels, right, np.stack([right, 1 - right]), ("0", "1"), labels))
        1.0
    """
    loss, hardness = record.loss_map[record.valid], record.hardness_map[record.valid]
    if not loss.size:
        return float("nan")
    lossy, hard = (values >= hardest_threshold(values[None], share=HIGHEST) for values in (loss, hardness))
    return float((lossy & ~hard).sum() / lossy.sum())
