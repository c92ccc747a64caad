"""How maps are shown: the reader's choices in the viewers, which stand in the link and hold on every page."""

from functools import partial

from app import session
from app.components import definitions
from app.viewer import viewer
from app.viewer.scene import MEASURED, Scene
from hlcore.figures.style import HARDNESS_SCALES

NATS = (1, 2, 4, 8)
"""Upper ends of the loss maps' colours to choose from."""
CHOICES = ("opacity", "scale", "nats", "above", "zoom", "compare", "grey", "hidden", "outlines", "box", "x", "y")
"""Link parameters that every viewer has."""
OF_PICTURE = ("zoom", "x", "y", "box")
"""Those that mean nothing on another picture."""
_NUMBER = r"\d+(?:\.\d+)?"
_FORMS = {
    "above": r"[^:,]+:-?[\d.e-]+(?:,[^:,]+:-?[\d.e-]+)*",
    "zoom": rf"{_NUMBER},{_NUMBER},{_NUMBER}",
    "compare": r"(?:wipe|blink),[^,]+,\d+",
    "grey": "1",
    "outlines": "objects|regions",
    "box": r"\d+,\d+,\d+,\d+",
}
"""What the texts of some choices look like; one that does not is dropped, and said so."""
_HEADINGS = ("Means of an image", "Threshold", "Means of a rectangle", "Object", "Error")
"""Under which name each of MEASURED is defined."""


def show(scene: Scene, *, key: str) -> None:
    """Draws a scene as the link says, and takes over what the reader chooses in it.

    Args:
        scene: What is drawn.
        key: Of the viewer, unique on the page.
    """
    if scene.identity and scene.controls and not scene.private:
        session.belongs(OF_PICTURE, scene.identity)
    session.number("opacity", 0, 100, default=70)
    session.choice("scale", HARDNESS_SCALES, default=HARDNESS_SCALES[0])
    session.choice("nats", NATS, default=4)
    session.point(*reversed(scene.size))
    for name, form in _FORMS.items():
        session.formed(name, form)
    names = [*CHOICES, *([scene.step] if scene.steps else [])]
    if any(layer.kind == "change" for layer in scene.layers):
        names.append("other")
    if scene.free:
        session.known("show", [layer.name for layer in scene.layers])
        names.append("show")
    viewer(
        scene,
        key=key,
        view=session.texts(names),
        heard=session.heard(key),
        definitions={name: definitions.link(heading) for name, heading in zip(MEASURED, _HEADINGS, strict=True)},
        on_view=partial(session.take, key),
    )
