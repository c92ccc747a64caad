"""The only place that knows session keys and URL parameters.

A choice lives in the session under the name of its URL parameter, which is also its widget's key.
"""

from app.session.choices import belongs, choice, choices, chosen, formed, keep, known, met, number, point, text
from app.session.store import (
    Upload,
    forget_upload,
    keep_result,
    keep_upload,
    keep_verdict,
    note_ready,
    ready,
    result,
    upload,
    verdict,
    verdicts,
)
from app.session.url import arrive, complaints, draw_again, link, literal, read_url, run_query, stay, texts, write_url
from app.session.viewers import changed, heard, pointed, take

__all__ = [
    "Upload",
    "arrive",
    "belongs",
    "changed",
    "choice",
    "choices",
    "chosen",
    "complaints",
    "draw_again",
    "forget_upload",
    "formed",
    "heard",
    "keep",
    "keep_result",
    "keep_upload",
    "keep_verdict",
    "known",
    "link",
    "literal",
    "met",
    "note_ready",
    "number",
    "point",
    "pointed",
    "read_url",
    "ready",
    "result",
    "run_query",
    "stay",
    "take",
    "text",
    "texts",
    "upload",
    "verdict",
    "verdicts",
    "write_url",
]
