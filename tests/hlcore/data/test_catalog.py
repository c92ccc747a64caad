import subprocess
import sys

import pytest

from hlcore.config import DataConfig
from hlcore.data.catalog import DATASETS, STREETS, open_data
from hlcore.data.labels import CAMVID
from hlcore.errors import DatasetError, InvalidInputError


def test_streets_is_the_default_and_needs_no_files():
    data = open_data(split="train", count=2, size=(32, 48), seed=1)
    assert data.classes == CAMVID
    assert len(data) == len(data.names) == 2
    assert data[0].image.shape == (32, 48, 3)
    assert DataConfig().dataset == STREETS


def test_a_data_set_in_files_is_opened_by_name(shared_data):
    data = open_data("camvid", root=shared_data / "camvid", split="val")
    assert len(data) == 101


@pytest.mark.parametrize("name", DATASETS)
def test_a_data_set_in_files_needs_its_root(name):
    with pytest.raises(DatasetError, match=rf"'{name}' needs its folder \(DATA of fit"):
        open_data(name, split="train")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("camvd", "did you mean 'camvid'"),
        ("Streets", "did you mean 'streets'"),
        ("xyz", "expected one of streets, camvid"),
    ],
)
def test_the_error_for_a_wrong_name_suggests_the_nearest_one(name, hint):
    with pytest.raises(InvalidInputError, match=hint):
        open_data(name, split="train")


def test_every_name_is_in_the_help_of_the_setting():
    described = DataConfig.model_fields["dataset"].description or ""
    assert all(name in described for name in (STREETS, *DATASETS))


def test_the_catalogue_loads_no_torch_and_no_scene_generator():
    code = (
        "import sys, hlcore.data.catalog; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'hlcore.data.streets')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
