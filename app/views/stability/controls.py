"""The controls and texts of the page Stability."""

from collections.abc import Mapping
from typing import Literal

import pandas as pd
import streamlit as st

from app import session
from app.components import definitions
from app.components.scope_picker import PICTURE, format_scope
from app.loading.analyses import load_analyses
from app.loading.stability import Series, has_followed_images
from hlcore.analysis.stability import kept_epoch_names
from hlcore.figures.stability import SPLITS, format_snapshot
from hlcore.figures.style import QUANTITIES
from hlcore.storage.analyses import Analysis
from hlcore.storage.runs import Run

FOLLOWED = "followed"
MAPS, VARIATION, MEASURES, PAIRS = "maps", "variation", "measures", "pairs"
PARTS = {MAPS: "Maps", MEASURES: "Measures", PAIRS: "Any two", VARIATION: "Variation"}
KINDS: dict[Literal["consecutive", "last"], str] = {"consecutive": "the one before", "last": "the last"}
MAX_IMAGES = 4
"""Images whose maps stand beside each other."""
SENTENCES = {
    "relative_level": "Whether a map fades. The weight in the loss is scaled to sum 1, so hardness can fade without "
    "any effect on training.",
    "top10_iou": "Whether the hardest places stay the hardest; 0.05 is chance. Blind to the other 90 %.",
    "turnover": "The share of the hardest tenth that leaves it: the IoU, turned round.",
    "total_variation": "The share of the weight, or of the summed loss, that moves elsewhere. The constant c holds "
    "part of the weight still whatever the network says.",
    "spearman": "Whether the order of all pixels stays; blind to level. Near 0, where most pixels lie, it is noise.",
    "pearson": "Whether high values stay where they are, weighted by how high. Blind to level.",
    "edge_share": "How much of the weight, or of the summed loss, lies at edges of the label map.",
}
"""What each measure shows and does not show."""
_DEFINITIONS = {
    "relative_level": "Level",
    "top10_iou": "Top tenth IoU",
    "turnover": "Turnover",
    "total_variation": "Total variation",
    "spearman": "Spearman",
    "pearson": "Pearson",
    "edge_share": "Share at edges",
}
"""Under which name each measure is defined."""


def describe_measure(measure: str) -> str:
    """What a measure shows, and where it is defined."""
    return f"{SENTENCES[measure]} {definitions.list_links(_DEFINITIONS[measure])}"


def select_scope(run: Run) -> str | Analysis:
    """FOLLOWED, one of the run's analyses with several epochs, or widgets.PICTURE: the first there is."""
    analyses = {name: found for name, found in load_analyses(run).items() if len(found.record.epochs) > 1}
    options = [*([FOLLOWED] if has_followed_images(run) else []), *analyses, PICTURE]
    session.ensure_choice("scope", options, default=options[0])
    titles = {FOLLOWED: "Followed images", PICTURE: "This picture"}
    titles |= {name: format_scope(found) for name, found in analyses.items()}
    st.segmented_control(
        "Measured on",
        options,
        format_func=lambda name: titles[name],
        key="scope",
        required=True,
        wrap=True,
        persist_state="session",
        help="Followed images were looked at by the network while it was trained, half of them images it was "
        "trained on; `hlcore analyze --epochs all` measures a data set; a picture is looked at by every kept epoch. "
        + definitions.list_links("Followed images"),
    )
    chosen: str = session.get_choice("scope")
    return analyses.get(chosen, chosen)


def select_aspect(scope: str | Analysis) -> str:
    """Which part of the page is shown; tables that were made elsewhere have no maps."""
    parts = [MEASURES, PAIRS] if isinstance(scope, Analysis) else [MAPS, MEASURES, PAIRS, VARIATION]
    session.ensure_choice("aspect", parts, default=parts[0])
    st.segmented_control(
        "Show",
        parts,
        format_func=lambda part: PARTS[part],
        key="aspect",
        required=True,
        wrap=True,
        persist_state="session",
    )
    return session.get_choice("aspect")


def select_scaling() -> bool:
    """Whether maps are scaled to sum 1 before it is measured how much they vary."""
    options = {"sum": "scaled to sum 1, as in the loss", "own": "as they are"}
    session.ensure_choice("scaled", list(options), default="sum")
    st.segmented_control(
        "Maps",
        list(options),
        format_func=lambda name: options[name],
        key="scaled",
        required=True,
        wrap=True,
        persist_state="session",
        help="Scaled, hardness is the weight (sigmoid + c, over its sum) and the loss is what is left when fading is "
        "taken out. As they are, they are the sigmoid and nats; both vary most where they are near 0. "
        + definitions.list_links("Variation", "Hardness weight", "Hardness", "Loss"),
    )
    return session.get_choice("scaled") == "sum"


def select_images(series: list[Series]) -> list[Series]:
    """Which images are shown beside each other: at first some of each half."""
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
    """Which pairs of snapshots are compared."""
    session.ensure_choice("against", list(KINDS), default="consecutive")
    st.segmented_control(
        "Each snapshot against",
        list(KINDS),
        format_func=lambda kind: KINDS[kind],
        key="against",
        required=True,
        wrap=True,
        persist_state="session",
        help=definitions.list_links("Snapshot", "Interval"),
    )
    return session.get_choice("against")


def draw_legend(splits: list[str]) -> None:
    """The colours and dashes of all figures of the page, once."""
    lines = [
        f'<span style="border-top: 2px {"dashed" if split == "train" else "solid"} {QUANTITIES[name]}; '
        f'display: inline-block; width: 2rem; vertical-align: middle"></span> {name}, {SPLITS.get(split, split)}'
        for split in splits
        for name in ("hardness", "loss")
    ]
    st.html(f'<p style="margin: 0; font-size: 0.875rem">{"&emsp;".join(lines)}</p>')


def summarise_tables(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """One sentence a split: how far both maps faded, and how much of their hardest tenth stayed at last."""
    sentences = []
    for split in tables["levels"]["split"].unique():
        levels = tables["levels"].query("split == @split and measure == 'relative_level'").dropna(subset="value")
        pairs = tables["epoch_pairs"].query("split == @split and measure == 'top10_iou' and kind == 'consecutive'")
        last = levels.groupby("map")["value"].last()
        stayed = pairs.dropna(subset="value").groupby("map")["value"].last()
        faded = " and ".join(f"mean {name} is {100 * value:.0f} %" for name, value in last.items())
        overlaps = " and ".join(f"{value:.2f} ({name})" for name, value in stayed.items())
        kept = [f"epoch {format_snapshot(name)}" for name in kept_epoch_names(levels["snapshot"].unique())]
        parts = [f"at {kept[-1]} {faded} of what it was at {kept[0]}"] if faded else []
        parts.append(f"between the last two snapshots the hardest 10 % overlap with an IoU of {overlaps}")
        sentences.append(f"**{SPLITS.get(split, split)}**: {'; '.join(parts)}")
    return sentences


def draw_variation_table(variation: pd.DataFrame) -> None:
    """How much each pixel varies over the kept epochs, in numbers."""
    table = variation.assign(
        split=variation["split"].map(lambda split: SPLITS.get(split, split)),
        scaled=variation["measure"].str.endswith("normalised").map({True: "to sum 1", False: "as it is"}),
    ).dropna(subset="value")
    hints = {"value": "Variation", "low": "Interval", "high": "Interval"}
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
        "Standard deviation over mean of each pixel over the kept epochs, averaged. The loss is near 0 almost "
        "everywhere, where a little is much; scaled to sum 1, hardness is the weight, which c keeps away from 0. "
        + definitions.list_links("Variation", "Hardness weight", "Interval")
    )
