"""The allowed settings of a run."""

import pytest
from pydantic import ValidationError

from hlcore.config import TrainConfig


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
