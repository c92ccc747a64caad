"""Street scenes: the same from the same seed, with every class, exact labels and truly thin things."""

import numpy as np
import pytest
from jaxtyping import Bool
from skimage.measure import label

from hlcore.data.labels import CAMVID
from hlcore.data.samples import Sample
from hlcore.data.streets import Streets
from hlcore.data.streets.canvas import PEDESTRIAN, POLE, ROAD, SKY, Camera, Canvas, Light, Surface
from hlcore.data.streets.lens import majority_label
from hlcore.errors import InvalidInputError
from hlcore.types import IGNORE_INDEX, LabelMap

SIZE = (96, 128)


@pytest.fixture(scope="module")
def scenes() -> list[Sample]:
    data = Streets("train", count=20, size=(144, 192))
    return [data[index] for index in range(len(data))]


def labels_of(sample: Sample) -> LabelMap:
    assert sample.label_map is not None
    return sample.label_map


def all_labels(scenes: list[Sample]) -> np.ndarray:
    return np.concatenate([labels_of(scene).ravel() for scene in scenes])


def components(scenes: list[Sample], class_index: int) -> list[Bool[np.ndarray, "H W"]]:
    """The connected pieces of a class in all scenes."""
    pieces = []
    for scene in scenes:
        numbered = np.asarray(label(labels_of(scene) == class_index, connectivity=2))
        pieces += [numbered == number for number in range(1, numbered.max() + 1)]
    return pieces


def test_a_scene_is_the_same_at_every_call_and_in_every_order_however_many_there_are(scenes: list[Sample]):
    again = Streets("train", count=50, size=(144, 192))
    for index in (2, 0):
        assert again[index].image.tobytes() == scenes[index].image.tobytes()
        assert np.array_equal(labels_of(again[index]), labels_of(scenes[index]))


def test_splits_indices_and_seeds_never_share_a_scene():
    chosen = [("train", 0, 0), ("val", 0, 0), ("test", 0, 0), ("train", 1, 0), ("train", 0, 1), ("val", 0, 1)]
    images = {Streets(split, count=2, size=(48, 64), seed=seed)[index].image.tobytes() for split, seed, index in chosen}
    assert len(images) == len(chosen)


def test_all_eleven_classes_appear_within_twenty_scenes(scenes: list[Sample]):
    assert set(range(len(CAMVID.names))) <= set(np.unique(all_labels(scenes)))


def test_labels_are_classes_or_ignored_and_few_are_ignored(scenes: list[Sample]):
    labels = all_labels(scenes)
    assert set(np.unique(labels)) <= {*range(len(CAMVID.names)), IGNORE_INDEX}
    assert np.mean(labels == IGNORE_INDEX) < 0.04


def test_broad_classes_are_broad_and_thin_classes_are_rare(scenes: list[Sample]):
    labels = all_labels(scenes)
    share = np.bincount(labels, minlength=256) / labels.size
    assert min(share[SKY], share[ROAD]) > 0.1
    assert 0.001 < share[POLE] < 0.04
    assert 0.001 < share[PEDESTRIAN] < 0.04


def test_there_are_poles_at_most_three_pixels_wide(scenes: list[Sample]):
    tall = [piece for piece in components(scenes, POLE) if piece.any(axis=1).sum() >= 12]
    thin = [piece for piece in tall if np.median(piece.sum(axis=1)[piece.any(axis=1)]) <= 3]
    assert len(thin) >= 10


def test_there_are_far_pedestrians_of_ten_to_sixty_pixels(scenes: list[Sample]):
    areas = [int(piece.sum()) for piece in components(scenes, PEDESTRIAN)]
    assert sum(10 <= area <= 60 for area in areas) >= 10
    assert max(areas) > 200


def test_every_class_can_be_told_from_its_surroundings_by_its_pixels(scenes: list[Sample]):
    """Every label is visible in the image: the colour changes more along class borders than inside classes."""
    across, within = [], []
    for scene in scenes:
        step = np.abs(np.diff(scene.image.astype(int), axis=1)).sum(axis=2)
        border = np.diff(labels_of(scene).astype(int), axis=1) != 0
        across.append(np.median(step[border]))
        within.append(np.median(step[~border]))
    assert np.mean(across) > 2 * np.mean(within)


@pytest.mark.parametrize("size", [(16, 16), (37, 53), (64, 200), (151, 40)])
def test_any_size_is_drawn_at_exactly_that_size(size: tuple[int, int]):
    sample = Streets("test", count=1, size=size)[0]
    assert sample.image.shape == (*size, 3)
    assert sample.image.dtype == np.uint8
    assert labels_of(sample).shape == size


def test_a_larger_picture_shows_the_same_street():
    small, large = (labels_of(Streets("train", count=1, size=size)[0]) for size in ((96, 128), (192, 256)))
    assert np.mean(small == large[::2, ::2]) > 0.9


def test_names_and_length_follow_the_split_and_count():
    data = Streets("val", count=3, size=SIZE)
    assert data.names == ("val-0000", "val-0001", "val-0002")
    assert len(data) == 3
    assert [data[index].name for index in range(3)] == list(data.names)
    assert data[-1].name == "val-0002"
    assert data.classes is CAMVID


def test_an_index_past_the_end_is_an_error():
    with pytest.raises(IndexError):
        Streets("val", count=3, size=SIZE)[3]


def test_the_fingerprint_changes_with_whatever_changes_the_scenes():
    base = {"split": "train", "count": 3, "size": SIZE, "seed": 0}
    variants = [base, base | {"split": "val"}, base | {"count": 4}, base | {"size": (96, 96)}, base | {"seed": 1}]
    prints = [Streets(v["split"], count=v["count"], size=v["size"], seed=v["seed"]).fingerprint for v in variants]
    assert len(set(prints)) == len(prints)
    assert all(len(fingerprint) == 64 for fingerprint in prints)
    assert prints[0] == Streets("train", count=3, size=SIZE).fingerprint


@pytest.mark.parametrize(
    ("split", "count", "size", "seed", "message"),
    [
        ("training", 1, SIZE, 0, "split must be one of train, val, test, got 'training'"),
        ("train", 0, SIZE, 0, "count must be at least 1"),
        ("train", 1, (8, 128), 0, "at least 16 px"),
        ("train", 1, SIZE, -1, "seed must be 0 or more"),
    ],
)
def test_invalid_settings_are_refused(split: str, count: int, size: tuple[int, int], seed: int, message: str):
    with pytest.raises(InvalidInputError, match=message):
        Streets(split, count=count, size=size, seed=seed)


def test_a_pixel_takes_the_class_that_covers_most_of_it_and_of_tied_ones_the_one_in_front():
    labels = np.array([[3, 3, 3, 2], [3, 2, 3, 2]], np.uint8)
    parts = np.array([[0, 0, 0, 9], [0, 9, 0, 9]], np.int32)
    assert majority_label(labels, parts).tolist() == [[3, 2]]


def wall_of_two_metres(canvas: Canvas, distance_m: float) -> None:
    corners = [(-1.0, 0.0, distance_m), (1.0, 0.0, distance_m), (1.0, 2.0, distance_m), (-1.0, 2.0, distance_m)]
    canvas.face(corners, Surface(label=1, colour=(0.5, 0.5, 0.5)))


def bare_canvas() -> Canvas:
    camera = Camera(height_m=1.0, focal_px=100.0, centre_u=50.0, horizon_v=50.0, roll=0.0)
    grey = (0.5, 0.5, 0.5)
    light = Light((0.0, 1.0, 0.0), grey, grey, grey, grey, cloudiness=0.0, haze_per_m=0.0, lamps_lit=False)
    canvas = Canvas(camera, light, 100, 100)
    canvas.sky()
    return canvas


def test_a_wall_twice_as_far_covers_half_the_width_and_height():
    near, far = bare_canvas(), bare_canvas()
    wall_of_two_metres(near, 10.0)
    wall_of_two_metres(far, 20.0)
    for canvas, extent_px in ((near, 20), (far, 10)):
        rows, columns = np.nonzero(canvas.part_index())
        assert abs(np.ptp(rows) - extent_px) <= 1
        assert abs(np.ptp(columns) - extent_px) <= 1


def test_objects_behind_the_camera_leave_no_trace():
    canvas = bare_canvas()
    wall_of_two_metres(canvas, -5.0)
    assert not canvas.part_index().any()
    assert len(canvas.parts) == 1
