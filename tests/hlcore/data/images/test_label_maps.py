import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as PillowImage

from hlcore.data.images.colour import turn_upright
from hlcore.data.images.decoding import read_class_ids, read_label_map
from hlcore.data.labels import ADE20K, CAMVID, VOC
from hlcore.errors import DatasetError

IDS = np.array([[0, 3, 10, 255], [0, 0, 8, 8]], dtype=np.uint8)


def as_palette(ids: np.ndarray) -> PillowImage.Image:
    image = PillowImage.fromarray(ids, mode="P")
    image.putpalette([channel for colour in VOC.palette for channel in colour])
    return image


def test_grey_palette_and_16_bit_pngs_hold_class_ids(encode):
    for content in (encode(IDS, "PNG"), encode(as_palette(IDS), "PNG"), encode(IDS.astype(np.uint16), "PNG")):
        label_map = read_label_map(content, classes=CAMVID)
        assert label_map.dtype == np.uint8
        np.testing.assert_array_equal(label_map, IDS)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["L", "P", "I;16", "RGB"])
def test_the_orientation_flag_is_followed_as_in_images(encode, mode, orientation):
    label_map = np.array([[0, 1, 2], [3, 4, 5]], dtype=np.uint8)
    stored = {
        "L": PillowImage.fromarray(label_map),
        "P": as_palette(label_map),
        "I;16": PillowImage.fromarray(label_map.astype(np.uint16)),
        "RGB": PillowImage.fromarray(np.array(CAMVID.palette, dtype=np.uint8)[label_map]),
    }[mode]
    exif = PillowImage.Exif()
    exif[274] = orientation
    content = encode(stored, "PNG", exif=exif)
    expected = turn_upright(label_map, orientation)
    np.testing.assert_array_equal(read_label_map(content, classes=CAMVID, size=expected.shape), expected)


def test_a_quarter_turn_is_named_as_the_likely_cause_of_a_wrong_size(encode):
    content = encode(PillowImage.fromarray(np.zeros((2, 3), dtype=np.uint8)), "PNG")
    with pytest.raises(DatasetError, match="one of them may be rotated by 90°"):
        read_label_map(content, classes=CAMVID, size=(3, 2))


def with_palette(ids: np.ndarray, colours: dict[int, tuple[int, int, int]]) -> PillowImage.Image:
    """A palette image whose other colours are grey."""
    image = PillowImage.fromarray(ids, mode="P")
    image.putpalette([channel for slot in range(256) for channel in colours.get(slot, (slot, slot, slot))])
    return image


SLOTS = np.array([[0, 1, 2, 255]], dtype=np.uint8)
CAR, ROAD, SKY = (CAMVID.names.index(name) for name in ("Car", "Road", "Sky"))


def test_a_palette_with_the_class_colours_in_another_order_is_read_by_colour(encode, caplog):
    caplog.set_level("INFO")
    palette = {0: CAMVID.palette[CAR], 1: CAMVID.palette[ROAD], 2: (0, 0, 0), 255: CAMVID.palette[SKY]}
    content = encode(with_palette(SLOTS, palette), "PNG")
    assert read_label_map(content, classes=CAMVID, name="a.png").tolist() == [[CAR, ROAD, 255, SKY]]
    assert (
        "a.png is read by the colours of its palette: 0 has the colour (64, 0, 128) of Car, but is the id of Sky"
        in (caplog.text)
    )


@given(st.permutations(range(11)))
def test_a_label_map_in_the_class_colours_reads_the_same_in_any_order_of_its_palette(order):
    slots = np.arange(11, dtype=np.uint8)[None]
    file = io.BytesIO()
    with_palette(slots, {slot: CAMVID.palette[index] for slot, index in enumerate(order)}).save(file, "PNG")
    assert read_label_map(file.getvalue(), classes=CAMVID).tolist() == [list(order)]


def test_a_quantised_label_map_reads_like_the_coloured_one(encode):
    colours = np.array(CAMVID.palette, dtype=np.uint8)[np.arange(11).reshape(1, 11)]
    quantised = PillowImage.fromarray(colours).quantize(11, dither=PillowImage.Dither.NONE)
    np.testing.assert_array_equal(
        read_label_map(encode(quantised, "PNG"), classes=CAMVID), read_label_map(encode(colours, "PNG"), classes=CAMVID)
    )


@pytest.mark.parametrize(
    "palette",
    [
        {0: (255, 0, 0), 1: (0, 255, 0), 2: (0, 0, 255)},  # of no class
        {0: (255, 0, 0), 1: CAMVID.palette[CAR], 2: (0, 0, 255)},  # of one class, by chance
        dict(enumerate(CAMVID.palette)),
        {0: (0, 0, 0), 1: (255, 255, 255), 2: (0, 0, 0)},
        dict(enumerate(VOC.palette)) | {255: (224, 224, 192)},
        {},
    ],
)
def test_under_any_other_palette_ids_are_ids(encode, palette):
    assert read_label_map(encode(with_palette(SLOTS, palette), "PNG"), classes=CAMVID).tolist() == [[0, 1, 2, 255]]


def test_the_voc_palette_means_ids_even_where_all_its_colours_are_class_colours(encode):
    ids = np.array([[0, 1, 3, 7]], dtype=np.uint8)  # black, and the colours of Building, Tree and Sky
    assert read_label_map(encode(as_palette(ids), "PNG"), classes=CAMVID).tolist() == ids.tolist()


def test_a_palette_that_contradicts_the_ids_in_part_is_refused(encode):
    palette = {0: CAMVID.palette[CAR], 1: CAMVID.palette[ROAD], 2: (1, 2, 3)}
    with pytest.raises(
        DatasetError, match=r"a.png is a palette PNG .*: 0 has the colour \(64, 0, 128\) of Car, but is"
    ):
        read_label_map(encode(with_palette(SLOTS[:, :3], palette), "PNG"), classes=CAMVID, name="a.png")


def test_a_shared_colour_of_a_moved_palette_is_refused_with_both_names(encode):
    palette = {0: ADE20K.palette[6], 1: ADE20K.palette[0]}
    with pytest.raises(DatasetError, match="road and skyscraper have the same colour"):
        read_label_map(encode(with_palette(SLOTS[:, :2], palette), "PNG"), classes=ADE20K)
    named_by_slot = with_palette(np.array([[6, 48]], dtype=np.uint8), dict(enumerate(ADE20K.palette)))
    assert read_label_map(encode(named_by_slot, "PNG"), classes=ADE20K).tolist() == [[6, 48]]


def test_a_palette_of_few_colours_keeps_its_ids(encode):
    ids = np.array([[0, 1, 2, 3]], dtype=np.uint8)
    for bits in (2, 4, 8):
        np.testing.assert_array_equal(read_label_map(encode(as_palette(ids), "PNG", bits=bits), classes=CAMVID), ids)


@given(arrays.arrays(np.uint8, (4, 5), elements=st.sampled_from([*range(11), 255])))
def test_a_label_map_painted_in_the_class_colours_reads_back_the_same(label_map):
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[:11] = CAMVID.palette
    file = io.BytesIO()
    PillowImage.fromarray(palette[label_map]).save(file, "PNG")
    np.testing.assert_array_equal(read_label_map(file.getvalue(), classes=CAMVID), label_map)


def test_black_is_ignored_unless_a_class_is_black(encode):
    colours = np.array([[[0, 0, 0], [128, 0, 0], [224, 224, 192]]], dtype=np.uint8)
    assert read_label_map(encode(colours, "PNG"), classes=CAMVID).tolist() == [[255, 1, 255]]
    assert read_label_map(encode(colours, "PNG"), classes=VOC).tolist() == [[0, 1, 255]]


def test_an_opaque_alpha_channel_is_dropped_and_a_transparent_one_refused(encode):
    colours = np.full((2, 3, 4), (128, 64, 128, 255), dtype=np.uint8)
    assert (read_label_map(encode(colours, "PNG"), classes=CAMVID) == CAMVID.names.index("Road")).all()
    colours[0, 0, 3] = 254
    with pytest.raises(DatasetError, match="partly transparent"):
        read_label_map(encode(colours, "PNG"), classes=CAMVID)


def test_more_ids_may_mean_ignored(encode):
    ids = np.array([[0, 11, 255]], dtype=np.uint8)
    assert read_label_map(encode(ids, "PNG"), classes=CAMVID, ignored=(11,)).tolist() == [[0, 255, 255]]


def test_stray_ids_are_named_and_counted(encode):
    strays = IDS.copy()
    strays[0] = (11, 11, 11, 200)
    with pytest.raises(
        DatasetError, match=r"my.png contains unknown class ids: 11 \(3 px\), 200 \(1 px\); expected 0 to 10, 255"
    ):
        read_label_map(encode(strays, "PNG"), classes=CAMVID, name="my.png")


def test_at_most_five_strays_are_named(encode):
    with pytest.raises(DatasetError, match=r"11 \(1 px\), .*15 \(1 px\) and 239 more"):
        read_label_map(encode(np.arange(256, dtype=np.uint8).reshape(16, 16), "PNG"), classes=CAMVID)


def test_stray_colours_are_named_and_counted(encode):
    colours = np.full((2, 2, 3), CAMVID.palette[0], dtype=np.uint8)
    colours[1, 1] = (1, 2, 3)
    with pytest.raises(DatasetError, match=r"unknown colours: \(1, 2, 3\) \(1 px\); .*without anti-aliasing"):
        read_label_map(encode(colours, "PNG"), classes=CAMVID)


def test_a_colour_of_two_classes_is_refused_with_both_names(encode):
    colours = np.full((2, 2, 3), ADE20K.palette[6], dtype=np.uint8)
    with pytest.raises(DatasetError, match="road and skyscraper have the same colour"):
        read_label_map(encode(colours, "PNG"), classes=ADE20K)


@pytest.mark.parametrize("file_format", ["JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_only_png_is_accepted(encode, file_format):
    with pytest.raises(DatasetError, match=f"upload is a {file_format}; a label map must be a PNG"):
        read_label_map(encode(IDS, file_format), classes=CAMVID)


def test_grey_of_fewer_than_8_bits_is_refused_because_its_ids_may_be_scaled(encode):
    with pytest.raises(DatasetError, match="fewer than 8 bits"):
        read_label_map(encode(IDS > 0, "PNG"), classes=CAMVID)


def test_the_size_must_match_the_image(encode):
    assert read_label_map(encode(IDS, "PNG"), classes=CAMVID, size=(2, 4)).shape == (2, 4)
    with pytest.raises(DatasetError, match="upload is 4 x 2 px but its image is 2 x 4 px"):
        read_label_map(encode(IDS, "PNG"), classes=CAMVID, size=(4, 2))


def test_damaged_and_foreign_files_are_refused(encode):
    noise = np.random.default_rng(0).integers(0, 11, (40, 40), dtype=np.uint8)
    with pytest.raises(DatasetError, match="damaged or incomplete"):
        read_label_map(encode(noise, "PNG")[:200], classes=CAMVID)
    with pytest.raises(DatasetError, match="is a text file"):
        read_label_map(b"0 1 2 3", classes=CAMVID)
    with pytest.raises(DatasetError, match=r"the limit is 0.001 MP"):
        read_label_map(encode(noise, "PNG"), classes=CAMVID, max_pixels=1000)


def test_a_data_sets_ids_are_mapped_and_colour_refused(write):
    path = write("a.png", np.array([[7, 0], [255, 7]], dtype=np.uint8))
    assert read_class_ids(path, ids={7: 0, 0: 255, 255: 255}, classes=CAMVID).tolist() == [[0, 255], [255, 0]]
    with pytest.raises(DatasetError, match=r"a.png contains unknown class ids: 0 \(1 px\), 255 \(1 px\); expected 7"):
        read_class_ids(path, ids={7: 0}, classes=CAMVID)
    colour = write("b.png", np.zeros((2, 2, 3), dtype=np.uint8))
    with pytest.raises(DatasetError, match=r"b.png is a colour PNG"):
        read_class_ids(colour, ids={0: 0}, classes=CAMVID)
