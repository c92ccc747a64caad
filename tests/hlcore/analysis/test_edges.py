"""Hardness, loss and errors by distance to the edge, against a literal count pixel by pixel."""

from collections import defaultdict
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hlcore.analysis import edges
from hlcore.analysis.boundaries import edge_map, nearest_edge
from hlcore.analysis.statistics import ImageSums
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, PredictionRecord

CLASSES = ("sky", "road", "car")
SHAPE = (7, 11)
LABEL_MAPS = arrays.arrays(np.uint8, SHAPE, elements=st.sampled_from([0, 1, 2, IGNORE_INDEX]))


def record(label_map=None, *, seed=0, shape=SHAPE, class_names=CLASSES):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(class_names)), shape).astype(np.float32).transpose(2, 0, 1)
    return PredictionRecord(
        name=f"image {seed}",
        image=random.integers(0, 256, (*shape, 3)).astype(np.uint8),
        prediction=probabilities.argmax(0).astype(np.uint8),
        hardness_map=random.random(shape).astype(np.float32),
        probabilities=probabilities,
        class_names=class_names,
        label_map=label_map,
    )


def summed(*records):
    sums = ImageSums(20)
    for one in records:
        sums.add(one.name, edges.count(one))
    return sums


def values(table, query, column="value"):
    return table.query(query)[column].to_numpy()


def literal_bin(distance):
    for i, end in enumerate([0, 1, 2, 4, 8, 16, 32]):
        if distance <= end:
            return i
    return 7


def literal_pair(label_map, y, x, ignore_index):
    for v, u in ((y - 1, x), (y, x - 1), (y, x + 1), (y + 1, x)):
        if 0 <= v < label_map.shape[0] and 0 <= u < label_map.shape[1]:
            pair = {int(label_map[y, x]), int(label_map[v, u])}
            if len(pair) == 2 and ignore_index not in pair:
                return tuple(sorted(pair))
    return None


def literal_counts(one, source):
    """Each sum by (class, bin) and by (pair, bin), one pixel after the other."""
    by_class, by_pair = defaultdict(float), defaultdict(float)
    distance, nearest = nearest_edge(edge_map(one, source))
    parted, ignore_index = (one.label_map, IGNORE_INDEX) if source == "label" else (one.prediction, -1)
    for (y, x), hardness in np.ndenumerate(one.hardness_map):
        if one.label_map is not None and one.label_map[y, x] == IGNORE_INDEX:
            continue
        sums = {"pixels": 1, "hardness": float(hardness)}
        if one.label_map is not None:
            sums |= {"labelled": 1, "loss": float(one.loss_map[y, x]), "errors": float(one.error[y, x])}
        of_class = int((one.prediction if one.label_map is None else one.label_map)[y, x])
        pair = None
        if source != "gradient" and nearest[y, x] >= 0:
            pair = literal_pair(parted, *divmod(int(nearest[y, x]), parted.shape[1]), ignore_index)
        for name, value in sums.items():
            by_class[name, of_class, literal_bin(distance[y, x])] += value
            if pair is not None:
                by_pair[name, pair, literal_bin(distance[y, x])] += value
    return by_class, by_pair


@settings(max_examples=30, deadline=None)
@given(st.none() | LABEL_MAPS, st.sampled_from(["label", "prediction", "gradient"]), st.integers(0, 99))
def test_counts_are_the_literal_ones(label_map, source, seed):
    one = record(label_map, seed=seed)
    if label_map is None and source == "label":
        return
    counts = edges.count(one, sources=(source,))
    by_class, by_pair = literal_counts(one, source)
    for name in ("pixels", "labelled", "hardness", "loss", "errors"):
        for (of_class, at), value in np.ndenumerate(counts[f"{source}/{name}"]):
            assert value == pytest.approx(by_class[name, of_class, at], rel=1e-5)
        if source != "gradient":
            every = list(combinations(range(3), 2))
            for (pair, at), value in np.ndenumerate(counts[f"{source}/pairs/{name}"]):
                assert value == pytest.approx(by_pair[name, every[pair], at], rel=1e-5)


@settings(max_examples=12, deadline=None)
@given(st.lists(LABEL_MAPS, min_size=1, max_size=4), st.data())
def test_any_split_of_the_images_gives_the_same_tables(label_maps, data):
    records = [record(label_map, seed=i) for i, label_map in enumerate(label_maps)]
    cut = data.draw(st.integers(0, len(records)))
    split = edges.make_tables(summed(*records[cut:]) + summed(*records[:cut]), CLASSES)
    for name, whole in edges.make_tables(summed(*records), CLASSES).items():
        pd.testing.assert_frame_equal(split[name], whole, rtol=1e-9)


@given(LABEL_MAPS)
def test_every_source_is_measured_over_the_same_pixels_and_ignored_ones_change_nothing(label_map):
    one, kept = record(label_map), label_map != IGNORE_INDEX
    counts = edges.count(one)
    for source in ("label", "prediction", "gradient"):
        assert counts[f"{source}/pixels"].sum(axis=1).tolist() == [(label_map == c).sum() for c in range(3)]
        assert counts[f"{source}/hardness"].sum() == pytest.approx(one.hardness_map[kept].sum(), rel=1e-5)
        assert counts[f"{source}/errors"].sum() == one.error.sum()


@given(LABEL_MAPS)
def test_pairs_are_all_pixels_wherever_there_is_an_edge(label_map):
    counts = edges.count(record(label_map), sources=("label",))
    pairs, classes = (counts[f"label/{name}"].sum(axis=0) for name in ("pairs/pixels", "pixels"))
    expected = classes if classes[:7].any() else np.zeros(8)
    assert pairs.tolist() == expected.tolist()


def test_an_unlabelled_image_has_hardness_and_neither_loss_nor_errors():
    tables = edges.make_tables(summed(record(None)), CLASSES)
    table = tables["edges"]
    assert set(table["source"]) == {"prediction", "gradient"}
    assert np.isnan(values(table, "quantity != 'hardness'")).all()
    assert (values(table, "quantity != 'hardness'", "pixels") == 0).all()
    assert np.isfinite(values(table, "class_name == '' and distance == '0' and quantity == 'hardness'")).all()
    with pytest.raises(InvalidInputError, match="no label map"):
        edges.count(record(None), sources=("label",))


def test_an_image_of_one_class_is_far_from_every_edge_and_has_no_pair():
    flat = np.zeros(SHAPE, np.uint8)
    tables = edges.make_tables(summed(record(flat)), CLASSES)
    table = tables["edges"].query("source == 'label' and class_name == '' and quantity == 'hardness'")
    assert table["pixels"].tolist() == [0] * 7 + [flat.size]
    assert "label" not in set(tables["edge_pairs"]["source"])
    contrast = values(tables["edge_contrast"], "source == 'label'")
    assert np.isnan(contrast).all(), "without an edge there is nothing to compare"


def half_and_half(*, near, far):
    """Sky to the left of column 40, road to the right; hard within 2 px of the edge, and less so beyond 16 px."""
    label_map = np.repeat(np.uint8([[0, 1]]), 40, axis=1)
    distance = np.minimum(np.abs(np.arange(80) - 39), np.abs(np.arange(80) - 40))
    hardness_map = np.float32([np.select([distance <= 2, distance > 16], [near, far], 0.5)])
    probabilities = np.zeros((3, 1, 80), np.float32)
    probabilities[0] = 1
    image = np.zeros((1, 80, 3), np.uint8)
    return PredictionRecord("half", image, np.zeros_like(label_map), hardness_map, probabilities, CLASSES, label_map)


def test_edge_contrast_is_the_mean_at_the_edge_over_the_mean_far_away():
    tables = edges.make_tables(summed(half_and_half(near=0.9, far=0.1)), CLASSES)
    rows = tables["edge_contrast"].query("source == 'label'")
    contrast = {(row.class_name, row.quantity): row.value for row in rows.itertuples()}
    assert contrast["", "hardness"] == pytest.approx(9)
    assert contrast["road", "hardness"] == pytest.approx(9)
    assert np.isnan(contrast["car", "hardness"])
    assert contrast["", "error_rate"] == 1, "all road is wrong, at the edge and far away"
    assert np.isnan(contrast["sky", "error_rate"]), "no far pixel of the sky is wrong: a ratio to 0 is undefined"


def test_distances_round_up_to_whole_pixels():
    table = edges.make_tables(summed(half_and_half(near=0.9, far=0.1)), CLASSES)["edges"]
    rows = table.query("source == 'label' and class_name == 'sky' and quantity == 'hardness'")
    assert rows["distance"].tolist() == ["0", "1", "2", "3–4", "5–8", "9–16", "17–32", "> 32"]
    assert rows["pixels"].tolist() == [1, 1, 1, 2, 4, 8, 16, 7]
    assert rows["value"].tolist() == pytest.approx([0.9] * 3 + [0.5] * 3 + [0.1] * 2)


def test_a_pair_has_a_row_at_its_edge_and_one_for_every_distance():
    table = edges.make_tables(summed(half_and_half(near=0.9, far=0.1)), CLASSES)["edge_pairs"]
    assert list(table.columns) == list(edges.PAIR_COLUMNS)
    rows = table.query("source == 'label' and quantity == 'hardness'")
    assert set(zip(rows["first"], rows["second"], strict=True)) == {("sky", "road")}
    assert rows["distance"].tolist() == [edges.AT_EDGE, *edges.DISTANCES]
    assert rows["pixels"].tolist()[:4] == [6, 2, 2, 2]
    assert rows["value"].iloc[0] == pytest.approx(0.9)


def test_with_many_classes_only_the_edges_of_a_pair_are_kept():
    many = tuple(f"class {i}" for i in range(150))
    one = record(np.random.default_rng(1).integers(0, 150, SHAPE).astype(np.uint8), class_names=many)
    counts = edges.count(one)
    assert 200 * 8 * sum(values.size for values in counts.values()) < 250e6
    by_class = counts["label/pixels"]
    assert counts["label/pairs/pixels"].sum() == by_class[:, :3].sum()
    sums = ImageSums(3)
    sums.add("one", counts)
    table = edges.make_tables(sums, many)["edge_pairs"]
    assert set(table["distance"]) == {edges.AT_EDGE}
    assert table.query("source == 'label' and quantity == 'loss'")["pixels"].sum() == by_class[:, :3].sum()


def test_several_images_have_an_interval_around_the_value():
    sums = summed(*[record(np.random.default_rng(i).integers(0, 3, SHAPE).astype(np.uint8), seed=i) for i in range(9)])
    for table in edges.make_tables(sums, CLASSES).values():
        value, low, high = table.dropna()[["value", "low", "high"]].to_numpy().T
        assert len(value)
        assert (low <= high).all()
        assert ((low - 0.1 <= value) & (value <= high + 0.1)).mean() > 0.9


def test_tables_of_no_image_are_refused():
    with pytest.raises(InvalidInputError, match="no image was added"):
        edges.make_tables(ImageSums(), CLASSES)


def test_brightness_edges_alone_have_no_pairs():
    sums = ImageSums(3)
    sums.add("one", edges.count(record(None), sources=("gradient",)))
    tables = edges.make_tables(sums, CLASSES)
    assert len(tables["edge_pairs"]) == 0
    assert list(tables["edge_pairs"].columns) == list(edges.PAIR_COLUMNS)
