"""What was measured of a run on a data set; by default in <run>/analyses/<name>/.

analysis.json            which run, epoch and data; how it was measured
<table>.parquet          the tables of hlcore.analysis
thumbnails/<image>.webp  small pictures of the images, and <image>.hardness.webp of their hardness maps; or none
report.html              the figures, to be read without the app
parts/                   what each image added, until the analysis is complete
"""

from datetime import datetime
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa

from hlcore.config import FrozenModel
from hlcore.errors import CheckpointError
from hlcore.storage.files import read_json


class AnalysisRecord(FrozenModel):
    """What analysis.json holds."""

    format: Literal[1] = 1
    """Of the tables; one that changes what a table holds is another number, and is measured again."""
    state: Literal["running", "complete"]
    created: datetime
    run: str
    """Name of the run."""
    epoch: int
    epochs: tuple[int, ...] = ()
    """Epochs that were compared for stability; empty where only one was looked at."""
    weights: str = ""
    """SHA-256 of the weights of all these epochs."""
    dataset: str
    root: Path | None
    """Folder of the data set; None for streets, and where it is not said."""
    split: str
    data_fingerprint: str
    images: int
    """How many images of the split were measured."""
    class_names: tuple[str, ...]
    """The classes that were scored: the run's own or, where its predictions were merged, the data set's."""
    palette: tuple[tuple[int, int, int], ...]
    merged: dict[str, str] | None = None
    """The run's class to the data set's class, where predictions were merged."""
    mc_dropout: int = 0
    """Passes with dropout on; 0 where there were none."""
    window: int | None = None
    """Side of the sliding window, px; None for whole images."""
    thumbnails: bool = True
    """Whether small pictures of the images were kept."""
    scene_size: tuple[int, int] | None = None
    """(H, W) of the scenes, px; only for streets."""
    device: str = ""
    """Where the network ran."""
    command: str = ""
    """What makes the analysis again."""
    versions: dict[str, str]


class Analysis:
    """One analysis on disk; a table is read when it is asked for."""

    def __init__(self, path: Path, record: AnalysisRecord) -> None:
        self.path = path
        self.record = record

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.path.name

    @property
    def report_path(self) -> Path:
        """Where the report lies (or would lie)."""
        return self.path / "report.html"

    def thumbnail_path(self, image: str) -> Path:
        """Where the small picture of an image lies (or would lie)."""
        return self.path / "thumbnails" / f"{image}.webp"

    def table_path(self, name: str) -> Path:
        """Where a table lies (or would lie)."""
        return self.path / f"{name}.parquet"

    def table(self, name: str) -> pd.DataFrame:
        """A table by its name, such as "edges".

        Raises:
            CheckpointError: there is no such table, or it cannot be read.
        """
        path = self.table_path(name)
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in self.path.glob("*.parquet"))) or "none yet"
            raise CheckpointError(f"{self.path} has no table '{name}'; it has {known}. Run `hlcore analyze` again")
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise CheckpointError(f"{path} is not a table that can be read: {error}") from error


def find_analyses(run_path: Path) -> tuple[Path, ...]:
    """The folders of the analyses of a run, by name."""
    return tuple(sorted(p.parent for p in (run_path / "analyses").glob("*/analysis.json")))


def open_analysis(path: Path) -> Analysis:
    """The analysis in a folder.

    Raises:
        CheckpointError: there is no analysis.json, or one this version cannot read.
    """
    record = path / "analysis.json"
    if not record.is_file():
        raise CheckpointError(f"{path} is not an analysis: it has no analysis.json; make one with `hlcore analyze`")
    return Analysis(path, read_json(record, AnalysisRecord))
