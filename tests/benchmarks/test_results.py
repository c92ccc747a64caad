"""The documents match the kept tables, which name no path of the machine they were made on."""

import shlex
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import documents, results
from benchmarks.evidence.grid import open_grid
from hlcore.storage.analyses import AnalysisRecord, open_analysis
from hlcore.storage.run_records import utc_now


def record(root: Path | None, command: str) -> AnalysisRecord:
    return AnalysisRecord(
        state="complete",
        created=utc_now(),
        run="camvid",
        epoch=45,
        dataset="camvid",
        root=root,
        split="test",
        data_fingerprint="0" * 64,
        images=2,
        class_names=("Sky", "Road"),
        palette=((0, 0, 255), (128, 64, 128)),
        versions={},
        command=command,
    )


@pytest.mark.parametrize(
    ("given", "portable"),
    [
        ("hlcore analyze RUN DATA --split test", "hlcore analyze RUN CAMVID --split test"),
        ("hlcore analyze RUN DATA --out OUT --epochs all", "hlcore analyze RUN CAMVID --epochs all"),
        ("hlcore analyze RUN --data DATA --out=OUT", "hlcore analyze RUN --data CAMVID"),
    ],
)
def test_a_kept_command_names_no_folder_of_this_machine(tmp_path: Path, given: str, portable: str) -> None:
    root = tmp_path / "a folder"
    names = {"DATA": shlex.quote(str(root)), "OUT": shlex.quote(str(tmp_path))}
    for name, path in names.items():
        given = given.replace(name, path)
    assert results.make_portable_command(record(root, given)) == portable


def test_only_small_tables_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "made"
    made.mkdir()
    root = tmp_path / "data"
    text = record(root, f"hlcore analyze RUN {root} --out {made}").model_dump_json()
    (made / "analysis.json").write_text(text, encoding="utf-8")
    metrics = ["auroc", "ap", "fpr95", "aurc", "error_rate", "auroc_minus_hardness", "ap_minus_hardness"]
    scores = pd.DataFrame({"score": "hardness", "region": "all", "metric": metrics, "value": 0.5, "bound": 0.0})
    scores = scores.assign(low=0.4, high=0.6)
    for name in ("scores", "objects"):
        scores.to_parquet(made / f"{name}.parquet")
    monkeypatch.setattr(results, "RESULTS_FOLDER", tmp_path / "kept")
    results.copy_tables(made)
    kept = open_analysis(tmp_path / "kept" / "camvid-camvid-test")
    assert {path.name for path in kept.path.iterdir()} == {"analysis.json", "scores.parquet"}
    assert str(tmp_path) not in (kept.path / "analysis.json").read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(kept.table("scores"), scores)


def test_the_documents_and_the_headline_match_the_kept_tables(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(results.README.read_text(encoding="utf-8"), encoding="utf-8")
    results.main(docs=tmp_path, readme=readme)
    kept = {
        path.relative_to(results.DOCS) for path in [*results.DOCS.glob("results*.md"), *results.DOCS.glob("results/*")]
    }
    made = {path.relative_to(tmp_path) for path in [*tmp_path.glob("results*.md"), *tmp_path.glob("results/*")]}
    assert kept == made
    for name in made:
        assert (tmp_path / name).read_text() == (results.DOCS / name).read_text(), "run `python -m benchmarks.results`"
    assert readme.read_text() == results.README.read_text(encoding="utf-8"), "run `python -m benchmarks.results`"


def test_the_headline_replaces_the_text_between_its_marks():
    first, last = results.HEADLINE_MARKS
    text = f"before\n{first}\nold\n{last}\nafter\n"
    assert results.insert_headline(text, "new") == f"before\n{first}\nnew\n{last}\nafter\n"
    assert results.insert_headline(results.insert_headline(text, "x"), "new") == results.insert_headline(text, "new")


def test_the_rate_that_moves_least_is_named_for_each_length_of_training() -> None:
    moved = {"streets_300": (0.5, 0.4), "streets": (0.3, 0.4), "streets_3000": (0.2, 0.1)}
    rows = pd.DataFrame(
        {"data": data, "seed": seed, "variant": variant, "steps": steps, "mean_iou_last": 0.5, "hardness_lift": 2.0}
        | {"hardness_total_variation/held_out": movement, "loss_total_variation/held_out": 1.0}
        for (data, movements), steps in zip(moved.items(), (300, 1200, 3000), strict=True)
        for seed in (("seed0",) if data != "streets" else ("seed0", "seed1"))
        for variant, movement in zip(("sgd_0.1", "sgd_0.3", "ce"), (*movements, 0.9), strict=True)
    )
    _, text, table = documents.format_training_lengths(rows, open_grid("method"))
    assert "at 300 steps sgd_0.3; at 1200 steps sgd_0.1; at 3000 steps sgd_0.3" in text
    assert table.count("sgd_0.1") == table.count("sgd_0.3") == 3
    assert not list(documents.format_training_lengths(rows[rows["data"] != "streets_3000"], open_grid("method")))
