"""Make folders of analyses for tests, from a record and the tables a test gives."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hlcore.data.labels import CAMVID
from hlcore.storage.analyses import Analysis, AnalysisRecord
from hlcore.storage.run_records import utc_now


def make_image_table(names: Sequence[str]) -> pd.DataFrame:
    """A table of images that all measure the same."""
    measures = ("hardness_mean", "hardness_p95", "loss_mean", "error_share", "entropy_mean", "mean_iou", "disagreement")
    return pd.DataFrame({"image": names, "width": 96, "height": 64, **dict.fromkeys(measures, 0.5)})


def make_analysis(
    run_path: Path, name: str = "streets-test", *, tables: dict[str, pd.DataFrame] | None = None, **changes: Any
) -> Analysis:
    """An analysis of two tiny test scenes in <run_path>/analyses/<name>, with other values if given."""
    values = {
        "state": "complete",
        "created": utc_now(),
        "run": run_path.name,
        "epoch": 2,
        "dataset": "streets",
        "root": None,
        "split": "test",
        "data_fingerprint": "0" * 64,
        "images": 2,
        "class_names": CAMVID.names,
        "palette": CAMVID.palette,
        "scene_size": (64, 96),
        "versions": {},
    }
    analysis = Analysis(run_path / "analyses" / name, AnalysisRecord(**(values | changes)))
    analysis.path.mkdir(parents=True)
    (analysis.path / "analysis.json").write_text(analysis.record.model_dump_json(), encoding="utf-8")
    for table, rows in (tables or {}).items():
        rows.to_parquet(analysis.table_path(table))
    return analysis
