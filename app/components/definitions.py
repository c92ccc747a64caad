"""What every number of the app is: read from definitions.md, linked to by the name of its heading."""

from difflib import get_close_matches
from functools import cache
from html import escape
from pathlib import Path

from app import session

PAGE = "method"
"""The page on which every definition stands under an anchor of its own."""
SOURCE = Path(__file__).with_suffix(".md")


@cache
def read_definitions() -> dict[str, dict[str, str]]:
    """Group to name to definition, in markdown, in the order of the file."""
    found: dict[str, dict[str, str]] = {}
    for part in SOURCE.read_text(encoding="utf-8").split("\n## ")[1:]:
        group, *defined = part.split("\n### ")
        texts = (one.split("\n", 1) for one in defined)
        found[group.strip()] = {name: text.strip() for name, text in texts}
    return found


@cache
def list_names() -> frozenset[str]:
    """The names of all numbers that are defined."""
    return frozenset(name for group in read_definitions().values() for name in group)


def get_text(name: str) -> str:
    """What a number is, in markdown: for heads of tables, whose tooltips vanish before a link in them can be reached.

    Raises:
        KeyError: nothing of this name is defined.
    """
    make_anchor(name)
    return " ".join(next(group[name] for group in read_definitions().values() if name in group).split())


def make_anchor(name: str) -> str:
    """The anchor of a definition, on the page and on GitHub.

    Raises:
        KeyError: nothing of this name is defined.

    Example:
        >>> anchor("Edge contrast")
        'edge-contrast'
    """
    if name not in list_names():
        close = get_close_matches(name, list_names(), n=1)
        raise KeyError(f"no definition of '{name}' in {SOURCE.name}" + (f"; did you mean '{close[0]}'?" * bool(close)))
    return name.lower().replace(" ", "-")


def make_link(name: str) -> str:
    """The address of a definition, relative to any page of the app; it keeps the run.

    Raises:
        KeyError: nothing of this name is defined.
    """
    return f"{make_method_link()}#{make_anchor(name)}"


def make_method_link() -> str:
    """The address of the page About the method, relative to any page of the app; it keeps the run."""
    return f"{PAGE}{session.make_run_query()}"


def link_text(text: str, name: str = "") -> str:
    """A text, in markdown, that is a link to the definition of a name; without one, of the text with a capital.

    Raises:
        KeyError: nothing of this name is defined.
    """
    return f"[{text}]({make_link(name or text[0].upper() + text[1:])})"


def link_html(text: str, name: str) -> str:
    """A text, in HTML, that is a link to the definition of a name.

    Raises:
        KeyError: nothing of this name is defined.
    """
    return f'<a href="{escape(make_link(name))}" target="_blank">{escape(text)}</a>'


def list_links(*defined: str) -> str:
    """Links to the definitions of these names, in markdown: what stands below charts and in tooltips.

    Raises:
        KeyError: nothing of one of these names is defined.
    """
    return f"Defined: {' · '.join(link_text(name, name) for name in defined)}."
