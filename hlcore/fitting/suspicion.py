"""Learn a run's suspicion of error from labelled images."""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hlcore.analysis.suspicion import ScoredPixels, fit_error_model, sample_pixels
from hlcore.config import EpochChoice, FitConfig
from hlcore.fitting.data import OrderedData, choose_data, open_ordered
from hlcore.inference import predict
from hlcore.models.hardness import HardnessSegmenter
from hlcore.storage.files import lock_folder
from hlcore.storage.loading import load_epoch
from hlcore.storage.runs import Run, open_run

IMAGES = 60
"""Images whose pixels the model is fitted to."""


class Labelled(NamedTuple):
    """The images that an error model is fitted to."""

    images: OrderedData
    name: str
    """Data set and split."""


def choose_images(
    run: Run, root: Path | None = None, *, dataset: str | None = None, split: str | None = None
) -> Labelled:
    """Evenly spaced images, by default of the run's training split.

    Raises:
        InvalidInputError, DatasetError: the data set cannot be read, or has other classes.
    """
    run.require_network()
    config = choose_data(str(run.path), root, FitConfig(dataset=dataset, split=split))
    images = open_ordered(config, run.record.class_names, run.record.palette).thin_out(IMAGES)
    return Labelled(images, f"{config.dataset} {config.train_split}")


def learn_suspicion(
    run: Run, labelled: Labelled, *, epoch: EpochChoice = None, device: str = "auto", backend: str = "auto"
) -> Generator[str]:
    """Fit the error model of a run and write it to the run: a generator of the names of the images.

    Args:
        run: With a hardness branch.
        labelled: What it is fitted to.
        epoch: As in `load_epoch`.
        device: As in `load_epoch`.
        backend: As in `load_epoch`.

    Raises:
        InvalidInputError, CheckpointError: a setting is not valid, or nothing can be learned.
        StorageError: the run cannot be written, or another process writes to it.
    """
    checkpoint = load_epoch(run, epoch, device=device, backend=backend)
    images = []
    for name, pixels in score_pixels(checkpoint.network, labelled.images):
        images.append(pixels)
        yield name
    classes = len(run.record.class_names)
    model = fit_error_model(images, num_classes=classes, learned_on=labelled.name, epoch=checkpoint.epoch)
    with lock_folder(run.path):
        open_run(run.path).write_error_model(model)  # it may have gone on since it was opened


def score_pixels(network: HardnessSegmenter, data: OrderedData) -> Generator[tuple[str, ScoredPixels]]:
    """Name of each image and the scores of some of its pixels; the same ones on each call."""
    generator = np.random.default_rng(0)
    for index in range(len(data)):
        sample = data[index]
        record = predict(
            network, sample.image, class_names=data.classes.names, name=sample.name, label_map=sample.label_map
        )
        yield sample.name, sample_pixels(record, generator)
