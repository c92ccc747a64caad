"""Interleaved measurements of several ways to do the same thing."""

import os
import platform
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hlcore.storage.run_records import installed_versions

Ways = Mapping[str, Callable[[], object]]


def measure(ways: Ways, *, repeats: int) -> pd.DataFrame:
    """Time each way once per round, in turns, after one round that does not count.

    Whatever disturbs the machine then disturbs all of them, so ratios hold where times do not.

    Returns:
        One row per way: `variant`, `median_ms`, `low_ms` and `high_ms` (quartiles), `ratio` (median over the rounds of
        its time divided by that of the first way), `repeats`.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_ in range(repeats + 1):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    first = np.array(seconds[next(iter(ways))])
    rows = []
    for name, taken in seconds.items():
        low, median, high = 1000 * np.quantile(taken, (0.25, 0.5, 0.75))
        ratio = float(np.median(np.array(taken) / first))
        rows.append(
            {"variant": name, "median_ms": median, "low_ms": low, "high_ms": high, "ratio": ratio, "repeats": repeats}
        )
    return pd.DataFrame(rows)


def describe_machine() -> dict[str, str]:
    """Processor, cores and versions."""
    return {
        "processor": _read_processor(),
        "cores": str(os.cpu_count()),
        "threads": str(torch.get_num_threads()),
        "system": f"{platform.system()} {platform.machine()}",
        **installed_versions(),
    }


def measure_matrix_product() -> float:
    """Rate of float32 matrix products with torch, GFLOP/s: what the convolutions could reach at best."""
    size = 1536
    first, second = torch.rand(size, size), torch.rand(size, size)
    table = measure({"product": lambda: first @ second}, repeats=9)
    return 2 * size**3 / (table["median_ms"].iloc[0] / 1000) / 1e9


def measure_bandwidth() -> float:
    """Rate at which float32 tensors larger than the caches are copied, GB/s read and written."""
    source = torch.rand(64_000_000)
    target = torch.empty_like(source)
    table = measure({"copy": lambda: target.copy_(source)}, repeats=9)
    return 2 * source.nbytes / (table["median_ms"].iloc[0] / 1000) / 1e9


def _read_processor() -> str:
    names = Path("/proc/cpuinfo")
    if names.is_file():
        for line in names.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
