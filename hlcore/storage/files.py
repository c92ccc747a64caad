"""Atomic writes, and JSON with readable errors."""

import difflib
import os
import reprlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PureWindowsPath
from secrets import token_hex
from typing import Annotated, Any, TypeVar

from filelock import FileLock, Timeout
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from hlcore.errors import CheckpointError, StorageError

Model = TypeVar("Model", bound=BaseModel)
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_MAX_FAULTS = 4


def check_name(name: str) -> str:
    """The name, if it can only name something inside a folder; it may have subfolders, as `city/street_01`.

    Raises:
        ValueError: it is empty or absolute, or leaves the folder.
    """
    windows = PureWindowsPath(name)
    if not windows.name or windows.anchor or ".." in windows.parts or "\0" in name or len(name) > 1024:
        raise ValueError(f"expected a name inside the folder, without '..' or a leading slash, got {name[:60]!r}")
    return name


def _check_unique(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError("expected different names")
    return names


FileName = Annotated[str, AfterValidator(check_name)]
"""A name from a file that someone else may have written, safe to join to a folder."""
Count = Annotated[int, Field(ge=0, lt=2**53)]
ClassNames = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, max_length=256), AfterValidator(_check_unique)
]
_Byte = Annotated[int, Field(ge=0, le=255)]
Palette = tuple[tuple[_Byte, _Byte, _Byte], ...]


def check_palette(record: Any) -> Any:
    """The record, if it has one colour per class.

    Raises:
        ValueError: it has more or fewer.
    """
    if len(record.palette) != len(record.class_names):
        raise ValueError(
            f"palette: expected {len(record.class_names)} colours, one per class, got {len(record.palette)}"
        )
    return record


@contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """A temporary path to write to. On success it is synced and replaces `path`; a crash leaves the old or new file.

    The file gets the default permissions (from the umask), whatever the writer chose.

    Raises:
        StorageError: the file cannot be written, for example because the disk is full or the folder read-only.
    """
    temporary = path.with_name(f".{path.name}.{token_hex(4)}.part")
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.touch()
            permissions = temporary.stat().st_mode & 0o777
            yield temporary
            temporary.chmod(permissions)
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):  # a read-only folder would hide the first error
                temporary.unlink(missing_ok=True)


@contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into a StorageError that names the file."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        raise StorageError(f"{path} cannot be written ({reason}); check free space and permissions") from error


@contextmanager
def lock_folder(path: Path) -> Iterator[None]:
    """Hold a folder, which must exist, against other processes that write to it; the lock ends with the process.

    Raises:
        StorageError: another process holds it, or it is read-only.
    """
    with explain_write_errors(path):
        lock = FileLock(path / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise StorageError(f"another process is writing to {path}; wait until it ends") from error
    try:
        yield
    finally:
        lock.release()


def make_folder(path: Path) -> None:
    """Make a folder and its parents, if they are missing.

    Raises:
        StorageError: it cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot create the folder {path} ({error.strerror}); give another --out") from error


def write_text(path: Path, text: str) -> None:
    """Write a text file, atomically."""
    with replace_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_json(path: Path, model: type[Model]) -> Model:
    """The content of a JSON file as a `model`.

    Raises:
        CheckpointError: the file cannot be read or does not match the model; the message names file and key.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    return parse_json(text, model, source=path)


def parse_json(text: str, model: type[Model], *, source: Path) -> Model:
    """JSON text as a `model`; `source` is the file it came from.

    Raises:
        CheckpointError: the text does not match the model; the message names file and key.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise CheckpointError(f"{source} cannot be read: {describe_validation_error(error, model)}") from error


def fill_in_old_network(network: dict[str, Any]) -> dict[str, Any]:
    """Settings of a network as saved in a file; what older files lack has the value of their time."""
    return {"hardness_branch": "copy", "hardness_norm": False} | network


def describe_validation_error(error: ValidationError, model: type[BaseModel]) -> str:
    """The first errors as text; for an unknown key with the closest known one."""
    faults = error.errors()
    more = [f"and {len(faults) - _MAX_FAULTS} more"] if len(faults) > _MAX_FAULTS else []
    return "; ".join([*(_describe_fault(fault, model) for fault in faults[:_MAX_FAULTS]), *more])


def _describe_fault(fault: ErrorDetails, model: type[BaseModel]) -> str:
    key = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        known = _keys_at(model, fault["loc"][:-1])
        close = difflib.get_close_matches(str(fault["loc"][-1]), known, n=1)
        return f"unknown key {key!r}; " + (f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}")
    if fault["type"] == "missing":
        return f"key {key!r} is missing"
    message = fault["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"{key}: {message}, got {_SHORT.repr(fault['input'])}" if key else message


def _keys_at(model: type[BaseModel], location: Iterable[int | str]) -> tuple[str, ...]:
    for key in location:
        field = model.model_fields.get(str(key))
        if field is None or not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            return ()
        model = field.annotation
    return tuple(model.model_fields)
