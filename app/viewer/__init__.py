"""The image viewer: panels of maps that move together, as a Streamlit component without any dependency.

Python sends numbers, not pictures: every plane once, at its own resolution, at an address of its own. The scripts in
js/ fetch, colour, move, compare and measure them in the browser; what the reader chooses there comes back as
the parameters of a link, once the hand rests.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from streamlit.components.v2 import component

from app.viewer.scene import Scene

_HERE = Path(__file__).parent
SCRIPTS = (
    *("dom", "planes", "view", "colours", "paint", "measure"),
    *("panels", "fetching", "gestures", "legend", "tools", "save", "viewer"),
)
"""In js/, each after those it uses."""


def join_scripts() -> str:
    """One module made of all scripts: a component has a single one, so their imports of each other are left out."""
    texts = [(_HERE / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    whole = "\n".join(re.sub(r"^import .*;\n", "", text, flags=re.MULTILINE) for text in texts)
    return re.sub(r"^export (?!default)", "", whole, flags=re.MULTILINE)


_mount = component(
    "hlcore_viewer",
    html='<div class="viewer"></div>',
    css=(_HERE / "viewer.css").read_text(encoding="utf-8"),
    js=join_scripts(),
)


def mount_viewer(
    scene: Scene,
    *,
    key: str,
    view: Mapping[str, str],
    revision: int,
    definitions: Mapping[str, str],
    on_view: Callable[[], None],
) -> None:
    """Draws a scene.

    What the reader does runs `on_view` once the hand rests, in which `st.session_state[key]["view"]` holds the
    choices that changed, as they stand in a link ("" for one taken back), and "revision", the report's number.

    Args:
        scene: What is drawn.
        key: The component's key, unique on the page.
        view: The choices made so far, as they stand in a link.
        revision: Number of the last report these include.
        definitions: Address of what each of scene.MEASURED means.
        on_view: Called when something was chosen.
    """
    _mount(key=key, data=scene.message(view, revision=revision, definitions=definitions), on_view_change=on_view)
