import unicodedata
from pathlib import Path

import pytest
import yaml

from hlcore.data.labels import ClassTable
from hlcore.data.text import read_text, read_yaml
from hlcore.errors import DatasetError, InvalidInputError

WORDS = "Stra\u00dfe\ncaf\u00e9\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_text_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "list.txt").write_text(WORDS, encoding=encoding)
    assert read_text(tmp_path / "list.txt") == WORDS


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_both_byte_orders_of_utf_16_are_read(tmp_path: Path, mark: str) -> None:
    (tmp_path / "list.txt").write_bytes(("\ufeff" + WORDS).encode(mark))
    assert read_text(tmp_path / "list.txt") == WORDS


def test_windows_1252_is_taken_only_with_a_sentence(tmp_path: Path, caplog) -> None:
    caplog.set_level("INFO")
    (tmp_path / "list.txt").write_text(WORDS, encoding="utf-8")
    read_text(tmp_path / "list.txt")
    assert not caplog.text
    (tmp_path / "list.txt").write_text(WORDS, encoding="cp1252")
    read_text(tmp_path / "list.txt")
    assert "list.txt is not UTF-8; it is read as Windows-1252" in caplog.text


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00", "abc".encode("utf-16-le"), b"\x81", b"\xff\xfe\x00"])
def test_what_is_no_text_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(DatasetError, match=r"list.txt is not a text file.*save it as UTF-8"):
        read_text(tmp_path / "list.txt")


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3", "x:\n  a: 1\n  a: 2", '{"a": 1, "a": 2}'])
def test_a_key_listed_twice_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.yaml").write_text(text)
    with pytest.raises(yaml.YAMLError, match="'a' is listed twice"):
        read_yaml(tmp_path / "settings.yaml")


def test_class_names_are_compared_composed() -> None:
    composed, decomposed = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
    assert ClassTable((decomposed,), ((0, 0, 0),)).names == (composed,)
    with pytest.raises(InvalidInputError, match="more than once"):
        ClassTable((composed, decomposed), ((0, 0, 0),) * 2)
