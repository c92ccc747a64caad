"""Largest memory of work that runs in a process of its own.

python -m benchmarks.performance.memory image BACKEND
python -m benchmarks.performance.memory step DECODER BRANCH
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

from benchmarks.performance.steps import make_step
from hlcore.inference import predict
from hlcore.process import keep_freed_memory
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import open_run
from hlcore.types import Image

RUN = Path(__file__).parents[2] / "checkpoints" / "camvid"
LARGE_IMAGE = (3000, 4000)
"""Height and width."""


def measure_memory(*work: str) -> dict[str, float]:
    """Memory before the work and at most, and the difference, MB.

    Args:
        work: The words after `python -m benchmarks.performance.memory`.
    """
    environment = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    command = [sys.executable, "-m", "benchmarks.performance.memory", *work]
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    row = json.loads(printed)
    return row | {"above start, MB": row["peak, MB"] - row["start, MB"]}


def main() -> None:
    """Do the work and print the memory."""
    kind, *what = sys.argv[1:]
    keep_freed_memory()
    before = predict_large_image(*what) if kind == "image" else train_three_steps(*what)
    print(json.dumps({"start, MB": before, "peak, MB": read_peak_mb()}))


def predict_large_image(backend: str) -> float:
    """The memory after a small image; then predicts the large one."""
    checkpoint = load_epoch(open_run(RUN), device="cpu", backend=backend)
    predict(checkpoint.network, make_image((360, 480)), class_names=checkpoint.class_names)
    image, before = make_image(LARGE_IMAGE), read_peak_mb()
    predict(checkpoint.network, image, class_names=checkpoint.class_names)
    return before


def train_three_steps(decoder: str, branch: str) -> float:
    """The memory before the network is made; then trains it."""
    before = read_peak_mb()
    step = make_step(decoder, branch)
    for _ in range(3):
        step()
    return before


def make_image(size: tuple[int, int]) -> Image:
    """Coloured squares."""
    colours = np.random.default_rng(0).integers(0, 256, (size[0] // 8, size[1] // 8, 3), np.uint8)
    return np.kron(colours, np.ones((8, 8, 1), np.uint8))


def read_peak_mb() -> float:
    """Largest memory of this process so far; that of `resource` may be its parent's."""
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    main()
