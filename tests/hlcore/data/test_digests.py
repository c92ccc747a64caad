"""Files are known by their content."""

import os
from pathlib import Path

import numpy as np

from hlcore.data import digests
from hlcore.data.readers.camvid import open_camvid


def test_the_fingerprint_changes_with_the_content_of_an_image_of_the_same_size(tmp_path: Path, write) -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    write("trainannot/a.png", picture[..., 0])
    image = write("train/a.bmp", picture).rename(tmp_path / "train" / "a.png")  # a format without compression
    before, size = open_camvid(tmp_path, "train").fingerprint, image.stat().st_size
    assert open_camvid(tmp_path, "train").fingerprint == before
    image.write_bytes(image.read_bytes()[:-1] + b"\7")
    assert image.stat().st_size == size
    assert open_camvid(tmp_path, "train").fingerprint != before


def test_a_file_is_read_again_only_if_it_may_have_changed(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    os.utime(path, (1, 1))
    reads: list[Path] = []
    monkeypatch.setattr(digests, "_read_digest", lambda path: reads.append(path) or path.read_bytes())
    assert [digests.digest_file(path) for _ in range(3)] == [b"one"] * 3
    assert len(reads) == 1
    path.write_bytes(b"two")  # changed just now: another change might have the same time, so it is not remembered
    assert [digests.digest_file(path) for _ in range(2)] == [b"two"] * 2
    os.utime(path, (2, 2))
    assert digests.digest_file(path) == b"two"
    assert len(reads) == 4
