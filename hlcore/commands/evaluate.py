"""The command `hlcore evaluate`."""

import json
import math
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hlcore.config import Backend, Device, EpochChoice
from hlcore.errors import InvalidInputError


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
    from hlcore.data.ordering import reorder_classes
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
    data = reorder_classes(data, checkpoint.class_names, checkpoint.palette)
    if data.classes.names != checkpoint.class_names:
        raise InvalidInputError(
            f"{run} was trained on the classes {', '.join(checkpoint.class_names)}, but the data set has "
            f"{', '.join(data.classes.names)}; set --root to a data set with the run's classes"
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
