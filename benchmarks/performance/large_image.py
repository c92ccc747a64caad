"""Print the memory of this process before and after a 12-megapixel image: `python -m ...large_image BACKEND`."""

import json
import re
import sys
from pathlib import Path

import numpy as np

from hlcore.inference import predict
from hlcore.process import keep_freed_memory
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import open_run
from hlcore.types import Image

RUN = Path(__file__).parents[2] / "checkpoints" / "camvid"
SIZE = (3000, 4000)


def main() -> None:
    """Predict a small image, then the large one."""
    keep_freed_memory()
    checkpoint = load_epoch(open_run(RUN), device="cpu", backend=sys.argv[1])
    predict(checkpoint.network, make_image((360, 480)), class_names=checkpoint.class_names)
    image, before = make_image(SIZE), read_peak_mb()
    predict(checkpoint.network, image, class_names=checkpoint.class_names)
    print(json.dumps({"start, MB": before, "peak, MB": read_peak_mb()}))


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
