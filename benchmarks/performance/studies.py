"""What `make bench` measures, each study a function that returns a table."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import distance_transform_edt, find_objects
from skimage.measure import label
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.performance.memory import LARGE_IMAGE, measure_memory
from benchmarks.performance.steps import BRANCHES, DECODERS, make_step
from benchmarks.performance.timing import measure, measure_bandwidth, measure_matrix_product
from hlcore.analysis import components
from hlcore.analysis.boundaries import distance_to, edge_map
from hlcore.data.streets import Streets
from hlcore.inference import predict
from hlcore.measuring.tables import ROW_TABLES, SUMMED, measure_image
from hlcore.models.backends import EXPORT_BACKENDS, find_compiler
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.checkpoints import Checkpoint
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import open_run
from hlcore.types import PredictionRecord

CHECKPOINTS = Path(__file__).parents[2] / "checkpoints"
SIZES = ((360, 480), (1024, 2048))
"""Height and width of the images: CamVid's, and Cityscapes'."""


def time_training_step() -> pd.DataFrame:
    """A training step with each hardness branch, beside one of plain cross entropy."""
    tables = []
    for decoder in DECODERS:
        steps = {name: make_step(decoder, branch) for branch, name in BRANCHES.items()}
        tables.append(measure(steps, repeats=7).assign(decoder=decoder))
    return pd.concat(tables, ignore_index=True)


def measure_training_memory() -> pd.DataFrame:
    """Memory of training with each hardness branch, as a multiple of that without one."""
    rows = []
    for decoder in DECODERS:
        used = {name: measure_memory("step", decoder, branch) for branch, name in BRANCHES.items()}
        without = next(iter(used.values()))["above start, MB"]
        for name, row in used.items():
            above = row["above start, MB"]
            rows.append({"decoder": decoder, "variant": name, "above start, MB": above, "times ce": above / without})
    return pd.DataFrame(rows)


def time_inference() -> pd.DataFrame:
    """The bundled camvid network: bare, with its hardness branch, and `predict`."""
    tables = []
    checkpoint = load_camvid()
    network = checkpoint.network.eval()
    for size in SIZES:
        image = make_record(size).image
        pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())[None]
        plain = HardnessSegmenter(
            network.encoder, network.segmentation_branch, None, stride=network.stride, channels_last=True
        ).eval()
        ways = {
            "without hardness branch": torch.inference_mode()(lambda plain=plain, pixels=pixels: plain(pixels)),
            "with hardness branch": torch.inference_mode()(lambda pixels=pixels: network(pixels)),
            "predict": lambda image=image: predict(network, image, class_names=checkpoint.class_names),
        }
        repeats = 15 if size == SIZES[0] else 7
        tables.append(measure(ways, repeats=repeats).assign(image=format_size(size)))
    return pd.concat(tables, ignore_index=True)


def time_backends() -> pd.DataFrame:
    """`predict` with the bundled camvid network in each library that is installed."""
    tables = []
    run = open_run(CHECKPOINTS / "camvid")
    installed = [name for name in EXPORT_BACKENDS if find_spec(name) is not None]
    installed += ["compile"] * (find_compiler() is not None)
    loaded = {name: load_epoch(run, device="cpu", backend=name) for name in ("torch", *installed)}
    for size in SIZES:
        image = make_record(size).image
        ways = {
            name: lambda image=image, one=one: predict(one.network, image, class_names=one.class_names)
            for name, one in loaded.items()
        }
        repeats = 15 if size == SIZES[0] else 7
        tables.append(measure(ways, repeats=repeats).assign(image=format_size(size)))
    return pd.concat(tables, ignore_index=True)


def time_limits() -> pd.DataFrame:
    """Floating-point operations of the camvid network, and what this machine needs for them at best."""
    network = load_camvid().network.eval()
    rate, bandwidth = measure_matrix_product(), measure_bandwidth()
    rows = []
    for size in SIZES:
        pixels = torch.zeros(1, 3, *size)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            network(pixels)
        gflop = counter.get_total_flops() / 1e9
        rows.append(
            {
                "image": format_size(size),
                "GFLOP": gflop,
                "GFLOP/s of a matrix product": rate,
                "GB/s of a copy": bandwidth,
                "lower bound, ms": 1000 * gflop / rate,
            }
        )
    return pd.DataFrame(rows)


def measure_large_image() -> pd.DataFrame:
    """Memory of `predict` for an image of 12 megapixels."""
    names = ("torch", *(name for name in EXPORT_BACKENDS if find_spec(name) is not None))
    rows = [{"image": format_size(LARGE_IMAGE), "variant": name} | measure_memory("image", name) for name in names]
    return pd.DataFrame(rows)


def time_analysis() -> pd.DataFrame:
    """What `analyze` measures on one image, module by module, beside the network."""
    checkpoint = load_camvid()
    tables = []
    for size in SIZES:
        record = make_record(size)
        modules: dict[str, Callable[[PredictionRecord], object]] = {name: count for name, (count, _) in SUMMED.items()}
        modules |= ROW_TABLES

        def fresh(record: PredictionRecord = record) -> PredictionRecord:
            return replace(record)  # without what the last round computed

        ways = {
            "network": lambda record=record: predict(
                checkpoint.network, record.image, class_names=checkpoint.class_names
            ),
            "analysis": lambda fresh=fresh: measure_image(fresh(), {}, c=0.1),
            **{name: lambda run=run, fresh=fresh: run(fresh()) for name, run in modules.items()},
        }
        tables.append(measure(ways, repeats=5).assign(image=format_size(size)))
    return pd.concat(tables, ignore_index=True)


def time_parts_of_analysis() -> pd.DataFrame:
    """What the analysis takes from libraries, beside the functions that it used before; both give equal results."""
    record = make_record(SIZES[1])
    edge = edge_map(record, "prediction")
    objects = components.label_components(record.labels)
    pairs = {
        "distance to an edge": (lambda: distance_transform_edt(~edge), lambda: distance_to(edge)),
        "components": (
            lambda: label(record.labels, background=255, connectivity=2),
            lambda: components.label_components(record.labels, smallest_px=1),
        ),
        "thickness of all objects": (
            lambda: [
                distance_transform_edt(np.pad(objects[box] == number, 1))
                for number, box in enumerate(find_objects(objects), start=1)
            ],
            lambda: components.distance_to_outside(objects),
        ),
    }
    tables = [
        measure({"SciPy or scikit-image": before, "hlcore": now}, repeats=3).assign(part=part)
        for part, (before, now) in pairs.items()
    ]
    return pd.concat(tables, ignore_index=True)


STUDIES = {
    "training_step": time_training_step,
    "training_memory": measure_training_memory,
    "inference": time_inference,
    "backends": time_backends,
    "limits": time_limits,
    "large_image": measure_large_image,
    "analysis": time_analysis,
    "parts_of_analysis": time_parts_of_analysis,
}


def format_size(size: tuple[int, int]) -> str:
    """Width x height, as people write it."""
    return f"{size[1]} x {size[0]}"


@cache
def load_camvid() -> Checkpoint:
    """The last epoch of the bundled run on photographs."""
    return load_epoch(open_run(CHECKPOINTS / "camvid"), device="cpu")


@cache
def make_record(size: tuple[int, int]) -> PredictionRecord:
    """A drawn street of this size, with its labels and the prediction of the bundled run on streets."""
    checkpoint = load_epoch(open_run(CHECKPOINTS / "streets"), device="cpu")
    sample = Streets("test", count=2, size=size)[1]
    record = predict(checkpoint.network, sample.image, class_names=checkpoint.class_names, name=sample.name)
    assert sample.label_map is not None
    return record.with_label_map(sample.label_map)
