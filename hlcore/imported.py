"""Imported maps in place of a network: the images of a run as data, and their maps as records."""

from collections.abc import Iterator

import numpy as np

from hlcore.data.images import read_image
from hlcore.data.labels import ClassTable
from hlcore.data.samples import Sample
from hlcore.storage.runs import Run
from hlcore.types import PredictionRecord


class ImportedData:
    """The images of a run of imported maps, with their label maps."""

    def __init__(self, run: Run) -> None:
        """Raises CheckpointError if the list of images cannot be read."""
        self._maps, self._run = run.maps, run

    @property
    def classes(self) -> ClassTable:
        """The classes of the run."""
        return ClassTable(self._run.record.class_names, self._run.record.palette)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the images."""
        return self._maps.images

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that change with any image or label map."""
        return self._maps.fingerprint

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Sample:
        """The sample at `index`. Raises DatasetError or CheckpointError if a file cannot be read."""
        return read_imported_sample(self._run, self.names[index])


def read_imported_sample(run: Run, name: str) -> Sample:
    """An imported image with its label map.

    Raises:
        InvalidInputError: no such image.
        DatasetError, CheckpointError: a file cannot be read.
    """
    maps, imported = run.maps, run.record.imported
    image = read_image(maps.image_path(name), white_level=imported and imported.white_level)
    return Sample(name, image, maps.label_map(name, image.shape[:2]))


def read_imported_record(run: Run, epoch: int, sample: Sample) -> PredictionRecord:
    """The maps of an imported image at a step, in place of a network's output; it has no probabilities.

    Raises:
        InvalidInputError: no such image.
        CheckpointError: a file cannot be read, or has another size than its image.
    """
    maps, imported = run.maps, run.record.imported
    assert imported is not None  # or there would be no maps
    size = sample.image.shape[:2]
    prediction = maps.prediction(sample.name, epoch, size)
    first, *further = (maps.score(sample.name, epoch, size, at) for at in range(len(imported.scores)))
    titles = [score.title for score in imported.further]
    return PredictionRecord(
        name=sample.name,
        image=sample.image,
        prediction=np.zeros(size, np.uint8) if prediction is None else prediction,
        hardness_map=first,
        probabilities=np.empty((0, *size), np.float32),
        class_names=run.record.class_names,
        label_map=sample.label_map,
        scores=dict(zip(titles, further, strict=True)),
        has_prediction=prediction is not None,
    )
