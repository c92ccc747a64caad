"""What the viewer of the Errors page shows: the flagged pixels and the errors among them, and the score itself."""

import numpy as np

from app import cache, scenes
from app.cache.errors import Scored
from app.error_controls import Choice
from app.error_sentences import percent
from app.samples import Picture
from app.viewer import ColourBar, Panel, Readout, Scene
from hlcore.analysis.flagging import CAUGHT, FALSE_ALARM, FLAGGED, MISSED, Caught
from hlcore.figures.errors import SCORES
from hlcore.figures.style import Colour, colour_scale
from hlcore.storage.runs import Run

KINDS: dict[int, tuple[str, Colour]] = {
    CAUGHT: ("caught: wrong and flagged", (86, 180, 233)),
    MISSED: ("missed: wrong, not flagged", (213, 94, 0)),
    FALSE_ALARM: ("false alarm: right, but flagged", (240, 228, 66)),
    FLAGGED: ("flagged", (240, 228, 66)),
}
"""Name and colour of each kind of pixel (Okabe and Ito 2008); told apart by their lightness too."""
LABELLED = (CAUGHT, MISSED, FALSE_ALARM)
NAMES = ("right and not flagged, or not counted", *(name for name, _ in KINDS.values()))


def error_scene(
    run: Run, picture: Picture, choice: Choice, scored: Scored, outcome: np.ndarray, shares: Caught, *, name: str
) -> Scene:
    """The picture with its flagged pixels, and the score that flags them.

    Args:
        run: Whose network looked at the picture.
        picture: Shown in dark grey beneath the flagged pixels.
        choice: Score and look.
        scored: Its scores.
        outcome: H W, the kinds of pixels.
        shares: What the outcome comes to, said beside the picture.
        name: Of the outcome, among those of one score of `scored`.
    """
    score, look, maps = choice.score, choice.look, cache.maps(run, choice.epoch, picture)
    colours = np.zeros((256, 4), np.uint8)
    for kind, (_, colour) in KINDS.items():
        colours[kind] = (*colour, 255)
    values, high, unit = _values(scored.scores[score], score, len(run.record.class_names))
    shown = LABELLED if scored.error is not None else (FLAGGED,)
    scale = colour_scale(look.scale)[:: -1 if score == "edge_distance" else 1]
    title = SCORES[score][0].upper() + SCORES[score][1:]
    flagged = "Flagged" if scored.error is None else "Flagged, and wrong"
    note = f"{percent(shares.pixels_share)} of the pixels"
    note += "" if np.isnan(shares.errors_share) else f", {percent(shares.errors_share)} of the errors"
    return Scene(
        planes=(
            cache.image_plane(picture),
            cache.class_plane("outcome", f"{scored.identity}:{score}:{name}", outcome),
            cache.value_plane(score, f"{scored.identity}:{score}", values, low=0, high=high),
            *(() if score == "hardness" else (scenes.hardness_plane("hardness", maps),)),
        ),
        panels=(
            Panel(flagged, note, base="image", dim=True, layer="outcome", colours=colours),
            Panel(title, base="image", layer=score, colours=scale, high=high, opacity=look.opacity),
        ),
        columns=2,
        readouts=(
            Readout("pixel", "outcome", NAMES),
            Readout(SCORES[score], score, unit=unit),
            *(() if score == "hardness" else (Readout("hardness", "hardness"),)),
        ),
        bars=(ColourBar(title, scale, "0", f"{high:.3g}", unit),),
        classes=tuple(KINDS[kind] for kind in shown),
        height_vh=46,
    )


def _values(score_map: np.ndarray, score: str, classes: int) -> tuple[np.ndarray, float, str]:
    """A score as it is shown, the upper end of its scale, and its unit: distances grow away from the edge."""
    if score == "edge_distance":
        distance = np.where(np.isinf(score_map), np.nan, -score_map).astype(np.float32)
        return distance, max(1.0, float(np.nan_to_num(distance).max())), " px"
    return (score_map, float(np.log(classes)), " nats") if "entropy" in score else (score_map, 1.0, "")
