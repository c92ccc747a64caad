"""The allowed settings of a run."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from hlcore.config import AnalyzeConfig, DataConfig, NetworkConfig, TrainConfig


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\\b"])
def test_a_run_name_that_is_not_one_visible_folder_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        TrainConfig(name=name)


@pytest.mark.parametrize("name", ["camvid", "2024-05-01 night", "streets-deeplabv3plus-hardness", "v1.2"])
def test_any_other_run_name_is_accepted(name: str) -> None:
    assert TrainConfig(name=name).run_name == name


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_would_overflow_is_refused(seed: int) -> None:
    with pytest.raises(ValidationError, match="seed"):
        TrainConfig(seed=seed)


def test_a_tilde_is_the_home_folder_wherever_a_setting_is_a_path() -> None:
    home = Path.home()
    config = TrainConfig(out="~/runs", hardness_from="~/bundle", data=DataConfig(root="~/camvid"))
    assert (config.out, config.hardness_from, config.data.root) == (home / "runs", home / "bundle", home / "camvid")
    assert AnalyzeConfig(out="~/a", merge="~/b.yaml").merge == home / "b.yaml"


def test_the_settings_of_a_run_hold_absolute_paths(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    network = NetworkConfig(encoder_weights="weights.pth")
    config = TrainConfig(hardness_from="bundle", data=DataConfig(root="camvid"), network=network).with_absolute_paths()
    assert config.out == tmp_path / "runs"
    assert config.data.root == tmp_path / "camvid"
    assert config.hardness_from == tmp_path / "bundle"
    assert config.network.encoder_weights == str(tmp_path / "weights.pth")
    plain = TrainConfig().with_absolute_paths()
    assert plain.data.root is None
    assert plain.hardness_from is None
    assert plain.network.encoder_weights == "imagenet"


@pytest.mark.parametrize(
    "change",
    [{"keep_epochs": 10**9}, {"optim": {"epochs": 10**9}}, {"data": {"val_scenes": 10**12}}, {"probe_images": 10**9}],
)
def test_what_is_listed_in_memory_has_a_limit(change):
    with pytest.raises(ValidationError, match="less than or equal to 1000000"):
        TrainConfig.model_validate(change)


def test_more_threads_than_any_machine_has_are_refused():
    with pytest.raises(ValidationError, match="less than or equal to 1024"):
        TrainConfig(threads=99_999_999_999)
