"""Networks exported for other libraries, one file beside each checkpoint, or in a cache folder if that is read-only."""

import logging
import os
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
    paths = [folder / f"{checkpoint.stem}.{key}.onnx" for folder in (checkpoint.parent, _cache_folder())]
    for path in filter(Path.is_file, paths):
        return open_session(path.read_bytes(), backend)
    exported = export_network(network)
    session = open_session(exported, backend)
    if (difference := compare_outputs(network, session)) > TOLERANCE:
        raise ValueError(f"its results differ from torch's by up to {difference:.2g}")
    for path in paths:
        with suppress(StorageError):
            with replace_atomically(path) as temporary:
                temporary.write_bytes(exported)
            for old in set(path.parent.glob(f"{checkpoint.stem}.*.onnx")) - {path}:  # of weights that were replaced
                old.unlink(missing_ok=True)
            break
    return session


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "hlcore"
