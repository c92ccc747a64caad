"""Networks exported for other libraries, one file beside each checkpoint, or in a cache folder if that is read-only."""

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path

from hlcore.errors import InvalidInputError, StorageError
from hlcore.models.backends import (
    TOLERANCE,
    CompiledBackend,
    CompiledSegmenter,
    Session,
    compare_outputs,
    export_network,
    open_session,
)
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.files import replace_atomically

log = logging.getLogger(__name__)


def compile_network(
    network: HardnessSegmenter, checkpoint: Path, backend: CompiledBackend, *, required: bool
) -> HardnessSegmenter:
    """The network of a checkpoint in another library; exported once, and compared with torch then.

    Args:
        network: The network in torch, in evaluation mode on the CPU.
        checkpoint: Its file.
        backend: The library.
        required: Whether the network must run there. Otherwise, torch runs one that does not.

    Raises:
        InvalidInputError: it does not run there, or gives other results, and is required to.
    """
    try:
        session = _find_session(network, checkpoint, backend)
    except Exception as error:  # exporters and other libraries may raise anything
        problem = f"the backend {backend} cannot run this network ({' '.join(str(error).split())[:200]})"
        if required:
            raise InvalidInputError(f"{problem}; use --backend torch") from error
        log.info("%s; torch runs it", problem)
        return network
    return CompiledSegmenter(network, session, backend)


def _find_session(network: HardnessSegmenter, checkpoint: Path, backend: CompiledBackend) -> Session:
    with checkpoint.open("rb") as file:
        key = file_digest(file, "sha256").hexdigest()[:16]
    paths = [folder / f"{checkpoint.stem}.{key}.onnx" for folder in _list_folders(checkpoint)]
    for path in paths:
        with suppress(Exception):  # missing, damaged, or of an older version of the network: it is exported again
            return _open_checked(network, path.read_bytes(), backend)
    exported = export_network(network)
    session = _open_checked(network, exported, backend)
    for path in paths:
        with suppress(StorageError):
            with replace_atomically(path) as temporary:
                temporary.write_bytes(exported)
            break
    for old in set(checkpoint.parent.glob(f"{checkpoint.stem}.*.onnx")) - {paths[0]}:  # of weights that were replaced
        with suppress(OSError):
            old.unlink()
    return session


def _open_checked(network: HardnessSegmenter, exported: bytes, backend: CompiledBackend) -> Session:
    session = open_session(exported, backend)
    difference = compare_outputs(network, session)
    if not difference <= TOLERANCE:  # or NaN
        raise ValueError(f"its results differ from torch's by up to {difference:.2g}")
    return session


def _list_folders(checkpoint: Path) -> Iterator[Path]:
    """Where an export may be: beside the checkpoint, or in the user's cache folder."""
    yield checkpoint.parent
    with suppress(RuntimeError):  # there is no home folder
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hlcore"
