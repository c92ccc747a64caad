"""Read text files that people wrote: in any usual encoding, with names that compare alike."""

import codecs
import logging
import unicodedata
from pathlib import Path
from typing import Any

import yaml

from hlcore.errors import DatasetError

log = logging.getLogger(__name__)

_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark begins alike
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order mark to encoding."""


class _StrictLoader(yaml.SafeLoader):
    """YAML in which no mapping may hold a key twice; PyYAML itself keeps the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [normalise_name(key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            raise yaml.constructor.ConstructorError(None, None, f"{repeated[0]!r} is listed twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_text(path: Path) -> str:
    """The text of a file: in the encoding of its byte order mark, otherwise UTF-8, otherwise Windows-1252.

    Raises:
        OSError: the file cannot be opened.
        DatasetError: it is no text in any of these encodings.
    """
    content = path.read_bytes()
    encoding = next((name for mark, name in _ENCODINGS.items() if content.startswith(mark)), "utf-8")
    try:
        text = _decode(content, encoding, path)
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a text file in UTF-8, UTF-16 or Windows-1252; save it as UTF-8") from error
    if "\0" in text:
        raise DatasetError(f"{path} is not a text file, or is UTF-16 without a byte order mark; save it as UTF-8")
    return text


def read_yaml(path: Path) -> Any:
    """The content of a YAML or JSON file; a key that is listed twice is an error.

    Raises:
        OSError: the file cannot be opened.
        DatasetError: it is no text.
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(read_text(path), _StrictLoader)  # noqa: S506  (a SafeLoader)


def normalise_name(name: str) -> str:
    r"""The name of a sample or class in the form in which names are compared (NFC).

    macOS may store "é" as two characters, other systems store one.

    Example:
        >>> len("e\u0301"), len(normalise_name("e\u0301"))
        (2, 1)
    """
    return unicodedata.normalize("NFC", name)


def _decode(content: bytes, encoding: str, path: Path) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise
    text = content.decode("cp1252")
    log.info("%s is not UTF-8; it is read as Windows-1252", path)
    return text
