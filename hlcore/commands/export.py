"""The command `hlcore export`: for other programs."""

from pathlib import Path

from cyclopts import App

from hlcore.config import EpochChoice
from hlcore.errors import InvalidInputError

export = App(name="export", help="Write a network for other programs.")


@export.command
def onnx(checkpoint: Path, *, out: Path, epoch: EpochChoice = None) -> None:
    """Write a network as one ONNX file, and compare it with torch.

    It takes RGB images N 3 H W of float32 in 0..255, where H and W are multiples of the network's stride, and gives
    logits N C H W and the hardness map N 1 H W in (0, 1). The file names the classes and the stride in its metadata.

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
    from hlcore.storage.files import make_folder
    from hlcore.storage.loading import load_epoch
    from hlcore.storage.runs import open_run

    if epoch is not None and not checkpoint.is_dir():
        raise InvalidInputError("--epoch chooses a checkpoint of a run; leave it out, or give the run folder")
    of_run = checkpoint.is_dir()
    loaded = load_epoch(open_run(checkpoint), epoch, device="cpu") if of_run else load_checkpoint(checkpoint)
    make_folder(out.absolute().parent)
    metadata = {"class_names": json.dumps(loaded.class_names), "epoch": str(loaded.epoch)}
    difference = export_whole_network(loaded.network, out, metadata=metadata)
    print(f"complete: {out} (differs from torch by at most {difference:.1g})")
