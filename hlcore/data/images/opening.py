"""Open untrusted image files and check their headers."""

import io
from pathlib import Path

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError
from PIL.ImageFile import ImageFile

from hlcore.errors import DatasetError

MAX_PIXELS = 64_000_000
"""Default limit on the size of an image; its RGB array takes 192 MB."""
OpenFile = io.BytesIO | io.BufferedReader
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
READABLE = "PNG, JPEG, WebP, TIFF, BMP or GIF"

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_IMAGE_STARTS = (*_TIFF_STARTS, b"\x89PNG", b"\xff\xd8\xff", b"BM", b"GIF8")
_OTHER_STARTS = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or office document",
    b"\x1f\x8b": "a gzip archive",
    b"\x1aE\xdf\xa3": "a video",
    b"8BPS": "a Photoshop document",
    b"\x93NUMPY": "a NumPy array",
    b"RIFF": "a video or audio file",
}
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "a HEIC picture"),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF image"),
}


def open_file(source: Path | bytes, name: str) -> OpenFile:
    """The bytes as a file, or the opened file; `name` is used in error messages.

    Raises:
        DatasetError: there is no such file, or it is a folder, empty or not readable.
    """
    if isinstance(source, bytes):
        if not source:
            raise DatasetError(f"{name} is empty (0 bytes); expected one {READABLE} file")
        return io.BytesIO(source)
    if source.is_dir():
        raise DatasetError(f"{name} is a folder; expected one {READABLE} file")
    if not source.is_file():
        raise DatasetError(f"{name} does not exist or is not a regular file; expected one {READABLE} file")
    if not source.stat().st_size:
        raise DatasetError(f"{name} is empty (0 bytes); expected one {READABLE} file")
    try:
        return source.open("rb")
    except OSError as error:
        raise DatasetError(f"{name} cannot be opened ({error.strerror}); check its permissions") from error


def open_header(file: OpenFile, name: str, *, max_pixels: int) -> ImageFile | None:
    """The image before decoding, checked to have at most `max_pixels`; None for a TIFF that Pillow cannot read.

    Raises:
        DatasetError: the file is not a supported image, its header is damaged, or it is too large.
    """
    head = file.read(512)
    file.seek(0)
    try:
        image = PillowImage.open(file, formats=FORMATS)
    except UnidentifiedImageError as error:
        if head.startswith(_TIFF_STARTS):
            return None
        if head.startswith(_IMAGE_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
            raise damaged_file_error(name, "its header cannot be read") from error
        raise DatasetError(f"{name} is {_describe_kind(head)}, not a supported image; use {READABLE}") from error
    except (PillowImage.DecompressionBombError, PillowImage.DecompressionBombWarning) as error:
        limit = min(max_pixels, 2 * (PillowImage.MAX_IMAGE_PIXELS or max_pixels)) / 1e6
        raise DatasetError(f"{name} has far too many pixels; the limit is {limit:.4g} MP, so scale it down") from error
    except Exception as error:  # decoders may raise anything on malformed data
        raise damaged_file_error(name, error) from error
    check_size(image.width, image.height, name, max_pixels=max_pixels)
    return image


def check_size(width: int, height: int, name: str, *, max_pixels: int) -> None:
    """Check that an image has at most `max_pixels`.

    Raises:
        DatasetError: it is larger.
    """
    if width * height > max_pixels:
        raise DatasetError(
            f"{name} has {width} x {height} px = {width * height / 1e6:.1f} MP; "
            f"the limit is {max_pixels / 1e6:.4g} MP, so scale it down"
        )


def damaged_file_error(name: str, cause: object) -> DatasetError:
    """The error for a file that starts like an image but cannot be decoded."""
    detail = f" ({cause})" if " " in str(cause) else ""
    return DatasetError(f"{name} is damaged or incomplete{detail}; save it again as {READABLE}")


def _describe_kind(head: bytes) -> str:
    """What a file that is not an image seems to be, with an article."""
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a video")
    for start, kind in _OTHER_STARTS.items():
        if head.startswith(start):
            return kind
    if b"<svg" in head.lower():
        return "an SVG drawing"
    return "a file of unknown type" if any(byte < 9 for byte in head) else "a text file"
