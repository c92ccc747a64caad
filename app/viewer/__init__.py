"""The image viewer: linked panels of maps, as a Streamlit component without dependencies.

Python sends numbers, not images: each plane once, at full resolution, from its own URL. The scripts in js/ colour,
zoom, compare and measure the planes in the browser, and report changed settings as URL parameters.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from streamlit.components.v2 import component

from app.viewer.scene import Scene

FOLDER = Path(__file__).parent
SCRIPTS = (
    *("dom", "planes", "view", "colours", "paint", "measure"),
    *("panels", "fetching", "gestures", "thresholds", "legend", "readout", "tools", "save", "viewer"),
)
"""The scripts in js/, each after those that it imports."""


def join_scripts() -> str:
    """All scripts as one module, which is all a component can have; imports between scripts are removed."""
    texts = [(FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    whole = "\n".join(re.sub(r"^import .*;\n", "", text, flags=re.MULTILINE) for text in texts)
    return re.sub(r"^export (?!default)", "", whole, flags=re.MULTILINE)


_mount = component(
    "hlcore_viewer",
    html='<div class="viewer"></div>',
    css=(FOLDER / "viewer.css").read_text(encoding="utf-8"),
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
    """Draw a scene.

    When settings change in the browser, `on_view` runs; `st.session_state[key]["view"]` then has the changed URL
    parameters ("" for one that was reset) and "revision", the number of the report.

    Args:
        scene: The scene.
        key: Key of the component, unique on the page.
        view: URL parameters of the current settings.
        revision: Number of the last report that `view` includes.
        definitions: Name in `scene.MEASURES` to the URL of its definition.
        on_view: Called when settings have changed.
    """
    _mount(key=key, data=scene.message(view, revision=revision, definitions=definitions), on_view_change=on_view)
