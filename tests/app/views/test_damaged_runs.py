"""Every page with a run folder that has something wrong in it: a sentence, and the rest of the page."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hlcore.storage.tables import SCHEMAS
from tests.analyses import make_analysis, make_image_table

PAGES = ("inspect", "epochs", "edges", "objects", "errors", "stability", "dataset", "labels", "memorise", "runs")
ODD = ([np.nan, -np.inf, 1e300], [np.nan, -1e12, 1e12], [np.nan, 0.0, 1.0])
BUNDLED = Path(__file__).parents[3] / "checkpoints" / "streets" / "analyses" / "streets-test"
METRICS = [
    b"\xff\xfe",
    b"[1, 2]",
    b'{"epoch": 1}',
    b'{"kind": "epoch", "epoch": 1, "iteration": ' + b"9" * 5000 + b"}",
    b'{"kind": "epoch", "epoch": 1, "iteration": 10, "mean_iou": "high"}',
    b'{"kind": "epoch", "epoch": 1, "iteration": 10, "mean_iou": null, "iou/Sky": null}',
    b'{"kind": "step", "epoch": 1, "iteration": 10, "mean_ce": null, "hardness_lift": null, "images_per_s": 0}',
]


@pytest.fixture
def damaged(runs, tmp_path, monkeypatch) -> Path:
    """A copy of the tiny run with a fault in every part of it, but for the weights."""
    folder = tmp_path / "more" / "tiny"
    shutil.copytree(runs / "tiny", folder)
    for name in ("epoch-abc", "epoch-0024 (copy)"):
        shutil.copy(folder / "checkpoints" / "epoch-0002.safetensors", folder / "checkpoints" / f"{name}.safetensors")
    (folder / "metrics.jsonl").write_bytes(b"\n".join([*METRICS, b""]))
    (folder / "probe" / "manifest.json").write_text('{"images": {"../../secret": "val"}}')
    images = make_image_table(["test-0000"])
    make_analysis(folder, "fine", tables={"images": images})
    make_analysis(folder, "columns", tables={"images": images.drop(columns="loss_mean")})
    for name, change in (("palette", {"palette": [[0, 0, 0]]}), ("size", {"scene_size": [0, 64]})):
        record = make_analysis(folder, name).path / "analysis.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | change))
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder, "other": runs / "tiny"})
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_what_does_not_fit_is_left_out_with_a_sentence(open_app, damaged, page):
    app = open_app(page=f"views/{page}/page.py", scope="picture")
    assert not app.exception
    sentences = [warning.value for warning in app.sidebar.warning]
    for expected in (
        "metrics.jsonl: left out line 1: ",
        "checkpoints: left out 'epoch-0024 (copy).safetensors' and 1 more",
        "manifest.json cannot be read: ",
        "images.parquet has no column 'loss_mean'",
        "analysis.json cannot be read: palette: expected 11 colours",
        "analysis.json cannot be read: scene_size.0: input should be greater",
    ):
        assert sum(expected in sentence for sentence in sentences) == 1, expected
    assert len(sentences) == 6


@pytest.mark.parametrize("labels", [np.full((64, 96), 200, np.uint8), np.zeros((7, 9), np.uint8)])
@pytest.mark.parametrize("page", ["inspect", "stability"])
def test_labels_that_do_not_fit_their_image_or_classes_are_a_sentence(
    open_app, runs, tmp_path, monkeypatch, page, labels
):
    folder = Path(shutil.copytree(runs / "tiny", tmp_path / "more" / "tiny"))
    Image.fromarray(labels).save(folder / "probe" / "val-0000" / "label.png")
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder})
    app = open_app(page=f"views/{page}/page.py", source="followed", scope="picture")
    assert not app.exception
    (error,) = app.error
    assert "label.png" in error.value


@pytest.mark.parametrize("page", ["edges", "objects", "errors", "stability", "dataset", "labels", "runs"])
def test_tables_of_odd_numbers_leave_the_page(open_app, runs, tmp_path, monkeypatch, page):
    folder = tmp_path / "more" / "tiny"
    shutil.copytree(runs / "tiny", folder)
    record = json.loads((BUNDLED / "analysis.json").read_text()) | {"epoch": 2}
    (folder / "analyses" / "odd").mkdir(parents=True)
    (folder / "analyses" / "odd" / "analysis.json").write_text(json.dumps(record))
    for path in BUNDLED.glob("*.parquet"):
        table, schema = pd.read_parquet(path), SCHEMAS[path.stem]
        numbers = [name for name in table if table[name].dtype.kind == "f" and name not in schema.crossed]
        checks = {**schema.columns, **schema.optional}
        odd = {name: next(one for one in ODD if checks[name](pd.Series(one), ())) for name in numbers}
        table = table.assign(**{name: np.resize(one, len(table)) for name, one in odd.items()})
        table.to_parquet(folder / "analyses" / "odd" / path.name)
    monkeypatch.setattr("app.loading.runs.find_run_folders", lambda: {"tiny": folder})
    app = open_app(page=f"views/{page}/page.py", scope="odd", data="odd")
    assert not app.exception
    assert not app.sidebar.warning, "the numbers are odd, but the tables have their schema"
