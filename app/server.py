"""What `streamlit run` serves: app/main.py, with headers, without lost uploads and without a race."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import app_session
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import script_runner
from streamlit.runtime.state import SafeSessionState
from streamlit.runtime.state import SessionState as RawState
from streamlit.starlette import App

from hlcore.process import keep_freed_memory, limit_threads, share_cores

OWN = "'self'"
FRAMES = "HLCORE_FRAMES"
"""Environment variable: origins of pages that may show the app in a frame, separated by spaces."""


def make_headers(frames: str = "") -> dict[str, str]:
    """The headers of every response.

    Args:
        frames: Origins that may show the app in a frame, such as https://huggingface.co; by default only its own.
    """
    return {
        # The page loads and sends nothing elsewhere. Streamlit's own scripts need inline code, eval and blobs.
        "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
        f"frame-ancestors {' '.join((OWN, *frames.split()))}; base-uri 'self'; form-action 'self'; object-src 'none'",
        "X-Content-Type-Options": "nosniff",
        **({} if frames.split() else {"X-Frame-Options": "SAMEORIGIN"}),
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }


HEADERS = make_headers(os.environ.get(FRAMES, ""))
MEDIA_AGE_S = 24 * 3600
"""How long browsers may keep maps and pictures."""


class SecurityHeaders:
    """Adds `HEADERS` to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class MediaCaching:
    """Lets browsers keep maps and pictures, whose names are hashes of their content, so that they never change."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; 304 if the browser still has the file."""
        folder, _, name = scope.get("path", "").rpartition("/")
        if scope["type"] != "http" or not folder.endswith("/media"):
            await self.app(scope, receive, send)
            return
        caching = {"Cache-Control": f"private, max-age={MEDIA_AGE_S}, immutable", "ETag": f'"{name}"'}
        if Headers(scope=scope).get("if-none-match") == caching["ETag"]:
            await Response(status_code=304, headers=caching)(scope, receive, send)
            return

        async def send_with_caching(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (200, 206):
                MutableHeaders(scope=message).update(caching)
            await send(message)

        await self.app(scope, receive, send_with_caching)


class MessageQueue(ForwardMsgQueue):
    """Streamlit's queue of messages to a browser, which keeps the answers to uploads.

    Streamlit 1.67 drops the waiting messages when a script run begins. Without its answer, the browser never uploads
    the file: on a busy server, one chosen just before a run was lost.
    """

    def clear(self, retain_lifecycle_msgs: bool = False, fragment_ids_this_run: list[str] | None = None) -> None:  # noqa: FBT001, FBT002 - as inherited
        """Drops the waiting messages, but not the answers to uploads when a run begins."""
        waiting = self._queue
        super().clear(retain_lifecycle_msgs, fragment_ids_this_run)
        if retain_lifecycle_msgs:
            kept = {id(message) for message in self._queue}
            answers = [message for message in waiting if message.WhichOneof("type") == "file_urls_response"]
            self._queue.extend(message for message in answers if id(message) not in kept)


class SessionState(SafeSessionState):
    """Streamlit's view of a session's state, with one lock for all views.

    In Streamlit 1.67 every script run has a view with a lock of its own. On a busy server, the end of one run could add
    to the state while the next one read it: "dictionary changed size during iteration".
    """

    LOCK = threading.RLock()

    def __init__(self, state: RawState, yield_callback: Callable[[], None]) -> None:
        super().__init__(state, yield_callback)
        object.__setattr__(self, "_lock", self.LOCK)  # as Streamlit itself sets it


keep_freed_memory()
limit_threads()
share_cores()
script_runner.SafeSessionState = SessionState  # pyright: ignore[reportPrivateImportUsage] - what its runs use
app_session.ForwardMsgQueue = MessageQueue  # pyright: ignore[reportPrivateImportUsage] - what its sessions use
app = App(Path(__file__).with_name("main.py"), middleware=[Middleware(SecurityHeaders), Middleware(MediaCaching)])
