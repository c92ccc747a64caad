"""Each layout in miniature: what is read, and what is refused by name."""

import json
import pickle
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from hlcore.data.labels import ADE20K, CAMVID, CITYSCAPES, IDD_LITE, VOC, voc_palette
from hlcore.data.readers.ade20k import open_ade20k
from hlcore.data.readers.camvid import open_camvid
from hlcore.data.readers.cityscapes import open_cityscapes
from hlcore.data.readers.folder import open_folder
from hlcore.data.readers.idd_lite import open_idd_lite
from hlcore.data.readers.voc import open_voc
from hlcore.data.samples import PairedFiles, find_files
from hlcore.errors import DatasetError

Write = Callable[[str, np.ndarray], Path]
IMAGE = np.random.default_rng(0).integers(0, 255, (4, 6, 3), dtype=np.uint8)


def ids(*values: int) -> np.ndarray:
    """4 x 6 px of the values in turn."""
    return np.resize(np.array(values, dtype=np.uint8), (4, 6))


def write_voc_list(root: Path, split: str, *names: str) -> None:
    path = root / "ImageSets" / "Segmentation" / f"{split}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names))


LAYOUTS = {
    "camvid": (open_camvid, "train", "train/a.png", "trainannot/a.png", CAMVID, {0: 0, 10: 10, 11: 255}),
    "cityscapes": (
        *(
            open_cityscapes,
            "val",
            "leftImg8bit/val/ulm/ulm_1_leftImg8bit.png",
            "gtFine/val/ulm/ulm_1_gtFine_labelIds.png",
        ),
        *(CITYSCAPES, {0: 255, 7: 0, 9: 255, 33: 18}),
    ),
    "ade20k": (
        *(open_ade20k, "val", "images/validation/a.jpg", "annotations/validation/a.png"),
        *(ADE20K, {0: 255, 1: 0, 150: 149}),
    ),
    "voc": (open_voc, "val", "JPEGImages/a.jpg", "SegmentationClass/a.png", VOC, {0: 0, 20: 20, 255: 255}),
    "idd_lite": (
        *(open_idd_lite, "val", "leftImg8bit/val/7/1_image.jpg", "gtFine/val/7/1_label.png"),
        *(IDD_LITE, {0: 0, 6: 6, 255: 255}),
    ),
    "folder": (open_folder, "val", "images/val/a.jpg", "labels/val/a.png", None, {0: 0, 1: 1, 255: 255}),
}


@pytest.fixture(params=LAYOUTS)
def layout(request, tmp_path: Path, write: Write):
    """A data set of one sample: reader, split, image file, label file, classes, value in file -> class."""
    reader, split, image, label_map, classes, mapping = LAYOUTS[request.param]
    write(image, IMAGE)
    write(label_map, ids(*mapping))
    if request.param == "voc":
        write_voc_list(tmp_path, split, "a")
    if request.param == "folder":
        (tmp_path / "classes.json").write_text('["sky", "road"]')
    return reader, split, tmp_path / image, tmp_path / label_map, classes, mapping


def test_the_ids_in_the_file_become_class_indices(layout, tmp_path):
    reader, split, _, _, classes, mapping = layout
    data = reader(tmp_path, split)
    assert len(data) == len(data.names) == 1
    assert classes is None or data.classes == classes
    sample = data[0]
    assert sample.name == data.names[0]
    np.testing.assert_array_equal(sample.label_map, ids(*mapping.values()))
    assert sample.image.shape == IMAGE.shape


def test_the_error_for_a_missing_root_names_the_expected_folder(layout, tmp_path):
    reader, split, *_ = layout
    with pytest.raises(DatasetError, match=r"nowhere.* does(n't| not) exist"):
        reader(tmp_path / "nowhere", split)


def test_the_error_for_a_missing_split_lists_what_exists(layout, tmp_path):
    reader, split, *_ = layout
    with pytest.raises(DatasetError, match=rf"tset.*(holds|it has).*{split[:3]}"):
        reader(tmp_path, "tset")


def test_a_stray_value_is_refused_with_file_value_and_count(layout, tmp_path, write):
    reader, split, _, label_map, *_ = layout
    values = np.zeros((4, 6), dtype=np.uint8)
    values[0, :2] = 200
    write(str(label_map.relative_to(tmp_path)), values)
    data = reader(tmp_path, split)
    with pytest.raises(DatasetError, match=rf"{label_map.name} contains unknown class ids: 200 \(2 px\)"):
        data[0]


def test_another_size_is_refused_with_both_files(layout, tmp_path, write):
    reader, split, image, label_map, *_ = layout
    write(str(label_map.relative_to(tmp_path)), np.zeros((6, 4), dtype=np.uint8))
    data = reader(tmp_path, split)
    with pytest.raises(DatasetError, match=rf"{label_map.name} is 4 x 6 px but its image .*{image.name} is 6 x 4 px"):
        data[0]


def test_a_quarter_turn_is_named_as_the_likely_cause_of_another_size(layout, tmp_path, write):
    reader, split, _, label_map, *_ = layout
    write(str(label_map.relative_to(tmp_path)), np.zeros((6, 4), dtype=np.uint8))
    with pytest.raises(DatasetError, match="so export it again; one of them may be rotated by 90°$"):
        reader(tmp_path, split)[0]
    write(str(label_map.relative_to(tmp_path)), np.zeros((4, 5), dtype=np.uint8))
    with pytest.raises(DatasetError, match="so export it again$"):
        reader(tmp_path, split)[0]


def write_palette(path: Path, values: np.ndarray, palette: dict[int, tuple[int, int, int]]) -> None:
    image = PillowImage.fromarray(values, mode="P")
    image.putpalette([channel for slot in range(256) for channel in palette.get(slot, (slot, slot, slot))])
    image.save(path)


def test_a_palette_with_the_class_colours_in_another_order_is_refused(layout, tmp_path):
    reader, split, _, label_map, _, mapping = layout
    colours = [{"name": "sky", "color": [70, 130, 180]}, {"name": "road", "color": [128, 64, 128]}]
    (tmp_path / "classes.json").write_text(json.dumps(colours))
    palette = reader(tmp_path, split).classes.palette
    slots = [value for value, index in mapping.items() if index != 255]
    write_palette(label_map, ids(*mapping), {value: palette[mapping[value]] for value in slots})
    np.testing.assert_array_equal(reader(tmp_path, split)[0].label_map, ids(*mapping.values()))
    write_palette(
        label_map,
        ids(*mapping),
        {value: palette[mapping[slots[0] if value != slots[0] else slots[1]]] for value in slots},
    )
    with pytest.raises(
        DatasetError, match=rf"{label_map.name} is a palette PNG with the class colours in another order"
    ):
        reader(tmp_path, split)[0]
    write_palette(label_map, ids(*mapping), {})
    np.testing.assert_array_equal(reader(tmp_path, split)[0].label_map, ids(*mapping.values()))


def test_a_palette_in_the_default_colours_says_nothing_of_classes_without_colours(tmp_path, write):
    write("images/a.png", IMAGE)
    write("labels/a.png", ids(0))
    (tmp_path / "classes.json").write_text('["sky", "road", "car"]')
    write_palette(tmp_path / "labels/a.png", ids(0, 1), {0: (128, 0, 0), 1: (0, 128, 0)})
    np.testing.assert_array_equal(open_folder(tmp_path, "val")[0].label_map, ids(0, 1))


def test_a_class_without_a_colour_may_have_any_in_a_palette(tmp_path, write):
    write("images/a.png", IMAGE)
    write("labels/a.png", ids(0))
    (tmp_path / "classes.json").write_text('[{"name": "a", "color": [10, 20, 30]}, "b", "c"]')
    colours = {0: (10, 20, 30), 1: (0, 128, 0), 2: (128, 0, 0)}  # the last two are those of c and b in Pascal VOC
    write_palette(tmp_path / "labels/a.png", ids(0, 1, 2), colours)
    assert set(np.unique(open_folder(tmp_path, "train")[0].label_map)) == {0, 1, 2}
    write_palette(tmp_path / "labels/a.png", ids(0, 1, 2), colours | {1: (10, 20, 30)})
    with pytest.raises(DatasetError, match=r"1 has the colour \(10, 20, 30\) of a, but is the id of b"):
        open_folder(tmp_path, "train")[0]


def test_the_palette_of_voc_must_agree_with_its_ids(tmp_path, write):
    write("JPEGImages/a.jpg", IMAGE)
    write("SegmentationClass/a.png", ids(0))
    write_voc_list(tmp_path, "val", "a")
    label_map = tmp_path / "SegmentationClass/a.png"
    voc = dict(enumerate(voc_palette(256)))
    write_palette(label_map, ids(0, 15, 255), voc)
    np.testing.assert_array_equal(open_voc(tmp_path, "val")[0].label_map, ids(0, 15, 255))
    write_palette(label_map, ids(0, 1, 2), {0: voc[0], 1: voc[15], 2: voc[255]})  # as an optimiser packs it
    with pytest.raises(DatasetError, match=r"1 has the colour \(192, 128, 128\) of person, but is the id of aeroplane"):
        open_voc(tmp_path, "val")[0]


def test_a_damaged_image_is_refused_with_its_name(layout, tmp_path):
    reader, split, image, *_ = layout
    image.write_bytes(image.read_bytes()[:60])
    with pytest.raises(DatasetError, match=image.name):
        reader(tmp_path, split)[0]


def test_a_data_set_can_be_sent_to_worker_processes(layout, tmp_path):
    reader, split, *_ = layout
    data: PairedFiles = reader(tmp_path, split)
    copied = pickle.loads(pickle.dumps(data))
    np.testing.assert_array_equal(copied[0].label_map, data[0].label_map)


@pytest.mark.parametrize("name", sorted(LAYOUTS.keys() - {"voc"}))
@pytest.mark.parametrize(("lacking", "sentence"), [(2, "has no image named"), (3, "has no label map; expected")])
def test_a_file_without_its_partner_is_refused_with_its_name(name, lacking, sentence, tmp_path, write):
    reader, split, image, label_map, _, mapping = LAYOUTS[name]
    (tmp_path / "classes.json").write_text('["sky", "road"]')
    write(image, IMAGE)
    write(label_map, ids(*mapping))
    first = (image, label_map)[3 - lacking]
    second = write(first.replace("/a.", "/b.").replace("ulm_1", "ulm_2").replace("/1_", "/2_"), IMAGE[..., 0])
    with pytest.raises(DatasetError, match=f"{second.name} {sentence}"):
        reader(tmp_path, split)


def test_camvid_images_may_be_png_or_jpg_but_not_both(tmp_path, write):
    for name in ("a.png", "b.jpg"):
        write(f"train/{name}", IMAGE)
        write(f"trainannot/{name[0]}.png", ids(0))
    assert open_camvid(tmp_path, "train").names == ("a", "b")
    write("train/a.jpg", IMAGE)
    with pytest.raises(DatasetError, match=r"a.jpg and .*a.png are both named 'a'"):
        open_camvid(tmp_path, "train")


def test_file_extensions_may_be_in_upper_case_and_hidden_files_are_ignored(tmp_path, write):
    write("train/a.png", IMAGE).rename(tmp_path / "train/a.PNG")
    write("trainannot/a.png", ids(0))
    write("train/._b.png", IMAGE)
    assert open_camvid(tmp_path, "train").names == ("a",)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "train").mkdir()
    with pytest.raises(DatasetError, match=r"train contains no files that match \*.png or \*.jpg"):
        open_camvid(tmp_path, "train")


FLAT = {
    "camvid": (open_camvid, "train", "trainannot", "train/sub/b.png"),
    "folder": (open_folder, "images/val", "labels/val", "val/sub/b.png"),
    "ade20k": (open_ade20k, "images/validation", "annotations/validation", "validation/sub/b.png"),
}


@pytest.mark.parametrize("name", FLAT)
def test_images_in_a_sub_folder_are_taken_if_the_labels_mirror_it_and_refused_otherwise(name, tmp_path, write):
    reader, images, label_maps, missing = FLAT[name]
    split = LAYOUTS[name][1]
    (tmp_path / "classes.json").write_text('["sky", "road"]')
    for sample in ("a", "sub/b", "sub/deep/c"):
        write(f"{images}/{sample}.jpg", IMAGE)
        write(f"{label_maps}/{sample}.png", ids(1))
    assert reader(tmp_path, split).names == ("a", "sub/b", "sub/deep/c")
    (tmp_path / label_maps / "sub/b.png").unlink()
    with pytest.raises(DatasetError, match=rf"{missing[:-4]}.jpg has no label map; expected .* for 'sub/b'"):
        reader(tmp_path, split)


def test_voc_finds_a_listed_image_in_a_sub_folder(tmp_path, write):
    write("JPEGImages/sub/a.jpg", IMAGE)
    write("SegmentationClass/sub/a.png", ids(0))
    write_voc_list(tmp_path, "train", "sub/a")
    assert open_voc(tmp_path, "train").names == ("sub/a",)


@pytest.mark.parametrize("name", ["cityscapes", "idd_lite"])
def test_images_without_a_folder_of_their_own_are_taken_too(name, tmp_path, write):
    reader, split, image, label_map, *_ = LAYOUTS[name]
    for path in (image, label_map):
        top, within, _, file = path.split("/")
        write(f"{top}/{within}/{file}", ids(0))
    assert len(reader(tmp_path, split)) == 1


def test_readers_walk_like_predict_through_links_and_without_what_tools_left(tmp_path, write):
    for folder in ("train", "trainannot"):
        write(f"elsewhere/{folder}/b.png", ids(0))
        write(f"{folder}/a.png", ids(0))
        write(f"{folder}/.ipynb_checkpoints/a.png", ids(0))
        write(f"{folder}/@eaDir/a.png", ids(0))
        (tmp_path / folder / "linked").symlink_to(tmp_path / "elsewhere" / folder)
        (tmp_path / folder / "linked" / "back").symlink_to(tmp_path / folder)
    write("train/maps/a.hardness.png", ids(0))
    (tmp_path / "train/maps/manifest.parquet").touch()
    assert open_camvid(tmp_path, "train").names == ("a", "linked/b")


def test_images_that_a_reader_leaves_out_are_counted(tmp_path, write, caplog):
    for name in ("a.png", "b.webp", "c.tif"):
        write(f"train/{name}", IMAGE)
    write("trainannot/a.png", ids(0))
    assert open_camvid(tmp_path, "train").names == ("a",)
    assert "left out image files that do not match *.png or *.jpg (2), such as b.webp" in caplog.text
    (tmp_path / "classes.json").write_text('["sky"]')
    for name in ("images/val/a.gif", "labels/val/a.png", "images/stray.png", "images/._stray.png"):
        write(name.replace("gif", "png"), ids(0)).rename(tmp_path / name)
    assert open_folder(tmp_path, "val").names == ("a",)
    assert "left out images that are in no split (1), such as stray.png" in caplog.text


def test_a_tools_folder_beside_images_is_no_split(tmp_path, write):
    (tmp_path / "classes.json").write_text('["sky"]')
    for name in ("images/a.png", "labels/a.png", "images/@eaDir/a.png", "images/.thumbnails/a.png"):
        write(name, ids(0))
    assert open_folder(tmp_path, "train").names == ("a",)


@pytest.mark.parametrize("pattern", ["*_rgb.png", "*/*_rgb.png", "**/*_rgb.png", "**/city/*_rgb.PNG"])
def test_a_pattern_matches_below_folders(tmp_path, write, pattern):
    write("train/city/a_rgb.png", IMAGE)
    write("train/city/a_label.png", ids(0))
    assert list(find_files(tmp_path / "train", (pattern,), suffix="_rgb")) == ["city/a"]


def test_two_stars_match_no_folder_too(tmp_path, write):
    write("train/a.png", IMAGE)
    assert list(find_files(tmp_path / "train", ("**/*.png",))) == ["a"]
    with pytest.raises(DatasetError, match="contains no files that match"):
        find_files(tmp_path / "train", ("*/*.png",))


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_composed_and_decomposed_names_are_the_same(tmp_path, write, forms):
    image, label_map = (unicodedata.normalize(form, "caf\u00e9") for form in forms)
    write(f"train/{image}.png", IMAGE)
    write(f"trainannot/{label_map}.png", ids(0))
    assert open_camvid(tmp_path, "train").names == ("caf\u00e9",)
    write(f"JPEGImages/{image}.jpg", IMAGE)
    write(f"SegmentationClass/{image}.png", ids(0))
    write_voc_list(tmp_path, "train", label_map)
    assert open_voc(tmp_path, "train").names == ("caf\u00e9",)


def test_voc_names_may_have_spaces_and_files_capital_extensions(tmp_path, write):
    write("JPEGImages/two words.jpg", IMAGE).rename(tmp_path / "JPEGImages/two words.JPG")
    write("SegmentationClass/two words.png", ids(0)).rename(tmp_path / "SegmentationClass/two words.PNG")
    write_voc_list(tmp_path, "train", "  two words\r")
    assert open_voc(tmp_path, "train").names == ("two words",)


def test_voc_refuses_a_name_listed_twice(tmp_path, write):
    write("JPEGImages/a.jpg", IMAGE)
    write("SegmentationClass/a.png", ids(0))
    write_voc_list(tmp_path, "train", "a", "a")
    with pytest.raises(DatasetError, match=r"train.txt lists 'a' twice; remove one of the lines"):
        open_voc(tmp_path, "train")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_lists_and_class_names_may_be_in_any_usual_encoding(tmp_path, write, encoding):
    write("JPEGImages/ma\u00dfe.jpg", IMAGE)
    write("SegmentationClass/ma\u00dfe.png", ids(0))
    write_voc_list(tmp_path, "train")
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("ma\u00dfe\n", encoding=encoding)
    assert open_voc(tmp_path, "train").names == ("ma\u00dfe",)
    (tmp_path / "classes.json").write_text('["Stra\u00dfe"]', encoding=encoding)
    write("images/a.png", IMAGE)
    write("labels/a.png", ids(0))
    assert open_folder(tmp_path, "train").classes.names == ("Stra\u00dfe",)


def test_ade20k_accepts_the_published_split_names_too(tmp_path, write):
    write("images/training/a.jpg", IMAGE)
    write("annotations/training/a.png", ids(1))
    assert open_ade20k(tmp_path, "train").names == open_ade20k(tmp_path, "training").names == ("a",)


def test_voc_reads_its_list_in_order_and_refuses_a_name_without_files(tmp_path, write):
    for name in ("a", "b"):
        write(f"VOCdevkit/VOC2012/JPEGImages/{name}.jpg", IMAGE)
        write(f"VOCdevkit/VOC2012/SegmentationClass/{name}.png", ids(0))
    root = tmp_path / "VOCdevkit" / "VOC2012"
    write_voc_list(root, "train", "b", "a")
    assert open_voc(tmp_path, "train").names == open_voc(root, "train").names == ("b", "a")
    write_voc_list(root, "train", "a", "c")
    with pytest.raises(DatasetError, match=r"train.txt lists 'c' but .*c.jpg does not exist"):
        open_voc(tmp_path, "train")
    write_voc_list(root, "train")
    with pytest.raises(DatasetError, match=r"train.txt is empty"):
        open_voc(tmp_path, "train")


def test_a_plain_folder_without_splits_is_every_split(tmp_path, write):
    (tmp_path / "classes.json").write_text('["sky", {"name": "road", "color": [1, 2, 3]}, {"name": "car"}]')
    write("images/a.webp", IMAGE)
    write("labels/a.png", ids(0, 2))
    data = open_folder(tmp_path, "train")
    assert data.names == open_folder(tmp_path, "val").names == ("a",)
    assert data.classes.names == ("sky", "road", "car")
    assert data.classes.palette == ((0, 0, 0), (1, 2, 3), (0, 128, 0))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "classes.json does not exist; expected the class names"),
        ("{", "classes.json is not JSON"),
        ({"sky": 0}, "classes.json holds a dict; expected a list"),
        (["sky", 3], "classes.json has the entry 3; expected"),
        ([{"name": "sky", "colour": [1, 2, 3]}], "has the entry .*colour"),
        ([{"name": "sky", "color": [1, 2]}], "has the entry"),
        ([{"name": "sky", "color": [1, 2, 999]}], "classes.json: the colour of sky"),
        (["sky", "sky"], "classes.json: class names must be unique"),
        ([], "classes.json: a class table must have 1 to 255 classes"),
    ],
)
def test_a_wrong_class_list_is_refused(tmp_path, write, content, sentence):
    write("images/a.png", IMAGE)
    write("labels/a.png", ids(0))
    if content is not None:
        (tmp_path / "classes.json").write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(DatasetError, match=sentence):
        open_folder(tmp_path, "train")


def test_the_fingerprint_changes_with_labels_names_and_images_but_not_with_the_folder(tmp_path, write):
    def fingerprint(place: str, *, value: int = 0, name: str = "a", image: np.ndarray = IMAGE) -> str:
        write(f"{place}/train/{name}.png", image)
        write(f"{place}/trainannot/{name}.png", ids(value))
        return open_camvid(tmp_path / place, "train").fingerprint

    first = fingerprint("one")
    assert len(first) == 64
    assert first == fingerprint("two")
    others = [fingerprint("three", value=1), fingerprint("four", name="b"), fingerprint("five", image=IMAGE * 0)]
    assert len({first, *others}) == 4


def test_a_data_set_is_a_sequence(tmp_path, write):
    for name in "abc":
        write(f"train/{name}.png", IMAGE)
        write(f"trainannot/{name}.png", ids(0))
    data = open_camvid(tmp_path, "train")
    assert [sample.name for sample in data] == ["a", "b", "c"]
    assert data[-1].name == "c"
    with pytest.raises(IndexError):
        data[3]


@pytest.mark.parametrize(("split", "count"), [("train", 367), ("val", 101), ("test", 233)])
def test_camvid_has_its_published_splits(shared_data, split, count):
    data = open_camvid(shared_data / "camvid", split)
    assert len(data) == count
    sample = data[count // 2]
    assert sample.image.shape == (360, 480, 3)
    assert sample.label_map is not None
    assert set(np.unique(sample.label_map)) <= {*range(11), 255}


def test_every_camvid_label_map_of_the_validation_split_is_read(shared_data):
    pixels = np.zeros(256, dtype=np.int64)
    for sample in open_camvid(shared_data / "camvid", "val"):
        assert sample.label_map is not None
        pixels += np.bincount(sample.label_map.ravel(), minlength=256)
    assert pixels.sum() == 101 * 360 * 480
    assert CAMVID.names[int(pixels[:11].argmax())] in ("Road", "Building")


@pytest.mark.parametrize(("split", "count"), [("train", 1403), ("val", 204)])
def test_idd_lite_has_its_published_splits(shared_data, split, count):
    data = open_idd_lite(shared_data / "idd_lite", split)
    assert len(data) == count
    sample = data[0]
    assert sample.image.shape == (227, 320, 3)
    assert sample.label_map is not None
    assert set(np.unique(sample.label_map)) <= {*range(7), 255}


@pytest.mark.parametrize(
    "palette",
    [
        [(70, 130, 180), (9, 9, 9), (0, 0, 142)],  # of sky, of no class, and of car itself
        [(70, 130, 180), (9, 9, 9), (8, 8, 8)],
        [(70, 130, 180), (128, 64, 128), (0, 0, 0)],  # road and sky exchanged
    ],
)
@pytest.mark.parametrize("car", [{"name": "car", "color": [0, 0, 142]}, "car"])
def test_a_palette_with_the_colour_of_another_class_is_refused_beside_foreign_colours(tmp_path, palette, car):
    classes = [{"name": "road", "color": [128, 64, 128]}, {"name": "sky", "color": [70, 130, 180]}, car]
    (tmp_path / "classes.json").write_text(json.dumps(classes), encoding="utf-8")
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    PillowImage.fromarray(np.zeros((1, 3, 3), np.uint8)).save(tmp_path / "images" / "a.png")
    label_map = PillowImage.fromarray(np.array([[0, 1, 2]], np.uint8), mode="P")
    label_map.putpalette([channel for colour in palette for channel in colour])
    label_map.save(tmp_path / "labels" / "a.png")
    with pytest.raises(DatasetError, match=r"0 has the colour \(70, 130, 180\) of sky, but is the id of road"):
        open_folder(tmp_path, "val")[0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('["a", "b", ""]', "must be printable and not empty, got ''"),
        ('["a", "\\ud800"]', r"must be printable and not empty, got '\ud800'"),
        ('["a", "b\\u2028c"]', r"must be printable and not empty, got 'b\u2028c'"),
        ('["a", "b\\n"]', r"must be printable and not empty, got 'b\n'"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_unusable_class_names_are_refused(tmp_path, text, sentence):
    (tmp_path / "classes.json").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=re.escape(sentence)):
        open_folder(tmp_path, "val")
