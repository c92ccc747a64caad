"""The name of an imported score in place of the word hardness."""

import re
from typing import Any

import plotly.graph_objects as go

_NOT_A_NAME = r"(?<![#/.\w-])"
"""Before a word that is not part of a link, an option, or the name of a column, file or image."""
_ENDS = r"\b(?![-_.=]\w)"
_HARDNESS = re.compile(rf"{_NOT_A_NAME}(?:\b([Aa]) )?([Hh])ardness{_ENDS}")
_STEP = re.compile(rf"{_NOT_A_NAME}(?:\b([Aa])n? )?(?:(?:saved|kept) )?(?:([Ee])poch|([Ss])napshot)(s?){_ENDS}")
_KEPT = {"h": "\ue000", "H": "\ue001", "e": "\ue002", "E": "\ue003", "s": "\ue004", "S": "\ue005"}
"""First letters of the words that are replaced, to private characters."""
_TEXTS = {"text", "name", "hovertemplate", "hovertext", "texttemplate", "ticktext", "label", "labels"}
"""Keys of a Plotly figure with texts that are shown."""


def replace_hardness(text: str, title: str) -> str:
    """The text with a score's title where it says hardness, and steps where it says epochs or snapshots.

    Example:
        >>> replace_hardness("Hardness at edges: a hardness of 1 (hardness_mean) at an epoch", "entropy")
        'Entropy at edges: an entropy of 1 (hardness_mean) at a step'
    """

    def put_title(found: re.Match[str]) -> str:
        article = "" if found[1] is None else f"{found[1]}{'n' if title[:1].lower() in 'aeiou' else ''} "
        return article + (capitalise(title) if found[2] == "H" else title)

    def put_step(found: re.Match[str]) -> str:
        is_capital = found[2] == "E" or found[3] == "S"
        return f"{f'{found[1]} ' if found[1] else ''}{'Step' if is_capital else 'step'}{found[4]}"

    replaced = _HARDNESS.sub(put_title, _STEP.sub(put_step, text))
    for letter, kept in _KEPT.items():
        replaced = replaced.replace(kept, letter)
    return replaced


def keep_word(name: str) -> str:
    """A name of a user, such as that of another score, marked so that `replace_hardness` leaves it as it is.

    Example:
        >>> replace_hardness(f"hardness beats {keep_word('hardness')}", "entropy")
        'entropy beats hardness'
    """
    return re.sub(r"\b([hHeEsS])(?=ardness|poch|napshot)", lambda found: _KEPT[found[1]], name)


def capitalise(title: str) -> str:
    """The title with a capital first letter, unless it is an identifier such as mc_dropout or e-9."""
    return title[:1].upper() + title[1:] if re.match(r"[a-z]{3,}( |-|$)", title) else title


def replace_hardness_in_figure(figure: go.Figure, title: str) -> go.Figure:
    """The figure with a score's title in the texts that it shows; its data and column names stay.

    Example:
        >>> figure = go.Figure(go.Bar(x=["hardness"], name="<b>hardness</b>"), {"xaxis": {"title": "Epoch"}})
        >>> named = replace_hardness_in_figure(figure, "doubt")
        >>> named.data[0].name, named.data[0].x[0], named.layout.xaxis.title.text
        ('<b>doubt</b>', 'hardness', 'Step')
    """
    return go.Figure(_walk(figure.to_plotly_json(), title, shown=False))


def _walk(part: Any, title: str, *, shown: bool) -> Any:
    if isinstance(part, dict):
        return {key: _walk(value, title, shown=key in _TEXTS) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_walk(value, title, shown=shown) for value in part]
    return replace_hardness(part, title) if shown and isinstance(part, str) else part
