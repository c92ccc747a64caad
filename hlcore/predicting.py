"""Predict image files into a bundle: file -> image -> network -> maps."""

from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hlcore.data.digests import digest_file
from hlcore.data.images import read_image
from hlcore.data.images.white_level import is_dark
from hlcore.errors import explain_failure
from hlcore.inference import OVERLAPPED_VALUES, predict
from hlcore.overlap import overlap
from hlcore.storage.bundles import BundleWriter
from hlcore.storage.checkpoints import Checkpoint
from hlcore.types import Image, PredictionRecord


class Step(NamedTuple):
    """One image that is done."""

    name: str
    dark: bool
    """Whether it uses under a tenth of the range from black to white."""


def predict_files(
    files: Mapping[str, Path],
    checkpoint: Checkpoint,
    bundle: BundleWriter,
    *,
    window: int | None = None,
    white_level: float | None = None,
) -> Generator[Step]:
    """Add the maps of image files to a bundle; yields each image once it is done.

    Whatever is wrong with one image, the others are predicted.

    Args:
        files: Name to file.
        checkpoint: The network.
        bundle: Open for writing.
        window: As in `hlcore.inference.predict`.
        white_level: As in `read_image`.

    Raises:
        StorageError: the bundle cannot be written.
        InvalidInputError: the network or the window does not fit.
    """
    dark: set[str] = set()

    def load(name: str) -> tuple[str, Image]:
        return name, read_image(files[name], white_level=white_level)

    def run(loaded: tuple[str, Image]) -> PredictionRecord:
        name, image = loaded
        return predict(checkpoint.network, image, class_names=checkpoint.class_names, name=name, window=window)

    def add(record: PredictionRecord) -> None:
        dark.update([record.name] if is_dark(record.image) else [])
        bundle.add(record, source=str(files[record.name]), digest=digest_file(files[record.name]).hex())

    def is_large(loaded: tuple[str, Image]) -> bool:
        return loaded[1][..., 0].size * len(checkpoint.class_names) > OVERLAPPED_VALUES

    with closing(overlap(files, load, run, add, is_large=is_large)) as done:
        for name, error in done:
            if error is not None:
                reason = explain_failure(error)
                bundle.leave_out(name, reason if str(files[name]) in reason else f"{files[name]}: {reason}")
            yield Step(name, name in dark)
