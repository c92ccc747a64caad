"""Definitions of all numbers in the app, read from definitions.md, and links to them by heading."""

from difflib import get_close_matches
from functools import cache
from html import escape
from pathlib import Path

from app import session

PAGE = "method"
"""URL path of the page that shows every definition under its own anchor."""
SOURCE = Path(__file__).with_suffix(".md")


@cache
def read_definitions() -> dict[str, dict[str, str]]:
    """Group to name to definition (markdown), in the order of the file."""
    found: dict[str, dict[str, str]] = {}
    for part in SOURCE.read_text(encoding="utf-8").split("\n## ")[1:]:
        group, *defined = part.split("\n### ")
        texts = (one.split("\n", 1) for one in defined)
        found[group.strip()] = {name: text.strip() for name, text in texts}
    return found


@cache
def list_names() -> frozenset[str]:
    """The names of all definitions."""
    return frozenset(name for group in read_definitions().values() for name in group)


def get_text(name: str) -> str:
    """A definition as markdown, for table headers: their tooltips disappear before a link can be clicked.

    Raises:
        KeyError: there is no such definition.
    """
    make_anchor(name)
    return " ".join(next(group[name] for group in read_definitions().values() if name in group).split())


def make_anchor(name: str) -> str:
    """The anchor of a definition, in the app and on GitHub.

    Raises:
        KeyError: there is no such definition.

    Example:
        >>> make_anchor("Edge contrast")
        'edge-contrast'
    """
    if name not in list_names():
        close = get_close_matches(name, list_names(), n=1)
        raise KeyError(f"no definition of '{name}' in {SOURCE.name}" + (f"; did you mean '{close[0]}'?" * bool(close)))
    return name.lower().replace(" ", "-")


def make_link(name: str) -> str:
    """The URL of a definition, relative to any page; it keeps the run.

    Raises:
        KeyError: there is no such definition.
    """
    return f"{make_method_link()}#{make_anchor(name)}"


def make_method_link() -> str:
    """The URL of the page About the method, relative to any page; it keeps the run."""
    return f"{PAGE}{session.make_run_query()}"


def link_text(text: str, name: str = "") -> str:
    """A markdown link to a definition; its name defaults to the capitalised text.

    Raises:
        KeyError: there is no such definition.
    """
    return f"[{text}]({make_link(name or text[0].upper() + text[1:])})"


def link_html(text: str, name: str) -> str:
    """An HTML link to a definition.

    Raises:
        KeyError: there is no such definition.
    """
    return f'<a href="{escape(make_link(name))}" target="_blank">{escape(text)}</a>'


def list_links(*defined: str) -> str:
    """A markdown list of links to definitions, for captions and tooltips.

    Raises:
        KeyError: one of the definitions does not exist.
    """
    return f"Definitions: {' · '.join(link_text(name, name) for name in defined)}."
