"""The name of an imported score in place of the word hardness."""

import json
import re

import plotly.graph_objects as go
import plotly.io

_HARDNESS = re.compile(r"(?<![#/\w-])([Hh])ardness\b")

_EPOCH = re.compile(r"(?<![#/\w-])(?:(?:saved|kept) )?([Ee])poch(s?)\b(?![-=])")


def name_score(text: str, title: str) -> str:
    """The text with a score's title where it says hardness, and steps where it says epochs.

    Names of columns, such as hardness_mean, of options and of links stay.

    Example:
        >>> name_score("Hardness at edges, and mean hardness (hardness_mean)", "entropy")
        'Entropy at edges, and mean entropy (hardness_mean)'
    """

    def replace(found: re.Match[str]) -> str:
        return capitalise(title) if found[1] == "H" else title

    steps = _EPOCH.sub(lambda found: ("Step" if found[1] == "E" else "step") + found[2], text)
    return _HARDNESS.sub(replace, steps)


def capitalise(title: str) -> str:
    """The title with a capital first letter, unless it is an identifier such as mc_dropout."""
    return title if "_" in title else title[:1].upper() + title[1:]


def name_score_in_figure(figure: go.Figure, title: str) -> go.Figure:
    """The figure with a score's title in all its texts."""
    escaped = json.dumps(title)[1:-1]
    return plotly.io.from_json(name_score(str(figure.to_json()), escaped))
