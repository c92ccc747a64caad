"""Data sets of the Hugging Face library `datasets`: saved to disk, in Parquet files, or by name on the hub."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from hlcore.data.images.decoding import check_label_size, read_class_ids, read_image
from hlcore.data.labels import ClassTable, voc_palette
from hlcore.data.samples import Sample
from hlcore.data.text import read_text
from hlcore.errors import DatasetError, InvalidInputError, MissingSplitError
from hlcore.types import IGNORE_INDEX, LabelMap

IMAGE_COLUMNS = ("image", "img", "pixel_values")
LABEL_COLUMNS = ("label", "labels", "annotation", "mask", "segmentation_mask", "semantic_mask", "label_map")
"""Names of columns, the most usual first."""
IGNORED_NAMES = ("unlabeled", "unlabelled", "ignore", "ignored", "void")
"""Names in id2label that are not classes."""
ID_FILE = "id2label.json"


@dataclass(frozen=True)
class HfData:
    """A split with a column of images and one of label maps."""

    rows: Any
    """The data set; its pictures are not decoded."""
    columns: tuple[str, str]
    """Of images and of label maps."""
    classes: ClassTable
    ids: Mapping[int, int]
    """Value in a label map to class index, or to 255 = ignored."""

    @property
    def names(self) -> tuple[str, ...]:
        """The position of each row, as six digits."""
        return tuple(map(_name_row, range(len(self.rows))))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the class names and the files of all rows; the first call reads them."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        digest = sha256(repr(self.classes.names).encode())
        for row in self.rows:
            for column in self.columns:
                digest.update(sha256(_read_bytes(row, column)).digest())
        return digest.hexdigest()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Sample:
        """The sample at `index`.

        Raises:
            IndexError: there is no such row.
            DatasetError: a picture cannot be read, a label has an unknown value, or the two sizes differ.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        row = self.rows[index]
        of_image, of_label = (f"{column} of row {index}" for column in self.columns)
        image = read_image(_read_bytes(row, self.columns[0]), name=of_image)
        label_map = self._decode(_read_bytes(row, self.columns[1]), name=of_label)
        check_label_size(label_map.shape, image.shape[:2], name=of_label, image=of_image)
        return Sample(_name_row(index), image, label_map)

    @property
    def _decode(self) -> "partial[LabelMap]":
        return partial(read_class_ids, ids=self.ids, classes=self.classes, coloured=())


def open_hf(root: Path, split: str) -> HfData:
    """A split of a data set that `save_to_disk` wrote, of a folder of Parquet files, or of owner/name on the hub.

    The columns of images and label maps are those with the usual names; one of them may be the only other column of
    pictures. `NAME?image=COLUMN&label=COLUMN` names them. "val" also means "validation". The classes are named in
    `id2label.json`, in the folder or on the hub, as in `{"0": "road", "1": "sky"}`.

    Raises:
        InvalidInputError: the package `datasets` is not installed.
        DatasetError: there is no such data set or split, or its columns or classes are not clear.
    """
    try:
        import datasets
    except ImportError as error:
        raise InvalidInputError("the data set 'hf' needs datasets; pip install 'hlcore[hf]'") from error
    root, given = split_columns(root)
    loaded: Any = None
    name = root.as_posix()
    if not root.exists() and (root.is_absolute() or len(root.parts) != 2):
        raise DatasetError(f"the folder {name} does not exist; expected one, or owner/name on the Hugging Face hub")
    try:
        if (root / "dataset_dict.json").is_file() or (root / "state.json").is_file():
            loaded = datasets.load_from_disk(str(root))
        else:
            loaded = datasets.load_dataset(name)
    except Exception as error:  # the library may raise anything on damaged data or without a network
        raise DatasetError(f"{name} cannot be loaded as a data set: {' '.join(str(error).split())[:300]}") from error
    rows = loaded
    if isinstance(loaded, Mapping):
        split = "validation" if split == "val" and "val" not in loaded and "validation" in loaded else split
        if split not in loaded:
            raise MissingSplitError(f"{name} has no split '{split}'; it has {', '.join(map(str, loaded))}")
        rows = loaded[split]
    pictures = [column for column, kind in rows.features.items() if isinstance(kind, datasets.Image)]
    columns = _choose_columns(pictures, name, given)
    for column in columns:
        rows = rows.cast_column(column, datasets.Image(decode=False))
    ids, classes = _read_classes(root, name)
    return HfData(rows, columns, classes, ids)


def _name_row(index: int) -> str:
    return f"{index:06d}"


def split_columns(root: Path) -> tuple[Path, dict[str, str]]:
    """The data set and the columns that `NAME?image=COLUMN&label=COLUMN` names.

    Raises:
        DatasetError: it names something other than image and label.

    Example:
        >>> split_columns(Path("owner/name?label=mask"))
        (PosixPath('owner/name'), {'label': 'mask'})
    """
    name, mark, query = str(root).partition("?")
    if not mark or root.exists():
        return root, {}
    given = {key: values[-1] for key, values in parse_qs(query, keep_blank_values=True).items()}
    if not given or not set(given) <= {"image", "label"}:
        raise DatasetError(f"{root}: expected columns such as {name}?image=photo&label=mask")
    return Path(name), given


def _choose_columns(pictures: list[str], name: str, given: Mapping[str, str]) -> tuple[str, str]:
    if wrong := [column for column in given.values() if column not in pictures]:
        raise DatasetError(f"{name} has no column of pictures '{wrong[0]}'; it has {', '.join(pictures) or 'none'}")
    image = given.get("image") or next((column for column in IMAGE_COLUMNS if column in pictures), None)
    label = given.get("label") or next((column for column in LABEL_COLUMNS if column in pictures), None)
    rest = [column for column in pictures if column not in (image, label)]
    if len(rest) == 1 and image is None and label is not None:
        image = rest[0]
    elif len(rest) == 1 and label is None and image is not None:
        label = rest[0]
    if image is None or label is None or image == label:
        raise DatasetError(
            f"{name} has the columns of pictures {', '.join(pictures) or '(none)'}; name the one of images and the one "
            f"of label maps: {name}?image=COLUMN&label=COLUMN"
        )
    return image, label


def _read_classes(root: Path, name: str) -> tuple[dict[int, int], ClassTable]:
    path = root / ID_FILE
    if not root.exists():
        try:
            from huggingface_hub import hf_hub_download

            path = Path(hf_hub_download(name, ID_FILE, repo_type="dataset"))
        except Exception as error:  # the hub's client may raise anything
            raise DatasetError(f"{name} has no {ID_FILE} that can be loaded: {error}") from error
    form = 'expected the name of each id, such as {"0": "road", "1": "sky"}'
    try:
        content = json.loads(read_text(path))
    except FileNotFoundError as error:
        raise DatasetError(f"{path} does not exist; {form}") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON ({error}); {form}") from error
    usable = isinstance(content, dict) and all(isinstance(value, str) for value in content.values())
    if not usable or not all(key.isdecimal() and int(key) <= 65535 for key in content):
        raise DatasetError(f"{path} holds something else; {form}")
    of_id = {int(key): value for key, value in sorted(content.items(), key=lambda item: int(item[0]))}
    kept = [number for number, label in of_id.items() if label.casefold() not in IGNORED_NAMES]
    ids = {IGNORE_INDEX: IGNORE_INDEX} | dict.fromkeys(of_id, IGNORE_INDEX)
    ids |= {number: index for index, number in enumerate(kept)}
    try:
        return ids, ClassTable(tuple(of_id[number] for number in kept), voc_palette(len(kept)))
    except InvalidInputError as error:
        raise DatasetError(f"{path}: {error}") from error


def _read_bytes(row: dict[str, Any], column: str) -> bytes:
    """The file in a cell, which holds its bytes or its path.

    Raises:
        DatasetError: the cell is empty, or the file is not there.
    """
    cell = row[column] or {}
    if cell.get("bytes"):
        return cell["bytes"]
    try:
        return Path(cell["path"]).read_bytes()
    except (OSError, KeyError, TypeError) as error:
        raise DatasetError(f"a row has no picture in the column {column}: {error}") from error
