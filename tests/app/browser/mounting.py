"""Viewers of any scene on a separate page, without the app."""

from collections import Counter
from collections.abc import Mapping

import pytest
from playwright.sync_api import BrowserContext, Page, Route

from app import viewer
from app.viewer.scene import Scene

_ORIGIN = "http://localhost"
_CSS = (viewer.FOLDER / "viewer.css").read_text(encoding="utf-8")
_COLOURS = (
    "--st-font: sans-serif; --st-text-color: #1f2328; --st-background-color: #fff; --st-border-color: #ccc; "
    "--st-secondary-background-color: #eee; --st-primary-color: #06c"
)
_PAGE = f"""<!doctype html><meta charset="utf-8"><body style="{_COLOURS}"><script type="module">
  import mount from "/viewer.js";
  const left = [];
  window.draw = (data) => {{
    const host = document.createElement("div");
    const parentElement = host.attachShadow({{ mode: "open" }});
    parentElement.innerHTML = `<style>{_CSS}</style><div class="viewer"></div>`;
    document.body.append(host);
    const component = {{ parentElement, data, setTriggerValue: () => null }};
    let leave = mount(component);
    left.push(() => (leave(), host.remove()));
    window.again = () => {{
      leave = mount(component);
      leave(); // Streamlit sometimes unmounts a viewer that stays on the page
    }};
  }};
  window.leave = () => left.splice(0).forEach((one) => one());
</script>"""


class Mounted:
    """A page with a viewer for each scene.

    Attributes:
        page: The page.
        requests: Digest of each plane to the number of requests for it.
        broken: Digests of planes that are served empty.
    """

    def __init__(self, context: BrowserContext, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: Counter[str] = Counter()
        self.broken: set[str] = set()
        self.page: Page = context.new_page()
        self._planes: dict[str, bytes] = {}
        self._files: dict[str, tuple[str, str]] = {}
        monkeypatch.setattr("streamlit.runtime.get_instance", lambda: self)
        self.page.route(f"{_ORIGIN}/**", self._answer)

    @property
    def media_file_mgr(self) -> "Mounted":
        """Stands in for Streamlit's media file manager."""
        return self

    def add(self, content: bytes, _type: str, digest: str, *, file_name: str) -> str:
        """Store a plane and return its URL."""
        assert digest == file_name
        self._planes[digest] = content
        return f"/planes/{digest}"

    def show(self, *scenes: Scene, view: Mapping[str, str] | None = None, kept_bytes: int | None = None) -> None:
        """Open the page.

        Args:
            scenes: Each in its own viewer.
            view: Choices as in a link.
            kept_bytes: Size of the plane cache, instead of that in the app.
        """
        script = viewer.join_scripts()
        if kept_bytes is not None:
            script = script.replace("320e6", str(kept_bytes)).replace("100e6", str(kept_bytes // 3))
            assert script != viewer.join_scripts()
        self._files = {"": ("text/html", _PAGE), "viewer.js": ("text/javascript", script)}
        self.page.goto(f"{_ORIGIN}/")
        self.page.wait_for_function("window.leave !== undefined")
        self.replace(*scenes, view=view)

    def replace(self, *scenes: Scene, view: Mapping[str, str] | None = None) -> None:
        """Replace all viewers, as when another page of the app opens."""
        self.page.evaluate("leave()")
        for scene in scenes:
            self.page.evaluate("data => draw(data)", scene.message(view or {}, revision=0, definitions={}))

    def _answer(self, route: Route) -> None:
        name = route.request.url.removeprefix(f"{_ORIGIN}/")
        digest = name.removeprefix("planes/")
        if digest in self._planes:
            self.requests[digest] += 1
            body = b"" if digest in self.broken else self._planes[digest]
            route.fulfill(body=body, content_type="application/octet-stream")
        elif name in self._files:
            kind, text = self._files[name]
            route.fulfill(body=text, content_type=kind)
        else:
            route.fulfill(status=204)
