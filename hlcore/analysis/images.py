"""One row per image of a data set: hardness, loss, errors, and the disagreement of loss and hardness."""

import numpy as np
import pandas as pd
from jaxtyping import Float32

from hlcore.analysis.map_agreement import hardest_threshold
from hlcore.analysis.segmentation import class_iou, confusion_matrix, mean_iou
from hlcore.analysis.statistics import divide
from hlcore.types import PredictionRecord

HIGHEST = 0.1
"""Share of highest pixels that `disagreement` compares."""

RANKINGS = {
    "hardness": "hardness_mean",
    "loss": "loss_mean",
    "error": "error_share",
    "disagreement": "disagreement",
    "iou": "mean_iou",
    "entropy": "entropy_mean",
    "label_quality": "label_quality",
    "dice": "dice_over_training",
}
"""Quantities that images can be ranked by, with their columns; the last two lack in older analyses, and Dice over
training where fewer than two trained epochs were measured."""
SOFTMIN_TEMPERATURE = 0.1
CLASS_RANKINGS = ("hardness", "loss", "error")
"""Those that also exist for each class of an image."""


def describe_image(record: PredictionRecord) -> pd.DataFrame:
    """One row about an image.

    Returns:
        - `image` (its name), `width`, `height` (px)
        - `hardness_mean`, `hardness_p95` (95th percentile), `entropy_mean` (nats): over all pixels
        - `loss_mean` (nats), `error_share`, `mean_iou` (over the classes that are labelled or predicted in this
          image), `disagreement` (see `disagreement`), `label_quality` (see `label_quality`): over the labelled pixels;
          NaN without any
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
        "label_quality": np.nan,
    }
    labelled = record.label_map is not None and record.valid.any()
    if labelled and record.has_prediction:
        confusion = confusion_matrix(record.labels, record.prediction, num_classes=len(record.class_names))
        row |= {"error_share": record.error.sum() / record.valid.sum(), "mean_iou": mean_iou(confusion)}
    if labelled and record.has_probabilities:
        row |= {
            "loss_mean": np.nanmean(record.loss_map, dtype=float),
            "disagreement": disagreement(record),
            "label_quality": label_quality(record.loss_map[record.valid]),
        }
    return pd.DataFrame([row])


def describe_classes(record: PredictionRecord) -> pd.DataFrame:
    """One row per labelled class of an image; none without a label map.

    Returns:
        `image`, `class_name`, `pixels` (labelled as this class), and over these pixels `hardness_mean`, `loss_mean`
        (nats) and `error_share`.
    """
    columns = ("image", "class_name", "pixels", "hardness_mean", "loss_mean", "error_share")
    if record.label_map is None:
        return pd.DataFrame(columns=list(columns))
    labels, count = record.labels[record.valid].astype(np.intp), len(record.class_names)
    pixels = np.bincount(labels, minlength=count)
    maps = {"hardness_mean": record.hardness_map, "loss_mean": record.loss_map}
    sums = {name: np.bincount(labels, values[record.valid], minlength=count) for name, values in maps.items()}
    wrong = np.bincount(record.labels[record.error], minlength=count)
    sums["error_share"] = wrong if record.has_prediction else np.full(count, np.nan)
    means = {name: divide(total, pixels) for name, total in sums.items()}
    table = pd.DataFrame(
        {"image": record.name, "class_name": record.class_names, "pixels": pixels, **means}, columns=list(columns)
    )
    return table.loc[pixels > 0].reset_index(drop=True)


def rank_images(table: pd.DataFrame, *, by: str, highest_first: bool = True, containing: str = "") -> pd.DataFrame:
    """Images in order, with columns image and value; those without a value come last.

    Args:
        table: From `describe_image`, or the rows of one class from `describe_classes`.
        by: One of RANKINGS.
        highest_first: Whether the highest value comes first.
        containing: Only images whose name contains this, ignoring case.

    Example:
        >>> table = pd.DataFrame({"image": ["b1", "a1", "a2"], "loss_mean": [0.5, 0.2, 0.7]})
        >>> rank_images(table, by="loss", containing="A")["image"].tolist()
        ['a2', 'a1']
    """
    found = table["image"].str.contains(containing, case=False, regex=False)
    values = table.loc[found, ["image", RANKINGS[by]]].rename(columns={RANKINGS[by]: "value"})
    return values.sort_values(["value", "image"], ascending=[not highest_first, True], ignore_index=True)


def label_quality(losses: Float32[np.ndarray, " N"], *, temperature: float = SOFTMIN_TEMPERATURE) -> float:
    """Soft minimum of the probability of the label, 0 to 1: low if any pixels are surely labelled otherwise.

    The mean of the probabilities, weighted by the softmax of (1 - probability) / temperature; NaN without pixels.

    Args:
        losses: Cross entropy of pixels in nats.
        temperature: Near 0 gives the minimum, a large one the mean.

    Source: Lad and Mueller, "Estimating label quality and errors in semantic segmentation data via any model", 2023.

    Example:
        >>> sure, wrong = -np.log(np.float32([0.99, 0.99])), -np.log(np.float32([0.99, 0.01]))
        >>> round(label_quality(sure), 2), round(label_quality(wrong), 2)
        (0.99, 0.01)
    """
    if not losses.size:
        return float("nan")
    probability = np.exp(-losses, dtype=np.float64)
    weight = np.exp((1 - probability) / temperature)
    return float((weight * probability).sum() / weight.sum())


def mean_dice(record: PredictionRecord) -> float:
    """Dice averaged over the classes that are labelled or predicted in the image, 0 to 1; NaN without either."""
    if not record.has_prediction:
        return float("nan")
    confusion = confusion_matrix(record.labels, record.prediction, num_classes=len(record.class_names))
    iou = class_iou(confusion)
    known = iou[np.isfinite(iou)]
    return float(np.mean(2 * known / (1 + known))) if known.size else float("nan")


def disagreement(record: PredictionRecord) -> float:
    """Share of the loss map's highest 10 % that is not in the hardness map's highest 10 %, over labelled pixels.

    0 if both pick the same pixels, 0.9 by chance, 1 if they have none in common; NaN without labelled pixels. Ties
    with the threshold are included, so a constant map agrees with any other.

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
