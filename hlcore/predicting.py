"""Predict image files into a bundle: file -> image -> network -> maps."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hlcore.cluster import LOST, Cluster, Work
from hlcore.config import EpochChoice
from hlcore.data.digests import digest_file
from hlcore.data.images import read_image
from hlcore.data.images.white_level import find_white_level, is_dark, space_out
from hlcore.errors import explain_failure
from hlcore.inference import OVERLAPPED_VALUES, predict
from hlcore.overlap import overlap
from hlcore.remote import is_uri, join, local_file, upload
from hlcore.storage.bundles import BundleWriter, ManifestRow, write_maps
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.loading import load_epoch, load_for_workers
from hlcore.storage.runs import Run, open_run
from hlcore.types import Image, PredictionRecord


class Predicted(NamedTuple):
    """One image that is done."""

    name: str
    row: ManifestRow | None
    """Its row of the manifest, or None if it failed."""
    failure: str = ""
    dark: bool = False
    """Whether it uses under a tenth of the range from black to white."""


class Settings(NamedTuple):
    """How images become maps."""

    out: str
    """Folder of the bundle, or one of an object store such as s3://bucket/folder."""
    window: int | None = None
    """As in `hlcore.inference.predict`."""
    white_level: float | None = None
    """As in `read_image`."""


def load_predictor(
    run: Run, settings: Settings, cluster: Cluster | None, *, epoch: EpochChoice, device: str, backend: str
) -> tuple[Checkpoint, Callable[[Mapping[str, str]], Generator[Predicted]]]:
    """A checkpoint, and what predicts image files with it: `predict_files` or, on a cluster, `predict_on_cluster`.

    Args:
        run: The run.
        settings: How, and where to.
        cluster: Connected; None for this machine.
        epoch: As in `load_epoch`, like the rest.
        device: Where the network runs; on a cluster, where its workers run it.
        backend: What runs it.
    """
    if cluster is None:
        checkpoint = load_epoch(run, epoch, device=device, backend=backend)
        return checkpoint, partial(predict_files, checkpoint=checkpoint, settings=settings)
    device = cluster.choose_device(device)
    checkpoint, network = load_for_workers(run, epoch, device=device, backend=backend)
    return checkpoint, partial(predict_on_cluster, run=run, settings=settings, cluster=cluster, network=network)


def predict_files(files: Mapping[str, str], checkpoint: Checkpoint, settings: Settings) -> Generator[Predicted]:
    """Write the maps of image files; yields each image once it is done.

    Whatever is wrong with one image, the others are predicted.

    Args:
        files: Name to path or URI.
        checkpoint: The network.
        settings: How, and where to.

    Raises:
        StorageError: the maps cannot be written.
        InvalidInputError: the network or the window does not fit.
    """
    done: dict[str, Predicted] = {}

    def load(name: str) -> _Loaded:
        with local_file(files[name]) as path:
            return _Loaded(name, read_image(path, white_level=settings.white_level), digest_file(path).hex())

    def run(loaded: _Loaded) -> tuple[PredictionRecord, str]:
        name, names, window = loaded.name, checkpoint.class_names, settings.window
        record = predict(checkpoint.network, loaded.image, class_names=names, name=name, window=window)
        return record, loaded.digest

    def write(predicted: tuple[PredictionRecord, str]) -> None:
        record, digest = predicted
        row = _write_maps(settings.out, record, checkpoint, files[record.name], digest)
        done[record.name] = Predicted(record.name, row, dark=is_dark(record.image))

    def is_large(loaded: _Loaded) -> bool:
        return loaded.image[..., 0].size * len(checkpoint.class_names) > OVERLAPPED_VALUES

    with closing(overlap(files, load, run, write, is_large=is_large)) as steps:
        for name, error in steps:
            if error is None:
                yield done.pop(name)
                continue
            reason = explain_failure(error)
            yield Predicted(name, None, reason if files[name] in reason else f"{files[name]}: {reason}")


class _Loaded(NamedTuple):
    """An image in memory."""

    name: str
    image: Image
    digest: str
    """Of its file."""


def _write_maps(out: str, record: PredictionRecord, checkpoint: Checkpoint, source: str, digest: str) -> ManifestRow:
    """Write the maps into a bundle and give its row of the manifest."""
    if not is_uri(out):
        return write_maps(Path(out), record, palette=checkpoint.palette, source=source, digest=digest)
    with TemporaryDirectory(prefix="hlcore-") as folder:
        row = write_maps(Path(folder), record, palette=checkpoint.palette, source=source, digest=digest)
        for path in filter(Path.is_file, Path(folder).rglob("*")):
            upload(path, join(out, path.relative_to(folder).as_posix()))
    return row


def predict_on_cluster(
    files: Mapping[str, str], run: Run, settings: Settings, cluster: Cluster, network: Mapping[str, Any]
) -> Generator[Predicted]:
    """As `predict_files`, on a cluster whose machines all see the run, the files and the bundle at the same paths.

    Args:
        files: Name to path or URI.
        run: The run.
        settings: How, and where to.
        cluster: Connected.
        network: From `load_for_workers`.

    Raises:
        HlcoreError: as in `predict_files` and `Cluster.map`.
    """
    rows = [{"name": name, "source": _make_absolute(source)} for name, source in files.items()]
    absolute = settings._replace(out=_make_absolute(settings.out))
    open_work = partial(_open_work, run.path.resolve(), network, absolute)
    lost = lambda row: Predicted(row["name"], None, f"{row['source']}: {LOST}")  # noqa: E731
    with closing(cluster.map(open_work, rows, device=network["device"], on_lost=lost)) as done:
        for predicted in done:
            given = files[predicted.name]
            row = predicted.row and {**predicted.row, "source": given}
            yield predicted._replace(row=row, failure=predicted.failure.replace(_make_absolute(given), given))


def _make_absolute(source: str) -> str:
    return source if is_uri(source) else str(Path(source).absolute())


def _open_work(run: Path, network: Mapping[str, Any], settings: Settings) -> Work:
    checkpoint = load_epoch(open_run(run), **network)
    return lambda rows: predict_files({row["name"]: row["source"] for row in rows}, checkpoint, settings)


@contextmanager
def write_bundle(settings: Settings, weights: Path, checkpoint: Checkpoint) -> Iterator[BundleWriter]:
    """The bundle, new or to be continued; of one in an object store, this machine holds only the manifest.

    Args:
        settings: How images become maps, and where to.
        weights: File of the checkpoint.
        checkpoint: The network.
    """
    out, window, white_level = settings
    digest, backend = digest_file(weights).hex(), checkpoint.network.backend
    made_with = f"weights {digest}, window {window}, white level {white_level}, backend {backend}"
    names, palette = checkpoint.class_names, checkpoint.palette
    with ExitStack() as stack:
        store = out if is_uri(out) else None
        folder = stack.enter_context(TemporaryDirectory(prefix="hlcore-")) if store else out
        writer = BundleWriter(Path(folder), class_names=names, palette=palette, made_with=made_with, store=store)
        yield stack.enter_context(writer)


def add_to_bundle(predicted: Predicted, bundle: BundleWriter) -> None:
    """Add an image that is done to the manifest, or name it as left out."""
    if predicted.row is None:
        bundle.leave_out(predicted.name, predicted.failure)
    else:
        bundle.add_row(predicted.row)


def find_common_white(sources: Sequence[str]) -> float | None:
    """The white level that `find_white_level` finds for images, of which it needs a few as files; None without one."""
    if not any(map(is_uri, sources)):
        return find_white_level(list(map(Path, sources))).level
    with ExitStack() as copies:
        return find_white_level([copies.enter_context(local_file(source)) for source in space_out(sources)]).level


def digest_source(source: str) -> str:
    """Digest of a file."""
    with local_file(source) as path:
        return digest_file(path).hex()
