"""What goes to the viewer, and the files to take away."""

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from app.downloads import hardness_npy, hardness_png, overlay_png
from app.samples import fit
from app.scenes import Look
from app.viewer.planes import NO_VALUE, class_plane, image_plane, value_plane
from hlcore.data.samples import Sample
from hlcore.storage.planes import read_hardness_png

MAPS = arrays.arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32))


@given(MAPS)
def test_a_value_arrives_within_half_a_step(values):
    plane = value_plane("hardness", values, low=0, high=1)
    stored = np.frombuffer(zlib.decompress(plane.content), "<u2").reshape(plane.size)
    np.testing.assert_allclose(stored / (NO_VALUE - 1), values, atol=0.5 / (NO_VALUE - 1) + 1e-7)


def test_a_missing_value_is_told_from_the_largest():
    plane = value_plane("loss", np.array([[0.0, 88.0, 99.0, np.nan]], np.float32), low=0, high=88)
    assert np.frombuffer(zlib.decompress(plane.content), "<u2").tolist() == [0, NO_VALUE - 1, NO_VALUE - 1, NO_VALUE]


def test_classes_and_images_arrive_exactly():
    label_map = np.array([[0, 3, 255]])
    assert np.frombuffer(zlib.decompress(class_plane("label", label_map).content), np.uint8).tolist() == [0, 3, 255]
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(image_plane("image", image).content))), image)


def test_another_content_has_another_digest():
    zeros = np.zeros((2, 2), np.float32)
    digests = {value_plane("a", zeros + v, low=0, high=1).header()["digest"] for v in (0, 0.5)}
    assert len(digests) == 2


@given(MAPS)
def test_hardness_files_hold_the_map(hardness_map):
    np.testing.assert_array_equal(np.load(io.BytesIO(hardness_npy(hardness_map))), hardness_map)
    np.testing.assert_allclose(read_hardness_png(hardness_png(hardness_map)), hardness_map, atol=1 / 65535)


def test_the_overlay_is_dimmed_outside_the_hardest_part():
    image = np.full((1, 2, 3), 200, np.uint8)
    look = Look(scale="grey", opacity=1.0, nats=4, above=0.5)
    file = overlay_png(image, np.array([[0.2, 1.0]], np.float32), look)
    assert np.asarray(Image.open(io.BytesIO(file))).tolist() == [[[90, 90, 90], [255, 255, 255]]]


@pytest.mark.parametrize(("size", "side", "expected"), [((300, 400), 200, (150, 200)), ((30, 40), 200, (30, 40))])
def test_a_picture_is_scaled_down_and_never_up(size, side, expected):
    sample = Sample("a", np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8))
    picture = fit(sample, side)
    assert picture.size == expected
    assert picture.sample.label_map is not None
    assert picture.sample.label_map.shape == expected
    assert picture.own_size == size


def test_a_picture_is_known_by_its_pixels_and_labels():
    image, labels = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
    pictures = [
        fit(Sample("a", image, None), 512),
        fit(Sample("b", image.copy(), None), 512),
        fit(Sample("a", image, labels), 512),
        fit(Sample("a", image + 1, None), 512),
        fit(Sample("a", image.reshape(6, 4, 3), None), 512),
    ]
    assert pictures[0].digest == pictures[1].digest
    assert len({picture.digest for picture in pictures}) == 4
