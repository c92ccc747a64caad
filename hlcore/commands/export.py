"""The command `hlcore export`: networks and maps for other programs."""

from pathlib import Path

from cyclopts import App

from hlcore.config import EpochChoice
from hlcore.errors import InvalidInputError

export = App(name="export", help="Export networks and maps for other programs.")


@export.command
def onnx(checkpoint: Path, *, out: Path, epoch: EpochChoice = None) -> None:
    """Write a network as one ONNX file, and compare it with torch.

    It takes RGB images N 3 H W of float32 in 0..255, where H and W are multiples of the network's stride, and gives
    logits N C H W and the hardness map N 1 H W in (0, 1). The file names the classes and the stride in its metadata.
    PSPNet, UPerNet, MaskFormer and Mask2Former cannot be exported.

    Parameters
    ----------
    checkpoint
        A checkpoint (.safetensors) or a run folder.
    out
        The file to write.
    epoch
        Of a run: a saved epoch, or best for the one with the highest validation mIoU. Default: the last.
    """
    import json

    from hlcore.models.onnx_export import export_whole_network
    from hlcore.storage.checkpoints import load_checkpoint
    from hlcore.storage.files import make_folder, replace_atomically
    from hlcore.storage.loading import load_epoch
    from hlcore.storage.runs import open_run

    if out.is_dir():
        raise InvalidInputError(f"{out} is a folder; give a file, such as {out / 'network.onnx'}")
    if not checkpoint.exists():
        raise InvalidInputError(f"{checkpoint} does not exist; expected a checkpoint (.safetensors) or a run folder")
    if epoch is not None and not checkpoint.is_dir():
        raise InvalidInputError("--epoch chooses a checkpoint of a run; leave it out, or give the run folder")
    of_run = checkpoint.is_dir()
    loaded = load_epoch(open_run(checkpoint), epoch, device="cpu") if of_run else load_checkpoint(checkpoint)
    metadata = {"class_names": json.dumps(loaded.class_names), "epoch": str(loaded.epoch)}
    content, difference = export_whole_network(loaded.network, metadata=metadata)
    make_folder(out.absolute().parent)
    with replace_atomically(out) as temporary:
        temporary.write_bytes(content)
    print(f"complete: {out} (differs from torch by at most {difference:.1g})")


@export.command
def fiftyone(bundle: Path, *, name: str | None = None) -> None:
    """Make a FiftyOne data set of a hardness bundle: images, hardness as heatmaps, prediction as segmentation.

    The images and maps stay where they are.

    Parameters
    ----------
    bundle
        Folder that `hlcore predict` wrote, from image files that are still there.
    name
        Name of the data set, which must be new. Default: that of the folder.
    """
    from hlcore.storage.bundles import open_bundle

    opened = open_bundle(bundle)
    try:
        import fiftyone as fo  # pyright: ignore[reportMissingImports]  (it brings a database)
    except ImportError as error:
        raise InvalidInputError("FiftyOne is not installed; pip install fiftyone") from error
    rows = opened.manifest.to_dict("records")
    if gone := [row["source"] for row in rows if not Path(row["source"]).is_file()]:
        raise InvalidInputError(
            f"{len(gone)} of the {len(rows)} images of {bundle} are no longer there, such as {gone[0]}"
        )
    name = name or bundle.resolve().name
    if fo.dataset_exists(name):
        raise InvalidInputError(f"FiftyOne already has a data set {name!r}; give another --name")
    samples = [
        fo.Sample(
            filepath=row["source"],
            hardness=fo.Heatmap(map_path=str(opened.hardness_path(row["name"]).resolve()), range=[0, 65535]),
            prediction=fo.Segmentation(mask_path=str(opened.prediction_path(row["name"]).resolve())),
            mean_hardness=row["mean_hardness"],
        )
        for row in rows
    ]
    dataset = fo.Dataset(name, persistent=True)
    dataset.add_samples(samples)
    dataset.mask_targets = {
        "prediction": {
            f"#{red:02x}{green:02x}{blue:02x}": label
            for label, (red, green, blue) in zip(opened.class_names, opened.palette, strict=True)
        }
    }
    dataset.save()
    print(f"complete: {name} ({len(samples)} images); look at it with: fiftyone app launch {name}")
