"""The commands. Each reads its arguments, calls hlcore and reports; torch is imported only once a command runs."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts
from cyclopts import App, Parameter

from hlcore.config import Device, TrainConfig
from hlcore.errors import HlcoreError, InvalidInputError

if TYPE_CHECKING:
    from hlcore.storage.checkpoints import Checkpoint
    from hlcore.storage.runs import Run

app = App(name="hlcore", help="Train and run segmentation networks that learn how hard each pixel is.")


class _Settings(cyclopts.config.Yaml):
    """A file of settings; `network.options` is free-form, so it is handed on as JSON, which keeps numbers and lists."""

    def _load_config(self, path: Path) -> dict[str, Any]:
        import yaml

        try:
            settings = super()._load_config(path) or {}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{path} is not YAML: {error}") from error
        if not isinstance(settings, dict):
            raise InvalidInputError(f"{path} holds a {type(settings).__name__}; expected settings such as 'seed: 0'")
        network = settings.get("network")
        if isinstance(network, dict) and "options" in network:
            network["options"] = json.dumps(network["options"])
        return settings


@app.meta.default
def _with_config_file(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)], config: Path | None = None
) -> Any:
    """Reads the settings of `train` from a file before those of the command line.

    Parameters
    ----------
    config
        A YAML file with the settings of `train`, nested as their names are; what the command line says comes first.
    """
    if config is not None:
        if not config.is_file():
            raise InvalidInputError(f"{config} does not exist; expected a YAML file with the settings of train")
        app.config = [_Settings(config, must_exist=True, use_commands_as_keys=False)]
    return app(tokens)


@app.command
def train(*, config: Annotated[TrainConfig | None, Parameter(name="*")] = None, resume: Path | None = None) -> None:
    """Train a network with its hardness branch; Ctrl-C leaves a run that `--resume` continues.

    Parameters
    ----------
    resume
        Run folder of an interrupted run to go on with, under its own settings.
    """
    from hlcore.progress import follow_training
    from hlcore.training import loop

    if resume is not None and config is not None:
        raise InvalidInputError("--resume goes on under the run's own settings; leave the other options out")
    follow_training(loop.train(config or TrainConfig()) if resume is None else loop.resume(resume))


@app.command
def evaluate(
    run: Path,
    *,
    split: str | None = None,
    epoch: int | None = None,
    root: Path | None = None,
    window: int | None = None,
    device: Device = "auto",
) -> None:
    """Print mean IoU and the IoU of each class of a run on a split of its data set.

    Parameters
    ----------
    run
        Run folder.
    split
        Split to score, such as val or test. Default: the one the run was validated on.
    epoch
        A kept epoch. Default: the last.
    root
        Folder of the data set, where it is not what the run was trained from.
    window
        Side of a sliding window in px. Default: whole images.
    device
        Where the network runs; auto takes an accelerator where there is one.
    """
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from hlcore.data.catalog import open_data
    from hlcore.evaluation import Scores, score_images

    opened, checkpoint = _load(run, epoch, device)
    data_config = opened.record.config.data
    split = split or data_config.val_split
    data = open_data(
        data_config.dataset,
        root=root or data_config.root,
        split=split,
        count=data_config.val_scenes,
        size=data_config.scene_size,
    )
    if data.classes.names != checkpoint.class_names:
        raise InvalidInputError(
            f"{run} knows the classes {', '.join(checkpoint.class_names)}, but the data set has "
            f"{', '.join(data.classes.names)}; give the --root of data with the run's classes, in its order"
        )
    num_classes = len(checkpoint.class_names)
    scores = Scores.zero(num_classes)
    samples = (data[index] for index in range(len(data)))
    images = score_images(checkpoint.network, samples, num_classes=num_classes, window=window)
    for one in track(images, "evaluate", total=len(data), console=Console(stderr=True)):
        scores += one
    table = Table("", f"{opened.name}, epoch {checkpoint.epoch}, {split} ({scores.images} images)")
    for name, value in scores.table(checkpoint.class_names).items():
        table.add_row("mean_ce" if name == "val_ce" else name, f"{value:.4f}")  # val_ce is its name in a run's epochs
    Console().print(table)


@app.command
def predict(
    run: Path,
    inputs: list[str],
    *,
    out: Path,
    epoch: int | None = None,
    window: int | None = None,
    device: Device = "auto",
) -> None:
    """Write a hardness bundle: hardness and prediction maps of images, and a manifest.

    Parameters
    ----------
    run
        Run folder.
    inputs
        Image files, folders or quoted globs.
    out
        Folder of the new bundle.
    epoch
        A kept epoch. Default: the last.
    window
        Side of a sliding window in px. Default: whole images.
    device
        Where the network runs; auto takes an accelerator where there is one.
    """
    from rich.console import Console
    from rich.progress import track

    from hlcore.data.images import read_image
    from hlcore.data.inputs import find_images
    from hlcore.inference import predict as predict_image
    from hlcore.storage.bundles import BundleWriter

    files = find_images(inputs)
    _, checkpoint = _load(run, epoch, device)
    with BundleWriter(out, class_names=checkpoint.class_names, palette=checkpoint.palette) as bundle:
        for name, path in track(files.items(), "predict", console=Console(stderr=True)):
            record = predict_image(
                checkpoint.network, read_image(path), class_names=checkpoint.class_names, name=name, window=window
            )
            bundle.add(record, source=str(path))
    print(f"{len(files)} images in {out}")


@app.command
def runs(folders: list[Path] | None = None) -> None:
    """List the runs in folders (default: runs and checkpoints) with their network, data and mean IoU.

    Parameters
    ----------
    folders
        Folders that hold runs.
    """
    from rich.console import Console
    from rich.table import Table

    from hlcore.storage.runs import find_runs, open_run

    table = Table("run", "state", "network", "data", "loss", "parameters", "kept epochs", "last mIoU", "best mIoU")
    for path in find_runs(*(folders or [Path("runs"), Path("checkpoints")])):
        try:
            run = open_run(path)
        except HlcoreError as error:
            print(f"left out: {error}", file=sys.stderr)
            continue
        config, epochs = run.record.config, run.epoch_table()
        last, best = (f"{epochs.mean_iou.iloc[-1]:.4f}", f"{epochs.mean_iou.max():.4f}") if len(epochs) else ("", "")
        table.add_row(
            str(path),
            run.record.state,
            f"{config.network.network} / {config.network.encoder}",
            config.data.dataset,
            config.loss.name,
            f"{run.record.parameters:,}",
            ", ".join(map(str, run.epochs)),
            last,
            best,
        )
    Console().print(table)


@app.command(name="app")
def serve(*, port: int = 8501, runs: Path | None = None) -> None:
    """Start the app on this machine.

    Parameters
    ----------
    port
        Port on localhost.
    runs
        A further folder that holds runs.
    """
    main_file = Path(__file__).parents[1] / "app" / "main.py"
    if not main_file.is_file():
        raise InvalidInputError(f"the app is not installed with the package: {main_file} is missing; use a checkout")
    environment = os.environ | ({"HLCORE_RUNS": str(runs.resolve())} if runs else {})
    server = ["--server.address", "localhost", "--server.port", str(port)]
    command = [sys.executable, "-m", "streamlit", "run", str(main_file), *server]
    raise SystemExit(subprocess.call(command, env=environment, cwd=main_file.parents[1]))


def main() -> None:
    """Runs the command line; an HlcoreError becomes one sentence on stderr and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        app.meta()
    except HlcoreError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from error


def _load(path: Path, epoch: int | None, device: str) -> "tuple[Run, Checkpoint]":
    import torch

    from hlcore.storage.checkpoints import load_checkpoint
    from hlcore.storage.runs import open_run

    run = open_run(path)
    if not run.epochs:
        raise InvalidInputError(f"{path} has kept no epoch yet")
    chosen = run.epochs[-1] if epoch is None else epoch
    if chosen not in run.epochs:
        raise InvalidInputError(f"{path} kept the epochs {', '.join(map(str, run.epochs))}, not {chosen}")
    accelerator = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    try:
        return run, load_checkpoint(run.checkpoint_path(chosen), device=accelerator if device == "auto" else device)
    except (AssertionError, RuntimeError) as error:  # what torch raises for a device that is not there
        raise InvalidInputError(f"the network cannot run on {device}: {error}") from error


if __name__ == "__main__":
    main()
