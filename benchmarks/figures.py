"""Draw the figures of docs/results.md: `python -m benchmarks.figures`, which needs Chromium.

They use hlcore.figures and the tables of the document.
"""

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs

from benchmarks.claims import DATA_TITLES, DEFAULT, SEEDS
from benchmarks.documents import PICTURES
from benchmarks.evidence.compare import compare_paired
from benchmarks.evidence.grid import open_grid
from benchmarks.evidence.sweep import read_rows
from benchmarks.results import ENTRIES
from hlcore.analysis.statistics import filter_rows
from hlcore.figures.edges import make_hardness_by_distance_figure
from hlcore.figures.errors import make_risk_coverage_figure
from hlcore.figures.objects import make_edge_matched_figure
from hlcore.figures.segmentation import make_gain_by_class_figure
from hlcore.figures.stability import make_pair_figure
from hlcore.storage.analyses import Analysis, open_analysis
from hlcore.storage.files import make_folder, write_text
from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS

SIZE_PX = {"width": 900, "height": 380}


def make_figures(analysis: Analysis, rows: pd.DataFrame) -> dict[str, go.Figure]:
    """Name to figure: the gain from the rows of the evidence, the others from an analysis."""
    table = analysis.table
    figures = {
        "stability": make_pair_figure(
            filter_rows(table("epoch_pairs"), measure="total_variation"), measure="total_variation", kind="consecutive"
        ),
        "edges": make_hardness_by_distance_figure(filter_rows(table("edges"), source="label", class_name="")),
        "size": make_edge_matched_figure(table("size_curve").dropna(subset="area_px"), size="area_px"),
        "errors": make_risk_coverage_figure(filter_rows(table("risk_curves"), region="all")),
    }
    gains = gain_table(rows)
    return figures if gains.empty else figures | {"gain": make_gain_by_class_figure(gains, title=GAIN_TITLE)}


GAIN_TITLE = "Points of IoU over cross entropy, with the 95 % interval over seeds"


def gain_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Gain in IoU of the default over cross entropy, in points: mean and each class, for data with three seeds."""
    classes = [name for name in rows if name.startswith("iou/") and name.endswith("_last")]
    found = compare_paired(rows, open_grid("method"), measures=("mean_iou_last", *classes))
    if found.empty:
        return found
    points = [
        {
            "data": DATA_TITLES[row["data"]],
            "class_name": row["measure"].removeprefix("iou/").removesuffix("_last").replace("mean_iou", "mean"),
            **{column: 100 * row[name] for column, name in (("value", "difference"), ("low", "low"), ("high", "high"))},
        }
        for row in found.to_dict("records")
        if row["variant"] == DEFAULT and row["seeds"] >= SEEDS
    ]
    return pd.DataFrame(points)


def write_svg(figures: dict[str, go.Figure], folder: Path) -> None:
    """Write each figure as SVG, drawn by plotly.js in Chromium."""
    make_folder(folder)
    chromium = find_chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page()
        page.set_content(f"<script>{get_plotlyjs()}</script>")
        for name, figure in figures.items():
            figure.update_layout(paper_bgcolor="white", plot_bgcolor="white")
            address = page.evaluate(
                "([figure, size]) => Plotly.toImage(JSON.parse(figure), {format: 'svg', ...size})",
                [figure.to_json(), SIZE_PX],
            )
            text = page.evaluate("address => decodeURIComponent(address.slice(address.indexOf(',') + 1))", address)
            write_text(folder / f"{name}.svg", text)
        browser.close()


def main() -> None:
    """Draw every figure whose tables exist."""
    write_svg(make_figures(open_analysis(ENTRIES[0].analysis), pd.DataFrame(read_rows("method"))), PICTURES)


if __name__ == "__main__":
    main()
