"""Saved hardness maps of another network as frozen weights of the loss (Xiao et al., IJCV 2025, transfer)."""

from pathlib import Path

from lightning_fabric import Fabric

from hlcore.data.samples import SegmentationData
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.inference import predict
from hlcore.storage.bundles import MANIFEST, Bundle, BundleWriter, open_bundle
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run


def open_saved_hardness(source: Path, data: SegmentationData, *, made_in: Path, anew: bool, fabric: Fabric) -> Bundle:
    """The bundle with a hardness map of every training image.

    Args:
        source: A bundle, or a run whose last kept epoch is run over the training images.
        data: The training images.
        made_in: Where the maps of a run are written, and found again when training resumes.
        anew: Make them in any case, and not only where some are missing.
        fabric: The processes of the run, of which the first one writes.

    Raises:
        CheckpointError: the source is neither a run nor a bundle.
        InvalidInputError: an image has no map in the bundle.
    """
    if not (source / MANIFEST).is_file():
        if fabric.is_global_zero and (anew or not (made_in / MANIFEST).is_file() or _find_missing(made_in, data)):
            (made_in / MANIFEST).unlink(missing_ok=True)
            _write_bundle(source, data, made_in)
        source = made_in
    fabric.barrier()
    missing = _find_missing(source, data)
    if missing:
        raise InvalidInputError(
            f"{source} has no hardness map for {len(missing)} of {len(data)} training images, such as "
            f"{min(missing)!r}; run `hlcore predict` over the folder of the training images"
        )
    return open_bundle(source)


def _find_missing(bundle: Path, data: SegmentationData) -> set[str]:
    """Names of the images that have no map."""
    return set(data.names) - set(open_bundle(bundle).manifest["name"])


def _write_bundle(source: Path, data: SegmentationData, folder: Path) -> None:
    run = open_run(source)
    if not run.epochs:
        raise CheckpointError(f"{source} has kept no epoch, so it has no hardness maps to give")
    checkpoint = load_checkpoint(run.checkpoint_path(run.epochs[-1]))
    with BundleWriter(folder, class_names=checkpoint.class_names, palette=checkpoint.palette) as bundle:
        for index in range(len(data)):
            sample = data[index]
            bundle.add(
                predict(checkpoint.network, sample.image, class_names=checkpoint.class_names, name=sample.name),
                source=f"{source}, epoch {checkpoint.epoch}",
            )
