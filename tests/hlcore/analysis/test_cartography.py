"""How pixels were learned over the epochs of a run."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hlcore.analysis.cartography import (
    FORGETTING,
    MEAN_BINS,
    QUANTITIES,
    SPREAD_BINS,
    CourseTracker,
    PixelCourses,
    correlate,
    count,
    make_tables,
)
from hlcore.analysis.statistics import ImageSums, filter_rows
from hlcore.errors import InvalidInputError

EPOCHS = (2, 4, 8)


def follow(losses: np.ndarray, errors: np.ndarray) -> PixelCourses:
    tracker = CourseTracker()
    for loss_map, error in zip(losses, errors, strict=True):
        tracker.add(loss_map.astype(np.float32), error)
    return tracker.measure()


def make_course(seed: int, *, size: tuple[int, int] = (12, 20)) -> tuple[PixelCourses, np.ndarray]:
    generator = np.random.default_rng(seed)
    losses = generator.exponential(1.0, (len(EPOCHS), *size)) * generator.uniform(0.2, 2, size)
    losses[:, :2] = np.nan
    errors = (losses > 0.7) & np.isfinite(losses)
    hardness = np.clip(np.nan_to_num(losses.mean(0)) / 3, 0, 1).astype(np.float32)
    return follow(losses, errors), hardness


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 20), st.booleans()), min_size=2, max_size=8))
def test_a_pixel_is_measured_as_the_definitions_say(course: list[tuple[float, bool]]) -> None:
    losses = np.array([[[loss]] for loss, _ in course])
    wrong = [is_wrong for _, is_wrong in course]
    found = follow(losses, np.array(wrong)[:, None, None])
    probabilities = np.exp(-losses.astype(np.float32).ravel().astype(float))
    assert found.mean_probability.item() == pytest.approx(probabilities.mean(), abs=1e-6)
    assert found.spread.item() == pytest.approx(probabilities.std(), abs=1e-6)
    assert found.forgetting.item() == sum(not before and after for before, after in itertools.pairwise(wrong))
    right_at_the_end = next((number for number, is_wrong in enumerate(reversed(wrong)) if is_wrong), len(wrong))
    assert found.learned.item() == len(wrong) - right_at_the_end


def test_ignored_pixels_have_no_probability_and_are_not_counted() -> None:
    courses, hardness = make_course(0)
    assert np.isnan(courses.mean_probability[:2]).all()
    assert np.isfinite(courses.mean_probability[2:]).all()
    counts = count(courses, hardness, epochs=len(EPOCHS))
    for name in ("plane", "learned", "forgetting"):
        assert counts[f"{name}_pixels"].sum() == 10 * 20
        assert counts[f"{name}_hardness"].sum() == pytest.approx(hardness[2:].sum(dtype=float))


def test_one_epoch_says_nothing_about_learning() -> None:
    tracker = CourseTracker()
    tracker.add(np.zeros((2, 2), np.float32), np.zeros((2, 2), bool))
    with pytest.raises(InvalidInputError, match="needs at least two epochs, got 1"):
        tracker.measure()


def test_the_correlations_are_those_of_scipy_averaged_over_images() -> None:
    sums, expected = ImageSums(20), []
    for seed in range(3):
        courses, hardness = make_course(seed)
        sums.add(str(seed), count(courses, hardness, epochs=len(EPOCHS)))
        seen = np.isfinite(courses.mean_probability)
        expected.append([spearmanr(getattr(courses, name)[seen], hardness[seen]).statistic for name in QUANTITIES])
        assert correlate(courses, "spread", hardness) == pytest.approx(expected[-1][1])
    table = make_tables(sums, EPOCHS)["learning_correlations"].set_index("quantity")
    assert table["value"].tolist() == pytest.approx(np.mean(expected, axis=0).tolist())
    assert np.all(table["low"] <= table["value"])
    assert set(table["images"]) == {3}


def test_the_tables_add_up_to_all_pixels() -> None:
    sums = ImageSums(20)
    for seed in range(3):
        courses, hardness = make_course(seed)
        sums.add(str(seed), count(courses, hardness, epochs=len(EPOCHS)))
    tables = make_tables(sums, EPOCHS)
    assert sum(tables["cartography"]["pixels"].tolist()) == 3 * 200
    learning = tables["learning"]
    for quantity, groups in (("learned", ["2", "4", "8", "never"]), ("forgetting", list(FORGETTING))):
        shares = filter_rows(learning, quantity=quantity, measure="share")
        assert shares["group"].tolist() == groups
        assert sum(shares["value"].tolist()) == pytest.approx(1)
        assert np.all(shares["low"] <= shares["value"])
    never, first = (
        filter_rows(learning, quantity="learned", group=group, measure="hardness_mean")["value"].tolist()
        for group in ("never", "2")
    )
    assert never > first


def test_certain_and_undecided_pixels_lie_at_the_ends_of_the_plane() -> None:
    losses = np.array([[[0.0, 50.0, 0.0]], [[0.0, 50.0, 50.0]]])
    courses = follow(losses, losses > 1)
    plane = count(courses, np.zeros((1, 3), np.float32), epochs=2)["plane_pixels"]
    assert plane[MEAN_BINS - 1, 0] == 1, "always right and sure"
    assert plane[0, 0] == 1, "always wrong"
    assert plane[MEAN_BINS // 2, SPREAD_BINS - 1] == 1, "right once, wrong once"


def test_memory_does_not_grow_with_the_number_of_epochs() -> None:
    loss_map, error = np.ones((200, 300), np.float32), np.zeros((200, 300), bool)
    peaks = []
    for epochs in (3, 30):
        tracemalloc.start()
        tracker = CourseTracker()
        for _ in range(epochs):
            tracker.add(loss_map, error)
        tracker.measure()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
