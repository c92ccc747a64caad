"""A hardness bundle: what `predict` writes and `--hardness-from` reads.

<image>.hardness.png     16-bit grey, 0..65535 for 0..1, at the image's own size
<image>.prediction.png   8-bit class indices with the class colours as palette
manifest.parquet         one row per image; class names and colours in its metadata
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as PillowImage
from pydantic import Field, TypeAdapter, model_validator

from hlcore.config import FrozenModel
from hlcore.errors import CheckpointError, InvalidInputError, StorageError
from hlcore.overlap import map_in_threads
from hlcore.remote import download, exists, join, upload
from hlcore.storage.files import (
    ClassNames,
    FileName,
    Palette,
    check_palette,
    lock_folder,
    make_folder,
    parse_json,
    replace_atomically,
)
from hlcore.storage.png import read_hardness_png, read_png, write_hardness_png
from hlcore.types import HardnessMap, LabelMap, PredictionRecord

MANIFEST = "manifest.parquet"
MANIFEST_S = 1.0
"""Seconds after which the manifest is written again while records are added."""
_MANIFEST_SHARE = 0.05
"""Largest share of the time that goes into writing the manifest, however long it has become."""
_METADATA_KEY = b"hlcore"

ManifestRow: TypeAlias = dict[str, object]
"""What the manifest says of an image."""


class BundleRecord(FrozenModel):
    """What a manifest says of the whole bundle."""

    class_names: ClassNames
    palette: Palette
    made_with: str = ""
    complete: bool = True
    """Whether it has every image that was asked for."""
    left_out: dict[str, str] = Field(default_factory=dict)

    _check_palette = model_validator(mode="after")(check_palette)


class BundleWriter:
    """Writes records into a bundle, one at a time; a context manager.

    The manifest is valid at any moment: it is written on entry, after a record if a second has passed, and on exit. A
    bundle that lacks images is continued if it was made with the same settings.
    """

    def __init__(
        self,
        path: Path,
        *,
        class_names: tuple[str, ...],
        palette: tuple[tuple[int, int, int], ...],
        made_with: str = "",
        store: str | None = None,
    ) -> None:
        """Nothing is written yet.

        Args:
            path: Folder of the bundle.
            class_names: Classes of the predictions.
            palette: Their colours.
            made_with: What a bundle must have been made with so that this one continues it.
            store: Folder of an object store for the manifest, such as s3://bucket/folder; `path` then holds a copy,
                and whoever adds rows puts the maps there. It has no lock.

        Raises:
            InvalidInputError: there are more classes than 8 bits can tell.
        """
        if len(class_names) > 256:
            raise InvalidInputError(f"a bundle's 8-bit predictions hold at most 256 classes, got {len(class_names)}")
        self.path = path
        self._store = store
        self._record = BundleRecord(class_names=class_names, palette=palette, made_with=made_with, complete=False)
        self._rows: list[ManifestRow] = []
        self._written = 0.0
        self._wait_s = MANIFEST_S
        self._held = ExitStack()

    def __enter__(self) -> "BundleWriter":  # noqa: PYI034  (the tests' run-time type checker does not know Self)
        make_folder(self.path)
        with ExitStack() as held:
            held.enter_context(lock_folder(self.path))
            if self._store is not None and exists(join(self._store, MANIFEST)):
                download(join(self._store, MANIFEST), self.path / MANIFEST)
            if (self.path / MANIFEST).exists():
                self._continue(open_bundle(self.path))
            self._write_manifest()
            self._held = held.pop_all()
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        with self._held:
            if failure is None:
                self._record = self._record.model_copy(update={"complete": not self.left_out})
                self._write_manifest()
                return
            with suppress(StorageError):  # it would hide the first error; the last manifest stays
                self._write_manifest()

    def __len__(self) -> int:
        """The number of images in the bundle."""
        return len(self._rows)

    def find_done(self, files: Mapping[str, str], digest: Callable[[str], str]) -> frozenset[str]:
        """The images, given with their files, whose maps the bundle already has; a file that has changed is not done.

        Raises:
            InvalidInputError: the bundle has maps of other images.
        """
        names = [str(row["name"]) for row in self._rows]
        if unknown := next((name for name in names if name not in files), None):
            raise InvalidInputError(
                f"{self._place} has the maps of an image that was not given, {unknown!r}; {self._way_out}"
            )
        changed = set()
        digests = map_in_threads(digest, [files[name] for name in names])
        for row, name, found in zip(self._rows, names, digests, strict=True):
            if row.get("digest") != found:
                if row["source"] != files[name]:
                    raise InvalidInputError(
                        f"{self._place} has the maps of another image named {name!r}; {self._way_out}"
                    )
                changed.add(name)
        self._rows = [row for row in self._rows if row["name"] not in changed]
        return frozenset(str(row["name"]) for row in self._rows)

    @property
    def left_out(self) -> dict[str, str]:
        """Image that could not be predicted to the reason."""
        return self._record.left_out

    def leave_out(self, name: str, reason: str) -> None:
        """Name an image that could not be predicted, and why."""
        self._record = self._record.model_copy(update={"left_out": self._record.left_out | {name: reason}})

    def _continue(self, bundle: "Bundle") -> None:
        record = bundle.record
        if record.complete:
            raise InvalidInputError(f"{self._place} already holds a bundle; {self._way_out}")
        own = self._record
        if (record.class_names, record.palette, record.made_with) != (own.class_names, own.palette, own.made_with):
            raise InvalidInputError(
                f"{self._place} holds an unfinished bundle made with other settings; {self._way_out}"
            )
        rows = bundle.manifest.to_dict("records")
        self._rows = [row for row in rows if self._store is not None or bundle.has_files(str(row["name"]))]

    @property
    def _way_out(self) -> str:
        return f"choose another --out, or delete {self._place}"

    @property
    def _place(self) -> str:
        return self._store or str(self.path)

    def _write_manifest(self) -> None:
        started = time.monotonic()
        table = pa.Table.from_pylist(self._rows) if self._rows else pa.table({"name": pa.array([], pa.string())})
        table = table.replace_schema_metadata({_METADATA_KEY: self._record.model_dump_json().encode()})
        with replace_atomically(self.path / MANIFEST) as temporary:
            pq.write_table(table, temporary)
        if self._store is not None:
            upload(self.path / MANIFEST, join(self._store, MANIFEST))
        self._written = time.monotonic()
        self._wait_s = max(MANIFEST_S, (self._written - started) / _MANIFEST_SHARE)

    def add(self, record: PredictionRecord, *, source: str = "", digest: str = "") -> None:
        """Write the two maps of a record and add it to the manifest; the arguments are those of `write_maps`."""
        palette = self._record.palette
        self.add_row(write_maps(self.path, record, palette=palette, source=source, digest=digest))

    def add_row(self, row: ManifestRow) -> None:
        """Add an image to the manifest whose maps are written."""
        self._rows.append(row)
        if time.monotonic() - self._written > self._wait_s:
            self._write_manifest()


def write_maps(
    folder: Path,
    record: PredictionRecord,
    *,
    palette: tuple[tuple[int, int, int], ...],
    source: str = "",
    digest: str = "",
) -> ManifestRow:
    """Write the two maps of a record into a bundle's folder.

    Args:
        folder: Of the bundle.
        record: The image.
        palette: Colours of the classes.
        source: The file of the image, or where else it came from.
        digest: Digest of the file, by which a changed file is noticed.

    Returns:
        The image's row of the manifest.
    """
    write_hardness_png(folder / f"{record.name}.hardness.png", record.hardness_map)
    prediction = PillowImage.fromarray(record.prediction.astype(np.uint8))
    prediction.putpalette(np.asarray(palette, np.uint8).tobytes())
    with replace_atomically(folder / f"{record.name}.prediction.png") as temporary:
        prediction.save(temporary, format="PNG")
    height, width = record.hardness_map.shape
    return {
        "name": record.name,
        "source": source,
        "digest": digest,
        "height": height,
        "width": width,
        "mean_hardness": float(record.hardness_map.mean()),
        "p95_hardness": float(np.percentile(record.hardness_map, 95)),
        "mean_entropy": float(record.entropy.mean()),
    }


@dataclass(frozen=True)
class Bundle:
    """A bundle on disk; maps are read on demand."""

    path: Path
    manifest: pd.DataFrame
    """One row per image: name, source, digest of the file, height, width (px), mean_hardness, p95_hardness,
    mean_entropy (nats)."""
    record: BundleRecord
    names: Mapping[str, str] = field(default_factory=dict)
    """Name of an image in a data set to its name here, where the two differ."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of the predictions."""
        return self.record.class_names

    @property
    def palette(self) -> tuple[tuple[int, int, int], ...]:
        """Colours of the classes."""
        return self.record.palette

    @property
    def left_out(self) -> dict[str, str]:
        """Image that could not be predicted to the reason."""
        return self.record.left_out

    def has_files(self, name: str) -> bool:
        """Whether both maps of an image are there."""
        return all((self.path / f"{name}.{kind}.png").is_file() for kind in ("hardness", "prediction"))

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.manifest["name"])

    def hardness_path(self, name: str) -> Path:
        """Path of the hardness map of an image, by its name here."""
        return self.path / f"{name}.hardness.png"

    def prediction_path(self, name: str) -> Path:
        """Path of the prediction map of an image, by its name here."""
        return self.path / f"{name}.prediction.png"

    def hardness_map(self, name: str) -> HardnessMap:
        """The hardness map of an image, by its name here or in the data set of `names`.

        Raises:
            CheckpointError: the bundle has no such image, or its file cannot be read.
        """
        name = self.names.get(name, name)
        path = self.hardness_path(name)
        if name not in self._names or not path.is_file():
            raise CheckpointError(f"{self.path} has no hardness map for {name!r}; expected {path.name}")
        return read_hardness_png(path)

    def prediction(self, name: str) -> LabelMap:
        """The predicted class indices of an image, H W uint8."""
        path = self.prediction_path(name)
        if name not in self._names:
            raise CheckpointError(f"{self.path} has no prediction for {name!r}; expected {path.name}")
        image = read_png(path)
        if image.mode not in ("L", "P"):
            raise CheckpointError(f"{path}: expected an 8-bit PNG of class indices, got mode {image.mode}")
        return np.asarray(image)


def open_bundle(path: Path) -> Bundle:
    """The bundle in a folder.

    Raises:
        CheckpointError: there is no manifest, or hlcore did not write it.
    """
    manifest = path / MANIFEST
    if not manifest.is_file():
        raise CheckpointError(f"{path} is not a hardness bundle: it has no {MANIFEST}; make one with `hlcore predict`")
    try:
        table = pq.read_table(manifest)
        about = (table.schema.metadata or {})[_METADATA_KEY].decode()
        names = TypeAdapter(tuple[FileName, ...]).validate_python(table.column("name").to_pylist())
    except (KeyError, ValueError, OSError, pa.ArrowException) as error:
        raise CheckpointError(f"{manifest} was not written by hlcore: {error}") from error
    if len(set(names)) < len(names):
        raise CheckpointError(f"{manifest} lists an image twice; write the bundle again with `hlcore predict`")
    return Bundle(path, table.to_pandas(), parse_json(about, BundleRecord, source=manifest))
