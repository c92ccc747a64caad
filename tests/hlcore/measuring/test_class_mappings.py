"""Mappings between the classes of a run and of a data set: in files, and of the built-in data sets."""

from itertools import permutations

import pytest

from hlcore.data.labels import ADE20K, CAMVID, CITYSCAPES, IDD_LITE, VOC
from hlcore.errors import InvalidInputError
from hlcore.measuring.class_mappings import (
    BUILT_IN,
    ClassMapping,
    find_known_mapping,
    map_shared_names,
    read_mapping,
)

PAIRS = [pytest.param(*pair, id=f"{pair[0]} to {pair[1]}") for pair in permutations(BUILT_IN, 2)]


@pytest.mark.parametrize(
    "text", ["- Car", "Car: 3", "Car: [thing]", "{", "", "run: {Car: thing}\nother: 1", "run: {Car: 3}"]
)
def test_a_file_that_does_not_map_names_is_refused(tmp_path, text) -> None:
    (tmp_path / "merge.yaml").write_text(text)
    with pytest.raises(InvalidInputError, match=r"(?s)merge.yaml .*expected one line per class of the run"):
        read_mapping(tmp_path / "merge.yaml")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_file_may_be_in_any_usual_encoding(tmp_path, encoding) -> None:
    (tmp_path / "merge.yaml").write_text("Straße: cafe", encoding=encoding)
    assert read_mapping(tmp_path / "merge.yaml").run == {"Straße": "cafe"}


def test_names_are_compared_composed_and_each_is_mapped_once(tmp_path) -> None:
    (tmp_path / "merge.yaml").write_text("cafe\u0301: re\u0301sume\u0301", encoding="utf-8")
    assert read_mapping(tmp_path / "merge.yaml").run == {"caf\u00e9": "r\u00e9sum\u00e9"}
    (tmp_path / "merge.yaml").write_text("Car: thing\nRoad: stuff\nCar: stuff", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="'Car' is listed twice"):
        read_mapping(tmp_path / "merge.yaml")


def test_a_file_may_merge_both_sides_and_leave_classes_out(tmp_path) -> None:
    (tmp_path / "merge.yaml").write_text(
        "run: {cat: pet, dog: pet, road: road}\ndata: {animal: pet, street: road}\nignore: [tree]", encoding="utf-8"
    )
    merge = read_mapping(tmp_path / "merge.yaml").resolve(("cat", "tree", "road", "dog"), ("street", "animal"))
    assert merge.names == ("road", "pet")
    assert (merge.of_run.tolist(), merge.of_data.tolist()) == ([1, -1, 0, 1], [0, 1])


def test_a_class_of_the_run_may_be_called_run(tmp_path) -> None:
    (tmp_path / "merge.yaml").write_text("run: walk\nsit: rest")
    assert read_mapping(tmp_path / "merge.yaml").run == {"run": "walk", "sit": "rest"}


def test_an_ignored_class_is_left_out_even_if_it_is_mapped() -> None:
    mapping = find_known_mapping(CAMVID.names, IDD_LITE.names)
    merge = mapping.without(["Sky", "sky"]).resolve(CAMVID.names, IDD_LITE.names)
    assert "sky" not in merge.names
    assert merge.of_run[CAMVID.names.index("Sky")] == merge.of_data[IDD_LITE.names.index("sky")] == -1
    with pytest.raises(InvalidInputError, match="classes of the data set without a counterpart: sky"):
        mapping.without(["Sky"]).resolve(CAMVID.names, IDD_LITE.names)


def test_classes_of_the_same_name_are_mapped_to_each_other() -> None:
    assert map_shared_names(("a", "b"), ("b", "c")) == ClassMapping(run={"b": "b"})


def test_camvid_and_idd_lite_share_seven_classes() -> None:
    merge = find_known_mapping(CAMVID.names, IDD_LITE.names).resolve(CAMVID.names, IDD_LITE.names)
    assert merge.names == IDD_LITE.names
    assert merge.of_run.tolist() == [6, 5, 4, 0, 1, 5, 4, 4, 3, 2, 2]


@pytest.mark.parametrize(("run", "data"), PAIRS)
def test_every_pair_of_built_in_data_sets_has_a_mapping(run, data) -> None:
    run_names, data_names = BUILT_IN[run].names, BUILT_IN[data].names
    there = find_known_mapping(run_names, data_names).resolve(run_names, data_names)
    back = find_known_mapping(data_names, run_names).resolve(data_names, run_names)
    assert set(there.names) == set(back.names)
    for first, second in ((there.of_run, back.of_data), (there.of_data, back.of_run)):
        named = [
            [names[i] if i >= 0 else None for i in side] for names, side in ((there.names, first), (back.names, second))
        ]
        assert named[0] == named[1]


@pytest.mark.parametrize(
    ("run", "data"), [("camvid", "cityscapes"), ("cityscapes", "idd_lite"), ("camvid", "idd_lite")]
)
def test_street_scenes_share_all_their_classes(run, data) -> None:
    mapping = find_known_mapping(BUILT_IN[run].names, BUILT_IN[data].names)
    assert mapping.ignore == ()


def test_what_voc_has_no_name_for_is_background() -> None:
    merge = find_known_mapping(ADE20K.names, VOC.names).resolve(ADE20K.names, VOC.names)
    background = merge.names.index("background")
    assert {merge.of_run[ADE20K.names.index(name)] for name in ("wall", "sky", "truck", "bed")} == {background}
    assert merge.of_run[ADE20K.names.index("plant")] == merge.of_data[VOC.names.index("pottedplant")] == -1


def test_unknown_classes_have_no_known_mapping() -> None:
    assert find_known_mapping(CITYSCAPES.names[1:], CAMVID.names) is None
    assert find_known_mapping(CAMVID.names, CAMVID.names) is None
