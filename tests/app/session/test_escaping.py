"""Names and sentences from files and links appear literally."""

from html import escape

import pytest
from markdown_it import MarkdownIt

from app import session


@pytest.mark.parametrize(
    "sentence",
    [
        "disc [/old] is damaged",
        "![x](http://example.org/a.png) cannot be read; see `--help`",
        "C:\\photos\\a_b_c*d*.png: expected <b>one</b> $x$ file & no ~~other~~ :red[one]",
        "# 1. a | b",
    ],
)
def test_a_sentence_shows_every_character_literally(sentence: str) -> None:
    shown = MarkdownIt("commonmark").render(session.escape_sentence(sentence))
    assert shown == f"<p>{escape(sentence, quote=False)}</p>\n".replace('"', "&quot;")
