"""Which images make up which step: the same for the same seed, on any number of processes."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from hlcore.data.augment import TrainingAugmentation
from hlcore.data.samples import SegmentationData
from hlcore.errors import InvalidInputError


@dataclass(frozen=True)
class AugmentedData(Dataset[tuple[Tensor, Tensor, int]]):
    """One epoch of a data set: image 3 H W uint8, label map H W int64, and the index of the sample."""

    data: SegmentationData
    augmentation: TrainingAugmentation
    seed: int
    epoch: int

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor, int]:
        image, label_map = self.augmentation(self.data[index], seed=self.seed, epoch=self.epoch, index=index)
        return image, label_map, index


def steps_per_epoch(num_images: int, *, batch_size: int, processes: int) -> int:
    """Steps in one epoch; images that do not fill a last batch wait for another epoch's order.

    Raises:
        InvalidInputError: there are fewer images than one step takes.
    """
    steps = num_images // (batch_size * processes)
    if steps == 0:
        raise InvalidInputError(
            f"{num_images} training images do not fill one step of {batch_size} x {processes} processes; "
            "lower optim.batch_size"
        )
    return steps


def epoch_loader(
    dataset: AugmentedData, *, batch_size: int, rank: int, processes: int, first_step: int, workers: int
) -> DataLoader:
    """The batches of one process in one epoch, from `first_step` on."""
    generator = torch.Generator().manual_seed(dataset.seed * 100_003 + dataset.epoch)
    order = torch.randperm(len(dataset.data), generator=generator)
    steps = steps_per_epoch(len(dataset.data), batch_size=batch_size, processes=processes)
    batches = order[: steps * processes * batch_size].view(steps, processes, batch_size)[first_step:, rank]
    return DataLoader(
        dataset,
        batch_sampler=batches.tolist(),
        num_workers=workers,
        generator=torch.Generator(),  # otherwise the loader draws from the generator that drives dropout
        pin_memory=torch.cuda.is_available(),
    )
