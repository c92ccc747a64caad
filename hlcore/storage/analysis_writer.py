"""Write the folder of an analysis image by image; complete files survive an interruption."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image as PillowImage

from hlcore.errors import CheckpointError
from hlcore.storage.analyses import Analysis, AnalysisRecord, is_analysis, open_analysis
from hlcore.storage.files import make_folder, replace_atomically, write_text
from hlcore.types import Image

THUMBNAIL_PX = 192
"""Longest side of a thumbnail."""
_MAY_DIFFER = {"state", "created", "root", "device", "command", "left_out"}
"""Fields that may differ when an analysis is continued: the data may have moved, for example."""


class ImagePart(NamedTuple):
    """Counts and rows of one image."""

    image: str
    counts: Mapping[str, Mapping[str, np.ndarray]]
    """Module of hlcore.analysis to its named arrays of sums."""
    rows: Mapping[str, pd.DataFrame]
    """Name of a table to the image's rows in it."""


class AnalysisWriter:
    """Writes the folder of an analysis; `open_analysis_writer` makes one."""

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis

    @property
    def is_complete(self) -> bool:
        """Whether the analysis is complete."""
        return self.analysis.record.state == "complete"

    def has_part(self, index: int) -> bool:
        """Whether the image at this position has been measured."""
        return self._part_path(index).is_file()

    def write_part(self, index: int, part: ImagePart) -> None:
        """Write the part of an image, atomically."""
        arrays = {
            f"counts/{module}/{key}": values for module, sums in part.counts.items() for key, values in sums.items()
        }
        arrays |= {f"rows/{name}": _to_parquet_bytes(rows) for name, rows in part.rows.items()}
        with replace_atomically(self._part_path(index)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, image=np.array(part.image), **arrays)

    def read_parts(self) -> Iterator[ImagePart]:
        """The part of each measured image, one at a time, in the order of the images.

        Raises:
            CheckpointError: a part cannot be read.
        """
        for path in sorted(self._parts.glob("*.npz"), key=lambda path: int(path.stem)):
            yield _read_part(path)

    def read_rows(self, table: str) -> Iterator[tuple[str, pd.DataFrame]]:
        """Each measured image with its rows in a table, in the order of the images.

        Raises:
            CheckpointError: a part cannot be read.
        """
        for path in sorted(self._parts.glob("*.npz"), key=lambda path: int(path.stem)):
            with _open_part(path) as part:
                yield str(part["image"]), _read_parquet(part[f"rows/{table}"])

    def write_thumbnail(self, name: str, image: Image) -> None:
        """Write a thumbnail of an image."""
        picture = PillowImage.fromarray(image)
        picture.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
        with replace_atomically(self.analysis.thumbnail_path(name)) as temporary:
            picture.save(temporary, format="WEBP", quality=60)

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write a whole table."""
        rows = pa.Table.from_pandas(table, preserve_index=False)
        with replace_atomically(self.analysis.table_path(name)) as temporary:
            pq.write_table(rows, temporary, **_compact_encoding(rows.schema))

    @contextmanager
    def append_rows(self, name: str) -> Iterator[Callable[[pd.DataFrame], None]]:
        """A function that appends rows to a table without holding all of it in memory.

        The file appears when the context exits without an error; without rows it has only columns.
        """
        with replace_atomically(self.analysis.table_path(name)) as temporary:
            rows = _Rows(temporary)
            yield rows.add
            rows.close()

    def mark_complete(self, left_out: Mapping[str, str]) -> Analysis:
        """The analysis, marked complete; its parts are removed.

        Args:
            left_out: Image that could not be measured to the reason.
        """
        record = self.analysis.record
        changes = {"state": "complete", "images": record.images - len(left_out), "left_out": dict(left_out)}
        _write_record(self.analysis.path, record.model_copy(update=changes))
        self.remove_parts()
        return open_analysis(self.analysis.path)

    def remove_parts(self) -> None:
        """Remove the parts of all images."""
        for path in [*self._parts.glob("*.npz"), *self._parts.glob(".*.part")]:
            path.unlink()
        if self._parts.is_dir() and not any(self._parts.iterdir()):
            self._parts.rmdir()

    @property
    def _parts(self) -> Path:
        return self.analysis.path / "parts"

    def _part_path(self, index: int) -> Path:
        return self._parts / f"{index:06d}.npz"


def open_analysis_writer(path: Path, record: AnalysisRecord) -> AnalysisWriter:
    """A writer for a new analysis, or for the same one to continue.

    Raises:
        CheckpointError: the folder holds a different analysis (the message says what differs), or cannot be created.
    """
    if is_analysis(path):
        kept = open_analysis(path)
        _check_same_analysis(path, kept.record, record)
        writer = AnalysisWriter(kept)
        if writer.is_complete:
            writer.remove_parts()  # after a crash between the last two steps
        return writer
    make_folder(path)
    _write_record(path, record)
    return AnalysisWriter(Analysis(path, record))


def _check_same_analysis(path: Path, kept: AnalysisRecord, wanted: AnalysisRecord) -> None:
    may_differ = _MAY_DIFFER | ({"versions", "backend"} if kept.state == "complete" else set())  # nothing will be added
    kept = kept.model_copy(update={"images": kept.images + len(kept.left_out)})
    fields = [name for name in AnalysisRecord.model_fields if name not in may_differ]
    differing = [name for name in fields if getattr(kept, name) != getattr(wanted, name)]
    if differing:
        one = "; ".join(
            f"{name}: {_shorten(getattr(kept, name))}, now {_shorten(getattr(wanted, name))}" for name in differing
        )
        raise CheckpointError(
            f"{path} holds an analysis with other settings ({one}); give another --out, or remove that folder"
        )


def _shorten(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _write_record(path: Path, record: AnalysisRecord) -> None:
    write_text(path / "analysis.json", record.model_dump_json(indent=2) + "\n")


def _compact_encoding(schema: pa.Schema) -> dict[str, Any]:
    """Options for the smallest parquet file: bytes of floats sorted by place, dictionaries of all else."""
    floats = [field.name for field in schema if pa.types.is_floating(field.type)]
    others = [name for name in schema.names if name not in floats]
    return {"compression": "zstd", "use_byte_stream_split": floats or False, "use_dictionary": others or False}


def _to_parquet_bytes(rows: pd.DataFrame) -> np.ndarray:
    """A table as the bytes of a parquet file."""
    buffer = BytesIO()
    rows.to_parquet(buffer, index=False)
    return np.frombuffer(buffer.getvalue(), np.uint8)


def _read_parquet(content: np.ndarray) -> pd.DataFrame:
    return pd.read_parquet(BytesIO(content.tobytes()))


@contextmanager
def _open_part(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """The arrays of a part; each is read when it is asked for."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, pa.ArrowException) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); remove it and run `hlcore analyze` again") from error


def _read_part(path: Path) -> ImagePart:
    counts: dict[str, dict[str, np.ndarray]] = {}
    rows: dict[str, pd.DataFrame] = {}
    with _open_part(path) as arrays:
        for key in arrays:
            kind, _, name = key.partition("/")
            if kind == "counts":
                module, _, key_in_module = name.partition("/")
                counts.setdefault(module, {})[key_in_module] = arrays[key]
            elif kind == "rows":
                rows[name] = _read_parquet(arrays[key])
        return ImagePart(str(arrays["image"]), counts, rows)


class _Rows:
    """Writes rows in groups as they come; the first non-empty rows decide the column types. Numbers are float32."""

    GROUP = 20_000
    """Minimum rows per group, except the last."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[pd.DataFrame] = []
        self._empty: pd.DataFrame | None = None
        self._writer: pq.ParquetWriter | None = None

    def add(self, rows: pd.DataFrame) -> None:
        if rows.empty:
            self._empty = rows
            return
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= self.GROUP:
            self._write()

    def close(self) -> None:
        if self._waiting:
            self._write()
        if self._writer is not None:
            self._writer.close()
        else:
            (pd.DataFrame() if self._empty is None else self._empty).to_parquet(
                self._path, index=False, compression="zstd"
            )

    def _write(self) -> None:
        group = pd.concat(self._waiting, ignore_index=True)
        group = group.astype(dict.fromkeys(group.select_dtypes("float64"), np.float32))
        self._waiting = []
        if self._writer is None:
            table = pa.Table.from_pandas(group, preserve_index=False)
            self._writer = pq.ParquetWriter(self._path, table.schema, **_compact_encoding(table.schema))
        else:
            table = pa.Table.from_pandas(group, schema=self._writer.schema, preserve_index=False)
        self._writer.write_table(table)
