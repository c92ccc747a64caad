"""Saved hardness maps of another network as fixed weights of the loss (Xiao et al., IJCV 2025, transfer)."""

import shlex
from collections import Counter
from dataclasses import replace
from operator import eq
from pathlib import Path, PurePath

from lightning_fabric import Fabric

from hlcore.data.memory import CachedData
from hlcore.data.samples import PairedFiles, SegmentationData
from hlcore.data.text import normalise_name
from hlcore.errors import CheckpointError, InvalidInputError
from hlcore.inference import predict
from hlcore.storage.bundles import MANIFEST, Bundle, BundleWriter, open_bundle
from hlcore.storage.checkpoints import load_checkpoint
from hlcore.storage.runs import open_run


def open_saved_hardness(
    source: Path, data: SegmentationData, *, folder: Path, overwrite: bool, fabric: Fabric
) -> Bundle:
    """A bundle with the hardness map of every training image, found by the names of the training images.

    A bundle that `hlcore predict` wrote over the folder of the training images has the names of their files, which may
    have a suffix that the names of the images lack, such as "_leftImg8bit" in Cityscapes.

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
        if fabric.is_global_zero and (overwrite or _lacks_maps(folder, data)):
            (folder / MANIFEST).unlink(missing_ok=True)
            _write_bundle(source, data, folder)
        source = folder
    fabric.barrier()
    names = _match_names(bundle := open_bundle(source), data)
    if missing := set(data.names) - names.keys():
        raise InvalidInputError(
            f"{source} has no hardness map for {len(missing)} of {len(data)} training images, such as "
            f"{min(missing)!r}; run `hlcore predict RUN {_find_image_folder(data)} --out BUNDLE`"
        )
    return replace(bundle, names=names)


def _lacks_maps(folder: Path, data: SegmentationData) -> bool:
    """Whether the folder holds no bundle, or one that does not have every image."""
    return not (folder / MANIFEST).is_file() or len(_match_names(open_bundle(folder), data)) < len(data)


def _match_names(bundle: Bundle, data: SegmentationData) -> dict[str, str]:
    """Name of each image that has a map to its name in the bundle.

    That is the image's own or the path of its file; outer folders may be missing on either side if only one image fits.
    """
    written = {normalise_name(name): name for name in bundle.manifest["name"]}
    data = data.data if isinstance(data, CachedData) else data
    file_names = data.file_names if isinstance(data, PairedFiles) else data.names
    of_last_part: dict[str, list[str]] = {}
    for name in written:
        of_last_part.setdefault(PurePath(name).name, []).append(name)
    found = {}
    for name, file in zip(data.names, file_names, strict=True):
        exact = next((own for own in (normalise_name(name), file) if own in written), None)
        fitting = [other for other in of_last_part.get(PurePath(file).name, []) if _is_tail(other, file)]
        if exact is not None or len(fitting) == 1:
            found[name] = exact or fitting[0]
    uses = Counter(found.values())
    return {name: written[there] for name, there in found.items() if uses[there] == 1}


def _is_tail(first: str, second: str) -> bool:
    """Whether the shorter of two paths is the end of the longer.

    Example:
        >>> _is_tail("aachen/0000", "0000"), _is_tail("aachen/0000", "bonn/0000")
        (True, False)
    """
    return all(map(eq, reversed(PurePath(first).parts), reversed(PurePath(second).parts)))


def _find_image_folder(data: SegmentationData) -> str:
    """The folder below which the names of the images' files are unique; "IMAGES" if they have no files."""
    data = data.data if isinstance(data, CachedData) else data
    if not isinstance(data, PairedFiles):
        return "IMAGES"
    return shlex.quote(str(data.pairs[0].image.parents[len(PurePath(data.file_names[0]).parts) - 1]))


def _write_bundle(source: Path, data: SegmentationData, folder: Path) -> None:
    run = open_run(source)
    run.require_network()
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
