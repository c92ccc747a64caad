"""Files in object stores, such as s3://bucket/folder or gs://bucket/folder, through pyarrow's file systems."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from hlcore.errors import DatasetError, InvalidInputError, StorageError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


_OPTIONS = {
    *("region", "scheme", "endpoint_override", "allow_bucket_creation"),
    *("blob_storage_authority", "dfs_storage_authority", "enable_tls", "retry_limit_seconds"),
}
"""Options in the query of a URI; none of them is a secret."""


def is_uri(text: str) -> bool:
    """Whether a text names something in an object store, rather than a file of this machine."""
    return "://" in text


def join(uri: str, name: str) -> str:
    """The URI of a file by its name in a folder.

    Example:
        >>> join("s3://bucket/photos/?region=eu-north-1", "a b.png")
        's3://bucket/photos/a%20b.png?region=eu-north-1'
    """
    parts = urlsplit(uri)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}").geturl()


def list_files(uri: str) -> list[str]:
    """Names of all files below a folder, sorted; empty if there is no such folder, and "" for a file itself.

    Raises:
        InvalidInputError: pyarrow does not know the store.
        DatasetError: the store does not answer.
    """
    from pyarrow.fs import FileSelector, FileType

    store, base = _open(uri)
    try:
        if store.get_file_info(base).type == FileType.File:
            return [""]
        found = store.get_file_info(FileSelector(base, recursive=True, allow_not_found=True))
    except (OSError, ValueError) as error:
        raise DatasetError(f"{uri} cannot be listed: {_shorten(error)}") from error
    return sorted(str(PurePosixPath(each.path).relative_to(base)) for each in found if each.type == FileType.File)


def exists(uri: str) -> bool:
    """Whether a store has a file.

    Raises:
        DatasetError: the store does not answer.
    """
    from pyarrow.fs import FileType

    store, name = _open(uri)
    try:
        return store.get_file_info(name).type == FileType.File
    except (OSError, ValueError) as error:
        raise DatasetError(f"{uri} cannot be read: {_shorten(error)}") from error


@contextmanager
def local_file(source: str) -> Iterator[Path]:
    """A file as a path: its own or, if it is in an object store, that of a temporary copy.

    Raises:
        DatasetError: the store does not have it, or does not answer.
    """
    if not is_uri(source):
        yield Path(source)
        return
    with tempfile.TemporaryDirectory(prefix="hlcore-") as folder:
        copy = Path(folder, Path(unquote(urlsplit(source).path)).name)
        download(source, copy)
        try:
            yield copy
        except DatasetError as error:  # the copy's path means nothing to anybody
            raise DatasetError(str(error).replace(str(copy), source)) from error


def download(uri: str, path: Path) -> None:
    """Copy a file out of a store.

    Raises:
        DatasetError: the store does not have it, or does not answer.
    """
    store, name = _open(uri)
    try:
        with store.open_input_stream(name) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except (OSError, ValueError) as error:
        raise DatasetError(f"{uri} cannot be read: {_shorten(error)}") from error


def upload(path: Path, uri: str) -> None:
    """Copy a file into a store.

    Raises:
        StorageError: the store does not take it.
    """
    store, name = _open(uri)
    try:
        if getattr(store, "type_name", "") == "local":  # other stores have no folders
            store.create_dir(str(PurePosixPath(name).parent))
        with path.open("rb") as source, store.open_output_stream(name) as target:
            shutil.copyfileobj(source, target, 1 << 20)
    except (OSError, ValueError) as error:
        raise StorageError(f"{uri} cannot be written: {_shorten(error)}") from error


def _open(uri: str) -> tuple["FileSystem", str]:
    """The store of a URI, and the path there."""
    parts = urlsplit(uri)
    if parts.password or dict(parse_qsl(parts.query, keep_blank_values=True)).keys() - _OPTIONS:
        raise InvalidInputError(  # they would be written into the manifest
            f"leave keys and passwords out of {parts.scheme}:// and set them where the store's own tools look for "
            f"them; known options are {', '.join(sorted(_OPTIONS))}"
        )
    store, base = _open_store(parts._replace(path="/"))
    return store, f"{base.rstrip('/')}{unquote(parts.path).rstrip('/')}"


@lru_cache(maxsize=16)
def _open_store(root: SplitResult) -> tuple["FileSystem", str]:
    """The store of a bucket, and the bucket's path there; opening one may ask for its region."""
    import pyarrow as pa
    from pyarrow.fs import FileSystem

    try:
        return FileSystem.from_uri(root.geturl())
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InvalidInputError(
            f"{root.geturl()} cannot be opened ({_shorten(error)}); use s3://, gs:// or abfs://"
        ) from error


def _shorten(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
