"""Controls and texts of the Stability page."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.scope_picker import PICTURE, format_scope
from app.components.words import find_score, say, say_plainly
from app.loading.analyses import load_analyses
from app.loading.stability import Series, has_followed_images
from hlcore.analysis.stability import kept_epoch_names
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.stability import SPLITS, format_snapshot
from hlcore.figures.style import QUANTITIES
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

FOLLOWED = "followed"
MAPS, VARIATION, MEASURES, PAIRS, LEARNING = "maps", "variation", "measures", "pairs", "learning"
PARTS = {MAPS: "Maps", MEASURES: "Measures", PAIRS: "Epoch pairs", VARIATION: "Variation", LEARNING: "Learning"}
KINDS: dict[Literal["consecutive", "last"], str] = {"consecutive": "Previous snapshot", "last": "Last snapshot"}
MAX_IMAGES = 4
"""Images whose maps are shown side by side."""
SENTENCES = {
    "relative_level": "Does the map fade? The weight in the loss always sums to 1, so fading hardness has no effect on "
    "training.",
    "top10_iou": "Do the hardest pixels stay the hardest? 0.05 is chance. Ignores the other 90 %.",
    "turnover": "Share of the hardest 10 % that changes; the lower the IoU, the higher this is.",
    "total_variation": "Share of the weight, or of the summed loss, that moves elsewhere. The constant c keeps part of "
    "the weight in place whatever the network predicts.",
    "spearman": "Does the order of the pixels stay the same? Ignores the level. Most values are "
    "near 0, where the order is mostly noise.",
    "pearson": "Do high values stay in place? Ignores the level.",
    "edge_share": "Share of the weight, or of the summed loss, at edges of the label map.",
}
"""Measure to what it shows and does not show."""
IMPORTED_SENTENCES = {
    "relative_level": "Mean of the map, as a multiple of that at the first step.",
    "total_variation": "Share of the map, scaled to sum 1, that moves elsewhere. The constant 0.1, added before, keeps "
    "part of it in place.",
    "edge_share": "Share of the map, scaled to sum 1, at edges of the label map.",
}
"""The same of imported maps, where it is another."""
VARIATION_TEXT = (
    "Mean over the pixels of their standard deviation divided by their mean, over the kept epochs. The loss is near 0 "
    "almost everywhere, so small changes count a lot. Scaled, hardness is the weight; c keeps it above 0. "
)
_DEFINITIONS = {
    "relative_level": "Level",
    "top10_iou": "Top tenth IoU",
    "turnover": "Turnover",
    "total_variation": "Total variation",
    "spearman": "Spearman",
    "pearson": "Pearson",
    "edge_share": "Share at edges",
}
"""Measure to its definition."""


def describe_measure(measure: str) -> str:
    """What a measure shows, with a link to its definition."""
    sentence = SENTENCES[measure] if find_score() is None else IMPORTED_SENTENCES.get(measure, SENTENCES[measure])
    return f"{sentence} {definitions.list_links(_DEFINITIONS[measure])}"


def select_scope(run: Run) -> str | Analysis:
    """The selected scope: FOLLOWED, PICTURE or an analysis of several epochs."""
    analyses = {name: found for name, found in load_analyses(run).items() if len(found.record.epochs) > 1}
    options = [*([FOLLOWED] if has_followed_images(run) else []), *analyses, PICTURE]
    session.ensure_choice("scope", options, default=options[0])
    titles = {FOLLOWED: "Followed images", PICTURE: "This image"}
    titles |= {name: format_scope(found) for name, found in analyses.items()}
    st.segmented_control(
        "Measured on",
        options,
        format_func=lambda name: titles[name],
        key="scope",
        required=True,
        wrap=True,
        persist_state="session",
        help="Followed images had their maps saved during training; half of them are training images. To measure a "
        "data set, run `hlcore analyze --epochs all`. A single image is predicted by every kept epoch. "
        + definitions.list_links("Followed images")
        if find_score() is None
        else None,
    )
    chosen: str = session.get_choice("scope")
    return analyses.get(chosen, chosen)


def select_aspect(scope: str | Analysis) -> str:
    """The selected part of the page; analyses have no maps, and followed images no predictions."""
    parts = [MEASURES, PAIRS] if isinstance(scope, Analysis) else [MAPS, MEASURES, PAIRS, VARIATION]
    parts += [] if scope == FOLLOWED or find_score() is not None else [LEARNING]
    session.ensure_choice("aspect", parts, default=parts[0])
    st.segmented_control(
        "Show",
        parts,
        format_func=lambda part: say_plainly(PARTS[part]),
        key="aspect",
        required=True,
        wrap=True,
        persist_state="session",
    )
    return session.get_choice("aspect")


def select_scaling() -> bool:
    """Whether maps are scaled to sum 1 before their variation is measured."""
    options = {"sum": "Scaled to sum 1, as in the loss", "own": "Unscaled"}
    session.ensure_choice("scaled", list(options), default="sum")
    st.segmented_control(
        "Maps",
        list(options),
        format_func=lambda name: options[name],
        key="scaled",
        required=True,
        wrap=True,
        persist_state="session",
        help=say(
            "Scaled: the hardness weight, and the loss divided by its sum, which removes fading. Unscaled: "
            "hardness, and the loss in nats; both vary most where they are near 0. "
            + definitions.list_links("Variation", "Hardness weight", "Hardness", "Loss")
        ),
    )
    return session.get_choice("scaled") == "sum"


def select_images(series: list[Series]) -> list[Series]:
    """The selected images; by default some training and some held-out images."""
    if len(series) == 1:
        st.caption(session.escape_markdown(series[0].title))
        return series
    by_name = {one.picture.sample.name: one for one in series}
    halves = [[name for name, one in by_name.items() if one.split == split] for split in ("train", "val")]
    first = [name for half in halves for name in half[: MAX_IMAGES // 2]]
    session.ensure_choices("images", list(by_name), default=first)
    chosen = st.multiselect(
        "Images",
        list(by_name),
        format_func=lambda name: by_name[name].title,
        key="images",
        max_selections=MAX_IMAGES,
        persist_state="session",
    )
    return [by_name[name] for name in chosen or first]


def select_comparison() -> Literal["consecutive", "last"]:
    """The selected snapshot that each snapshot is compared with."""
    session.ensure_choice("against", list(KINDS), default="consecutive")
    st.segmented_control(
        "Compare with",
        list(KINDS),
        format_func=lambda kind: say_plainly(KINDS[kind]),
        key="against",
        required=True,
        wrap=True,
        persist_state="session",
        help=say(definitions.list_links("Snapshot", "Interval")),
    )
    return session.get_choice("against")


def draw_legend(splits: list[str], maps: Sequence[str]) -> None:
    """Draw the legend of all charts of the page."""
    lines = [
        f'<span style="border-top: 2px {"dashed" if split == "train" else "solid"} {QUANTITIES[name]}; '
        f'display: inline-block; width: 2rem; vertical-align: middle"></span> '
        f"{escape(say_plainly(name))}, {SPLITS.get(split, split)}"
        for split in splits
        for name in maps
    ]
    st.html(f'<p style="margin: 0; font-size: 0.875rem">{"&emsp;".join(lines)}</p>')


def summarise_tables(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """One sentence per split: how far both maps faded, and how much of their hardest 10 % stayed in place."""
    sentences = []
    for split in tables["levels"]["split"].unique():
        levels = tables["levels"].query("split == @split and measure == 'relative_level'").dropna(subset="value")
        pairs = tables["epoch_pairs"].query("split == @split and measure == 'top10_iou' and kind == 'consecutive'")
        last = levels.groupby("map")["value"].last()
        stayed = pairs.dropna(subset="value").groupby("map")["value"].last()
        faded = " and ".join(f"mean {name} is {100 * value:.0f} %" for name, value in last.items())
        overlaps = " and ".join(f"{value:.2f} ({name})" for name, value in stayed.items())
        kept = [f"epoch {format_snapshot(name)}" for name in kept_epoch_names(levels["snapshot"].unique())]
        parts = [f"at {kept[-1]} {faded} of its value at {kept[0]}"] if faded else []
        parts.append(f"between the last two snapshots the hardest 10 % overlap with an IoU of {overlaps}")
        sentences.append(f"**{SPLITS.get(split, split)}**: {'; '.join(parts)}")
    return sentences


def summarise_stability(tables: Mapping[str, pd.DataFrame]) -> str:
    """How much both maps move between kept epochs, and how much of their mean they keep.

    Uses held-out images if there are any. Empty if fewer than two kept epochs have both maps.
    """
    splits = [str(split) for split in tables["levels"]["split"].unique()]
    split = next((name for name in splits if name != "train"), splits[0])
    levels = tables["levels"].query("split == @split and measure == 'relative_level'").dropna(subset="value")
    kept = kept_epoch_names(levels["snapshot"].unique())
    pairs = filter_rows(tables["epoch_pairs"], split=split, measure="total_variation", kind="consecutive")
    moved = [row for row in pairs.dropna(subset=["value"]).to_dict("records") if row["first"] in kept]
    values = {name: [row["value"] for row in moved if row["map"] == name] for name in ("hardness", "loss")}
    median = {name: float(np.median(found)) for name, found in values.items() if found}
    if len(median) < 2 or not median["loss"]:
        return ""
    last = levels[levels["snapshot"] == kept[-1]].set_index("map")["value"].to_dict()
    if len(last) < 2:
        return ""
    images = max(int(row["images"]) for row in moved)
    where = f"{images} image{'' if images == 1 else 's'}{'' if split == PICTURE else f', {SPLITS.get(split, split)}'}"
    ratio = median["hardness"] / median["loss"]
    return (
        f"From one kept epoch to the next the hardness weight moves **{ratio:.2f} times** as much as the loss map "
        f"(median total variation {median['hardness']:.3f} and {median['loss']:.3f}; {where}). At "
        f"epoch {format_snapshot(kept[-1])} hardness keeps **{last['hardness']:.0%}** of its mean at epoch "
        f"{format_snapshot(kept[0])}, the loss **{last['loss']:.0%}**. "
        + definitions.list_links("Total variation", "Level")
    )


def draw_variation_table(variation: pd.DataFrame) -> None:
    """Draw a table of how much pixels vary over the kept epochs."""
    table = variation.assign(
        split=variation["split"].map(lambda split: SPLITS.get(split, split)),
        scaled=variation["measure"].str.endswith("normalised").map({True: "to sum 1", False: "no"}),
    ).dropna(subset="value")
    hints = {"value": "Variation", "low": "Interval", "high": "Interval"}
    table = table.assign(map=table["map"].map(say_plainly))
    st.dataframe(
        table[["split", "map", "scaled", "value", "low", "high"]].dropna(axis="columns", how="all"),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.2f", help=definitions.get_text(hint))
            for name, hint in hints.items()
        },
        key="stability_variation",
    )
    st.caption(
        VARIATION_TEXT + definitions.list_links("Variation", "Hardness weight", "Interval")
        if find_score() is None
        else "Mean over the pixels of their standard deviation divided by their mean, over the steps. "
        + definitions.list_links("Variation", "Interval")
    )
