import pytest

from hlcore.data.labels import ADE20K, CAMVID, CITYSCAPES, CITYSCAPES_TRAIN_IDS, IDD_LITE, VOC, ClassTable, voc_palette
from hlcore.errors import InvalidInputError


@pytest.mark.parametrize(("table", "count"), [(CAMVID, 11), (CITYSCAPES, 19), (ADE20K, 150), (VOC, 21), (IDD_LITE, 7)])
def test_each_table_has_the_classes_of_its_benchmark(table, count):
    assert len(table.names) == len(table.palette) == count


def test_camvid_has_the_order_and_colours_of_segnet():
    assert CAMVID.names == (
        *("Sky", "Building", "Pole", "Road", "Pavement", "Tree"),
        *("SignSymbol", "Fence", "Car", "Pedestrian", "Bicyclist"),
    )
    assert CAMVID.palette[CAMVID.names.index("Pavement")] == (60, 40, 222)


def test_ade20k_names_and_colours_have_their_published_ids():
    assert [ADE20K.names[index] for index in (0, 12, 93, 149)] == ["wall", "person", "pole", "flag"]
    assert [ADE20K.palette[index] for index in (0, 2, 12, 149)] == [
        *((120, 120, 120), (6, 230, 230), (150, 5, 61), (92, 0, 255)),
    ]


def test_only_road_and_skyscraper_share_a_colour_in_ade20k():
    shared = [
        name for name, colour in zip(ADE20K.names, ADE20K.palette, strict=True) if ADE20K.palette.count(colour) > 1
    ]
    assert shared == ["road", "skyscraper"]


def test_every_cityscapes_id_maps_to_its_train_id_or_is_ignored():
    assert sorted(CITYSCAPES_TRAIN_IDS) == list(range(34))
    assert sorted(train_id for train_id in CITYSCAPES_TRAIN_IDS.values() if train_id != 255) == list(range(19))
    for label_id, name in {7: "road", 11: "building", 19: "traffic light", 26: "car", 33: "bicycle"}.items():
        assert CITYSCAPES.names[CITYSCAPES_TRAIN_IDS[label_id]] == name
    assert {CITYSCAPES_TRAIN_IDS[ignored] for ignored in (0, 6, 9, 14, 18, 29, 30)} == {255}


def test_the_voc_palette_follows_the_bits_of_the_index():
    assert voc_palette(21)[15] == (192, 128, 128)  # person
    assert voc_palette(256)[255] == (224, 224, 192)  # the boundary
    assert len(set(voc_palette(256))) == 256


@pytest.mark.parametrize(
    ("names", "palette", "sentence"),
    [
        ((), (), "1 to 255 classes, got 0"),
        (("a", "b", "a"), ((0, 0, 0),) * 3, "more than once: a"),
        (("a", "b"), ((0, 0, 0),), "expected 2 colours, one per class, got 1"),
        (("a",), ((0, 0, 256),), "colour of a must be three numbers from 0 to 255"),
    ],
)
def test_an_invalid_table_is_refused(names, palette, sentence):
    with pytest.raises(InvalidInputError, match=sentence):
        ClassTable(names, palette)


@pytest.mark.parametrize("name", ["traffic\u00a0light", "\u0645\u06cc\u200c\u0631\u0648\u062f"])
def test_a_name_may_have_spaces_and_joiners_of_any_script(name):
    assert ClassTable(("sky", name), ((0, 0, 0), (1, 1, 1))).names[1] == name
