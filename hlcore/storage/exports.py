"""Networks exported for other libraries, one file for each checkpoint, in the user's cache folder.

Never in the run folder: somebody else may have written that, and other libraries check less of what they load.
"""

import logging
import os
import warnings
from contextlib import suppress
from hashlib import file_digest
from itertools import accumulate
from pathlib import Path

from hlcore.errors import InvalidInputError, StorageError
from hlcore.models.backends import (
    TOLERANCE,
    CompiledBackend,
    CompiledSegmenter,
    ExportBackend,
    Session,
    compare_outputs,
    export_network,
    open_session,
)
from hlcore.models.compiling import LEAST_SIDE, compile_session
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.files import replace_atomically

log = logging.getLogger(__name__)

CACHE_BYTES = 2 * 2**30
"""The oldest exports beyond this are removed."""


def compile_network(
    network: HardnessSegmenter, checkpoint: Path, backend: CompiledBackend, *, required: bool
) -> HardnessSegmenter:
    """The network of a checkpoint in another library; exported once, and compared with torch whenever it is loaded.

    Args:
        network: The network in torch, in evaluation mode on the CPU.
        checkpoint: Its file.
        backend: The library.
        required: Whether the network must run there. Otherwise, torch runs one that does not.

    Raises:
        InvalidInputError: it does not run there, or gives other results, and is required to.
    """
    try:
        session = _compile_checked(network) if backend == "compile" else _find_session(network, checkpoint, backend)
    except Exception as error:  # exporters and other libraries may raise anything
        problem = f"the backend {backend} cannot run this network ({' '.join(str(error).split())[:200]})"
        if required:
            raise InvalidInputError(f"{problem}; use --backend torch") from error
        log.info("%s; torch runs it", problem)
        return network
    return CompiledSegmenter(network, session, backend)


def _compile_checked(network: HardnessSegmenter) -> Session:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's compiler uses parts of torch that are deprecated
        session = compile_session(network)
        difference = compare_outputs(network, session, least_side=LEAST_SIDE)
    _check_difference(difference)
    return session


def _find_session(network: HardnessSegmenter, checkpoint: Path, backend: ExportBackend) -> Session:
    with checkpoint.open("rb") as file:
        path = _cache_folder() / f"{file_digest(file, 'sha256').hexdigest()}.onnx"
    with suppress(Exception):  # missing, damaged, or of an older version of the network: it is exported again
        return _open_checked(network, path.read_bytes(), backend)
    exported = export_network(network)
    session = _open_checked(network, exported, backend)
    with suppress(StorageError):  # then it is exported again the next time
        with replace_atomically(path) as temporary:
            temporary.write_bytes(exported)
        _remove_oldest(path.parent)
    return session


def _open_checked(network: HardnessSegmenter, exported: bytes, backend: ExportBackend) -> Session:
    session = open_session(exported, backend)
    _check_difference(compare_outputs(network, session))
    return session


def _check_difference(difference: float) -> None:
    if not difference <= TOLERANCE:  # or NaN
        raise ValueError(f"its results differ from torch's by up to {difference:.2g}")


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path(os.path.expanduser("~"), ".cache")) / "hlcore"  # noqa: PTH111 (may be missing)


def _remove_oldest(folder: Path) -> None:
    sizes = {path: path.stat() for path in folder.glob("*.onnx")}
    newest_first = sorted(sizes, key=lambda path: -sizes[path].st_mtime)
    for path, total in zip(newest_first, accumulate(sizes[path].st_size for path in newest_first), strict=True):
        if total > CACHE_BYTES:
            with suppress(OSError):
                path.unlink()
