"""How freed memory is kept for the next tensors, so that networks on CPUs do not wait for the operating system."""

import ctypes
import os

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # from glibc's malloc.h
_MAPPED_FROM = 2**30
_KEPT = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep up to 2 GB of freed memory, instead of giving each large tensor back; whether it does.

    By default, glibc maps every tensor above 32 MB anew, and the operating system clears it page by page. On large
    images that takes longer than the network (docs/performance.md). Call this before other threads start. It does
    nothing without glibc, and leaves the settings of $GLIBC_TUNABLES and $MALLOC_... alone.
    """
    if "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "") or any(name.startswith("MALLOC_") for name in os.environ):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
        ctypes.CDLL(None).gnu_get_libc_version  # noqa: B018  (other libraries have a mallopt that does nothing)
    except (AttributeError, OSError, TypeError):
        return False
    settings = {_M_MMAP_THRESHOLD: _MAPPED_FROM, _M_TRIM_THRESHOLD: _KEPT, _M_ARENA_MAX: 1}
    return all(mallopt(setting, value) == 1 for setting, value in settings.items())
