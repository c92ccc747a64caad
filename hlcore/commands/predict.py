"""The command `hlcore predict`."""

import shlex
import sys
from pathlib import Path

from pydantic import PositiveFloat

from hlcore.commands.options import INTERRUPTED, ClusterAddress, find_address
from hlcore.config import Backend, Device, EpochChoice


def predict(
    run: Path,
    inputs: list[str],
    *,
    out: str,
    epoch: EpochChoice = None,
    window: int | None = None,
    white_level: PositiveFloat | None = None,
    device: Device = "auto",
    backend: Backend = "auto",
    cluster: ClusterAddress = None,
) -> None:
    """Write a hardness bundle: hardness maps, prediction maps and a manifest.

    Run the same command again to continue after an interruption. Images that cannot be read are skipped with a message,
    and the exit status is then 1; once they are mended, the same command adds them. Images that use under a tenth of
    the range from black to white are counted.

    Parameters
    ----------
    run
        Run folder.
    inputs
        Image files, folders or quoted globs; also folders of an object store, such as s3://bucket/photos.
    out
        Folder to write the bundle to; also one of an object store.
    epoch
        A saved epoch, or best for the one with the highest validation mIoU. Default: the last.
    window
        Side of a sliding window, px. Default: whole images up to 4 megapixels, windows of 768 px for larger ones.
    white_level
        Value of white in images of more than 8 bits, such as 4095. Default: the largest that 16 of the images suggest.
    device
        Device to run on; auto uses an accelerator if there is one.
    backend
        What runs the network; auto: OpenVINO if installed, else ONNX Runtime, else torch. compile: torch.compile, which
        needs a C++ compiler and takes about a minute to start.
    cluster
        Work on a Ray cluster: HOST:PORT, or local for the cores of this machine. Without a value: $RAY_ADDRESS, else
        the cluster that this machine belongs to, else its own cores. All machines must see the run, the images and
        --out at the same paths.
    """
    from hlcore import predicting
    from hlcore.cluster import connect
    from hlcore.data.inputs import find_sources
    from hlcore.progress.images import track_images
    from hlcore.storage.runs import open_run

    files = find_sources(inputs)
    opened = open_run(run)
    settings = predicting.Settings(out, window, white_level or predicting.find_common_white(list(files.values())))
    dark = []
    try:
        with connect(find_address(cluster)) as workers:
            given = {"epoch": epoch, "device": device, "backend": backend}
            checkpoint, predict_all = predicting.load_predictor(opened, settings, workers, **given)
            with predicting.write_bundle(settings, opened.checkpoint_path(checkpoint.epoch), checkpoint) as bundle:
                if done := bundle.find_done(files, predicting.digest_source):
                    print(f"continuing {out}, which has {len(done)} of the {len(files)} images", file=sys.stderr)
                remaining = {name: source for name, source in files.items() if name not in done}
                for predicted in track_images(predict_all(remaining), "predict", len(files), done=len(done)):
                    predicting.add_to_bundle(predicted, bundle)
                    dark += [predicted.name] if predicted.dark else []
    except KeyboardInterrupt as error:
        print(f"stopped; continue with: {shlex.join(['hlcore', *sys.argv[1:]])}", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from error
    left_out = bundle.left_out
    print(f"{len(bundle)} image{'' if len(bundle) == 1 else 's'} in {out}")
    if dark:
        print(
            f"note: {len(dark)} of {len(files)} images, such as {files[dark[0]]}, use under a tenth of the range from "
            "black to white; if they have more than 8 bits, set --white-level",
            file=sys.stderr,
        )
    for sentence in left_out.values():
        print(f"skipped: {sentence}", file=sys.stderr)
    if left_out:
        raise SystemExit(1)
