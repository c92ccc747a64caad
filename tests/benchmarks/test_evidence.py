"""The runs of a grid, and the differences over seeds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel

from benchmarks.evidence.compare import compare_paired
from benchmarks.evidence.grid import Grid, open_grid
from benchmarks.evidence.sweep import FIDELITY, fill_table, read_rows, train_baselines
from hlcore.errors import InvalidInputError

GRID = Grid(
    base={"optim": {"epochs": 2, "lr": 0.1}},
    axes={
        "data": {"camvid": {"data": {"dataset": "camvid"}}},
        "seed": {f"seed{n}": {"seed": n} for n in range(4)},
        "loss": {name: {"loss": {"name": name}} for name in ("ce", "ohem", "hardness")},
    },
    compared="loss",
    against="ce",
    score_split={"camvid": "test"},
)


def rows(**by_loss: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"data": "camvid", "seed": f"seed{seed}", "loss": loss, "mean_iou_last": value}
        for loss, values in by_loss.items()
        for seed, value in enumerate(values)
    )


def test_a_grid_is_the_product_of_its_axes_and_the_last_varies_fastest():
    cells = GRID.cells()
    assert len(cells) == 12
    assert [cell["loss"] for cell in cells[:4]] == ["ce", "ohem", "hardness", "ce"]


def test_the_settings_of_a_run_override_the_shared_ones():
    config = GRID.config(GRID.cells()[4], table="small", data=Path("data"), out=Path("out"))
    assert (config.optim.epochs, config.optim.lr, config.loss.name, config.seed) == (2, 0.1, "ohem", 1)
    assert config.data.root == Path("data/camvid")
    assert config.run_name == "small-camvid-seed1-ohem"


def test_a_plan_runs_its_entries_in_order_and_each_run_once():
    plan = (
        {"data": ("camvid",), "seed": ("seed0", "seed1"), "loss": ("ce",)},
        {"data": ("camvid",), "loss": ("ohem", "ce"), "seed": ("seed1",)},
    )
    cells = GRID.model_copy(update={"plan": plan}).cells()
    assert [(cell["seed"], cell["loss"]) for cell in cells] == [("seed0", "ce"), ("seed1", "ce"), ("seed1", "ohem")]


def test_fidelity_is_measured_against_cross_entropy_of_the_other_seeds():
    others = GRID.others({"data": "camvid", "seed": "seed1", "loss": "hardness"})
    assert [(other["seed"], other["loss"]) for other in others] == [("seed0", "ce"), ("seed2", "ce"), ("seed3", "ce")]


@pytest.mark.slow
def test_a_table_is_filled_once_and_fidelity_is_added_when_the_other_seeds_exist(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    settings = {"data": tmp_path, "out": tmp_path / "runs", "folder": tmp_path}
    list(fill_table("tiny", most=1, **settings))
    [first] = read_rows("tiny", tmp_path)
    assert (first["seed"], first["variant"], first["steps"]) == ("seed0", "ce", 2)
    assert {"hardness_lift", "loss_total_variation/held_out", "hardness_last_over_first/train"} <= set(first)
    assert not any(name.startswith(FIDELITY) for name in first)

    list(fill_table("tiny", **settings))
    rows = read_rows("tiny", tmp_path)
    assert [(row["seed"], row["variant"]) for row in rows] == [
        ("seed0", "ce"),
        ("seed0", "sgd"),
        ("seed1", "ce"),
        ("seed1", "sgd"),
    ]
    assert all(-1 <= row[f"{FIDELITY}hardness_spearman"] <= 1 for row in rows)
    assert rows[0] == {**first, **rows[0]}, "a finished row does not change"
    assert list(fill_table("tiny", **settings)) == ["tiny: 4 rows exist, 0 are missing"]
    with pytest.raises(InvalidInputError, match="no run has the value stdg; expected one of ce, seed0,"):
        list(fill_table("tiny", **settings, only=["stdg"]))


@pytest.mark.slow
def test_on_another_machine_the_baselines_are_trained_again_without_new_rows(tmp_path):
    (tmp_path / "tiny.yaml").write_text(TINY, encoding="utf-8")
    settings = {"data": tmp_path, "folder": tmp_path}
    list(fill_table("tiny", out=tmp_path / "first", **settings))
    rows = read_rows("tiny", tmp_path)
    table = tmp_path / "tiny.csv"
    finished = pd.read_csv(table)
    finished[finished["variant"] == "ce"].to_csv(table, index=False)
    kept = table.read_text()
    (tmp_path / "tiny.fidelity.csv").unlink()

    list(train_baselines("tiny", out=tmp_path / "second", **settings))
    assert table.read_text() == kept
    list(fill_table("tiny", out=tmp_path / "second", **settings))
    measured = {(row["seed"], row["variant"]): row[f"{FIDELITY}hardness_spearman"] for row in rows}
    again = read_rows("tiny", tmp_path)
    assert {(row["seed"], row["variant"]): row[f"{FIDELITY}hardness_spearman"] for row in again} == measured


TINY = """
base:
  threads: 1
  keep_epochs: 1000
  probe_images: 0
  optim: {epochs: 2, batch_size: 2}
  network: {network: fpn, encoder: tu-mobilenetv3_small_050, encoder_weights: none, encoder_depth: 3,
            decoder_channels: 32, hardness_branch: light}
axes:
  data: {streets: {data: {dataset: streets, scene_size: [48, 64], train_scenes: 2, val_scenes: 2}}}
  seed: {seed0: {seed: 0}, seed1: {seed: 1}}
  variant: {ce: {loss: {name: ce}}, sgd: {}}
compared: variant
against: ce
score_split: {streets: test}
"""


@pytest.mark.parametrize("table", [path.stem for path in Path("benchmarks/evidence").glob("*.yaml")])
def test_every_run_of_a_committed_grid_has_valid_settings_and_its_own_name(table):
    grid = open_grid(table)
    configs = [grid.config(cell, table=table, data=Path("data"), out=Path("out")) for cell in grid.cells()]
    assert len({config.run_name for config in configs}) == len(configs)


def test_the_difference_is_paired_by_seed_and_its_interval_agrees_with_a_paired_t_test():
    ce, ohem = [0.1, 0.5, 0.3, 0.9], [0.12, 0.53, 0.31, 0.94]
    [row] = compare_paired(rows(ce=ce, ohem=ohem), GRID).to_dict("records")
    expected = ttest_rel(ohem, ce).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((expected.low, expected.high))
    assert row["verdict"] == "higher"


def test_an_interval_that_contains_zero_is_called_not_significant():
    table = compare_paired(rows(ce=[0.1, 0.5], hardness=[0.2, 0.45]), GRID)
    assert list(table["verdict"]) == ["not significant"]


def test_one_seed_has_a_difference_and_no_interval():
    [row] = compare_paired(rows(ce=[0.1], hardness=[0.2]), GRID).to_dict("records")
    assert row["difference"] == pytest.approx(0.1)
    assert np.isnan(row["low"])
    assert row["verdict"] == "one seed"


def test_only_seeds_that_both_have_are_compared():
    [row] = compare_paired(rows(ce=[0.1, 0.2, 0.3], ohem=[0.2, 0.3]), GRID).to_dict("records")
    assert row["seeds"] == 2
