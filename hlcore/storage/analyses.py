"""The analysis of a run on a data set; by default in <run>/analyses/<name>/.

analysis.json            run, epoch, data and settings
<table>.parquet          the tables of hlcore.analysis
thumbnails/<image>.webp  thumbnails of the images, and <image>.hardness.webp of their hardness maps; optional
report.html              the figures, readable without the app
parts/                   counts and rows of each image, until the analysis is complete
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
from pydantic import Field, model_validator

from hlcore.config import FrozenModel, PositiveInt, SceneSize
from hlcore.errors import CheckpointError
from hlcore.storage.files import ClassNames, Count, FileName, Palette, check_palette, read_json
from hlcore.storage.maps import Imported
from hlcore.storage.tables import SCHEMAS
from hlcore.types import ErrorModel


class AnalysisRecord(FrozenModel):
    """The content of analysis.json."""

    format: Literal[1] = 1
    """Version of the tables; a change of their content needs a new number and a new analysis."""
    state: Literal["running", "complete"]
    created: datetime
    run: str
    """Name of the run."""
    epoch: Count
    epochs: tuple[Count, ...] = ()
    """Epochs compared for stability; empty for none."""
    weights: str = ""
    """SHA-256 of the weights, or of the imported maps, of all these epochs."""
    dataset: FileName
    root: Path | None
    """Folder of the data set; None for streets or if unknown."""
    split: FileName
    data_fingerprint: str
    images: PositiveInt
    """Number of images measured."""
    left_out: dict[str, str] = Field(default_factory=dict)
    """Image that could not be measured to the reason."""
    class_names: ClassNames
    """The scored classes: the run's own or, if classes were merged, the merged ones."""
    palette: Palette
    merged: dict[str, str] | None = None
    """Class of the run to scored class, if classes were merged; classes that were left out are not in it."""
    merged_labels: dict[str, str] | None = None
    """Class of the data set to scored class; None if none were merged."""
    ignored_classes: tuple[str, ...] = ()
    """Classes of the run that were left out."""
    ignored_labels: tuple[str, ...] = ()
    """Classes of the data set that were left out."""
    imported: Imported | None = None
    """Of imported maps: what they consist of; the first score stands in the place of hardness in the tables."""
    error_model: ErrorModel | None = None
    """With which the suspicion of error was measured."""
    mc_dropout: Count = 0
    """Number of Monte Carlo dropout passes; 0 for none."""
    window: PositiveInt | None = None
    """Side of the sliding window, px; None for the default of `hlcore.inference.predict`."""
    thumbnails: bool = True
    """Whether thumbnails were saved."""
    scene_size: SceneSize | None = None
    """(H, W) of the scenes, px (streets only)."""
    white_level: float | None = None
    """Value of white in images of more than 8 bits; None if there are none."""
    device: str = ""
    """The device the network ran on."""
    backend: str = "torch"
    """What ran the network."""
    command: str = ""
    """The command that repeats the analysis."""
    versions: dict[str, str]

    _check_palette = model_validator(mode="after")(check_palette)

    @property
    def further_scores(self) -> tuple[str, ...]:
        """Titles of the imported scores besides the first."""
        return () if self.imported is None else tuple(score.title for score in self.imported.further)


class Analysis:
    """An analysis on disk; tables are read on demand."""

    def __init__(self, path: Path, record: AnalysisRecord) -> None:
        self.path = path
        self.record = record

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def report_path(self) -> Path:
        """Path of the report, whether it exists or not."""
        return self.path / "report.html"

    def thumbnail_path(self, image: str) -> Path:
        """Path of the thumbnail of an image, whether it exists or not."""
        return self.path / "thumbnails" / f"{image}.webp"

    def table_path(self, name: str) -> Path:
        """Path of a table, whether it exists or not."""
        return self.path / f"{name}.parquet"

    def table(self, name: str) -> pd.DataFrame:
        """A table by its name, such as "edges".

        Raises:
            CheckpointError: the table does not exist, cannot be read or does not have its columns and rows.
        """
        path = self.table_path(name)
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in self.path.glob("*.parquet"))) or "none yet"
            raise CheckpointError(f"{self.path} has no table '{name}'; it has {known}. Run `hlcore analyze` again")
        try:
            table = pd.read_parquet(path)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise CheckpointError(f"{path} is not a readable table: {error}") from error
        fault = SCHEMAS[name].find_fault(table, self.record.class_names) if name in SCHEMAS else None
        if fault:
            raise CheckpointError(f"{path} {fault}; run `hlcore analyze` again with another --out")
        return table

    def check_tables(self) -> None:
        """Raise CheckpointError if a table that exists cannot be used; the message names it."""
        for path in sorted(self.path.glob("*.parquet")):
            self.table(path.stem)


def find_analyses(run_path: Path) -> tuple[Path, ...]:
    """Folders of the analyses of a run, sorted by name."""
    return tuple(sorted(p.parent for p in (run_path / "analyses").glob("*/analysis.json")))


def is_analysis(path: Path) -> bool:
    """Whether a folder holds an analysis, complete or not."""
    return (path / "analysis.json").is_file()


def open_analysis(path: Path) -> Analysis:
    """The analysis in a folder.

    Raises:
        CheckpointError: there is no analysis.json, or one this version cannot read.
    """
    record = path / "analysis.json"
    if not record.is_file():
        raise CheckpointError(f"{path} is not an analysis: it has no analysis.json; make one with `hlcore analyze`")
    return Analysis(path, read_json(record, AnalysisRecord))
