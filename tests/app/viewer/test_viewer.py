"""Planes, scenes and scripts of the viewer, and downloads."""

import io
import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from app import viewer
from app.loading.pictures import make_picture
from app.viewer.planes import MAX_NUMBER, NO_VALUE, pack_classes, pack_image, pack_numbers, pack_values
from app.viewer.scene import ALL_STEPS, Layer, Panel, Scene, Step
from app.views.inspect.downloads import encode_hardness_npy, encode_hardness_png
from hlcore.data.samples import Sample
from hlcore.figures.style import HARDNESS_SCALES, colour_scale
from hlcore.storage.png import read_hardness_png

MAPS = arrays.arrays(np.float32, (3, 4), elements=st.floats(0, 1, width=32))
DECLARED = r"^(?:export )?(?:default )?(?:async )?(?:const|let|function\*?|class) ([\w$]+)"
IMPORTED = r"^import \{ (.*) \} from \"\./(\w+)\.js\";$"


@pytest.fixture
def media(monkeypatch):
    """Streamlit's media file manager, without a server."""

    class Runtime:
        media_file_mgr = MediaFileManager(MemoryMediaFileStorage("/media"))

    monkeypatch.setattr("streamlit.runtime.get_instance", Runtime)


def source(name):
    return (viewer.FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8")


@given(MAPS)
def test_packed_values_are_exact_to_half_a_step(values):
    plane = pack_values(values, low=0, high=1)
    stored = np.frombuffer(zlib.decompress(plane.content), "<u2").reshape(plane.size)
    np.testing.assert_allclose(stored / (NO_VALUE - 1), values, atol=0.5 / (NO_VALUE - 1) + 1e-7)


def test_a_missing_value_differs_from_the_largest():
    plane = pack_values(np.array([[0.0, 88.0, 99.0, np.nan]], np.float32), low=0, high=88)
    assert np.frombuffer(zlib.decompress(plane.content), "<u2").tolist() == [0, NO_VALUE - 1, NO_VALUE - 1, NO_VALUE]


def test_packed_classes_and_images_are_exact():
    label_map = np.array([[0, 3, 255]])
    assert np.frombuffer(zlib.decompress(pack_classes(label_map).content), np.uint8).tolist() == [0, 3, 255]
    image = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(pack_image(image).content))), image)


def test_packed_object_numbers_are_exact_and_missing_if_too_large():
    plane = pack_numbers(np.array([[0, 1, MAX_NUMBER, MAX_NUMBER + 1, 10**6]]))
    stored = np.frombuffer(zlib.decompress(plane.content), "<u2")
    assert stored.tolist() == [0, 1, MAX_NUMBER, NO_VALUE, NO_VALUE]
    assert (plane.low, plane.high) == (0, MAX_NUMBER), "one step per object"


def test_different_contents_have_different_digests():
    zeros = np.zeros((2, 2), np.float32)
    planes = [pack_values(zeros + value, low=0, high=1) for value in (0, 0.5)]
    planes += [pack_classes(np.full((2, 2), index)) for index in (0, 1)]
    assert len({plane.digest for plane in planes}) == 4
    assert pack_values(zeros, low=0, high=1).digest == planes[0].digest


def test_large_planes_that_differ_in_one_pixel_have_different_urls(media):
    values = np.random.default_rng(0).random((1024, 1024)).astype(np.float32)
    other = values.copy()
    other[300, 300] += 0.001
    headers = [pack_values(one, low=0, high=1).header() for one in (values, other, values)]
    assert headers[0]["url"] != headers[1]["url"]
    assert headers[0] == headers[2], "equal planes have one URL, so the browser fetches them once"
    assert str(headers[0]["url"]).startswith("/media/")


def test_planes_are_served_under_the_base_path_of_the_app(media, monkeypatch):
    monkeypatch.setattr("streamlit.get_option", {"server.baseUrlPath": "/hardness/"}.__getitem__)
    assert str(pack_classes(np.zeros((2, 2), int)).header()["url"]).startswith("/hardness/media/")


def test_the_message_of_a_scene_has_its_contents_and_the_current_settings(media):
    plane = pack_values(np.zeros((2, 3), np.float32), low=0, high=88)
    layers = (
        Layer("Loss", "values", {"0": plane, "4": plane}, scale="viridis", high=88, ranges=(1, 2), unit=" nats"),
        Layer("Loss change", "change", of=("Loss",), scale="difference"),
    )
    scene = Scene((2, 3), layers, (Panel("Loss", title="L"), Panel("")), steps=(Step("0", "epoch 0"),), group="g")
    message = scene.message({"opacity": "20"}, revision=7, definitions={"Zoom": "/method#zoom"})
    assert (message["width"], message["height"]) == (3, 2)
    assert (message["view"], message["revision"]) == ({"opacity": "20"}, 7)
    assert message["definitions"] == {"Zoom": "/method#zoom"}
    loss, change = message["layers"]
    assert {step: (sent["kind"], sent["high"]) for step, sent in loss["planes"].items()} == {
        "0": ("u16", 88),
        "4": ("u16", 88),
    }
    assert (loss["unit"], loss["high"], loss["ranges"]) == (" nats", 88, (1, 2))
    assert (change["of"], change["planes"]) == (("Loss",), {})
    assert message["panels"] == [
        {"layer": "Loss", "at": "", "title": "L", "note": ""},
        {"layer": "", "at": "", "title": "", "note": ""},
    ]
    assert message["steps"] == [{"name": "0", "title": "epoch 0", "note": ""}]
    assert (message["step"], message["group"], message["controls"], message["free"]) == ("epoch", "g", True, False)


def test_the_message_of_a_scene_has_the_colours_of_its_scales_and_of_all_hardness_scales(media):
    plane = pack_classes(np.zeros((2, 3), int))
    layer = Layer("Loss", "values", {ALL_STEPS: plane}, scale="viridis")
    scales = Scene((2, 3), (layer,), ()).message({}, revision=0, definitions={})["scales"]
    assert set(scales) == {"viridis", *HARDNESS_SCALES}
    assert bytes.fromhex(scales["viridis"]) == colour_scale("viridis").tobytes()


def test_all_scripts_are_joined_into_one_module_without_imports():
    text = viewer.join_scripts()
    assert not re.findall(r"^\s*import\b.*$", text, flags=re.MULTILINE)
    assert re.findall(r"^export .*$", text, flags=re.MULTILINE) == ["export default function (component) {"]
    assert sorted(viewer.SCRIPTS) == sorted(path.stem for path in (viewer.FOLDER / "js").glob("*.js"))


def test_no_two_scripts_declare_the_same_name():
    declared = re.findall(DECLARED, viewer.join_scripts(), flags=re.MULTILINE)
    assert len(declared) > len(viewer.SCRIPTS)
    assert sorted(declared) == sorted(set(declared))


def test_each_script_imports_only_names_that_earlier_scripts_export():
    exported: dict[str, set[str]] = {}
    for name in viewer.SCRIPTS:
        text = source(name)
        imports = re.findall(IMPORTED, text, flags=re.MULTILINE)
        assert len(imports) == len(re.findall(r"^import\b", text, flags=re.MULTILINE)), "one import per line"
        for names, other in imports:
            assert set(names.split(", ")) <= exported.get(other, set()), f"{name} imports from {other}"
        exported[name] = set(re.findall(f"^export {DECLARED.removeprefix('^(?:export )?')}", text, flags=re.MULTILINE))


@given(MAPS)
def test_downloaded_files_contain_the_hardness_map(hardness_map):
    np.testing.assert_array_equal(np.load(io.BytesIO(encode_hardness_npy(hardness_map))), hardness_map)
    np.testing.assert_allclose(read_hardness_png(encode_hardness_png(hardness_map)), hardness_map, atol=1 / 65535)


@pytest.mark.parametrize(("size", "side", "expected"), [((300, 400), 200, (150, 200)), ((30, 40), 200, (30, 40))])
def test_a_picture_is_scaled_down_but_never_up(size, side, expected):
    sample = Sample("a", np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8))
    picture = make_picture(sample, side)
    assert picture.size == expected
    assert picture.sample.label_map is not None
    assert picture.sample.label_map.shape == expected
    assert picture.own_size == size


def test_the_digest_of_a_picture_depends_on_its_pixels_and_labels():
    image, labels = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
    pictures = [
        make_picture(Sample("a", image, None), 512),
        make_picture(Sample("b", image.copy(), None), 512),
        make_picture(Sample("a", image, labels), 512),
        make_picture(Sample("a", image + 1, None), 512),
        make_picture(Sample("a", image.reshape(6, 4, 3), None), 512),
    ]
    assert pictures[0].digest == pictures[1].digest
    assert len({picture.digest for picture in pictures}) == 4
