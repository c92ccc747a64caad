import io
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageCms, TiffImagePlugin

from hlcore.data.images import read_image
from hlcore.errors import DatasetError

TURN_BACK = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
"""Orientation to the Pillow transposition that stores an upright image with it."""


def tiff(values: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def png(width: int, height: int, *, bits: int = 8, colour_type: int = 2, rows: bytes = b"") -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def deep_png(values: np.ndarray, colour_type: int) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(values.shape[1], values.shape[0], bits=16, colour_type=colour_type, rows=rows)


def grey(scene: np.ndarray) -> np.ndarray:
    return np.repeat(scene[..., :1], 3, axis=2)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("BMP", {}),
        *(("TIFF", {"compression": packing}) for packing in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")),
    ],
)
def test_lossless_formats_give_back_every_pixel(scene, encode, tmp_path, file_format, options):
    content = encode(scene, file_format, **options)
    np.testing.assert_array_equal(read_image(content), scene)
    (tmp_path / "misnamed.dat").write_bytes(content)
    np.testing.assert_array_equal(read_image(tmp_path / "misnamed.dat"), scene)


def test_jpeg_gives_back_the_picture_within_its_compression_error(scene, encode):
    image = read_image(encode(scene, "JPEG", quality=98, subsampling=0))
    assert np.abs(image.astype(int) - scene).max() <= 4


def test_an_image_is_its_own_writable_contiguous_array(scene, encode):
    image = read_image(encode(scene, "PNG"))
    assert image.dtype == np.uint8
    assert image.flags.writeable
    assert image.flags.c_contiguous


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_flag_is_undone(scene, encode, file_format, orientation):
    stored = PillowImage.fromarray(scene)
    if orientation in TURN_BACK:
        stored = stored.transpose(PillowImage.Transpose(TURN_BACK[orientation]))
    exif = PillowImage.Exif()
    exif[274] = orientation
    options = {"JPEG": {"quality": 98, "subsampling": 0}, "WEBP": {"lossless": True}}.get(file_format, {})
    image = read_image(encode(stored, file_format, exif=exif, **options))
    assert image.shape == scene.shape
    assert np.abs(image.astype(int) - scene).max() <= 4


def test_a_float_tiff_is_turned_upright_too(scene):
    stored = np.rot90(scene, 1) / np.float32(255)
    stored[0, 0] = 1
    expected = scene.copy()
    expected[0, -1] = 255
    content = tiff(stored, photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    np.testing.assert_array_equal(read_image(content), expected)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_an_image_with_a_broken_exif_block_is_read(scene, encode):
    content = encode(scene, "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(read_image(content), scene)


def test_grey_becomes_three_equal_channels(scene, encode):
    np.testing.assert_array_equal(read_image(encode(scene[..., 0], "PNG")), grey(scene))


def test_one_bit_becomes_black_and_white(scene, encode):
    bits = scene[..., 0] > 127
    for content in (encode(bits, "PNG"), encode(bits, "TIFF", compression="group4")):
        np.testing.assert_array_equal(read_image(content), np.repeat(bits[..., None] * np.uint8(255), 3, axis=2))


@pytest.mark.parametrize("file_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(scene, encode, file_format):
    content = encode(scene[..., 0].astype(np.uint16) * 257, file_format)
    np.testing.assert_array_equal(read_image(content), grey(scene))


def test_16_bit_colour_png_is_scaled(scene):
    np.testing.assert_array_equal(read_image(deep_png(scene.astype(np.uint16) * 257, 2)), scene)


def test_16_bit_colour_png_is_within_one_level_of_division_by_257():
    values = np.linspace(0, 65535, 999).astype(np.uint16).reshape(9, 37, 3)
    image = read_image(deep_png(values, 2)).astype(float)
    assert np.abs(image - values / 257).max() <= 1


def test_12_bits_in_16_bit_files_are_not_black(scene):
    deep = (scene.astype(int) * 4095 // 255).astype(np.uint16)
    with_alpha = np.dstack([deep, np.full(deep.shape[:2], 65535, np.uint16)])
    for content in (
        *(deep_png(deep, 2), deep_png(with_alpha, 6), tiff(deep, photometric="rgb")),
        *(tiff(deep, photometric="rgb", compression="zlib"), tiff(np.moveaxis(deep, -1, 0), photometric="rgb")),
        *(tiff(with_alpha, photometric="rgb", extrasamples=["unassalpha"]),),
    ):
        np.testing.assert_allclose(read_image(content), scene, atol=1)
        np.testing.assert_allclose(read_image(content, white_level=8190), scene / 2, atol=1)
    for content in (
        *(deep_png(deep[..., 0], 0), deep_png(with_alpha[..., 2:], 4), tiff(deep[..., 0])),
        *(tiff(4095 - deep[..., 0], photometric="miniswhite"), tiff(deep[..., 0].astype(np.int32))),
    ):
        expected = scene[..., [2]] if content == deep_png(with_alpha[..., 2:], 4) else grey(scene)
        np.testing.assert_allclose(read_image(content), np.broadcast_to(expected, scene.shape), atol=1)


def test_every_bit_of_a_deep_colour_png_counts():
    deep = np.arange(0, 600, 2).astype(np.uint16).reshape(10, 10, 3)
    np.testing.assert_array_equal(read_image(deep_png(deep, 2), white_level=600), np.round(deep / 600 * 255))


def test_the_transparent_colour_of_a_deep_png_is_blended_with_white():
    deep = np.full((2, 3, 3), 1000, np.uint16)
    deep[0, 0] = (5, 6, 7)
    content = bytearray(deep_png(deep, 2))
    start = content.index(b"IDAT") - 4
    key = b"tRNS" + struct.pack(">HHH", 5, 6, 7)
    content[start:start] = struct.pack(">I", 6) + key + struct.pack(">I", zlib.crc32(key))
    image = read_image(bytes(content), white_level=1000)
    assert (image == 255).all()
    assert read_image(bytes(content), white_level=2000)[0].tolist() == [[255] * 3, [128] * 3, [128] * 3]


def test_a_colour_profile_is_applied_to_deep_colour(encode):
    red = np.full((4, 4, 3), (65535, 0, 0), dtype=np.uint16)
    plain = deep_png(red, 2)
    start = plain.index(b"IDAT") - 4
    profile = b"iCCP" + b"swapped\0\0" + zlib.compress(swapped_profile())
    chunk = struct.pack(">I", len(profile) - 4) + profile + struct.pack(">I", zlib.crc32(profile))
    np.testing.assert_allclose(read_image(plain[:start] + chunk + plain[start:])[0, 0], (0, 255, 0), atol=2)


def lzw_tiff(planes: np.ndarray, *, tile: int | None = None, prefix: bytes = b"II", black_is_zero: int = 1) -> bytes:
    """A TIFF of separate planes (C H W), each packed with LZW by Pillow: whole, or in one padded tile."""
    packed, (count, height, width) = [], planes.shape
    for plane in planes:
        padded = plane if tile is None else np.pad(plane, ((0, tile - height), (0, tile - width)))
        file = io.BytesIO()
        stored = padded.astype(f"{'<' if prefix == b'II' else '>'}u2")
        PillowImage.frombytes("I;16", padded.shape[::-1], stored.tobytes()).save(file, "TIFF", compression="tiff_lzw")
        with tifffile.TiffFile(io.BytesIO(file.getvalue())) as written:
            page = written.pages[0]
            places = zip(page.dataoffsets, page.databytecounts, strict=True)
            packed.append(b"".join(file.getvalue()[offset : offset + length] for offset, length in places))
            assert len(page.dataoffsets) == 1
    entries = {
        256: width,
        257: height,
        259: 5,
        262: 2 if count == 3 else black_is_zero,
        277: count,
        284: 2 if count > 1 else 1,
    }
    entries |= {258: (16,) * count} | ({278: height} if tile is None else {322: tile, 323: tile})
    offsets, lengths = (273, 279) if tile is None else (324, 325)
    directory = TiffImagePlugin.ImageFileDirectory_v2(prefix=prefix)
    for tag, value in entries.items():
        directory[tag] = value
    directory[lengths] = [len(part) for part in packed]
    directory.tagtype[offsets] = 4
    starts = [sum(map(len, packed[:number])) for number in range(count)]
    directory[offsets] = starts
    end = directory.save(io.BytesIO())
    if tile is not None:
        directory[offsets] = [end + start for start in starts]
    file = io.BytesIO()
    directory.save(file)
    return file.getvalue() + b"".join(packed)


@pytest.mark.parametrize("tile", [None, 16])
@pytest.mark.parametrize("prefix", [b"II", b"MM"])
def test_16_bit_planes_packed_with_lzw_are_read(scene, tile, prefix):
    planes = np.moveaxis(scene, -1, 0).astype(np.uint16) * 257
    np.testing.assert_array_equal(read_image(lzw_tiff(planes, tile=tile, prefix=prefix)), scene)
    np.testing.assert_array_equal(read_image(lzw_tiff(planes[:1], tile=tile, prefix=prefix)), grey(scene))
    inverted = lzw_tiff(65535 - planes[:1], tile=tile, prefix=prefix, black_is_zero=0)
    np.testing.assert_array_equal(read_image(inverted), grey(scene))


def test_a_packing_that_cannot_be_unpacked_is_refused_by_its_name(scene):
    planes = np.moveaxis(scene, -1, 0).astype(np.uint16)
    content = lzw_tiff(planes).replace(
        struct.pack("<HHIHH", 259, 3, 1, 5, 0), struct.pack("<HHIHH", 259, 3, 1, 34925, 0)
    )
    with pytest.raises(
        DatasetError, match="3 channels of uint16 compressed with LZMA, which cannot be unpacked; save it"
    ):
        read_image(content)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("packing", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_16_bit_colour_tiff_is_scaled_in_every_layout(scene, byteorder, packing, planes):
    values = scene.astype(np.uint16) * 257
    values = np.moveaxis(values, -1, 0) if planes == "separate" else values
    content = tiff(values, photometric="rgb", planarconfig=planes, byteorder=byteorder, compression=packing)
    np.testing.assert_array_equal(read_image(content), scene)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("white", [1, 255])
def test_float_tiffs_are_scaled_by_the_range_they_use(scene, dtype, white):
    scene[0, 0] = 255
    values = (scene * (white / 255)).astype(dtype)
    np.testing.assert_array_equal(read_image(tiff(values, photometric="rgb")), scene)
    grey_values = np.ascontiguousarray(values[..., 0])
    np.testing.assert_array_equal(read_image(tiff(grey_values, photometric="minisblack")), grey(scene))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_with_0_as_white_is_inverted(scene, dtype):
    values = (255 - scene[..., 0]).astype(dtype) * dtype(1 if dtype is np.uint8 else 257)
    np.testing.assert_array_equal(read_image(tiff(values, photometric="miniswhite")), grey(scene))


def test_a_palette_image_has_the_colours_of_its_palette(encode):
    image = PillowImage.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), mode="P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    for file_format in ("PNG", "TIFF", "GIF", "BMP"):
        assert read_image(encode(image, file_format))[0].tolist() == [[255, 0, 0], [0, 255, 0], [0, 0, 255]]


@pytest.mark.parametrize("transparency", [1, bytes([255, 0, 128])])
def test_transparent_palette_colours_are_blended_with_white(encode, transparency):
    image = PillowImage.fromarray(np.array([[0, 1, 2]], dtype=np.uint8), mode="P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    pixels = read_image(encode(image, "PNG", transparency=transparency))[0].tolist()
    assert pixels[:2] == [[255, 0, 0], [255, 255, 255]]
    assert pixels[2] == ([0, 0, 255] if transparency == 1 else [127, 127, 255])


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_transparency_is_blended_with_white(encode, file_format):
    pixels = np.array([[[200, 10, 10, 255], [200, 10, 10, 0]]], dtype=np.uint8)
    options = {"lossless": True} if file_format == "WEBP" else {}
    assert read_image(encode(pixels, file_format, **options))[0].tolist() == [[200, 10, 10], [255, 255, 255]]


def test_grey_with_transparency_is_blended_with_white(encode):
    pixels = PillowImage.fromarray(np.array([[[90, 255], [90, 0]]], dtype=np.uint8), mode="LA")
    assert read_image(encode(pixels, "PNG"))[0].tolist() == [[90, 90, 90], [255, 255, 255]]
    deep = np.array([[[90 * 257, 65535], [90 * 257, 0]]], dtype=np.uint16)
    assert read_image(deep_png(deep, 4))[0].tolist() == [[90, 90, 90], [255, 255, 255]]


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(scene, encode, file_format):
    content = encode(PillowImage.fromarray(scene).convert("CMYK"), file_format)
    assert np.abs(read_image(content).astype(int) - scene).max() <= 12


def test_cmyk_jpeg_is_inverted_only_where_adobe_wrote_it(encode):
    ink = PillowImage.new("CMYK", (8, 8), (0, 200, 200, 0))  # red
    adobe = encode(ink, "JPEG", quality=98)
    marker = adobe.index(b"\xff\xee")
    plain = adobe[:marker] + adobe[marker + 16 :]
    inverted_plain = encode(ink.point(lambda value: 255 - value), "JPEG", quality=98)
    inverted_plain = inverted_plain[:marker] + inverted_plain[marker + 16 :]
    np.testing.assert_allclose(read_image(adobe)[0, 0], [255, 55, 55], atol=3)
    np.testing.assert_allclose(read_image(inverted_plain)[0, 0], [255, 55, 55], atol=3)
    assert read_image(plain)[0, 0, 0] < 60


def test_ycbcr_becomes_rgb(scene, encode):
    content = encode(PillowImage.fromarray(scene).convert("YCbCr"), "TIFF")
    assert np.abs(read_image(content).astype(int) - scene).max() <= 4


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [((255, 0, 0), (255, 255, 255)), ((128, 0, 0), (119, 119, 119)), ((128, 40, 0), (181, 90, 121))],
)
def test_cielab_becomes_rgb(lab, rgb):
    """Expected colours from skimage.color.lab2rgb at L = 128 / 2.55."""
    values = np.full((4, 4, 3), lab, dtype=np.uint8)
    np.testing.assert_allclose(read_image(tiff(values, photometric="cielab"))[0, 0], rgb, atol=2)


def swapped_profile() -> bytes:
    """An sRGB profile with red and green primaries swapped: applying it swaps the colours."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = range(132, 132 + 12 * int.from_bytes(profile[128:132], "big"), 12)
    entry = {bytes(profile[start : start + 4]): start for start in entries}
    red, green = entry[b"rXYZ"], entry[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP"])
def test_an_embedded_colour_profile_is_applied(encode, file_format):
    red = np.full((4, 4, 3), (255, 0, 0), dtype=np.uint8)
    options = {"lossless": True} if file_format == "WEBP" else {}
    image = read_image(encode(red, file_format, icc_profile=swapped_profile(), **options))
    np.testing.assert_allclose(image[0, 0], (0, 255, 0), atol=2)


def test_the_srgb_profile_changes_nothing(scene, encode):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = read_image(encode(scene, "PNG", icc_profile=srgb))
    assert np.abs(image.astype(int) - scene).max() <= 1


@pytest.mark.parametrize(
    "profile",
    [b"garbage" * 30, b"x", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes(), swapped_profile()[:300]],
)
def test_a_broken_or_foreign_colour_profile_is_ignored(scene, encode, profile):
    np.testing.assert_array_equal(read_image(encode(scene, "PNG", icc_profile=profile)), scene)


def test_the_first_frame_of_an_animation_is_read(encode):
    red, blue = PillowImage.new("RGB", (5, 4), "red"), PillowImage.new("RGB", (5, 4), "blue")
    for file_format, options in (("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        content = encode(red, file_format, save_all=True, append_images=[blue], **options)
        assert read_image(content)[0, 0].tolist() == [255, 0, 0], file_format


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"hello world, this is no image\n", "a text file"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF document"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC picture"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF image"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0", "a video"),
        (b"RIFF\x24\0\0\0AVI LIST", "a video or audio file"),
        (b"PK\x03\x04\x14\0", "a ZIP archive"),
        (bytes(range(200)), "a file of unknown type"),
    ],
)
def test_a_file_that_is_not_an_image_is_named_and_refused(content, kind):
    with pytest.raises(DatasetError, match=rf"^holiday.png is {kind}.*use PNG, JPEG, WebP, TIFF, BMP or GIF$"):
        read_image(content, name="holiday.png")


def test_a_text_file_called_png_is_refused_by_its_path(tmp_path):
    path = tmp_path / "notes.png"
    path.write_text("not a picture")
    with pytest.raises(DatasetError, match=r"notes.png is a text file"):
        read_image(path)


def test_files_that_cannot_be_opened_are_refused(tmp_path):
    (tmp_path / "empty.png").touch()
    for path, sentence in [
        (tmp_path, "is a folder"),
        (tmp_path / "empty.png", r"empty.png is empty \(0 bytes\)"),
        (tmp_path / "gone.png", "gone.png does not exist"),
    ]:
        with pytest.raises(DatasetError, match=sentence):
            read_image(path)
    with pytest.raises(DatasetError, match=r"upload is empty \(0 bytes\)"):
        read_image(b"")


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_truncated_file_is_refused(encode, file_format, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    content = encode(noise, file_format)
    with pytest.raises(DatasetError, match=r"cut.* is damaged or incomplete|cut is a .*file"):
        read_image(content[: int(len(content) * share)], name="cut")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("side", "sentence"),
    [
        (8_100, "8100 x 8100 px = 65.6 MP; the limit is 64 MP"),
        (10_000, "10000 x 10000 px = 100.0 MP; the limit is 64 MP"),
        (65_535, "far too many pixels; the limit is 64 MP"),
        (2**31 - 1, "far too many pixels; the limit is 64 MP"),
    ],
)
def test_a_decompression_bomb_is_refused_by_its_header(side, sentence):
    with pytest.raises(DatasetError, match=sentence):
        read_image(png(side, side, rows=bytes(100)))


def test_the_pixel_limit_is_the_callers(scene, encode):
    content = encode(scene, "PNG")
    assert read_image(content, max_pixels=12 * 16).shape == (12, 16, 3)
    with pytest.raises(DatasetError, match="16 x 12 px"):
        read_image(content, max_pixels=12 * 16 - 1)
    with pytest.raises(DatasetError, match="16 x 12 px"):
        read_image(tiff(scene / 255, photometric="rgb"), max_pixels=12 * 16 - 1)


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (np.zeros((8, 9, 5), np.uint8), {"photometric": "minisblack", "planarconfig": "contig"}),
        (np.zeros((8, 9, 3), np.uint16), {"photometric": "cielab"}),
        (np.zeros((8, 9, 4), np.float32), {"photometric": "minisblack", "planarconfig": "contig"}),
    ],
)
def test_an_unsupported_tiff_is_refused_by_its_kind(values, options):
    with pytest.raises(DatasetError, match=r"TIFF of an unusual kind \(photometric .* save it as 8-bit RGB"):
        read_image(tiff(values, **options))


@pytest.mark.parametrize(("tag", "side"), [(256, 16), (257, 12)])
def test_a_rare_tiff_that_claims_more_than_it_holds_is_refused(scene, tag, side):
    content = bytearray(tiff(scene / 255, photometric="rgb"))
    entry = content.index(struct.pack("<HHII", tag, 4, 1, side))
    content[entry + 8 : entry + 12] = struct.pack("<I", 60_000)
    with pytest.raises(DatasetError, match="damaged or incomplete"):
        read_image(bytes(content))


def test_a_rare_tiff_that_would_fill_the_memory_is_refused(scene):
    content = bytearray(tiff(scene / 255, photometric="rgb", tile=(16, 16)))
    for tag, side in ((256, 16), (257, 12), (322, 16), (323, 16)):
        entry = next(
            content.index(packed)
            for packed in (struct.pack("<HHII", tag, 4, 1, side), struct.pack("<HHIHH", tag, 3, 1, side, 0))
            if packed in content
        )
        content[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 7_000)
    with pytest.raises(DatasetError, match="upload holds 1176 MB of float64; the limit is 256 MB"):
        read_image(bytes(content))


@settings(max_examples=150, deadline=None)
@given(st.data())
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_file_gives_an_image_or_a_clear_error(data):
    content = bytearray(data.draw(st.sampled_from(DAMAGED)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        image = read_image(bytes(content[: data.draw(st.integers(8, len(content)))]), max_pixels=1_000_000)
    except DatasetError as error:
        assert str(error).startswith("upload ")  # noqa: PT017 - an image is as good
    else:
        assert image.shape[2] == 3


def _small_files() -> list[bytes]:
    picture = PillowImage.fromarray(np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8))
    files = []
    for file_format in ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF"):
        file = io.BytesIO()
        picture.save(file, file_format)
        files.append(file.getvalue())
    deep = np.asarray(picture).astype(np.uint16) * 16
    rare = [tiff(np.asarray(picture) / 255, photometric="rgb"), lzw_tiff(np.moveaxis(deep, -1, 0))]
    return [
        *files,
        *rare,
        deep_png(deep, 2),
        tiff(deep, photometric="rgb"),
        tiff(deep, photometric="rgb", tile=(16, 16)),
    ]


DAMAGED = _small_files()


def test_reading_images_loads_no_torch():
    code = "import sys, hlcore.data.images, hlcore.data.samples; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
