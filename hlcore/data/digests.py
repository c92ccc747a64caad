"""Digests of file contents."""

import time
from functools import lru_cache
from hashlib import file_digest
from pathlib import Path

from hlcore.errors import DatasetError

SETTLED_S = 2
"""Age after which a file's time of change tells a later change apart, on every file system."""


def digest_file(path: Path) -> bytes:
    """SHA-256 of a file's content; read once by each process unless size or time of change differ.

    Raises:
        DatasetError: the file cannot be read.
    """
    try:
        status = path.stat()
        if time.time_ns() - status.st_mtime_ns < SETTLED_S * 1e9:
            return _read_digest(path)
        return _remembered_digest(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read ({error.strerror}); check that the data set is complete") from error


@lru_cache(maxsize=1_000_000)
def _remembered_digest(path: Path, _size: int, _changed: int) -> bytes:
    return _read_digest(path)


def _read_digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return file_digest(file, "sha256").digest()
