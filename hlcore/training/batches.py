"""Batches of an epoch: the same for the same seed, whatever the number of processes."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from hlcore.data.augment import TrainingAugmentation
from hlcore.data.samples import SegmentationData
from hlcore.errors import HlcoreError, InvalidInputError
from hlcore.storage.bundles import Bundle


@dataclass(frozen=True)
class AugmentedData(Dataset[dict[str, Tensor | int] | HlcoreError]):
    """One augmented epoch of a data set.

    An example is a dictionary: image 3 H W uint8, label_map H W int64, index of the sample, and with saved maps
    fixed_hardness H W float32.
    """

    data: SegmentationData
    augmentation: TrainingAugmentation
    seed: int
    epoch: int
    saved_hardness: Bundle | None = None

    def __getitem__(self, index: int) -> dict[str, Tensor | int] | HlcoreError:
        """The example at `index`, or the error of a sample that cannot be read."""
        try:  # an error raised in a worker process would arrive as a traceback instead of its sentence
            return self._augment(index)
        except HlcoreError as error:
            return error

    def _augment(self, index: int) -> dict[str, Tensor | int]:
        sample = self.data[index]
        saved = None if self.saved_hardness is None else self.saved_hardness.hardness_map(sample.name)
        changed = self.augmentation(sample, seed=self.seed, epoch=self.epoch, index=index, hardness_map=saved)
        example = {"image": changed.image, "label_map": changed.label_map, "index": index}
        return example if changed.hardness_map is None else example | {"fixed_hardness": changed.hardness_map}


def count_steps_per_epoch(num_images: int, *, batch_size: int, processes: int) -> int:
    """Number of steps in an epoch; images left over after the last full batch are dropped, different ones each epoch.

    Raises:
        InvalidInputError: there are fewer images than one step needs.
    """
    steps = num_images // (batch_size * processes)
    if steps == 0:
        raise InvalidInputError(
            f"{num_images} training images do not fill one step of {batch_size} x {processes} processes; "
            "lower optim.batch_size"
        )
    return steps


def make_batches(
    dataset: AugmentedData, *, batch_size: int, rank: int, processes: int, first_step: int, workers: int
) -> Iterator[dict[str, Tensor]]:
    """One process's batches in one epoch, from `first_step` on.

    Raises:
        HlcoreError: a sample cannot be read.
    """
    generator = torch.Generator().manual_seed(dataset.seed * 100_003 + dataset.epoch)
    order = torch.randperm(len(dataset.data), generator=generator)
    steps = count_steps_per_epoch(len(dataset.data), batch_size=batch_size, processes=processes)
    batches = order[: steps * processes * batch_size].view(steps, processes, batch_size)[first_step:, rank]
    loader = DataLoader(
        dataset,
        batch_sampler=batches.tolist(),
        num_workers=workers,
        generator=torch.Generator(),  # without it the loader would draw from the global generator, which dropout uses
        pin_memory=torch.cuda.is_available(),
        collate_fn=_collate,
    )
    for batch in loader:
        if isinstance(batch, HlcoreError):
            raise batch
        yield batch


def _collate(examples: list[dict[str, Tensor | int] | HlcoreError]) -> dict[str, Tensor] | HlcoreError:
    """The examples as a batch, or the first error among them."""
    return next((one for one in examples if isinstance(one, HlcoreError)), None) or default_collate(examples)
