"""Predict image files into a bundle: file -> image -> network -> maps."""

from collections.abc import Generator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from hlcore.cluster import LOST, Cluster, Work
from hlcore.data.digests import digest_file
from hlcore.data.images import read_image
from hlcore.data.images.white_level import is_dark
from hlcore.errors import explain_failure
from hlcore.inference import OVERLAPPED_VALUES, predict
from hlcore.overlap import overlap
from hlcore.storage.bundles import BundleWriter, Row, write_maps
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run, open_run
from hlcore.types import Image, PredictionRecord


class Predicted(NamedTuple):
    """One image that is done."""

    name: str
    row: Row | None
    """Its row of the manifest, or None if it failed."""
    failure: str = ""
    dark: bool = False
    """Whether it uses under a tenth of the range from black to white."""


class Settings(NamedTuple):
    """How images become maps."""

    out: Path
    """Folder of the bundle."""
    window: int | None = None
    """As in `hlcore.inference.predict`."""
    white_level: float | None = None
    """As in `read_image`."""


def predict_files(files: Mapping[str, Path], checkpoint: Checkpoint, settings: Settings) -> Generator[Predicted]:
    """Write the maps of image files; yields each image once it is done.

    Whatever is wrong with one image, the others are predicted.

    Args:
        files: Name to file.
        checkpoint: The network.
        settings: How, and where to.

    Raises:
        StorageError: the maps cannot be written.
        InvalidInputError: the network or the window does not fit.
    """
    done: dict[str, Predicted] = {}

    def load(name: str) -> tuple[str, Image]:
        return name, read_image(files[name], white_level=settings.white_level)

    def run(loaded: tuple[str, Image]) -> PredictionRecord:
        name, image = loaded
        names, window = checkpoint.class_names, settings.window
        return predict(checkpoint.network, image, class_names=names, name=name, window=window)

    def write(record: PredictionRecord) -> None:
        source, palette = files[record.name], checkpoint.palette
        digest = digest_file(source).hex()
        row = write_maps(settings.out, record, palette=palette, source=str(source), digest=digest)
        done[record.name] = Predicted(record.name, row, dark=is_dark(record.image))

    def is_large(loaded: tuple[str, Image]) -> bool:
        return loaded[1][..., 0].size * len(checkpoint.class_names) > OVERLAPPED_VALUES

    with closing(overlap(files, load, run, write, is_large=is_large)) as steps:
        for name, error in steps:
            if error is None:
                yield done.pop(name)
                continue
            reason = explain_failure(error)
            yield Predicted(name, None, reason if str(files[name]) in reason else f"{files[name]}: {reason}")


def predict_on_cluster(
    files: Mapping[str, Path], run: Run, settings: Settings, cluster: Cluster, network: Mapping[str, Any]
) -> Generator[Predicted]:
    """The same on the machines of a cluster, which must all see the run, the files and the bundle at the same paths.

    Args:
        files: Name to file.
        run: The run.
        settings: How, and where to.
        cluster: Connected.
        network: From `load_for_workers`.

    Raises:
        HlcoreError: as in `predict_files` and `Cluster.map`.
    """
    rows = [{"name": name, "path": str(path.absolute())} for name, path in files.items()]
    open_work = partial(_open_work, run.path.resolve(), network, settings._replace(out=settings.out.resolve()))
    lost = lambda row: Predicted(row["name"], None, f"{row['path']}: {LOST}")  # noqa: E731
    with closing(cluster.map(open_work, rows, device=network["device"], give_up=lost)) as done:
        for predicted in done:
            row = predicted.row and {**predicted.row, "source": str(files[predicted.name])}
            yield predicted._replace(row=row)


def _open_work(run: Path, network: Mapping[str, Any], settings: Settings) -> Work:
    checkpoint = load_epoch(open_run(run), **network)
    return lambda rows: predict_files({row["name"]: Path(row["path"]) for row in rows}, checkpoint, settings)


def add_to_bundle(predicted: Predicted, bundle: BundleWriter) -> None:
    """Add an image that is done to the manifest, or name it as left out."""
    if predicted.row is None:
        bundle.leave_out(predicted.name, predicted.failure)
    else:
        bundle.add_row(predicted.row)
