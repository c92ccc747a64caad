"""Fidelity: agreement of a run's maps with the loss of other networks."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from hlcore.analysis import fidelity
from hlcore.analysis.statistics import ImageSums
from hlcore.errors import InvalidInputError
from hlcore.types import PredictionRecord

CLASS_NAMES = ("road", "sky", "car")


def record(seed: int, *, label_map: np.ndarray | None = None) -> PredictionRecord:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet((1, 1, 1), (12, 16)).transpose(2, 0, 1).astype(np.float32)
    labels = rng.integers(0, 3, (12, 16)) if label_map is None else label_map
    return PredictionRecord(
        name=f"image-{seed}",
        image=np.zeros((12, 16, 3), np.uint8),
        prediction=probabilities.argmax(0),
        hardness_map=rng.random((12, 16), dtype=np.float32),
        probabilities=probabilities,
        class_names=CLASS_NAMES,
        label_map=np.where(rng.random((12, 16)) < 0.2, 255, labels),
    )


def measured(judged: PredictionRecord, yardstick: np.ndarray) -> dict[tuple[str, str], float]:
    sums = ImageSums()
    sums.add(judged.name, fidelity.measure_fidelity(judged, yardstick))
    rows = fidelity.make_table(sums).to_dict("records")
    return {(row["map"], row["measure"]): row["value"] for row in rows}


def test_a_networks_own_loss_agrees_perfectly_with_itself_and_hardness_as_scipy_says():
    judged = record(0)
    found = measured(judged, judged.loss_map)
    assert (found["loss", "spearman"], found["loss", "top10_iou"]) == (1, 1)
    valid = judged.valid
    expected = spearmanr(judged.hardness_map[valid], judged.loss_map[valid]).statistic
    assert found["hardness", "spearman"] == pytest.approx(expected)


def test_hardness_that_is_the_loss_of_the_others_is_faithful_whatever_its_own_network_does():
    judged, others = record(0), record(1)
    faithful = PredictionRecord(**{**vars(judged), "hardness_map": np.nan_to_num(others.loss_map) / 100})
    yardstick = np.where(judged.valid, others.loss_map, np.nan).astype(np.float32)
    found = measured(faithful, yardstick)
    assert found["hardness", "spearman"] == pytest.approx(1)
    assert abs(found["loss", "spearman"]) < 0.3


def test_pixels_that_are_ignored_change_nothing():
    judged = record(2)
    yardstick = np.where(judged.valid, record(3).probabilities[0], np.nan).astype(np.float32)
    hardness = np.where(judged.valid, judged.hardness_map, 0.5).astype(np.float32)
    changed = PredictionRecord(**{**vars(judged), "hardness_map": hardness})
    assert measured(judged, yardstick)["hardness", "spearman"] == measured(changed, yardstick)["hardness", "spearman"]


def test_a_prediction_without_an_edge_has_no_rank_correlation_by_edge_distance_and_does_not_affect_the_mean():
    flat = record(4)
    flat = PredictionRecord(**{**vars(flat), "prediction": np.zeros_like(flat.prediction)})
    other = record(5)
    sums = ImageSums()
    for judged in (flat, other):
        sums.add(judged.name, fidelity.measure_fidelity(judged, judged.loss_map))
    [row] = fidelity.make_table(sums).query("map == 'edge_distance' and measure == 'spearman'").to_dict("records")
    alone = measured(other, other.loss_map)["edge_distance", "spearman"]
    assert (row["value"], row["images"]) == (pytest.approx(alone), 1)


def test_the_table_gives_an_interval_over_images():
    sums = ImageSums()
    for seed in range(8):
        sums.add(f"image-{seed}", fidelity.measure_fidelity(record(seed), record(seed).loss_map))
    table = fidelity.make_table(sums)
    assert list(table.columns) == fidelity.COLUMNS
    assert len(table) == len(fidelity.MAPS) * len(fidelity.MEASURES)
    assert all(row["low"] <= row["value"] <= row["high"] for row in table.to_dict("records"))


def test_the_reference_is_the_mean_over_networks_and_undefined_where_one_is():
    one, two = np.array([[1.0, np.nan]], np.float32), np.array([[4.0, 2.0]], np.float32)
    np.testing.assert_array_equal(fidelity.mean_loss_map([one, two]), np.array([[2.5, np.nan]], np.float32))


def test_maps_of_several_sizes_and_no_map_at_all_are_refused():
    with pytest.raises(InvalidInputError, match=r"loss maps of one image, got shapes \[\(1, 2\), \(2, 1\)\]"):
        fidelity.mean_loss_map([np.zeros((1, 2), np.float32), np.zeros((2, 1), np.float32)])
    with pytest.raises(InvalidInputError, match="loss maps of one image"):
        fidelity.mean_loss_map([])
