"""The commands that use trained networks: evaluate, predict, fit, analyze and runs. hlcore.cli registers them."""

import json
import math
import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from pydantic import PositiveFloat

from hlcore.config import AnalyzeConfig, Backend, Device, EpochChoice, FitConfig
from hlcore.errors import HlcoreError, InvalidInputError

ClusterAddress = Annotated[list[str] | None, Parameter(consume_multiple=(0, 1), metavar="[ADDRESS]", negative=())]
"""`--cluster`, which is an empty list, or `--cluster ADDRESS`."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as in shells, so that scripts can tell a stopped command from a finished one."""


def evaluate(
    run: Path,
    *,
    split: str | None = None,
    epoch: EpochChoice = None,
    root: Path | None = None,
    window: int | None = None,
    device: Device = "auto",
    backend: Backend = "auto",
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Print a run's mean IoU and the IoU of each class on a split of its data set.

    In a pipe, the table is tab-separated text.

    Parameters
    ----------
    run
        Run folder.
    split
        Split to score, such as val or test. Default: the run's validation split.
    epoch
        A saved epoch, or best for the one with the highest validation mIoU. Default: the last.
    root
        Folder of the data set. Default: the one the run was trained on.
    window
        Side of a sliding window, px. Default: whole images up to 4 megapixels, windows of 768 px for larger ones.
    device
        Device to run on; auto uses an accelerator if there is one.
    backend
        What runs the network; auto: OpenVINO if installed, else ONNX Runtime, else torch. compile: torch.compile, which
        needs a C++ compiler and takes about a minute to start.
    as_json
        Print JSON.
    """
    from rich.console import Console

    from hlcore.data.catalog import open_data
    from hlcore.evaluation import Scores, score_images
    from hlcore.listing import make_score_table
    from hlcore.progress.images import track_images
    from hlcore.storage.loading import load_epoch
    from hlcore.storage.runs import open_run

    opened = open_run(run)
    checkpoint = load_epoch(opened, epoch, device=device, backend=backend)
    data_config = opened.record.config.data
    split = split or data_config.val_split
    data = open_data(
        data_config.dataset,
        root=root or data_config.root,
        split=split,
        count=data_config.val_scenes,
        size=data_config.scene_size,
        white_level=data_config.white_level,
    )
    if data.classes.names != checkpoint.class_names:
        raise InvalidInputError(
            f"{run} was trained on the classes {', '.join(checkpoint.class_names)}, but the data set has "
            f"{', '.join(data.classes.names)}; set --root to a data set with the run's classes in the same order"
        )
    num_classes = len(checkpoint.class_names)
    scores = Scores.zero(num_classes)
    samples = (data[index] for index in range(len(data)))
    images = score_images(checkpoint.network, samples, num_classes=num_classes, window=window)
    for one in track_images(images, "evaluate", len(data)):
        scores += one
    values = scores.table(checkpoint.class_names)
    values = {"mean_ce" if name == "val_ce" else name: value for name, value in values.items()}
    if as_json:
        about = {"run": opened.name, "epoch": checkpoint.epoch, "split": split, "images": scores.images}
        known = {name: None if math.isnan(value) else value for name, value in values.items()}
        print(json.dumps(about | known, indent=2))
    elif sys.stdout.isatty():
        title = f"{opened.name}, epoch {checkpoint.epoch}, {split} ({scores.images} images)"
        Console().print(make_score_table(title, values))
    else:
        for name, value in values.items():
            print(" ".join(name.split()), "" if math.isnan(value) else f"{value:.4f}", sep="\t")


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
        with connect(_find_address(cluster)) as workers:
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


def fit(
    model: str | None = None,
    data: Path | None = None,
    *,
    config: Annotated[FitConfig | None, Parameter(name="*")] = None,
    resume: Path | None = None,
) -> None:
    """Learn a hardness branch for a trained network, which stays as it is. Ctrl-C stops it; `--resume` continues it.

    The result is a run like any other: the app shows it, and `hlcore predict` writes its maps.

    Parameters
    ----------
    model
        The trained network: a run folder; a folder that save_pretrained of segmentation-models-pytorch or transformers
        wrote; a name on the Hugging Face hub; or, with --weights, a network known by name, such as
        torchvision/deeplabv3_resnet50 or that of a plugin.
    data
        Folder of the data set. Default: the one the run was trained on. Not needed for streets.
    resume
        Folder of an interrupted run, which continues with its own settings; only DATA may be given besides.
    """
    from hlcore.fitting import run as fitting
    from hlcore.progress.training import show_training_progress

    if resume is not None:
        if config is not None and config.model_fields_set:
            given = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(config.model_fields_set))
            raise InvalidInputError(f"--resume continues with the run's own settings; leave out {given}")
        reports = fitting.resume(resume, root=data or (Path(model) if model else None))
    elif model is None:
        raise InvalidInputError("expected a trained network as MODEL, or --resume RUN; see hlcore fit --help")
    else:
        reports = fitting.fit(model, data, config or FitConfig())
    if not show_training_progress(reports, command="fit"):
        raise SystemExit(INTERRUPTED)


def analyze(
    run: Path,
    data: Path | None = None,
    *,
    config: Annotated[AnalyzeConfig | None, Parameter(name="*")] = None,
    cluster: ClusterAddress = None,
) -> None:
    """Measure a run on a data set: write tables for the app and a standalone report.

    Run the same command again to continue after an interruption; Ctrl-C loses at most one image. Images that cannot be
    measured are left out with a message, and named in the report; the exit status is then 1.

    Parameters
    ----------
    run
        Run folder.
    data
        Folder of the data set. Default: the one the run was trained on. Not needed for streets.
    cluster
        Work on a Ray cluster: HOST:PORT, or local for the cores of this machine. Without a value: $RAY_ADDRESS, else
        the cluster that this machine belongs to, else its own cores. All machines must see the run, the data set and
        --out at the same paths.
    """
    from hlcore.cluster import connect
    from hlcore.measuring.loop import analyze as measure
    from hlcore.progress.analysis import show_analysis_progress
    from hlcore.report import write_report
    from hlcore.storage.runs import open_run

    command = shlex.join(["hlcore", *sys.argv[1:]])
    opened = open_run(run)
    with connect(_find_address(cluster)) as workers:
        steps = measure(opened, data, config or AnalyzeConfig(), command=command, cluster=workers)
        analysis = show_analysis_progress(steps, command=command)
    if analysis is None:
        raise SystemExit(INTERRUPTED)
    print(f"complete: {write_report(analysis)}")
    for name, reason in analysis.record.left_out.items():
        print(f"left out: {name}: {reason}", file=sys.stderr)
    if analysis.record.left_out:
        raise SystemExit(1)


def runs(folders: list[Path] | None = None, *, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """List the runs in folders (default: runs and checkpoints) with their network, data and mean IoU.

    A narrow terminal shows fewer columns; a pipe gets all of them, separated by tabs.

    Parameters
    ----------
    folders
        Folders to search.
    as_json
        Print JSON.
    """
    from rich.console import Console

    from hlcore.listing import describe_run, format_cells, make_table
    from hlcore.storage.runs import find_runs, open_run

    if missing := [folder for folder in folders or [] if not folder.is_dir()]:
        raise InvalidInputError(f"{missing[0]} is not a folder; expected one that holds runs")
    rows = []
    for path in find_runs(*(folders or [Path("runs"), Path("checkpoints")])):
        try:
            run = open_run(path)
            rows.append(describe_run(run))
            for sentence in run.list_faults():
                print(sentence, file=sys.stderr)
        except HlcoreError as error:
            print(f"skipped: {error}", file=sys.stderr)
    if not rows:
        print("no runs found", file=sys.stderr)
    if as_json:
        print(json.dumps(rows, indent=2))
    elif sys.stdout.isatty():
        console = Console()
        console.print(make_table(rows, console.width))
    else:
        for cells in [list(rows[0]), *map(format_cells, rows)] if rows else []:
            print("\t".join(cells))


def _find_address(cluster: list[str] | None) -> str | None:
    """The address of a cluster; "auto" for an option without a value, and None without the option."""
    return None if cluster is None else (cluster or ["auto"])[0]
