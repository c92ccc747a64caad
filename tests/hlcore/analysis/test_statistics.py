"""Sums over images: they add, and their intervals are those of resampling the images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hlcore.analysis.statistics import Counts, ImageSums, divide, draw_counts
from hlcore.errors import InvalidInputError

IMAGES = st.lists(arrays.arrays(np.float64, (2, 3), elements=st.integers(0, 9).map(float)), min_size=1, max_size=6)


def mean_of(sums: Counts) -> np.ndarray:
    return divide(sums["part"], sums["whole"])


def summed(images: dict[str, np.ndarray], *, resamplings: int = 200) -> ImageSums:
    sums = ImageSums(resamplings)
    for name, values in images.items():
        sums.add(name, {"part": values, "whole": np.full_like(values, 2)})
    return sums


def same(first: ImageSums, second: ImageSums) -> bool:
    pairs = [(first.total, second.total), (first.resampled, second.resampled)]
    alike = [a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a) for a, b in pairs]
    return first.images == second.images and all(alike)


@given(IMAGES, st.data())
def test_any_split_in_any_order_gives_the_same_sums(images, data):
    named = {f"image {i}": values for i, values in enumerate(images)}
    order = data.draw(st.permutations(list(named)))
    parts = data.draw(st.lists(st.integers(0, 2), min_size=len(order), max_size=len(order)))
    split = [
        summed({name: named[name] for name, at in zip(order, parts, strict=True) if at == part}) for part in range(3)
    ]
    whole = summed(named)
    assert same(split[0] + split[1] + split[2], whole)
    assert same(split[2] + (split[0] + split[1]), whole)


@given(IMAGES)
def test_empty_sums_add_nothing_and_a_sum_shares_no_array(images):
    sums = summed({f"image {i}": values for i, values in enumerate(images)})
    more = ImageSums() + sums
    assert same(more, sums)
    before = {key: values.copy() for key, values in sums.resampled.items()}
    more.add("another", {"part": np.ones((2, 3)), "whole": np.ones((2, 3))})
    assert all(np.array_equal(before[key], sums.resampled[key]) for key in before)


@given(IMAGES)
def test_a_resampling_holds_each_image_as_often_as_it_was_drawn(images):
    sums = summed({f"image {i}": values for i, values in enumerate(images)}, resamplings=7)
    for resampling in range(7):
        literal = sum(draw_counts(f"image {i}", resamplings=7)[resampling] * v for i, v in enumerate(images))
        assert np.array_equal(sums.resampled["part"][resampling], literal)
    assert np.array_equal(sums.total["part"], sum(images))


def test_how_often_an_image_is_drawn_follows_from_its_name_alone():
    drawn = np.array([draw_counts(f"image {i}", resamplings=200) for i in range(400)])
    assert np.array_equal(drawn[7], draw_counts("image 7", resamplings=200))
    assert not np.array_equal(drawn[7], drawn[8])
    assert drawn.mean() == pytest.approx(1, abs=0.02)
    assert drawn.var() == pytest.approx(1, abs=0.03), "a Poisson number's variance is its mean"
    assert abs(np.corrcoef(drawn)[np.triu_indices(400, 1)]).max() < 0.5, "no two images are drawn together"


def some_images(number: int, *, seed: int) -> dict[str, Counts]:
    """Images of unequal size whose ratios differ: the pooled ratio is 0.3 on average."""
    random = np.random.default_rng(seed)
    sizes = random.integers(50, 500, number).astype(float)
    parts = random.binomial(sizes.astype(int), random.beta(3, 7, number)).astype(float)
    return {
        f"{seed}/{i}": {"part": np.array(part), "whole": np.array(size)}
        for i, (part, size) in enumerate(zip(parts, sizes, strict=True))
    }


def test_the_interval_is_that_of_a_literal_bootstrap_over_images():
    images = some_images(60, seed=1)
    sums = ImageSums(4000)
    for name, counts in images.items():
        sums.add(name, counts)
    estimate = sums.estimate(mean_of)
    random, literal = np.random.default_rng(0), []
    parts, wholes = (np.array([float(counts[key]) for counts in images.values()]) for key in ("part", "whole"))
    for _ in range(4000):
        chosen = random.integers(0, len(images), len(images))
        literal.append(parts[chosen].sum() / wholes[chosen].sum())
    low, high = np.quantile(literal, [0.025, 0.975])
    width = high - low
    assert estimate.value == pytest.approx(parts.sum() / wholes.sum())
    assert estimate.low == pytest.approx(low, abs=0.08 * width)
    assert estimate.high == pytest.approx(high, abs=0.08 * width)


def test_nineteen_of_twenty_intervals_contain_the_true_ratio():
    covered = []
    for seed in range(200):
        sums = ImageSums()
        for name, counts in some_images(40, seed=seed).items():
            sums.add(name, counts)
        estimate = sums.estimate(mean_of)
        covered.append(estimate.low <= 0.3 <= estimate.high)
    assert 0.89 <= np.mean(covered) <= 0.99


@given(arrays.arrays(np.float64, (9, 4), elements=st.floats(0, 1)), arrays.arrays(np.bool_, (9, 4)), st.integers(2, 9))
def test_the_ends_are_quantiles_of_the_known_ratios(parts, known, images):
    sums = ImageSums(9, images, {"part": parts[0], "whole": np.ones(4)}, {"part": parts, "whole": known.astype(float)})
    estimate = sums.estimate(mean_of)
    for column in range(4):
        ratios = parts[known[:, column], column]
        expected = np.quantile(ratios, [0.025, 0.975]) if len(ratios) > 6.75 else [np.nan, np.nan]
        ends = [estimate.low[column], estimate.high[column]]
        assert ends == pytest.approx(list(expected), nan_ok=True)


def test_one_image_has_a_value_and_no_interval():
    estimate = summed({"only": np.array([[1.0, 2.0]])}).estimate(mean_of)
    assert estimate.value.tolist() == [[0.5, 1.0]]
    assert np.isnan(estimate.low).all()
    assert np.isnan(estimate.high).all()


def test_a_ratio_of_nothing_is_nan_and_so_is_its_interval():
    sums = ImageSums()
    for i in range(5):
        sums.add(f"{i}", {"part": np.array([1.0, 0.0]), "whole": np.array([2.0, 0.0])})
    estimate = sums.estimate(mean_of)
    assert np.array_equal(estimate.value, [0.5, np.nan], equal_nan=True)
    assert np.array_equal(estimate.low, [0.5, np.nan], equal_nan=True)
    assert np.array_equal(estimate.high, [0.5, np.nan], equal_nan=True)


@pytest.mark.parametrize("only", range(20))
def test_what_one_image_alone_shows_has_no_interval_and_what_two_show_has_one(only):
    """Wherever the one image is drawn its ratio is the same, which would look like certainty."""
    sums = ImageSums()
    for i in range(20):
        one, two = float(i == only), float(i in (only, (only + 7) % 20))
        sums.add(f"{i}", {"part": np.array([one, two + one, 1.0]), "whole": np.array([2 * one, 2 * two, 1.0])})
    estimate = sums.estimate(mean_of)
    assert estimate.value.tolist() == [0.5, 0.75, 1]
    assert np.isnan([estimate.low[0], estimate.high[0]]).all()
    assert (estimate.low[1], estimate.high[1]) == (0.5, 1)


def test_counts_of_another_shape_or_name_are_refused():
    sums = summed({"first": np.ones((2, 3))})
    with pytest.raises(InvalidInputError, match="the counts of second must be .*as before"):
        sums.add("second", {"part": np.ones((2, 4)), "whole": np.ones((2, 4))})
    with pytest.raises(InvalidInputError, match="the counts of third"):
        sums.add("third", {"part": np.ones((2, 3))})
    with pytest.raises(InvalidInputError, match="cannot add sums of different counts"):
        _ = sums + summed({"first": np.ones((9, 3))})
    with pytest.raises(InvalidInputError, match="200 and over 9 resamplings"):
        _ = sums + ImageSums(9)


def test_an_estimate_of_no_image_is_refused():
    with pytest.raises(InvalidInputError, match="no image was added"):
        ImageSums().estimate(mean_of)
