"""Scene of the Errors page: flagged and wrong pixels, and the score."""

import numpy as np

from app.components import definitions
from app.components.layers import make_caption, make_hardness_layer, make_image_layer, make_score_layer
from app.loading.errors import ScoredPicture
from app.loading.pictures import Picture
from app.loading.planes import SCORE, compute_highest_entropy, load_class_plane, load_planes, load_value_plane
from app.viewer.scene import ALL_STEPS, Layer, Panel, Scene
from app.views.errors.controls import Choice
from app.views.errors.sentences import IN_NATS, format_percent
from hlcore.analysis.flagging import CAUGHT, FALSE_ALARM, FLAGGED, MISSED, FlaggingResult
from hlcore.figures.errors import name_score
from hlcore.figures.style import ENTROPY_SCALE, Colour, ScaleName
from hlcore.figures.words import capitalise
from hlcore.storage.runs import Run

KINDS: dict[int, tuple[str, Colour]] = {
    CAUGHT: ("caught: wrong and flagged", (86, 180, 233)),
    MISSED: ("missed: wrong, not flagged", (213, 94, 0)),
    FALSE_ALARM: ("false alarm: correct but flagged", (240, 228, 66)),
    FLAGGED: ("flagged", (240, 228, 66)),
}
"""Name and colour of each kind of pixel (Okabe and Ito 2008), also distinguishable by lightness."""
LABELLED_KINDS = (CAUGHT, MISSED, FALSE_ALARM)
OTHER_PIXELS = "correct and not flagged, or not counted"
SCALES: dict[str, ScaleName | None] = {"hardness": None, "edge_distance": "viridis"}
"""Colour scale of scores that do not use that of entropy; None: the selected hardness scale."""


def make_scene(
    run: Run,
    picture: Picture,
    choice: Choice,
    scored: ScoredPicture,
    outcome: np.ndarray,
    shares: FlaggingResult,
    *,
    name: str,
) -> Scene:
    """The image with its flagged pixels, and the score that flags them.

    Args:
        run: The run whose network predicts.
        picture: Shown in dark grey below the flagged pixels.
        choice: Score and epoch.
        scored: The score maps of the picture.
        outcome: H W, the kind of each pixel.
        shares: Shares shown beside the image.
        name: Name of the outcome, unique for the score.
    """
    score = choice.score
    note = f"{format_percent(shares.pixels_share)} of pixels"
    note += "" if np.isnan(shares.errors_share) else f", {format_percent(shares.errors_share)} of errors"
    outcomes = load_class_plane("outcome", f"{scored.identity}:{score}:{name}", outcome)
    hardness = make_hardness_layer({ALL_STEPS: load_planes(run, choice.epoch, picture)["hardness"]})
    of_score = hardness if score == "hardness" else _make_score_layer(run, picture, choice, scored)
    return Scene(
        picture.size,
        (
            make_image_layer(picture),
            Layer("Flagged", "classes", {ALL_STEPS: outcomes}, dim=True, classes=_list_kinds(scored)),
            of_score,
            *(() if score == "hardness" else (hardness,)),
        ),
        (
            Panel("Flagged", title="Flagged" if scored.error is None else "Flagged and wrong", note=note),
            Panel(of_score.name),
        ),
        columns=2,
        narrow_columns=1,
        caption=make_caption(run, picture),
        height_vh=38,
    )


def _make_score_layer(run: Run, picture: Picture, choice: Choice, scored: ScoredPicture) -> Layer:
    """The score that flags pixels, if it is not hardness."""
    score = choice.score
    imported = run.record.imported and run.record.imported.find(score)
    if imported is not None:
        planes = load_planes(run, choice.epoch, picture)
        return make_score_layer(imported, {ALL_STEPS: planes[SCORE + imported.title]})
    values, high, unit = _scale_score(scored.scores[score], score, run)
    numbers = load_value_plane(score, f"{scored.identity}:{score}", values, low=0, high=high)
    return Layer(
        capitalise(name_score(score)),
        "values",
        {ALL_STEPS: numbers},
        scale=SCALES.get(score, ENTROPY_SCALE),
        high=high,
        unit=unit,
        over=True,
        definition=definitions.make_link("Scores"),
    )


def _list_kinds(scored: ScoredPicture) -> tuple[tuple[str, Colour | None], ...]:
    """Name and colour of every kind of pixel; kinds that cannot occur have no colour."""
    shown = LABELLED_KINDS if scored.error is not None else (FLAGGED,)
    kinds = [(name, colour if kind in shown else None) for kind, (name, colour) in KINDS.items()]
    return ((OTHER_PIXELS, None), *kinds)


def _scale_score(score_map: np.ndarray, score: str, run: Run) -> tuple[np.ndarray, float, str]:
    """The score as it is shown, its upper limit and its unit; distances are shown as positive px."""
    if score == "edge_distance":
        distance = np.where(np.isinf(score_map), np.nan, -score_map).astype(np.float32)
        return distance, max(1.0, float(np.nan_to_num(distance).max())), " px"
    return (score_map, compute_highest_entropy(run), " nats") if score in IN_NATS else (score_map, 1.0, "")
