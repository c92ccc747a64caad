"""The commands `hlcore fit` and `hlcore suspicion`: what is learned for a network that is already trained."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hlcore.commands.options import INTERRUPTED
from hlcore.config import Backend, Device, EpochChoice, FitConfig
from hlcore.errors import InvalidInputError


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
        if model is not None and data is not None:
            raise InvalidInputError(
                f"--resume continues {resume}; leave out {model}, or give only the data set's folder"
            )
        reports = fitting.resume(resume, root=data or (Path(model) if model else None))
    elif model is None:
        raise InvalidInputError("expected a trained network as MODEL, or --resume RUN; see hlcore fit --help")
    else:
        reports = fitting.fit(model, data, config or FitConfig())
    if not show_training_progress(reports, command="fit"):
        raise SystemExit(INTERRUPTED)


def suspicion(
    run: Path,
    data: Path | None = None,
    *,
    dataset: str | None = None,
    split: str | None = None,
    epoch: EpochChoice = None,
    device: Device = "auto",
    backend: Backend = "auto",
) -> None:
    """Learn a run's suspicion of error, which the app then shows and `hlcore analyze` measures. About ten seconds.

    It is a logistic regression on the largest probability, entropy, margin, distance to the predicted edge and the
    predicted class, fitted to 60 images. `hlcore fit` learns it too.

    Parameters
    ----------
    run
        Run folder; the model is written to its run.json.
    data
        Folder of the data set. Default: the one the run was trained on. Not needed for streets.
    dataset
        streets, camvid, cityscapes, ade20k, voc, idd_lite, folder or hf. Default: the run's own data set.
    split
        Split to learn from; varied images do best. Default: the training split of the run.
    epoch
        A saved epoch, or best for the one with the highest validation mIoU. Default: the last.
    device
        Device to run on; auto uses an accelerator if there is one.
    backend
        What runs the network; auto: OpenVINO if installed, else ONNX Runtime, else torch.
    """
    from hlcore.fitting.suspicion import choose_images, learn_suspicion
    from hlcore.progress.images import track_images
    from hlcore.storage.analyses import find_analyses
    from hlcore.storage.runs import open_run

    opened = open_run(run)
    labelled = choose_images(opened, data, dataset=dataset, split=split)
    learning = learn_suspicion(opened, labelled, epoch=epoch, device=device, backend=backend)
    for _ in track_images(learning, "errors", len(labelled.images)):
        pass
    print(f"complete: error model of {labelled.name}, {len(labelled.images)} images, saved in {run / 'run.json'}")
    if find_analyses(run):
        print("analyses made before do not have it; measure it with hlcore analyze and another --out")
    else:
        print(f"measure it with: hlcore analyze {run}")
