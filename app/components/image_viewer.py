"""The image viewer with its settings, which are part of the link and apply to every page."""

from functools import partial

from app import session
from app.components import definitions
from app.viewer import mount_viewer
from app.viewer.scene import MEASURES, Scene
from hlcore.figures.style import HARDNESS_SCALES

LOSS_LIMITS_NATS = (1, 2, 4, 8)
"""Upper limits of the loss colours to choose from."""
VIEWER_CHOICES = ("opacity", "scale", "nats", "above", "zoom", "compare", "grey", "hidden", "outlines", "box", "x", "y")
"""URL parameters of every viewer."""
PICTURE_CHOICES = ("zoom", "x", "y", "box")
"""Those that are reset when another image is shown."""
_NUMBER = r"\d+(?:\.\d+)?"
_PATTERNS = {
    "above": r"[^:,]+:-?[\d.e-]+(?:,[^:,]+:-?[\d.e-]+)*",
    "zoom": rf"{_NUMBER},{_NUMBER},{_NUMBER}",
    "compare": r"(?:wipe|blink),[^,]+,\d+",
    "grey": "1",
    "outlines": "objects|regions",
    "box": r"\d+,\d+,\d+,\d+",
}
"""Regular expressions of some parameters; a value that does not match is dropped with a warning."""
_DEFINITIONS = ("Means of an image", "Threshold", "Means of a rectangle", "Object", "Error")
"""The definition of each of MEASURES."""


def draw_viewer(scene: Scene, *, key: str) -> None:
    """Draw a scene with the settings of the link, and store the choices that users make in it.

    Args:
        scene: The scene.
        key: Key of the viewer, unique on the page.
    """
    if scene.identity and scene.controls and not scene.private:
        session.reset_choices_on_change(PICTURE_CHOICES, scene.identity)
    session.ensure_number("opacity", 0, 100, default=70)
    session.ensure_choice("scale", HARDNESS_SCALES, default=HARDNESS_SCALES[0])
    session.ensure_choice("nats", LOSS_LIMITS_NATS, default=4)
    session.ensure_pinned_pixel(*reversed(scene.size))
    for name, form in _PATTERNS.items():
        session.drop_malformed_choice(name, form)
    names = [*VIEWER_CHOICES, *([scene.step] if scene.steps else [])]
    if any(layer.kind == "change" for layer in scene.layers):
        names.append("other")
    if scene.free:
        session.report_unknown_choices("show", [layer.name for layer in scene.layers])
        names.append("show")
    mount_viewer(
        scene,
        key=key,
        view=session.get_link_texts(names),
        revision=session.get_last_report(key),
        definitions={
            name: definitions.make_link(heading) for name, heading in zip(MEASURES, _DEFINITIONS, strict=True)
        },
        on_view=partial(session.apply_viewer_report, key),
    )
