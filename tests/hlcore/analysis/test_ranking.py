"""Rank metrics from histograms: equal to scikit-learn's with the same ties, and within the binning bound."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from hlcore.analysis import ranking

BINS = 8
NOTHING_SINGLE = np.zeros(BINS, bool)
METRICS = ("auroc", "average_precision", "fpr_at_tpr", "aurc")
pixels = st.lists(st.tuples(st.integers(0, 4 * BINS - 1), st.booleans()), min_size=2, max_size=60).filter(
    lambda drawn: len({wrong for _, wrong in drawn}) == 2
)


def exact(metric: str, scores: np.ndarray, wrong: np.ndarray) -> float:
    """The metric of the scores themselves."""
    if metric == "aurc":
        return literal_aurc(scores, wrong)
    if metric == "fpr_at_tpr":
        false_positives, true_positives, _ = roc_curve(wrong, scores, drop_intermediate=False)
        return false_positives[true_positives >= 0.95 - 1e-9].min()
    return {"auroc": roc_auc_score, "average_precision": average_precision_score}[metric](wrong, scores)


def literal_aurc(scores: np.ndarray, wrong: np.ndarray) -> float:
    """Mean error rate of the n lowest, over n; each tied pixel counts with the error rate of its tie."""
    even = np.array([wrong[scores == score].mean() for score in scores])
    errors = np.sort(scores), even[np.argsort(scores, kind="stable")]
    return float(np.mean([errors[1][: n + 1].mean() for n in range(len(scores))]))


def histograms(bins: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    right_pixels, wrong_pixels = (np.bincount(bins[wrong == side], minlength=BINS) for side in (False, True))
    return right_pixels.astype(float), wrong_pixels.astype(float)


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=40)
@given(drawn=pixels)
def test_pixels_of_one_bin_are_tied(metric: str, drawn: list[tuple[int, bool]]) -> None:
    scores, wrong = np.array([s // 4 for s, _ in drawn]), np.array([w for _, w in drawn])
    right_pixels, wrong_pixels = histograms(scores, wrong)
    assert getattr(ranking, metric)(right_pixels, wrong_pixels) == pytest.approx(exact(metric, scores, wrong))
    bound = getattr(ranking, f"{metric}_bound")
    assert bound(right_pixels, wrong_pixels, single=~NOTHING_SINGLE) == 0


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=40)
@given(drawn=pixels)
def test_binning_changes_no_more_than_the_bound(metric: str, drawn: list[tuple[int, bool]]) -> None:
    scores, wrong = np.array([s for s, _ in drawn]), np.array([w for _, w in drawn])
    counts = histograms(scores // 4, wrong)
    off = getattr(ranking, metric)(*counts) - exact(metric, scores, wrong)
    assert abs(off) <= getattr(ranking, f"{metric}_bound")(*counts, single=NOTHING_SINGLE) + 1e-12


@pytest.mark.parametrize("metric", METRICS)
def test_some_order_inside_a_bin_reaches_the_bound(metric: str) -> None:
    wrong = np.array([False, True, False, True, False, True])
    counts = histograms(np.array([1, 1, 1, 1, 5, 5]), wrong)
    value = getattr(ranking, metric)(*counts)
    orders = [np.array([*low, *high]) for low in permutations(range(4)) for high in permutations((4, 5))]
    ties = [np.array([1, 2, 1, 2, 4, 5])]  # the best for average precision: wrong pixels tie above the right ones
    farthest = max(abs(value - exact(metric, order, wrong)) for order in orders + ties)
    bound = getattr(ranking, f"{metric}_bound")(*counts, single=NOTHING_SINGLE)
    assert bound == pytest.approx(farthest, abs=0.1 if metric == "average_precision" else 1e-12)
    assert bound >= farthest - 1e-12


@pytest.mark.parametrize("metric", [*METRICS, *(f"{metric}_bound" for metric in METRICS)])
@pytest.mark.parametrize("empty", ["right", "wrong", "both"])
def test_without_right_or_without_wrong_pixels_there_is_no_number(metric: str, empty: str) -> None:
    counts = [np.zeros(BINS) if empty in (side, "both") else np.ones(BINS) for side in ("right", "wrong")]
    single = {"single": NOTHING_SINGLE} if metric.endswith("bound") else {}
    assert np.isnan(getattr(ranking, metric)(*counts, **single))


@pytest.mark.parametrize("metric", [*METRICS, "error_rate"])
def test_leading_axes_are_kept(metric: str) -> None:
    right, wrong = np.random.default_rng(0).integers(0, 9, (2, 3, 4, BINS)).astype(float)
    together = getattr(ranking, metric)(right, wrong)
    assert together.shape == (3, 4)
    assert together[2, 1] == getattr(ranking, metric)(right[2, 1], wrong[2, 1])


def test_a_perfect_score_a_constant_one_and_a_reversed_one() -> None:
    below, above, one = np.eye(3)[[0, 2, 1]] * 4
    assert [float(ranking.auroc(below, above)), float(ranking.auroc(one, one))] == [1, 0.5]
    assert float(ranking.auroc(above, below)) == 0
    assert [float(ranking.average_precision(below, above)), float(ranking.average_precision(one, one))] == [1, 0.5]
    assert [float(ranking.fpr_at_tpr(below, above)), float(ranking.fpr_at_tpr(one, one))] == [0, 1]
    assert float(ranking.aurc(one, one)) == pytest.approx(0.5)
    assert float(ranking.aurc(below, above)) < 0.5 < float(ranking.aurc(above, below))
