"""The command `hlcore import`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hlcore.commands.analyze import run_analysis
from hlcore.config import AnalyzeConfig, ImportConfig
from hlcore.errors import HlcoreError


def import_maps(folder: Path, *, config: Annotated[ImportConfig | None, Parameter(name="*")] = None) -> None:
    """Make a run of per-pixel maps that other code has computed: uncertainty, error, attention, or anything else.

    The app shows the run like a trained one, and measures the maps against edges, object size and errors. All files are
    checked before any is copied.

    Parameters
    ----------
    folder
        Folder with `images`, `scores` and, if there are any, `labels`, `predictions` and `classes.json`. Scores are 8-
        or 16-bit grey PNG, TIFF, npy or npz, named as their image: scores/SCORE/NAME.png, or
        scores/STEP/SCORE/NAME.png for several epochs or methods.
    """
    from hlcore.importing.maps import find_turned_scores, import_folder
    from hlcore.progress.images import track_images
    from hlcore.storage.runs import Run

    config = config or ImportConfig()
    imports = import_folder(folder, config)
    *_, run = track_images(imports.progress, "import", imports.total)
    assert isinstance(run, Run)  # comes last
    imported = run.record.imported
    assert imported is not None  # it was written just now
    for score in imported.scores:
        print(score.describe())
    if imported.steps != ("",):
        print(f"steps: {', '.join(imported.steps)}")
    for note in imports.notes:
        print(note)
    if config.analyze and imported.has_labels:
        epochs = "all" if len(imported.steps) > 1 else None
        command = ["hlcore", "analyze", str(run.path), *(["--epochs", "all"] if epochs else [])]
        try:
            analysis = run_analysis(run, None, AnalyzeConfig(epochs=epochs), command=shlex.join(command))
        except HlcoreError:
            print(f"the maps are in {run.path}, for the app, but could not be measured", file=sys.stderr)
            raise
        for name in find_turned_scores(analysis):
            print(f"{name}: wrong pixels have low values; if low means hard, import it with --low-is-hard {name}")
    elif not imported.has_labels:
        print("there are no labels, so the maps can be seen but not measured")
    print(f"complete: {run.path}; look at it with: hlcore app {run.path.parent}")
