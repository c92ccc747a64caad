"""Settings of a whole process that make networks fast on CPUs; commands and the app call them, imports do not."""

import ctypes
import math
import os
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # from glibc's malloc.h
_MAPPED_FROM = 2**30
_KEPT = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep freed memory, instead of giving each large tensor back; whether it does.

    By default, glibc maps every tensor above 32 MB anew, and the operating system clears it page by page. On large
    images that takes longer than the network (docs/performance.md). The process may then stay as large as its largest
    image made it. Call this before other threads start. It does nothing without glibc, or with an old one, and leaves
    the settings of $GLIBC_TUNABLES and $MALLOC_... alone.
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


def limit_threads(cgroup: Path = Path("/sys/fs/cgroup")) -> None:
    """Let numeric libraries use no more threads than the container of this process has cores.

    They count the cores that they see, of which a container may use a few at a time; more threads than that are much
    slower than one. It works through $OMP_NUM_THREADS, so call it before torch is imported. A given $OMP_NUM_THREADS
    stays.

    Args:
        cgroup: Where Linux states the quota of a container.
    """
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _read_quota(cgroup)
    if quota < seen and not os.environ.get("OMP_NUM_THREADS"):
        os.environ["OMP_NUM_THREADS"] = str(math.ceil(quota))


def share_cores() -> None:
    """Let the threads of torch sleep while they wait for one another, so that a busy core does not hold up the others.

    By default they spin, which is faster as long as no other process takes one of their cores, and many times slower
    if one does, even at the lowest priority (docs/performance.md). For a server, which shares its cores. It works
    through $GOMP_SPINCOUNT, which GNU's OpenMP (on Linux) reads, so call it before torch is imported. A given
    $GOMP_SPINCOUNT or $OMP_WAIT_POLICY stays.
    """
    if not os.environ.get("OMP_WAIT_POLICY") and not os.environ.get("GOMP_SPINCOUNT"):
        os.environ["GOMP_SPINCOUNT"] = "3000"


def _read_quota(cgroup: Path) -> float:
    """The number of cores that a control group (version 2 or 1) may use; infinity if it has no limit."""
    for files in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        try:
            quota, period = " ".join((cgroup / file).read_text(encoding="ascii") for file in files).split()
            if float(quota) > 0:
                return float(quota) / float(period)
        except (OSError, ValueError, ZeroDivisionError):  # no such file, or "max"
            continue
    return math.inf
