"""The measures of each object, against a slow reference."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label

from hlcore.analysis.components import distance_to_outside, iou_with_prediction, label_components
from hlcore.analysis.edges import DISTANCES
from hlcore.analysis.objects import COLUMNS, PIXELS_AT, add_edge_profile, measure_objects
from hlcore.types import IGNORE_INDEX, PredictionRecord

NAMES = ("Sky", "Road", "Pole")
SHAPE = (5, 7)


def record_of(label_map, prediction, *, seed=0, name="here"):
    height, width = prediction.shape
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(NAMES)), (height, width)).transpose(2, 0, 1).astype(np.float32)
    return PredictionRecord(
        name=name,
        image=np.zeros((height, width, 3), np.uint8),
        prediction=prediction,
        hardness_map=random.uniform(0.01, 0.99, (height, width)).astype(np.float32),
        probabilities=probabilities,
        class_names=NAMES,
        label_map=label_map,
    )


maps = hnp.arrays(np.uint8, SHAPE, elements=st.sampled_from([0, 0, 0, 1, 1, 2, IGNORE_INDEX]))
predictions = hnp.arrays(np.uint8, SHAPE, elements=st.sampled_from([0, 0, 1, 2]))


def blobs(label_map):
    """Pixels doubled in both directions, so that components are large enough to be objects."""
    return np.kron(label_map, np.ones((2, 2), np.uint8))


def pixels_of_objects(classes, *, ignored):
    """Sets of pixels by flood fill, in reading order."""
    height, width = classes.shape
    seen, found = set(), []
    for start in np.ndindex(height, width):
        if start in seen or classes[start] == ignored:
            continue
        reached, waiting = {start}, [start]
        while waiting:
            y, x = waiting.pop()
            for near in ((y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)):
                inside = 0 <= near[0] < height and 0 <= near[1] < width
                if inside and near not in reached and classes[near] == classes[start]:
                    reached.add(near)
                    waiting.append(near)
        seen |= reached
        found.append(sorted(reached))
    return found


def distance_to_edge(label_map, y, x):
    height, width = label_map.shape
    edges = [
        (v, u)
        for v in range(height)
        for u in range(width)
        for dv, du in ((0, 1), (1, 0), (0, -1), (-1, 0))
        if 0 <= v + dv < height and 0 <= u + du < width
        if IGNORE_INDEX not in (label_map[v, u], label_map[v + dv, u + du])
        if label_map[v, u] != label_map[v + dv, u + du]
    ]
    return min((np.hypot(v - y, u - x) for v, u in edges), default=np.inf)


def bin_of(distance):
    return next((i for i, end in enumerate((0, 1, 2, 4, 8, 16, 32)) if distance <= end), 7)


def slow_thickness(pixels, shape):
    height, width = shape
    outside = [(y, x) for y in range(-1, height + 1) for x in range(-1, width + 1) if (y, x) not in set(pixels)]
    return 2 * max(min(np.hypot(y - v, x - u) for v, u in outside) for y, x in pixels)


def slow_iou(record, pixels):
    predicted = pixels_of_objects(record.prediction, ignored=-1)
    own, of_class = set(pixels), record.labels[pixels[0]]
    hits = {p for p in own if record.prediction[p] == of_class}
    union = set(own)
    for part in predicted:
        if record.prediction[part[0]] == of_class and own & set(part):
            union |= {p for p in part if record.labels[p] != IGNORE_INDEX}
    return len(hits) / len(union)


def slow_rows(record):
    classes = record.labels
    rows = []
    for pixels in (found for found in pixels_of_objects(classes, ignored=IGNORE_INDEX) if len(found) >= 10):
        y, x = np.array(pixels).T
        distance = np.array([distance_to_edge(classes, *pixel) for pixel in pixels])
        hardness = record.hardness_map[y, x].astype(float)
        inner = distance > 2
        rows.append(
            {
                "image": record.name,
                "object": len(rows) + 1,
                "class_name": NAMES[classes[pixels[0]]],
                "area_px": len(pixels),
                "equivalent_diameter_px": 2 * np.sqrt(len(pixels) / np.pi),
                "thickness_px": slow_thickness(pixels, classes.shape),
                "edge_share": np.mean(~inner),
                "hardness_mean": hardness.mean(),
                "hardness_p95": np.percentile(hardness, 95),
                "hardness_interior": hardness[inner].mean() if inner.any() else np.nan,
                "loss_mean": record.loss_map[y, x].astype(float).mean(),
                "error_share": np.mean(record.prediction[y, x] != classes[y, x]),
                "iou": slow_iou(record, pixels),
                "left": x.min(),
                "top": y.min(),
                "right": x.max() + 1,
                "bottom": y.max() + 1,
                "touches_border": bool(
                    {0} & {*x, *y} or classes.shape[0] - 1 in y or classes.shape[1] - 1 in x,
                ),
                **dict(zip(PIXELS_AT, np.bincount([bin_of(d) for d in distance], minlength=8), strict=True)),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


@settings(max_examples=25, deadline=None)
@given(label_map=maps.map(blobs), prediction=predictions.map(blobs))
def test_a_row_equals_the_slow_reference(label_map, prediction):
    record = record_of(label_map, prediction)
    fast, slow = measure_objects(record), slow_rows(record)
    pd.testing.assert_frame_equal(fast, slow, check_dtype=False, rtol=1e-5)


def test_pixels_joined_at_a_corner_are_one_object_and_nine_pixels_are_none():
    label_map = np.full((8, 8), 0, np.uint8)
    label_map[0:2, 0:2] = label_map[2:5, 2:4] = 1  # 4 + 6 px that meet at a corner
    label_map[5:8, 5:8] = 2  # 9 px
    table = measure_objects(record_of(label_map, label_map))
    assert table[["class_name", "area_px"]].to_numpy().tolist() == [["Road", 10], ["Sky", 45]]


def test_ignored_pixels_split_an_object_and_belong_to_none():
    label_map = np.zeros((4, 9), np.uint8)
    label_map[:, 4] = IGNORE_INDEX
    assert label_components(label_map).tolist() == [[1, 1, 1, 1, 0, 2, 2, 2, 2]] * 4


def test_numbers_follow_the_reading_order_of_what_is_large_enough():
    label_map = np.array([[0, 1, 1, 1], [2, 2, 2, 2]])
    assert label_components(label_map, smallest_px=2).tolist() == [[0, 1, 1, 1], [2, 2, 2, 2]]


def test_numbers_follow_the_reading_order_whatever_the_order_in_memory():
    label_map = np.random.default_rng(0).integers(0, 3, (9, 14)).repeat(3, axis=0)
    expected = label_components(label_map)
    assert np.array_equal(label_components(np.asfortranarray(label_map)), expected)


@pytest.mark.parametrize(("width", "thick"), [(1, 2), (2, 2), (3, 4), (4, 4), (9, 10)])
def test_a_stripe_is_as_thick_as_it_is_wide_up_to_one_pixel(width, thick):
    inside = np.zeros((40, 20), np.uint8)
    inside[5:36, 5 : 5 + width] = 1
    assert 2 * distance_to_outside(inside).max() == thick
    assert 2 * distance_to_outside(inside[:, 5:]).max() == thick  # also at the image border


def test_an_object_predicted_exactly_has_iou_one_and_a_missed_one_zero():
    label_map = np.zeros((8, 16), np.uint8)
    label_map[2:6, 2:6], label_map[2:6, 10:14] = 1, 2
    prediction = np.where(label_map == 2, 0, label_map).astype(np.uint8)
    table = measure_objects(record_of(label_map, prediction)).set_index("class_name")
    assert table.loc["Road", "iou"] == 1
    assert table.loc["Pole", "iou"] == 0
    assert table.loc["Pole", "error_share"] == 1
    assert table.loc["Sky", "iou"] == pytest.approx(96 / 112)


def test_a_prediction_far_from_an_object_does_not_lower_its_iou():
    label_map = np.zeros((6, 20), np.uint8)
    label_map[1:5, 1:5] = 1
    prediction = label_map.copy()
    prediction[1:5, 12:16] = 1
    assert iou_with_prediction(label_components(label_map), label_map, prediction)[1] == 1


def test_an_object_without_interior_has_no_interior_hardness():
    label_map = np.zeros((30, 30), np.uint8)
    label_map[10:26, 20:22] = 1
    table = measure_objects(record_of(label_map, label_map)).set_index("class_name")
    assert table.loc["Road", "edge_share"] == 1
    assert np.isnan(table.loc["Road", "hardness_interior"])
    assert np.isfinite(table.loc["Sky", "hardness_interior"])


def test_an_image_of_one_class_is_all_interior():
    record = record_of(np.zeros((6, 6), np.uint8), np.zeros((6, 6), np.uint8))
    row = measure_objects(record).iloc[0]
    assert (row["edge_share"], row["pixels_at_> 32"], row["touches_border"]) == (0, 36, True)
    assert row["hardness_interior"] == pytest.approx(record.hardness_map.mean())


def test_without_labels_predicted_components_are_measured_and_have_no_loss_error_or_iou():
    prediction = np.zeros((8, 10), np.uint8)
    prediction[:, 5:] = 2
    table = measure_objects(record_of(None, prediction))
    assert table["class_name"].tolist() == ["Sky", "Pole"]
    assert table[["loss_mean", "error_share", "iou"]].isna().to_numpy().all()
    assert table["pixels_at_0"].tolist() == [8, 8]


@pytest.mark.parametrize("labels", [IGNORE_INDEX, 0])
def test_an_image_without_objects_gives_an_empty_table_with_all_columns(labels):
    label_map = np.full((3, 3), labels, np.uint8)
    table = measure_objects(record_of(label_map, np.zeros((3, 3), np.uint8)))
    assert table.empty
    assert tuple(table.columns) == COLUMNS


@given(prediction=predictions.map(blobs), label_map=maps.map(blobs))
def test_parts_add_up_to_their_objects(label_map, prediction):
    table = measure_objects(record_of(label_map, prediction))
    np.testing.assert_array_equal(table[list(PIXELS_AT)].sum(axis=1), table["area_px"])
    near = table[list(PIXELS_AT[:3])].sum(axis=1) / table["area_px"]
    np.testing.assert_allclose(near, table["edge_share"])
    assert (table["iou"].to_numpy() <= 1 - table["error_share"].to_numpy() + 1e-12).all()


def edge_profile(values, *, source="label"):
    table = pd.DataFrame({"distance": DISTANCES, "value": values, "quantity": "hardness", "class_name": ""})
    others = table.assign(quantity="loss", value=9.0), table.assign(class_name="Road", value=9.0)
    return pd.concat([table, *others]).assign(source=source)


def test_the_hardness_explained_by_edges_is_subtracted():
    label_map = np.zeros((12, 12), np.uint8)
    label_map[:, 6:] = 1
    objects = measure_objects(record_of(label_map, label_map))  # columns at 0, 1, 2, 3, 4, 5 px
    edges = edge_profile([0.6, 0.5, 0.4, 0.2, 0.1, np.nan, np.nan, np.nan])
    expected = (0.6 + 0.5 + 0.4 + 0.2 + 0.2 + 0.1) / 6
    matched = add_edge_profile(objects, edges)
    np.testing.assert_allclose(matched["hardness_over_edge"], objects["hardness_mean"] - expected)


def test_objects_whose_pixels_follow_the_profile_have_no_excess_hardness():
    label_map = np.zeros((9, 30), np.uint8)
    label_map[3:, 8:20], label_map[:, 26:] = 1, 2
    record = record_of(label_map, label_map)
    distance = np.array([[distance_to_edge(label_map, y, x) for x in range(30)] for y in range(9)])
    values = np.array([0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.01])
    record.hardness_map[:] = values[np.vectorize(bin_of)(distance)]
    matched = add_edge_profile(measure_objects(record), edge_profile(values))
    np.testing.assert_allclose(matched["hardness_over_edge"], 0, atol=1e-6)


def test_the_profile_of_predicted_edges_works_for_unlabelled_images():
    prediction = np.zeros((8, 10), np.uint8)
    objects = measure_objects(record_of(None, prediction))
    matched = add_edge_profile(objects, edge_profile([0.5] * 8, source="prediction"), source="prediction")
    np.testing.assert_allclose(matched["hardness_over_edge"], objects["hardness_mean"] - 0.5)


@given(label_map=maps)
def test_components_are_those_of_scikit_image(label_map):
    ours = label_components(label_map, smallest_px=1)
    np.testing.assert_array_equal(ours, label(label_map, background=IGNORE_INDEX, connectivity=2))
