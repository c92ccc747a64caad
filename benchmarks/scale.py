"""What many images take, and the tables of docs/scale.md.

    python -m benchmarks.scale --data CAMVID

Images as large as those of Cityscapes, made from CamVid's test photographs, go through `predict` and `analyze` on a Ray
cluster of one worker, then of two, each on a core of its own; the time to start is left out. The memory of `analyze` is
measured with 200 and with 2,000 images. Stop everything else first (about 25 minutes). Needs Linux and hlcore[cluster].
"""

import json
import os
import re
import resource
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pandas as pd
from PIL import Image

from benchmarks.measured_tables import fill_in_table
from benchmarks.performance.timing import describe_machine
from benchmarks.studies import format_markdown_table
from hlcore.config import AnalyzeConfig
from hlcore.data.readers.camvid import open_camvid
from hlcore.measuring.loop import analyze
from hlcore.storage.runs import open_run

DOCUMENT = Path(__file__).parents[1] / "docs" / "scale.md"
RESULTS = Path(__file__).parent / "results" / "scale.json"
RUN = Path(__file__).parents[1] / "checkpoints" / "camvid"
SIZE = (2048, 1024)
"""Width and height, px."""
SMALL = (240, 180)
FEW, MANY = 8, 40
"""Numbers of images whose times are subtracted, so that starting does not count."""
MILLION = 1_000_000
PERFORMANCE = Path(__file__).parent / "performance" / "results"
LARGE = ("limits", "backends")
IMAGE = f"{SIZE[0]} x {SIZE[1]}"
GPU_TFLOPS = 5
"""An assumption, not a measurement: a tenth or less of what large GPUs state for float32."""


def main() -> None:
    """Measure, save the numbers and write the tables."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of CamVid")
    parser.add_argument("--only", choices=STUDIES, action="append", help="measure only these")
    options = parser.parse_args()
    saved = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in options.only or STUDIES:
        with TemporaryDirectory(prefix="hlcore-scale-") as folder:
            rows = STUDIES[name](options.data, Path(folder)).to_dict("records")
        saved |= {"machine": describe_machine(), name: rows}
        RESULTS.write_text(json.dumps(saved, indent=1) + "\n", encoding="utf-8")
        print(name, *rows, sep="\n")
    DOCUMENT.write_text(fill_in_tables(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


def measure_rates(data: Path, folder: Path) -> pd.DataFrame:
    """Seconds and bytes per image of each command with one and with two workers."""
    rows = []
    sets = {count: write_data_set(data, folder / f"{count}", count) for count in (FEW, MANY)}
    for workers in (1, 2):
        with ray_cluster(workers) as address:
            for command in ("predict", "analyze"):
                took, size = {}, {}
                for count, root in sets.items():
                    out = folder / f"{command}-{workers}-{count}"
                    took[count] = run(*_arguments(command, root, out), "--cluster", address).seconds
                    size[count] = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
                seconds, written = ((of[MANY] - of[FEW]) / (MANY - FEW) for of in (took, size))
                rows.append({"command": command, "workers": workers, "seconds": seconds, "bytes": written})
    return pd.DataFrame(rows)


def measure_memory(data: Path, folder: Path) -> pd.DataFrame:
    """Largest memory of `analyze` on one machine with ten times as many images."""
    rows = []
    for count in (200, 2000):
        root = write_data_set(data, folder / f"small-{count}", count, size=SMALL)
        done = run("analyze", RUN, root, "--dataset", "folder", "--out", folder / f"memory-{count}")
        rows.append({"images": count, "peak_mb": done.peak_mb, "seconds": done.seconds})
    return pd.DataFrame(rows)


def measure_tables(data: Path, folder: Path) -> pd.DataFrame:
    """Milliseconds per image in which `analyze` makes its tables."""
    took = {}
    for count in (20, 120):
        root = write_data_set(data, folder / f"tables-{count}", count, size=SMALL)
        config = AnalyzeConfig(out=folder / f"tables-of-{count}", dataset="folder")
        started = 0.0
        for step in analyze(open_run(RUN), root, config):
            started = time.monotonic() if step.status == "tables" else started
        took[count] = time.monotonic() - started
    return pd.DataFrame([{"ms": 1000 * (took[120] - took[20]) / 100}])


def measure_cores(data: Path, folder: Path) -> pd.DataFrame:
    """Share of the time of all cores that each command uses on one machine, without a cluster."""
    cores, rows = len(os.sched_getaffinity(0)), []
    sets = {count: write_data_set(data, folder / f"{count}", count) for count in (FEW, MANY)}
    for command in ("predict", "analyze"):
        few, many = (
            run(*_arguments(command, root, folder / f"{command}-{count}"), threads=cores)
            for count, root in sets.items()
        )
        seconds = many.seconds - few.seconds
        share = (many.cpu_s - few.cpu_s) / (seconds * cores)
        rows.append({"command": command, "cores": cores, "seconds": seconds / (MANY - FEW), "share": share})
    return pd.DataFrame(rows)


STUDIES = {"rates": measure_rates, "cores": measure_cores, "memory": measure_memory, "tables": measure_tables}


def _arguments(command: str, root: Path, out: Path) -> list[object]:
    """The arguments of a command on a data set of `write_data_set`."""
    if command == "predict":
        return ["predict", RUN, root / "images", "--out", out]
    return ["analyze", RUN, root, "--dataset", "folder", "--out", out]


def write_data_set(data: Path, root: Path, count: int, *, size: tuple[int, int] = SIZE) -> Path:
    """A plain folder of CamVid's test images and labels, resized."""
    samples = open_camvid(data, "test")
    for kind in ("images", "labels"):
        (root / kind).mkdir(parents=True)
    for index in range(count):
        sample = samples[index * len(samples) // count]
        assert sample.label_map is not None
        Image.fromarray(sample.image).resize(size).save(root / "images" / f"{index}.jpg", quality=95)
        labels = Image.fromarray(sample.label_map.astype("uint8")).resize(size, Image.Resampling.NEAREST)
        labels.save(root / "labels" / f"{index}.png")
    (root / "classes.json").write_text(json.dumps(samples.classes.names), encoding="utf-8")
    return root


@contextmanager
def ray_cluster(workers: int) -> Iterator[str]:
    """Address of a cluster with one-core machines for the workers: each is a process that may use one core."""
    from ray.cluster_utils import Cluster

    cores = os.sched_getaffinity(0)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for core in sorted(cores)[:workers]:
            os.sched_setaffinity(0, {core})  # the machine's processes inherit it
            cluster.add_node(num_cpus=1)
        os.sched_setaffinity(0, cores)
        yield str(cluster.address)
    finally:
        os.sched_setaffinity(0, cores)
        cluster.shutdown()


class Done(NamedTuple):
    """A command that has ended."""

    seconds: float
    peak_mb: float
    """Largest memory of its process."""
    cpu_s: float
    """Processor time."""


def run(*arguments: object, threads: int = 1) -> Done:
    """Run a command.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", "hlcore", *map(str, arguments)]
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": str(threads)}, stderr=subprocess.DEVNULL)
    kilobytes = 0
    while process.poll() is None:
        with suppress(OSError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            kilobytes = max([kilobytes, *map(int, re.findall(r"VmHWM:\s+(\d+) kB", status))])
        time.sleep(0.1)
    if process.returncode:
        raise RuntimeError(f"{command} failed")
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Done(seconds, kilobytes / 1024, cpu_s)


def fill_in_tables(text: str) -> str:
    """The text of docs/scale.md with the saved numbers."""
    saved = json.loads(RESULTS.read_text(encoding="utf-8"))
    rates, memory = pd.DataFrame(saved["rates"]), pd.DataFrame(saved["memory"])
    machine = saved["machine"]
    about = f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}, torch {machine['torch']}\n"
    text = fill_in_table(text, "benchmarks.scale", about)
    text = fill_in_table(text, "benchmarks.scale rates", _format_rates(rates))
    text = fill_in_table(text, "benchmarks.scale cores", _format_cores(saved["cores"]))
    text = fill_in_table(text, "benchmarks.scale tables", f"{saved['tables'][0]['ms']:.1f} ms an image\n")
    text = fill_in_table(text, "benchmarks.scale million", _format_million(rates))
    text = fill_in_table(text, "benchmarks.scale gpu", _describe_gpu(rates))
    return fill_in_table(text, "benchmarks.scale memory", _format_memory(memory))


def _format_rates(rates: pd.DataFrame) -> str:
    one = rates[rates.workers == 1].set_index("command").seconds
    cells = [
        [
            row["command"],
            str(row["workers"]),
            f"{row['seconds']:.2f} s",
            f"{1 / row['seconds']:.2f}",
            f"{one[row['command']] / row['seconds']:.2f}",
            f"{row['bytes'] / 1e6:.2f} MB",
        ]
        for row in rates.to_dict("records")
    ]
    columns = ["command", "workers", "per image", "images/s", "times one worker", "on disk, per image"]
    return format_markdown_table(columns, cells)


def _format_million(rates: pd.DataFrame) -> str:
    cells = []
    for row in rates.to_dict("records"):
        if row["workers"] == 1:
            hours = MILLION * row["seconds"] / 3600
            times = [f"{hours / cores:,.1f} h" for cores in (64, 640)]
            cells.append([row["command"], f"{hours:,.0f}", *times, f"{MILLION * row['bytes'] / 1e12:.2f} TB"])
    return format_markdown_table(["command", "core hours", "64 cores", "640 cores", "written"], cells)


def _describe_gpu(rates: pd.DataFrame) -> str:
    """What a GPU would change, from the operations of the network and its time on a core."""
    limits, backends = (json.loads((PERFORMANCE / f"{name}.json").read_text("utf-8"))["rows"] for name in LARGE)
    [gflop] = {row["GFLOP"] for row in limits if row["image"] == IMAGE}
    on_core = min(row["median_ms"] for row in backends if row["image"] == IMAGE and row["threads"] == 1) / 1000
    [whole] = rates[(rates.command == "predict") & (rates.workers == 1)].seconds
    gpu_ms, rest = gflop / GPU_TFLOPS, whole - on_core
    return (
        f"The network needs {gflop:.1f} GFLOP an image, so a GPU that sustains {GPU_TFLOPS} TFLOP/s runs it in "
        f"{gpu_ms:.0f} ms. Of the {whole:.2f} s that an image takes on a core, about {rest:.1f} s are reading, "
        f"resizing and writing, which stay there: it takes {1000 * rest / gpu_ms:.0f} cores to keep such a GPU busy.\n"
    )


def _format_cores(rows: list[dict[str, Any]]) -> str:
    cells = [[row["command"], str(row["cores"]), f"{row['seconds']:.2f} s", f"{row['share']:.0%}"] for row in rows]
    return format_markdown_table(["command", "cores", "per image", "share of the cores' time"], cells)


def _format_memory(memory: pd.DataFrame) -> str:
    cells = [
        [f"{row['images']:,}", f"{row['peak_mb']:,.0f} MB", f"{row['seconds']:,.0f} s"]
        for row in memory.to_dict("records")
    ]
    return format_markdown_table(["images", "peak memory", "time"], cells)


if __name__ == "__main__":
    main()
