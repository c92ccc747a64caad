from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from hlcore.data.catalog import open_data
from hlcore.data.images import read_image
from hlcore.data.images.white_level import find_white_level, guess_white_level, is_dark
from hlcore.data.samples import PairedFiles


def write(path: Path, numbers: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(numbers).save(path)
    return path


def ramp(brightest: int) -> np.ndarray:
    return np.linspace(0, brightest, 600).astype(np.uint16).reshape(20, 30)


@pytest.mark.parametrize(
    ("brightest", "white"),
    [(0, 255), (255, 255), (256, 1023), (1023, 1023), (4095, 4095), (4096, 16383), (16383, 16383), (20_000, 65535)],
)
def test_white_is_the_smallest_level_that_holds_the_numbers(brightest, white):
    assert guess_white_level(ramp(brightest)) == white


def test_numbers_that_come_from_8_bits_keep_the_white_of_16(scene):
    assert guess_white_level((scene // 8).astype(np.uint16) * 257) == 65535


@pytest.mark.parametrize(("brightest", "white"), [(0.4, 1), (1.9, 1), (3.0, 3), (25.0, 25), (26.0, 255), (900.0, 1023)])
def test_white_of_floats_never_jumps_far_above_the_brightest(brightest, white):
    assert guess_white_level(np.linspace(0, brightest, 500, dtype=np.float32)) == white


def test_signed_numbers_of_8_bits_have_a_white_level():
    assert guess_white_level(np.array([[-128, 0, 127]], np.int8)) == 255


def test_one_number_in_a_thousand_may_be_brighter_and_two_may_not():
    numbers = np.full(10_000, 1000, np.uint16)
    numbers[:9] = 5000
    assert guess_white_level(numbers) == 1023
    numbers[:20] = 5000
    assert guess_white_level(numbers) == 16383


def test_a_folder_has_one_white_level_whatever_its_first_image_needs(tmp_path):
    paths = [write(tmp_path / f"{bits}.png", ramp(2**bits - 1)) for bits in (9, 12, 10)]
    assert find_white_level(paths).level == find_white_level(paths[::-1]).level == 4095
    eight_bits = write(tmp_path / "8.png", ramp(255).astype(np.uint8))
    assert find_white_level([eight_bits]).level is None
    assert find_white_level([eight_bits, *paths]).level == 4095
    assert find_white_level([]).level is None


def test_black_and_unreadable_images_do_not_decide_the_white_level(tmp_path):
    paths = [write(tmp_path / "black.png", ramp(0)), tmp_path / "missing.png", tmp_path / "broken.png"]
    paths[-1].write_bytes(b"no image")
    assert find_white_level([*paths, write(tmp_path / "a.png", ramp(4000))]).level == 4095
    assert find_white_level(paths[1:]).level is None


def test_at_most_16_images_are_looked_at(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    paths = [write(tmp_path / f"{number:02}.png", ramp(4000)) for number in range(20)]
    opened = []
    monkeypatch.setattr(
        "hlcore.data.images.white_level.guess_white_level", lambda numbers: opened.append(numbers) or 4095.0
    )
    assert find_white_level(paths).level == 4095
    assert len(opened) == 16
    assert "white is 4095, found in 16 of 20 images" in caplog.text


def test_all_images_of_a_data_set_are_read_with_one_white_level(tmp_path, caplog):
    (tmp_path / "classes.json").write_text('["sky"]')
    for name, brightest in (("a", 1000), ("b", 4000)):
        write(tmp_path / f"images/{name}.png", ramp(brightest))
        write(tmp_path / f"labels/{name}.png", np.zeros((20, 30), np.uint8))
    data = open_data("folder", root=tmp_path, split="train")
    assert isinstance(data, PairedFiles)
    assert data.white_level == 4095
    assert [int(data[index].image.max()) for index in (0, 1)] == [round(1000 / 4095 * 255), round(4000 / 4095 * 255)]
    assert not caplog.text
    write(tmp_path / "images/b.png", ramp(20_000))
    assert open_data("folder", root=tmp_path, split="train").white_level == 65535
    assert f"some images (1), such as {tmp_path / 'images/a.png'}, use under a tenth of the range" in caplog.text
    write(tmp_path / "images/b.png", ramp(4000))
    given = open_data("folder", root=tmp_path, split="train", white_level=65535)
    assert int(given[1].image.max()) == round(4000 / 257)


def test_an_image_is_dark_if_it_uses_under_a_tenth_of_its_range(tmp_path):
    path = write(tmp_path / "a.png", ramp(4095))
    assert not is_dark(read_image(path))
    assert is_dark(read_image(path, white_level=65535))
    assert is_dark(np.full((5, 5, 3), 25, np.uint8))
    assert not is_dark(np.full((5, 5, 3), 26, np.uint8))
