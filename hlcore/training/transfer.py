"""Saved hardness maps of another network as fixed weights of the loss (Xiao et al., IJCV 2025, transfer)."""

from pathlib import Path

from lightning_fabric import Fabric

from hlcore.data.samples import SegmentationData
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.inference import predict
from hlcore.storage.bundles import MANIFEST, Bundle, BundleWriter, open_bundle
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run


def open_saved_hardness(
    source: Path, data: SegmentationData, *, folder: Path, overwrite: bool, fabric: Fabric
) -> Bundle:
    """A bundle with the hardness map of every training image.

    Args:
        source: A bundle, or a run whose last epoch predicts the maps.
        data: The training images.
        folder: Where maps predicted by a run are written, and found again when training resumes.
        overwrite: Predict them even if they all exist.
        fabric: The processes of the run; the first one writes.

    Raises:
        CheckpointError: the source is neither a run nor a bundle.
        InvalidInputError: an image has no map in the bundle.
    """
    if not (source / MANIFEST).is_file():
        if fabric.is_global_zero and (overwrite or not (folder / MANIFEST).is_file() or _find_missing(folder, data)):
            (folder / MANIFEST).unlink(missing_ok=True)
            _write_bundle(source, data, folder)
        source = folder
    fabric.barrier()
    missing = _find_missing(source, data)
    if missing:
        raise InvalidInputError(
            f"{source} has no hardness map for {len(missing)} of {len(data)} training images, such as "
            f"{min(missing)!r}; run `hlcore predict` over the folder of the training images"
        )
    return open_bundle(source)


def _find_missing(bundle: Path, data: SegmentationData) -> set[str]:
    """Names of the images without a map."""
    return set(data.names) - set(open_bundle(bundle).manifest["name"])


def _write_bundle(source: Path, data: SegmentationData, folder: Path) -> None:
    run = open_run(source)
    if not run.epochs:
        raise CheckpointError(f"{source} has no checkpoint, so it cannot predict hardness maps")
    checkpoint = load_checkpoint(run.checkpoint_path(run.epochs[-1]))
    with BundleWriter(folder, class_names=checkpoint.class_names, palette=checkpoint.palette) as bundle:
        for index in range(len(data)):
            sample = data[index]
            bundle.add(
                predict(checkpoint.network, sample.image, class_names=checkpoint.class_names, name=sample.name),
                source=f"{source}, epoch {checkpoint.epoch}",
            )
