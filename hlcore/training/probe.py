"""The probe set: the hardness and loss maps of a few images throughout training."""

import numpy as np

from hlcore.data.samples import Sample, SegmentationData
from hlcore.errors import NotFiniteError, TrainingError
from hlcore.inference import predict
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.probes import Probe, Split
from hlcore.storage.runs import Run

SNAPSHOT_ITERATIONS = (1, 10, 100)
"""Steps after which maps are saved, as in the paper's figure 1, in addition to the kept epochs."""


def create_probe(run: Run, train: SegmentationData, val: SegmentationData, *, images: int) -> Probe | None:
    """A new probe set of `images` evenly spaced images, half from each split; None for no images."""
    splits: dict[str, Split] = {}
    chosen: dict[str, Sample] = {}
    quota: list[tuple[Split, SegmentationData, int]] = [
        ("train", train, images // 2),
        ("val", val, images - images // 2),
    ]
    for split, data, wanted in quota:
        for index in np.unique(np.linspace(0, len(data) - 1, min(wanted, len(data))).round().astype(int)):
            sample = data[int(index)]
            name = sample.name if sample.name not in chosen else f"{split}-{sample.name}"
            splits[name], chosen[name] = split, sample
    if not chosen:
        return None
    pictures = {n: (s.image, s.label_map) for n, s in chosen.items() if s.label_map is not None}
    return Probe.create(run.probe_path, splits, pictures)


def add_snapshot(probe: Probe, network: HardnessSegmenter, snapshot: str, *, class_names: tuple[str, ...]) -> Probe:
    """The probe set with one more snapshot: the maps of the network on the probe images.

    Raises:
        TrainingError: the network's output is not finite.
    """
    maps = {}
    for name in probe.images:
        try:
            record = predict(network, probe.image(name), class_names=class_names, label_map=probe.label_map(name))
        except NotFiniteError as error:
            raise TrainingError(
                f"the network's output for {name} is no longer finite at {snapshot}; lower optim.lr"
            ) from error
        maps[name] = (record.hardness_map, record.loss_map)
    return probe.add(snapshot, maps)
