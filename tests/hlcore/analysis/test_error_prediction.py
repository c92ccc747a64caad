"""Error prediction from histograms: exact within its bound, independent of the split and of ignored pixels."""

from dataclasses import replace
from functools import cache, reduce
from operator import add

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score, roc_auc_score

from hlcore.analysis.boundaries import edge_distance
from hlcore.analysis.error_prediction import DIFFERENCES, METRICS, REGIONS, count, make_tables
from hlcore.analysis.flagging import region_mask
from hlcore.analysis.scores import BINS, SCORES
from hlcore.analysis.statistics import ImageSums
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, PredictionRecord

NAMES = ("sky", "road", "car")
COLUMNS = ["score", "region", "metric", "bound", "value", "low", "high"]


@cache
def street(seed: int, *, size: tuple[int, int] = (24, 32), mc: bool = False) -> PredictionRecord:
    """Blocks of three classes, predicted with blocks of errors, some pixels ignored; hardness finds some."""
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 3, (size[0] // 8, size[1] // 8))
    label_map = np.kron(blocks, np.ones((8, 8), int))
    noise = random.normal(0, 2, (3, *(length // 4 for length in size)))
    logits = np.kron(noise, np.ones((1, 4, 4))) + 2 * np.eye(3)[label_map].transpose(2, 0, 1)
    logits += random.normal(0, 0.3, logits.shape)
    probabilities = (np.exp(logits) / np.exp(logits).sum(0)).astype(np.float32)
    prediction = probabilities.argmax(0)
    knows = (prediction != label_map) + random.normal(0, 1, size)
    label_map[random.random(size) < 0.1] = IGNORE_INDEX
    return PredictionRecord(
        name=f"street {seed}",
        image=np.zeros((*size, 3), np.uint8),
        prediction=prediction,
        hardness_map=expit(2 * knows - 1).astype(np.float32),
        probabilities=probabilities,
        class_names=NAMES,
        label_map=label_map,
        mc_entropy=random.random(size).astype(np.float32) if mc else None,
        error_suspicion=random.random(size).astype(np.float32) if mc else None,
    )


def sums(*records: PredictionRecord) -> ImageSums:
    total = ImageSums(resamplings=20)
    for record in records:
        total.add(record.name, count(record))
    return total


def row(table: pd.DataFrame, score: str, region: str, metric: str) -> pd.Series:
    (found,) = table.query("score == @score and region == @region and metric == @metric").itertuples()
    return pd.Series(found._asdict())


@pytest.fixture(scope="module")
def four_streets() -> pd.DataFrame:
    return make_tables(sums(*(street(seed, mc=True) for seed in range(4))))["scores"]


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("region", REGIONS)
def test_auroc_and_ap_are_those_of_scikit_learn_within_the_bound(
    four_streets: pd.DataFrame, name: str, region: str
) -> None:
    records = [street(seed, mc=True) for seed in range(4)]
    table = four_streets
    where = [region_mask(record, region) for record in records]
    wrong = np.concatenate([record.error[at] for record, at in zip(records, where, strict=True)])
    values = np.concatenate([SCORES[name].measure(r)[at] for r, at in zip(records, where, strict=True)])
    values = np.nan_to_num(values, neginf=-1e9)
    for metric, exact in (("auroc", roc_auc_score), ("ap", average_precision_score)):
        found = row(table, name, region, metric)
        assert found.value == pytest.approx(exact(wrong, values), abs=found.bound + 1e-9)
        assert found.bound < 0.05
        assert found.low <= found.value <= found.high
    assert row(table, name, region, "error_rate").value == pytest.approx(wrong.mean())


@settings(max_examples=6, deadline=None)
@given(seeds=st.lists(st.integers(0, 5), min_size=2, max_size=5, unique=True), cut=st.integers(1, 4))
def test_any_split_of_the_images_gives_the_same_tables(seeds: list[int], cut: int) -> None:
    records = [street(seed) for seed in seeds]
    together = make_tables(sums(*records))
    parts = [sums(*records[cut:]), *(sums(record) for record in reversed(records[:cut]))]
    apart = make_tables(reduce(add, parts))
    for name, table in together.items():
        pd.testing.assert_frame_equal(apart[name], table, rtol=1e-9)


@settings(max_examples=6, deadline=None)
@given(slope=st.floats(0.5, 2), shift=st.floats(-3, 3))
def test_a_monotone_rescaling_of_hardness_leaves_its_ranking_within_the_bounds(slope: float, shift: float) -> None:
    record = street(1)
    stretched = expit(slope * logit(record.hardness_map.astype(float)) + shift).astype(np.float32)
    before, after = (make_tables(sums(r))["scores"] for r in (record, replace(record, hardness_map=stretched)))
    for metric in ("auroc", "ap", "fpr95", "aurc"):
        first, second = (row(table, "hardness", "all", metric) for table in (before, after))
        assert second.value == pytest.approx(first.value, abs=first.bound + second.bound + 1e-6)


def test_ignored_pixels_change_nothing() -> None:
    record = street(2)
    ignored = ~record.valid
    hardness_map, probabilities = record.hardness_map.copy(), record.probabilities.copy()
    hardness_map[ignored] = 0.999
    probabilities[:, ignored] = 1 / 3
    changed = replace(record, hardness_map=hardness_map, probabilities=probabilities)
    np.testing.assert_array_equal(count(changed)["pixels"], count(record)["pixels"])
    counted_pixels = count(record)["pixels"].sum(axis=(1, 2, 3))
    assert counted_pixels[list(SCORES).index("hardness")] == record.valid.sum() < record.valid.size


def test_a_score_that_is_the_error_is_perfect_and_a_constant_one_is_chance() -> None:
    record = street(3)
    knowing = replace(record, hardness_map=np.where(record.error, 0.9, 0.1).astype(np.float32))
    constant = replace(record, hardness_map=np.full_like(record.hardness_map, 0.3))
    perfect, chance = (make_tables(sums(r))["scores"] for r in (knowing, constant))
    for region in REGIONS:
        assert row(perfect, "hardness", region, "auroc").value == 1
        assert row(perfect, "hardness", region, "ap").value == 1
        assert row(perfect, "hardness", region, "fpr95").value == 0
        assert row(perfect, "hardness", region, "auroc").bound == 0
        rate = row(chance, "hardness", region, "error_rate").value
        assert row(chance, "hardness", region, "auroc").value == 0.5
        assert row(chance, "hardness", region, "ap").value == pytest.approx(rate)
        assert row(chance, "hardness", region, "aurc").value == pytest.approx(rate)


def test_edge_and_interior_divide_all_pixels_at_the_predicted_edge() -> None:
    record = street(4)
    near = (edge_distance(record, "prediction") <= 2)[record.valid]
    pixels = count(record)["pixels"][0]
    assert pixels[0].sum() == near.sum()
    assert pixels[1].sum() == (~near).sum()
    assert pixels[:, 1].sum() == record.error.sum()


def test_a_region_without_a_pixel_has_no_row() -> None:
    record = street(5)
    flat = replace(record, prediction=np.zeros_like(record.prediction))
    assert set(make_tables(sums(flat))["scores"]["region"]) == {"all", "interior"}


def test_images_without_a_labelled_pixel_give_empty_tables() -> None:
    record = street(5)
    found = make_tables(sums(replace(record, label_map=np.full_like(record.labels, IGNORE_INDEX))))
    assert list(found["scores"].columns) == COLUMNS
    assert "threshold" in found["risk_curves"].columns
    assert found["scores"].empty
    assert found["risk_curves"].empty


def test_columns_metrics_and_scores() -> None:
    table = make_tables(sums(street(0), street(1)))["scores"]
    assert list(table.columns) == COLUMNS
    assert set(table["score"]) == set(SCORES) - {"mc_entropy", "error_suspicion"}
    assert set(table["metric"]) == {*METRICS, *DIFFERENCES}
    assert not set(table[table["score"] == "hardness"]["metric"]) & set(DIFFERENCES)


def test_dropout_has_rows_only_where_every_image_has_its_entropy() -> None:
    known, unknown = street(0, mc=True), street(1)
    assert "mc_entropy" in set(make_tables(sums(known))["scores"]["score"])
    assert "mc_entropy" not in set(make_tables(sums(known, unknown))["risk_curves"]["score"])


def test_a_difference_is_paired_so_equal_scores_differ_by_exactly_zero() -> None:
    records = [street(seed) for seed in range(3)]
    same = [replace(r, hardness_map=SCORES["max_softmax"].measure(r)) for r in records]
    table = make_tables(sums(*same))["scores"]
    found = row(table, "max_softmax", "all", "auroc_minus_hardness")
    assert [found.value, found.low, found.high] == pytest.approx([0, 0, 0], abs=found.bound)
    single = row(table, "max_softmax", "all", "auroc")
    assert single.high - single.low > 2 * found.bound


def test_a_difference_is_the_difference_of_the_values_and_as_uncertain_as_both() -> None:
    table = make_tables(sums(*(street(seed) for seed in range(3))))["scores"]
    for difference, metric in DIFFERENCES.items():
        found, score, hardness = (
            row(table, name, "edge", of)
            for name, of in (("entropy", difference), ("entropy", metric), ("hardness", metric))
        )
        assert found.value == pytest.approx(score.value - hardness.value)
        assert found.bound == pytest.approx(score.bound + hardness.bound)


@pytest.mark.parametrize("region", REGIONS)
def test_every_point_of_a_curve_is_exact_for_its_threshold(region: str) -> None:
    record = street(6, mc=True)
    where = region_mask(record, region)
    wrong = record.error[where]
    curves = make_tables(sums(record))["risk_curves"].query("region == @region")
    for point in curves.itertuples():
        flagged = SCORES[point.score].measure(record)[where] >= point.threshold
        assert point.pixels_share == pytest.approx(flagged.mean())
        assert point.errors_share == pytest.approx(flagged[wrong].mean())
        assert point.false_positive_share == pytest.approx(flagged[~wrong].mean())
        if flagged.any():
            assert point.precision == pytest.approx(wrong[flagged].mean())
        if not flagged.all():
            assert point.risk == pytest.approx(wrong[~flagged].mean())


def test_curves_run_from_nothing_flagged_to_all_flagged_in_steps_of_at_most_one_bin_above_a_percent() -> None:
    curves = make_tables(sums(street(0), street(1)))["risk_curves"]
    for _, curve in curves.groupby(["score", "region"]):
        assert curve["pixels_share"].is_monotonic_increasing
        assert curve["threshold"].is_monotonic_decreasing
        assert curve["pixels_share"].iloc[[0, -1]].tolist() == [0, 1]
        assert np.isnan(curve["risk"].iloc[-1])
    of_hardness = curves.query("score == 'hardness' and region == 'all'")
    assert np.diff(of_hardness["pixels_share"]).max() < 0.03


def test_memory_does_not_grow_with_the_pixels_and_stays_below_100_mb() -> None:
    small, large = (count(street(0, size=size))["pixels"] for size in ((16, 16), (64, 96)))
    assert small.shape == large.shape == (len(SCORES), 2, 2, BINS)
    assert ImageSums().resamplings * small.nbytes < 100e6


@pytest.mark.usefixtures("unchecked")
def test_an_unlabelled_image_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="has no label map"):
        count(replace(street(0), label_map=None))
