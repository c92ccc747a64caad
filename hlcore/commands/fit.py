"""The command `hlcore fit`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hlcore.commands.options import INTERRUPTED
from hlcore.config import FitConfig
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
        reports = fitting.resume(resume, root=data or (Path(model) if model else None))
    elif model is None:
        raise InvalidInputError("expected a trained network as MODEL, or --resume RUN; see hlcore fit --help")
    else:
        reports = fitting.fit(model, data, config or FitConfig())
    if not show_training_progress(reports, command="fit"):
        raise SystemExit(INTERRUPTED)
