"""Size curves and rank correlations of objects, from sums and from the rows themselves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hlcore.analysis.object_sizes import (
    AREA,
    QUANTITIES,
    SIZES,
    SizeBins,
    count,
    make_tables,
    size_correlations,
    size_curve,
    sum_objects,
)
from hlcore.analysis.rank_histograms import binning_error, spearman
from hlcore.analysis.statistics import draw_counts
from hlcore.errors import InvalidInputError

FEW = ("hardness_mean", "iou")


def objects_of(images: int, *, each: int = 12, seed: int = 0) -> pd.DataFrame:
    """Objects whose hardness falls with their area; some have no interior."""
    random = np.random.default_rng(seed)
    rows = images * each
    area = np.rint(np.exp(random.uniform(np.log(10), np.log(50_000), rows)))
    noise = random.normal(0, 1, rows)
    hardness = 1 / (1 + np.exp(0.8 * np.log(area) - 5 + 2 * noise))
    return pd.DataFrame(
        {
            "image": np.repeat([f"image {i}" for i in range(images)], each),
            "area_px": area.astype(int),
            "thickness_px": 2 * np.sqrt(np.rint(area ** random.uniform(0.2, 0.9, rows))),
            "hardness_mean": hardness,
            "hardness_interior": np.where(area < 60, np.nan, hardness**2),
            "hardness_over_edge": hardness - random.uniform(0, 0.6, rows),
            "loss_mean": random.gamma(1, 1, rows),
            "error_share": np.clip(random.normal(0.3, 0.5, rows), 0, 1),
            "iou": np.clip(random.normal(0.5, 0.6, rows), 0, 1),
        }
    )


def assert_equal_tables(first, second):
    assert first.keys() == second.keys()
    for name, table in first.items():
        pd.testing.assert_frame_equal(table, second[name], rtol=1e-9)


@settings(max_examples=8, deadline=None)
@given(split=st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_any_split_of_the_images_gives_the_same_tables(split):
    objects, choices = objects_of(6), {"quantities": FEW, "sizes": ("area_px",)}
    of_part = objects["image"].str.removeprefix("image ").astype(int).map(dict(enumerate(split)))
    parts = [sum_objects(objects[of_part == part], **choices) for part in (2, 0, 1)]
    assert_equal_tables(make_tables(parts[0] + parts[1] + parts[2]), make_tables(sum_objects(objects, **choices)))


def test_the_curve_is_the_mean_of_the_rows_in_each_bin():
    objects, bins = objects_of(9), SizeBins("area_px", (50, 1000))
    curve = size_curve(sum_objects(objects, bins=bins), bins=bins)
    assert len(curve) == 3 * len(QUANTITIES)
    for row in curve.itertuples():
        rows = objects[(objects["area_px"] >= row.area_low_px) & (objects["area_px"] < row.area_high_px)]
        rows = rows[rows[row.quantity].notna()]
        assert row.objects == len(rows)
        if len(rows):
            assert row.value == pytest.approx(rows[row.quantity].mean())
            assert row.area_px == pytest.approx(np.exp(np.log(rows["area_px"]).mean()))
            assert row.low <= row.value <= row.high
        else:
            assert np.isnan(row.value)


def test_thickness_has_its_own_curve():
    objects, bins = objects_of(3), SizeBins("thickness_px", (4, 8))
    curve = size_curve(sum_objects(objects, bins=bins), bins=bins)
    assert curve["thickness_low_px"].unique().tolist() == [2, 4, 8]
    assert curve["thickness_high_px"].unique().tolist() == [4, 8, np.inf]


def test_an_object_at_a_cut_point_belongs_to_the_bin_above():
    objects, bins = objects_of(1, each=2).assign(area_px=[29, 30]), SizeBins("area_px", (30,))
    curve = size_curve(sum_objects(objects, bins=bins), bins=bins)
    assert curve[curve["quantity"] == "iou"]["objects"].tolist() == [1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_the_correlations_are_those_of_the_rows_up_to_the_bound(seed):
    objects = objects_of(40, seed=seed)
    table = size_correlations(sum_objects(objects))
    assert len(table) == len(SIZES) * len(QUANTITIES)
    for row in table.itertuples():
        rows = objects[objects[row.quantity].notna()]
        exact = spearmanr(rows[row.size], rows[row.quantity]).statistic
        assert row.objects == len(rows)
        assert abs(row.value - exact) <= row.bound
        assert abs(row.value - exact) < 0.01  # far below the bound
        assert row.low <= row.value <= row.high


def test_the_interval_is_that_of_the_resampled_rows():
    objects = objects_of(15)
    row = size_correlations(sum_objects(objects, quantities=("hardness_mean",), sizes=("area_px",))).iloc[0]
    drawn = np.stack([draw_counts(f"image {i}", resamplings=200) for i in range(15)])
    rhos = []
    for times in drawn.T:
        rows = objects.loc[np.repeat(objects.index, np.repeat(times, 12))]
        rhos.append(spearmanr(rows["area_px"], rows["hardness_mean"]).statistic)
    np.testing.assert_allclose((row["low"], row["high"]), np.quantile(rhos, [0.025, 0.975]), atol=0.01)


def test_an_unmeasured_quantity_has_no_correlation():
    table = size_correlations(sum_objects(objects_of(3).drop(columns="hardness_over_edge")))
    missing = table[table["quantity"] == "hardness_over_edge"]
    assert missing["objects"].tolist() == [0, 0]
    assert missing[["value", "low", "high"]].isna().to_numpy().all()


def test_an_image_without_objects_adds_nothing():
    objects = objects_of(4)
    sums = sum_objects(objects)
    sums.add("empty", count(objects.iloc[:0]))
    assert_equal_tables(make_tables(sums), make_tables(sum_objects(objects)))


def test_one_image_has_values_and_no_intervals():
    table = size_correlations(sum_objects(objects_of(1)))
    assert not np.isnan(table["value"]).any()
    assert table[["low", "high"]].isna().to_numpy().all()


def test_a_hardness_of_exactly_zero_or_one_has_a_rank_too():
    objects = objects_of(1, each=4).assign(area_px=[10, 11, 12, 13], hardness_mean=[1.0, 0.9, 0.1, 0.0])
    table = size_correlations(sum_objects(objects, quantities=("hardness_mean",), sizes=("area_px",)))
    assert table["value"].tolist() == pytest.approx([-1])
    assert table["bound"].tolist() == [0]


def test_hardness_near_zero_is_not_a_tie_and_widens_the_bound():
    """A saturated sigmoid: values in one bin differ in rank."""
    hardness = np.concatenate([np.linspace(1e-9, 1e-12, 50), np.linspace(0.1, 0.9, 50)])
    area = np.arange(10, 110)
    objects = pd.DataFrame(
        {"image": "only", "area_px": area, "thickness_px": 2 * np.sqrt(area), "hardness_mean": hardness}
    )
    [row] = size_correlations(sum_objects(objects, quantities=FEW[:1], sizes=("area_px",))).to_dict("records")
    assert abs(spearmanr(area, hardness).statistic - row["value"]) <= row["bound"]


@pytest.mark.parametrize("cut_points", [(30, 20), (5,), (30, 30), (100, np.inf), (np.nan,)])
def test_invalid_cut_points_are_refused(cut_points):
    with pytest.raises(InvalidInputError, match="cut points must be numbers above 10 px, each larger than"):
        SizeBins("area_px", cut_points)


def test_no_cut_points_give_one_bin():
    assert SizeBins("area_px", ()).edges == (10, np.inf)
    assert AREA.edges[0] == 10


histograms = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 3)), min_size=3, max_size=60)


@given(pairs=histograms)
def test_the_histograms_rank_correlation_is_that_of_tied_pairs(pairs):
    x, y, times = np.array(pairs).T
    histogram = np.zeros((6, 5))
    np.add.at(histogram, (x, y), times)
    x, y = np.repeat(x, times), np.repeat(y, times)
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    assert spearman(histogram) == pytest.approx(spearmanr(x, y).statistic, abs=1e-12)
    np.testing.assert_allclose(spearman(np.stack([histogram, 2 * histogram])), [spearman(histogram)] * 2)


@given(
    x=st.lists(st.floats(0, 1), min_size=40, max_size=40),
    y=st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 1.0])), min_size=40, max_size=40),
    bins=st.integers(2, 8),
    drawn=st.integers(2, 40),
)
def test_the_pairs_own_rank_correlation_lies_within_the_binning_error(x, y, bins, drawn):
    x, y = np.array(x[:drawn]), np.array(y[:drawn])
    row = np.minimum((bins * x).astype(int), bins - 1)
    column = np.where(y == 0, 0, np.where(y == 1, bins + 1, 1 + np.minimum((bins * y).astype(int), bins - 1)))
    histogram = np.zeros((bins, bins + 2))
    np.add.at(histogram, (row, column), 1)
    rho = spearman(histogram)
    assume(np.isfinite(rho))
    bound = binning_error(histogram, exact_columns=(0, -1))
    assert abs(spearmanr(x, y).statistic - rho) <= bound + 1e-12
    assert bound <= binning_error(histogram) + 1e-12


def test_a_histogram_without_spread_has_no_correlation_and_no_bound():
    histogram = np.array([[0.0, 3.0], [0.0, 2.0]])
    assert np.isnan(spearman(histogram))
    assert np.isnan(binning_error(histogram))
