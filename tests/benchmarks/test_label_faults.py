"""The benchmark of planted faults: its rankings equal scikit-learn's, and its table is consistent."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score

from benchmarks import fault_rankings, label_faults
from hlcore.analysis.label_faults import PlantedFaults
from hlcore.types import PredictionRecord

CLASSES = ("Sky", "Road", "Car")


def record(index: int) -> PredictionRecord:
    """Blocks of classes under a network that mistakes some of them."""
    random = np.random.default_rng(index)
    label_map = random.integers(0, 3, (5, 6)).repeat(9, axis=0).repeat(9, axis=1).astype(np.uint8)
    of_blocks = 1.2 * random.normal(size=(5, 6, 3)).repeat(9, axis=0).repeat(9, axis=1)
    logits = 4 * np.eye(3)[label_map] + of_blocks + random.normal(size=(*label_map.shape, 3))
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return PredictionRecord(
        f"street {index}",
        np.zeros((*label_map.shape, 3), np.uint8),
        logits.argmax(axis=-1).astype(np.uint8),
        random.random(label_map.shape, np.float32),
        probabilities.transpose(2, 0, 1).astype(np.float32),
        CLASSES,
        np.where(random.random(label_map.shape) < 0.02, 255, label_map).astype(np.uint8),
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        for module in (label_faults, fault_rankings):
            patch.setattr(module, "RESAMPLINGS", 10)
        return pd.DataFrame(label_faults._make_rows([record(index) for index in range(4)], seeds=2))


def values(table: pd.DataFrame, **where: str) -> pd.Series:
    """The values of the rows where these columns have these values, by method."""
    chosen = table.loc[(table[list(where)] == pd.Series(where)).all(axis=1)]
    return chosen.set_index("method")["value"]


def test_faults_are_grouped_by_kind_and_size():
    faults = np.zeros((30, 40), np.int32)
    faults[:, :20], faults[0, 20:] = 1, 2
    planted = PlantedFaults(np.zeros_like(faults), faults, ("dropped", "swapped"))
    groups = fault_rankings.group_faults(planted)
    assert groups[0] == 0
    assert [fault_rankings.GROUPS[group - 1] for group in groups[1:]] == [("dropped", True), ("swapped", False)]


def test_exact_rankings_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    scores, faulty = random.integers(0, 30, 200) / 7, random.random(200) < 0.2
    weights = random.poisson(1.0, (9, 200)).astype(float)
    value, low, high = fault_rankings._with_interval(fault_rankings._rank_exactly(scores, faulty, weights))
    assert value == pytest.approx(average_precision_score(faulty, scores))
    resampled = [average_precision_score(faulty, scores, sample_weight=drawn) for drawn in weights]
    assert (low, high) == pytest.approx(tuple(np.quantile(resampled, [0.025, 0.975])))


def test_pixel_rankings_are_those_of_scikit_learn_within_the_bins():
    random = np.random.default_rng(1)
    kind, scores = (random.random(5000) < 0.1).astype(int), random.exponential(1.0, 5000)
    histograms = fault_rankings.count_by_group(kind, fault_rankings.bin_scores(scores))
    binned = fault_rankings.average_precision(histograms[0].astype(float), histograms[1].astype(float))
    assert binned == pytest.approx(average_precision_score(kind, scores), abs=0.003)


def test_cleanlab_ranks_pixels_exactly_as_the_loss_does(table):
    ranked = values(table, level="pixel", kind="all", measure="average precision")
    assert float(ranked["cleanlab quality"]) == float(ranked["loss"])


def test_every_method_beats_chance_where_the_network_is_mostly_right(table):
    for level in ("pixel", "region", "image"):
        ranked = values(table, level=level, kind="all", measure="average precision")
        assert (ranked.drop("chance") > ranked["chance"]).all()


def test_a_value_lies_within_its_interval_and_plantings_differ(table):
    known = table.dropna(subset=["value", "low", "high"])
    assert (known["low"] <= known["high"]).all()
    gains = known["measure"] == fault_rankings.GAIN
    assert known.loc[~gains, "value"].between(0, 1).all()
    assert (table["sd_of_seeds"] > 0).any()


def test_a_gain_is_the_difference_of_two_rows(table):
    for level, summary in (("pixel", ""), ("region", "p95"), ("image", "highest region")):
        ranked, gain = (
            values(table, level=level, summary=summary, kind="all", measure=measure)
            for measure in ("average precision", fault_rankings.GAIN)
        )
        assert float(gain["suspicion"]) == pytest.approx(float(ranked["suspicion"] - ranked["loss"]))
        assert float(gain["loss"]) == 0


def test_each_row_has_its_own_name(table):
    assert not table.duplicated(fault_rankings.KEYS).any()
