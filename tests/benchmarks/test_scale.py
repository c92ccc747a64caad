"""The page on many images shows the numbers that were measured, and the manifest fits what is installed."""

from pathlib import Path

import pytest
import yaml

from benchmarks import scale
from tests.test_requirements import read_pins

MANIFEST = Path(scale.DOCUMENT).with_name("kuberay.yaml")


def test_the_page_shows_the_saved_numbers() -> None:
    text = scale.DOCUMENT.read_text(encoding="utf-8")
    assert scale.fill_in_tables(text) == text
    assert text.count("| predict |") == 4


def test_a_data_set_has_as_many_images_of_the_size_as_asked_for(shared_data: Path, tmp_path: Path) -> None:
    root = scale.write_data_set(shared_data / "camvid", tmp_path / "set", 3, size=(64, 32))
    assert len(list((root / "images").iterdir())) == len(list((root / "labels").iterdir())) == 3


@pytest.mark.parametrize("group", ["headGroupSpec", "workerGroupSpecs"])
def test_the_manifest_for_kuberay_uses_our_image_and_the_pinned_ray(group: str) -> None:
    spec = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["spec"]
    assert spec["rayVersion"] == read_pins("requirements-dev.txt")["ray"]
    machines = spec[group] if isinstance(spec[group], list) else [spec[group]]
    for machine in machines:
        pod = machine["template"]["spec"]
        [container] = pod["containers"]
        assert container["image"] == "registry.example.com/hlcore"
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
