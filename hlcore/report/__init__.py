"""An analysis as one HTML file that works offline: interactive figures, and their findings in words."""

import base64
import gzip
import json
from collections.abc import Iterator
from itertools import chain
from math import isnan
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader
from plotly.offline import get_plotlyjs

from hlcore.analysis.statistics import filter_rows
from hlcore.report.numbers import format_number, format_share
from hlcore.report.sections import make_sections
from hlcore.storage.analyses import Analysis, AnalysisRecord
from hlcore.storage.files import write_text

HARDEST = 10
"""Number of images in the strip of hardest images."""


def write_report(analysis: Analysis) -> Path:
    """Path of report.html, after writing it into the folder of an analysis.

    Raises:
        CheckpointError: a table is missing or cannot be read.
    """
    write_text(analysis.report_path, render_report(analysis))
    return analysis.report_path


def render_report(analysis: Analysis) -> str:
    """The report of an analysis as self-contained HTML; its content policy forbids network access.

    Raises:
        CheckpointError: a table is missing or cannot be read.
    """
    record = analysis.record
    parts = make_sections(analysis)
    drawings = {drawing.key: drawing.figure for drawing in chain.from_iterable(part.drawings for part in parts)}
    figures = ",".join(f"{json.dumps(key)}:{figure.to_json()}" for key, figure in drawings.items())
    page = Environment(loader=PackageLoader("hlcore.report", "."), autoescape=True).get_template("page.html")
    return page.render(
        title=f"{record.run}, {record.images} imported images"
        if record.imported
        else f"{record.run} on {record.dataset} {record.split}",
        facts=describe_analysis(record, _find_ignored_classes(analysis)),
        command=record.command,
        images=record.images,
        hardest=list(_hardest_thumbnails(analysis)),
        sections=parts,
        score=record.imported.score.title if record.imported else "hardness",
        is_imported=record.imported is not None,
        figures=_compress(f"{{{figures}}}"),
        plotly=_compress(get_plotlyjs()),
    )


def describe_analysis(record: AnalysisRecord, ignored_classes: pd.DataFrame | None = None) -> dict[str, str]:
    """Facts about how an analysis was made, name to text.

    Args:
        record: The record of the analysis.
        ignored_classes: Its table of that name, if classes were left out.
    """
    epochs = f"; stability over the epochs {', '.join(map(str, record.epochs))}" if record.epochs else ""
    rows = {
        "Run": record.run,
        **_describe_step(record, epochs),
        "Data": f"{_name_data(record)} (fingerprint {record.data_fingerprint[:12]})",
        "Images": str(record.images),
        "Left out": "; ".join(f"{name} ({reason})" for name, reason in record.left_out.items()),
        "Classes": ", ".join(record.class_names),
        "Run's classes merged": _join_merged(record.merged),
        "Data set's classes merged": _join_merged(record.merged_labels),
        **({} if ignored_classes is None else _describe_ignored(ignored_classes)),
        "MC dropout": f"{record.mc_dropout} passes" if record.mc_dropout else "",
        "Window": f"{record.window} px, sliding" if record.window else "",
        "Measured on": ", ".join(
            part for part in (f"{record.created:%Y-%m-%d}", record.device, record.backend) if part not in ("", "torch")
        ),
        "Versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
    }
    return {name: text for name, text in rows.items() if text}


def _name_data(record: AnalysisRecord) -> str:
    return f"{record.dataset}, split {record.split}" if record.imported is None else "the imported images"


def _describe_step(record: AnalysisRecord, epochs: str) -> dict[str, str]:
    """The epoch or, of imported maps, the scores and the step."""
    imported = record.imported
    if imported is None:
        return {"Epoch": f"{record.epoch}{epochs}"}
    steps = ", ".join(f"{epoch} ({imported.steps[epoch - 1]})" for epoch in record.epochs)
    stability = f"; stability over {steps}" if steps else ""
    step = imported.steps[record.epoch - 1]
    return {
        "Scores": "; ".join(score.describe() for score in imported.scores),
        "Shown": f"{imported.score.title} as a share of its range, 0 to 1",
        **({"Step": f"{step}{stability}"} if step else {}),
    }


def _join_merged(merged: dict[str, str] | None) -> str:
    return ", ".join(f"{own} → {target}" for own, target in (merged or {}).items())


def _find_ignored_classes(analysis: Analysis) -> pd.DataFrame | None:
    left_out = analysis.record.ignored_classes or analysis.record.ignored_labels
    return analysis.table("ignored_classes") if left_out else None


def _describe_ignored(ignored_classes: pd.DataFrame) -> dict[str, str]:
    """The classes that were left out on each side, and how many labelled pixels that is."""
    rows = {}
    for side, name in (("run", "Run's classes left out"), ("data", "Data set's classes left out")):
        table = filter_rows(ignored_classes, side=side)
        if len(table):
            of = "predicted on" if side == "run" else "labels of"
            total = format_share(sum(table["share"]))
            classes = (f"{row['class_name']} ({format_share(row['share'])})" for row in table.to_dict("records"))
            rows[name] = f"{of} {total} of the labelled pixels: {', '.join(classes)}"
    return rows


class Thumbnail(NamedTuple):
    """Thumbnails of an image and of its hardness map."""

    name: str
    sources: dict[str, str]
    """Alternative text to data URI."""
    hardness: str
    mean_iou: str
    """Empty if no pixel of the image is labelled."""


def _hardest_thumbnails(analysis: Analysis) -> Iterator[Thumbnail]:
    """Thumbnails of the images with the highest mean hardness, if there are any."""
    title = analysis.record.imported.score.title if analysis.record.imported else "hardness"
    images = analysis.table("images").sort_values("hardness_mean", ascending=False, kind="stable").head(HARDEST)
    for row in images.to_dict("records"):
        name = row["image"]
        paths = {
            name: analysis.thumbnail_path(name),
            f"{title} of {name}": analysis.thumbnail_path(f"{name}.hardness"),
        }
        sources = {text: _data_uri(path) for text, path in paths.items() if path.is_file()}
        if sources:
            mean_iou = "" if isnan(row["mean_iou"]) else format_number(row["mean_iou"])
            yield Thumbnail(name, sources, format_number(row["hardness_mean"]), mean_iou)


def _data_uri(path: Path) -> str:
    return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _compress(text: str) -> str:
    """Text as base64-encoded gzip, 2 MB instead of 5; the page unpacks it."""
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
