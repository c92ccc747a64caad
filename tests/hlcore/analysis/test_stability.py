"""Stability over snapshots: each measure against its literal definition, and sums that add."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr

from hlcore.analysis.boundaries import boundary_distance
from hlcore.analysis.snapshots import variation_map
from hlcore.analysis.stability import (
    ImageSnapshots,
    compare_snapshots,
    compare_with_first,
    kept_epoch_names,
    make_tables,
    sum_by_split,
)
from hlcore.analysis.statistics import ImageSums
from hlcore.errors import InvalidInputError

SNAPSHOTS = ("epoch-0000", "iteration-000010", "epoch-0003", "epoch-0006")
SHAPE = (7, 9)


def maps_of(seed, *, label_map=None):
    random = np.random.default_rng(seed)
    ignored = np.zeros(SHAPE, bool) if label_map is None else label_map == 255
    maps = {}
    for name in SNAPSHOTS:
        hardness_map = random.integers(1, 20, SHAPE).astype(np.float32) / 20  # with ties
        maps[name] = (hardness_map, np.where(ignored, np.nan, random.gamma(1, 1, SHAPE)).astype(np.float32))
    return maps


def labels_of(seed):
    return np.random.default_rng(seed).choice([0, 1, 255], SHAPE, p=[0.6, 0.3, 0.1]).astype(np.uint8)


def followed(seed, split="val"):
    return ImageSnapshots(f"image {seed}", split, labels_of(seed), maps_of(seed, label_map=labels_of(seed)))


def one(table, **where):
    """The value of the single matching row of a table."""
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table["value"].iloc[0]


def literal(p, q, *, floor):
    """The measures of two vectors, by definition."""
    order_p, order_q = (set(np.flatnonzero(v >= np.sort(v)[int(np.ceil(0.9 * (len(v) - 1)))])) for v in (p, q))
    share_p, share_q = (p + floor) / (p + floor).sum(), (q + floor) / (q + floor).sum()
    return {
        "spearman": spearmanr(p, q).statistic,
        "pearson": pearsonr(p, q).statistic,
        "top10_iou": len(order_p & order_q) / len(order_p | order_q),
        "turnover": len(order_p - order_q) / len(order_p),
        "total_variation": sum(abs(a - b) for a, b in zip(share_p, share_q, strict=True)) / 2,
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_measure_of_a_pair_is_its_literal_definition(seed):
    image = followed(seed)
    pairs = make_tables(sum_by_split([image]), SNAPSHOTS)["epoch_pairs"]
    valid = image.label_map != 255
    for index, (m, floor) in enumerate((("hardness", 0.1), ("loss", 0.0))):
        vectors = {name: maps[index][valid].astype(float) for name, maps in image.maps.items()}
        for kind, first, second in (
            ("consecutive", SNAPSHOTS[1], SNAPSHOTS[2]),
            ("last", SNAPSHOTS[0], SNAPSHOTS[3]),
        ):
            for measure, expected in literal(vectors[first], vectors[second], floor=floor).items():
                value = one(pairs, map=m, kind=kind, first=first, second=second, measure=measure)
                assert value == pytest.approx(expected, abs=1e-7), measure


def test_each_level_is_its_literal_definition():
    image = followed(4)
    levels = make_tables(sum_by_split([image]), SNAPSHOTS)["levels"]
    valid, edge = image.label_map != 255, boundary_distance(image.label_map) <= 2
    hardness_map, loss_map = image.maps["epoch-0006"]
    weight = np.where(valid, hardness_map + 0.1, 0)
    place = {"snapshot": "epoch-0006"}
    assert one(levels, map="loss", measure="level", **place) == pytest.approx(loss_map[valid].mean())
    first = image.maps["epoch-0003"][0][valid].mean()
    relative = one(levels, map="hardness", measure="relative_level", **place)
    assert relative == pytest.approx(hardness_map[valid].mean() / first)
    share = one(levels, map="hardness", measure="edge_share", **place)
    assert share == pytest.approx(weight[edge & valid].sum() / weight.sum())


def test_variation_is_over_the_kept_epochs_only():
    image = followed(5)
    table = make_tables(sum_by_split([image]), SNAPSHOTS)["variation"]
    valid = image.label_map != 255
    kept = np.stack([image.maps[name][1][valid] for name in ("epoch-0003", "epoch-0006")]).astype(float)
    expected = (kept.std(axis=0) / kept.mean(axis=0)).mean()
    assert one(table, map="loss", measure="coefficient_of_variation") == pytest.approx(expected)
    kept = kept / kept.sum(axis=1, keepdims=True)
    expected = (kept.std(axis=0) / kept.mean(axis=0)).mean()
    assert one(table, map="loss", measure="coefficient_of_variation_normalised") == pytest.approx(expected)


def test_any_two_snapshots_have_an_overlap():
    pairs = make_tables(sum_by_split([followed(6)]), SNAPSHOTS)["epoch_pairs"]
    every = pairs[(pairs["kind"] == "all") & (pairs["map"] == "loss")]
    assert len(every) == 6
    expected = one(pairs, map="loss", kind="last", first="iteration-000010", measure="top10_iou")
    assert one(every, first="iteration-000010", second="epoch-0006") == pytest.approx(expected)


def test_constant_maps_agree_fully_and_do_not_vary():
    hardness_map, loss_map = maps_of(7)["epoch-0003"]
    same = dict.fromkeys(SNAPSHOTS, (hardness_map, loss_map))
    made = make_tables(sum_by_split([ImageSnapshots("still", "val", labels_of(7), same)]), SNAPSHOTS)
    pairs = made["epoch_pairs"]
    expected = {"spearman": 1, "pearson": 1, "top10_iou": 1, "turnover": 0, "total_variation": 0}
    assert pairs["value"].to_numpy() == pytest.approx(pairs["measure"].map(expected).to_numpy())
    assert made["variation"]["value"].to_numpy() == pytest.approx(0, abs=1e-7)
    assert made["levels"].query("measure == 'relative_level'")["value"].to_numpy() == pytest.approx(1)


def test_a_loss_that_fades_evenly_changes_its_level_and_nothing_else():
    hardness_map, loss_map = maps_of(8)["epoch-0003"]
    fading = {name: (hardness_map, loss_map / 2**k) for k, name in enumerate(SNAPSHOTS)}
    made = make_tables(sum_by_split([ImageSnapshots("fading", "train", labels_of(8), fading)]), SNAPSHOTS)
    loss = made["epoch_pairs"].query("map == 'loss'")
    assert loss.query("measure == 'spearman'")["value"].to_numpy() == pytest.approx(1)
    assert loss.query("measure == 'total_variation'")["value"].to_numpy() == pytest.approx(0, abs=1e-6)
    levels = made["levels"]
    assert one(levels, map="loss", measure="relative_level", snapshot="epoch-0006") == pytest.approx(0.5)
    assert one(levels, map="hardness", measure="relative_level", snapshot="epoch-0006") == 1


def test_the_measures_of_two_images_are_averaged_over_images_with_an_interval():
    images = [followed(seed) for seed in (10, 11, 12)]
    both = make_tables(sum_by_split(images), SNAPSHOTS)["epoch_pairs"]
    alone = [make_tables(sum_by_split([image]), SNAPSHOTS)["epoch_pairs"]["value"].to_numpy() for image in images]
    assert both["value"].to_numpy() == pytest.approx(np.mean(alone, axis=0))
    assert both["images"].eq(3).to_numpy().all()
    assert (both["low"].to_numpy() <= both["value"].to_numpy() + 1e-12).all()
    assert (both["value"].to_numpy() <= both["high"].to_numpy() + 1e-12).all()


def test_the_splits_of_a_probe_set_stay_apart():
    made = make_tables(sum_by_split([followed(1, "train"), followed(2, "val"), followed(3, "val")]), SNAPSHOTS)
    for table in made.values():
        assert table.groupby("split")["images"].unique().map(list).to_dict() == {"train": [1], "val": [2]}


COUNTS = [(f"image {seed}", compare_snapshots(followed(seed).maps, followed(seed).label_map)) for seed in range(6)]


@settings(max_examples=20)
@given(st.permutations(range(6)), st.integers(0, 6))
def test_any_split_of_the_images_gives_the_same_tables(order, cut):
    whole, first, second = ImageSums(), ImageSums(), ImageSums()
    for name, counts in COUNTS:
        whole.add(name, counts)
    for place, index in enumerate(order):
        (first if place < cut else second).add(*COUNTS[index])
    expected, made = (make_tables({"val": sums}, SNAPSHOTS) for sums in (whole, first + second))
    for name, table in expected.items():
        pd.testing.assert_frame_equal(made[name], table, rtol=1e-9)


def test_ignored_pixels_change_nothing():
    image = followed(20)
    ignored = image.label_map == 255
    other = {name: (np.where(ignored, 0.5, s).astype(np.float32), loss) for name, (s, loss) in image.maps.items()}
    for key, value in compare_snapshots(other, image.label_map).items():
        np.testing.assert_allclose(value, compare_snapshots(image.maps, image.label_map)[key], atol=1e-7)


def test_an_image_without_labels_has_hardness_everywhere_and_neither_loss_nor_edges():
    maps = {name: (hardness_map, None) for name, (hardness_map, _) in maps_of(21).items()}
    counts = compare_snapshots(maps, None)
    assert counts["level_known"].tolist() == [[1] * 4, [0] * 4]
    assert not counts["edge_share_known"].any()
    assert counts["level"][0, 0] == pytest.approx(maps["epoch-0000"][0].mean())
    table = make_tables(sum_by_split([ImageSnapshots("bare", "val", None, maps)]), SNAPSHOTS)["levels"]
    assert table.query("map == 'loss'")["value"].isna().to_numpy().all()


def test_an_image_without_a_labelled_pixel_adds_nothing():
    nothing = np.full(SHAPE, 255, np.uint8)
    counts = compare_snapshots(maps_of(22, label_map=nothing), nothing)
    assert not any(values.any() for values in counts.values())


def test_a_run_that_has_kept_no_epoch_yet_has_no_relative_level():
    maps = {name: maps_of(23)[name] for name in ("epoch-0000", "iteration-000010")}
    made = make_tables(sum_by_split([ImageSnapshots("early", "val", labels_of(23), maps)]), list(maps))
    assert made["levels"].query("measure == 'relative_level'")["value"].isna().to_numpy().all()
    assert made["variation"]["value"].isna().to_numpy().all()
    assert kept_epoch_names(maps) == ()


def test_a_single_snapshot_is_refused():
    with pytest.raises(InvalidInputError, match="at least two snapshots, got 1"):
        compare_snapshots({"epoch-0000": maps_of(1)["epoch-0000"]}, labels_of(1))


def test_maps_of_two_shapes_and_a_missing_loss_are_refused():
    maps = maps_of(24)
    maps["epoch-0003"] = (np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32))
    with pytest.raises(InvalidInputError, match=r"the maps at epoch-0003 must have shape \(7, 9\), got \(2, 2\)"):
        compare_snapshots(maps, labels_of(24))
    maps = maps_of(24)
    maps["epoch-0003"][1][:] = np.nan
    with pytest.raises(InvalidInputError, match="at epoch-0003 has no value at a labelled pixel"):
        compare_snapshots(maps, labels_of(24))


def test_comparison_with_the_first_map_of_one_image():
    image = followed(30)
    table = compare_with_first(image.maps, image.label_map)
    valid = image.label_map != 255
    assert list(table["map"].unique()) == ["hardness", "loss"]
    first, last = (image.maps[name][1][valid].astype(float) for name in (SNAPSHOTS[0], SNAPSHOTS[-1]))
    row = table[(table["map"] == "loss") & (table["snapshot"] == SNAPSHOTS[-1])].iloc[0]
    assert row["relative_level"] == pytest.approx(last.mean() / first.mean())
    for measure, expected in literal(first, last, floor=0).items():
        assert row[measure] == pytest.approx(expected, abs=1e-7)


def test_an_image_without_labelled_pixels_is_not_compared():
    nothing = np.full(SHAPE, 255, np.uint8)
    with pytest.raises(InvalidInputError, match="no pixel is labelled"):
        compare_with_first(maps_of(31, label_map=nothing), nothing)


def test_the_variation_map_is_numpys():
    maps = [pair[0] for pair in maps_of(32).values()]
    stack = np.stack(maps).astype(float)
    np.testing.assert_allclose(variation_map(maps), stack.std(axis=0) / stack.mean(axis=0), rtol=1e-6)


def test_variation_of_one_map_or_of_two_shapes_is_refused():
    with pytest.raises(InvalidInputError, match="at least two maps, got 1"):
        variation_map([np.ones((2, 2))])
    with pytest.raises(InvalidInputError, match="the same shape"):
        variation_map([np.ones((2, 2)), np.ones((2, 3))])
