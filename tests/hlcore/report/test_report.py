"""The report of an analysis: complete offline, and equal to the tables."""

import base64
import gzip
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import sync_playwright

from hlcore.report import describe_analysis, render_report, sentences, write_report
from hlcore.report.numbers import Number, compare_numbers, find_number, round_up_largest
from hlcore.storage.analyses import Analysis
from tests.chromium import find_chromium
from tests.serving import CHROMIUM_FLAGS

NAN = float("nan")


class Page(HTMLParser):
    """The page's references, its text and the content of its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.references: list[str] = []
        self.policy = ""
        self.text = ""
        self.scripts: dict[str | None, str] = {}
        self._script: str | None = None
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs) -> None:
        attributes = dict(attrs)
        self._inside = tag
        self.references += [value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"]
        if tag == "script":
            self._script = attributes.get("id")

    def handle_endtag(self, tag) -> None:
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data) -> None:
        if self._inside == "script":
            self.scripts[self._script] = self.scripts.get(self._script, "") + data
        elif self._inside != "style":
            self.text += data

    def unpacked(self, script: str) -> str:
        return gzip.decompress(base64.b64decode(self.scripts[script])).decode()


@pytest.fixture(scope="module")
def page(analysed: Analysis) -> Page:
    return Page(render_report(analysed))


def test_the_page_needs_no_external_resource(page: Page, analysed: Analysis) -> None:
    assert page.references, "there are thumbnails"
    assert all(reference.startswith("data:image/webp;base64,") for reference in page.references)
    assert page.policy.startswith("default-src 'none';"), "the browser blocks external resources"
    packed = r'(<script type="text/plain"[^>]*>|data:image/webp;base64,)[^<"]*'
    own = re.sub(packed, r"\1", render_report(analysed))
    assert not re.findall(r"https?:|//\w|@import|url\(", own)
    assert "http" not in page.unpacked("figures")
    assert "Plotly" in page.unpacked("plotly")


def test_every_figure_has_its_data_and_all_data_have_a_figure(page: Page, analysed: Analysis) -> None:
    wanted = re.findall(r'data-figure="([^"]+)"', render_report(analysed))
    assert sorted(wanted) == sorted(json.loads(page.unpacked("figures")))
    assert {"edges-profile", "objects", "errors-risk", "stability-level"} <= set(wanted)


def test_the_numbers_of_the_page_are_those_of_the_tables(page: Page, analysed: Analysis) -> None:
    table = analysed.table
    shown = {
        "mean IoU": find_number(table("segmentation"), class_name="", metric="iou"),
        "contrast": find_number(table("edge_contrast"), source="label", class_name="", quantity="hardness"),
        "rho": find_number(table("size_correlations"), size="area_px", quantity="hardness_over_edge"),
        "AUROC": find_number(table("scores"), score="hardness", region="all", metric="auroc"),
        "level": find_number(table("levels"), map="loss", snapshot="epoch-0002", measure="relative_level"),
    }
    for name, value in shown.items():
        assert str(value) in page.text, name
    for score in table("scores").query("metric == 'ap'").itertuples():
        assert Number(score.value, score.low, score.high).value_text in page.text


def test_the_header_says_how_the_analysis_was_made(page: Page, analysed: Analysis) -> None:
    record = analysed.record
    for text in (record.run, record.dataset, record.data_fingerprint[:12], record.device, record.command):
        assert text in page.text
    assert f"torch {record.versions['torch']}" in page.text
    assert describe_analysis(record)["Epoch"] == "2; stability over the epochs 0, 1, 2"
    merged = record.model_copy(update={"merged": {"Car": "vehicles"}, "mc_dropout": 20, "window": 256})
    assert {
        "Run's classes merged": "Car → vehicles",
        "MC dropout": "20 passes",
        "Window": "256 px, sliding",
    }.items() <= describe_analysis(merged).items()


def test_file_names_are_text_and_not_markup(analysed: Analysis, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>"
    odd = Analysis(analysed.path, analysed.record.model_copy(update={"run": hostile, "command": f"hlcore {hostile}"}))
    html = render_report(odd)
    assert hostile not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_report_without_thumbnails_or_epochs_is_complete(analysed: Analysis, tmp_path: Path) -> None:
    for file in analysed.path.glob("*.parquet"):
        if file.stem not in {"epoch_pairs", "levels", "variation"}:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    alone = Analysis(tmp_path, analysed.record.model_copy(update={"epochs": ()}))
    path = write_report(alone)
    page = Page(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "report.html"
    assert "The hardest images" not in page.text
    assert "Are the maps stable?" not in page.text
    assert "Does hardness find the errors?" in page.text


@pytest.mark.browser
def test_a_browser_without_a_network_draws_every_figure(analysed: Analysis, tmp_path: Path) -> None:
    chromium = find_chromium()
    if chromium is None:
        reason = "no Chromium or Chrome found; install one or name it in $HLCORE_CHROMIUM"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    path = tmp_path / "report.html"
    path.write_text(render_report(analysed), encoding="utf-8")
    console_errors, requests = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        for width, scheme in ((1280, "light"), (400, "dark")):
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
            tab = context.new_page()
            tab.on("console", lambda message: console_errors.append(message.text))
            tab.on("pageerror", lambda error: console_errors.append(str(error)))
            tab.on("request", lambda request: requests.append(request.url))
            tab.goto(path.as_uri())
            tab.locator("body[data-drawn]").wait_for(timeout=60_000)
            assert tab.locator(".plot .main-svg").count() >= tab.locator("[data-figure]").count() > 0
            assert tab.evaluate("document.documentElement.scrollWidth") <= width, "nothing overflows"
            colour = tab.evaluate("document.querySelector('.plot')._fullLayout.font.color")
            assert colour == {"light": "#1c2024", "dark": "#e6e9ec"}[scheme]
        browser.close()
    assert console_errors == []
    assert set(requests) == {path.as_uri()}


def score_tables(**difference: tuple[float, float, float]):
    """Tables of errors in which another score's AUROC exceeds that of hardness by `difference`."""
    rows = [
        ("hardness", "auroc", 0.8, 0.7, 0.9),
        ("hardness", "ap", 0.4, 0.3, 0.5),
        ("hardness", "error_rate", 0.1, 0.05, 0.2),
    ]
    for score, (value, low, high) in difference.items():
        rows += [(score, "auroc", 0.8 + value, 0.5, 1.0), (score, "auroc_minus_hardness", value, low, high)]
    scores = pd.DataFrame(rows, columns=["score", "metric", "value", "low", "high"]).assign(region="all", bound=0.001)
    curves = pd.DataFrame(
        {"score": "hardness", "region": "all", "pixels_share": [0.05, 0.12], "errors_share": [0.3, 0.456]}
    ).assign(precision=[0.6, 0.38])
    return {"scores": scores, "risk_curves": curves}.__getitem__


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        ((0.05, 0.01, 0.09), "It loses to distance to the predicted edge (0.850)."),
        ((-0.05, -0.09, -0.01), "It beats distance to the predicted edge (0.750)."),
        ((0.05, -0.01, 0.09), "It cannot be told apart from distance to the predicted edge (0.850)."),
        ((0.05, NAN, NAN), "It loses to distance to the predicted edge (0.850)."),
        ((0.0009, NAN, NAN), "It cannot be told apart from distance to the predicted edge (0.801)."),
    ],
)
def test_where_hardness_loses_to_a_free_signal_the_text_says_so(difference, sentence) -> None:
    findings = sentences.describe_errors(score_tables(edge_distance=difference))
    assert findings.seen[0] == "10 % of the labelled pixels are predicted wrongly."
    assert findings.seen[1].endswith(sentence)
    caught = "46 % of the errors by hardness (precision 38 %; ties make it 12 % of the pixels)"
    assert findings.seen[2] == f"Flagging 10 % of the pixels catches {caught}."
    assert findings.not_shown.endswith("binning changes it by at most 0.001.")


def test_without_a_labelled_pixel_the_text_says_that_nothing_is_known() -> None:
    empty = {name: score_tables()(name).iloc[:0] for name in ("scores", "risk_curves")}
    findings = sentences.describe_errors(empty.__getitem__)
    assert findings.seen == ("an unknown share of the labelled pixels are predicted wrongly.",)
    assert "nan" not in findings.not_shown.lower()


def object_tables(over: tuple[float, float, float]):
    rows = [("hardness_mean", 100, -0.5, -0.6, -0.4), ("hardness_interior", 40, -0.1, -0.3, 0.1)]
    rows.append(("hardness_over_edge", 100, *over))
    table = pd.DataFrame(rows, columns=["quantity", "objects", "value", "low", "high"])
    return {"size_correlations": table.assign(size="area_px", bound=0.02)}.__getitem__


@pytest.mark.parametrize(
    ("over", "sentence"),
    [
        ((-0.2, -0.3, -0.1), "So small objects are harder than their edges explain."),
        ((0.0, -0.1, 0.1), "So, after accounting for edges, small objects are hardly harder, if at all."),
        (
            (-0.05, -0.09, -0.01),
            "So, after accounting for edges, small objects are hardly harder, if at all.",
        ),
        ((0.2, 0.1, 0.3), "So, after accounting for edges, small objects are easier, not harder."),
    ],
)
def test_the_edge_matched_number_decides_about_small_objects(over, sentence) -> None:
    (seen,) = sentences.describe_objects(object_tables(over)).seen
    assert "−0.500 (−0.600 to −0.400) over 100 objects: small objects are harder" in seen
    assert "40 objects have such pixels) rho is −0.100 (−0.300 to 0.100)" in seen
    assert seen.endswith(sentence)


def stability_tables(*, hardness: list[float], loss: list[float]):
    """Spearman and IoU between the epochs 0, 1, 2 ..., each within 0.01."""
    names = [f"epoch-{epoch:04d}" for epoch in range(len(hardness) + 1)]
    rows = [
        ("consecutive", of, measure, names[i], names[i + 1], value, value - 0.01, value + 0.01)
        for of, values in (("hardness", hardness), ("loss", loss))
        for measure in ("spearman", "top10_iou")
        for i, value in enumerate(values)
    ]
    pairs = pd.DataFrame(rows, columns=["kind", "map", "measure", "first", "second", "value", "low", "high"])
    levels = pd.DataFrame(
        [(of, name, "relative_level", 0.5, 0.4, 0.6) for of in ("hardness", "loss") for name in names],
        columns=["map", "snapshot", "measure", "value", "low", "high"],
    )
    return {"epoch_pairs": pairs, "levels": levels}.__getitem__


def test_stability_leaves_out_the_epoch_before_training() -> None:
    findings = sentences.describe_stability(stability_tables(hardness=[0.1, 0.8, 0.9], loss=[0.2, 0.7, 0.95]))
    assert findings.seen[0] == (
        "Spearman's rho between consecutive saved epochs is 0.800 to 0.900 for hardness and 0.700 to 0.950 for the "
        "loss; of 2 pairs it is clearly higher for hardness in 1 and for the loss in 1."
    )
    assert findings.seen[2] == (
        "At epoch 3 the mean loss is 0.500 (0.400 to 0.600) times its value at epoch 1, mean hardness 0.500 "
        "(0.400 to 0.600) times. The intervals overlap, so neither is clearly higher."
    )


def test_stability_of_a_single_trained_epoch_says_that_there_is_no_pair() -> None:
    findings = sentences.describe_stability(stability_tables(hardness=[0.1], loss=[0.2]))
    assert findings.seen[0] == "Spearman's rho needs two consecutive saved epochs, which this run lacks."


def test_without_intervals_nothing_is_claimed() -> None:
    one, other = Number(0.9, NAN, NAN), Number(0.1, NAN, NAN)
    assert compare_numbers(one, other, higher="more", lower="less").startswith("There is no interval")


@given(st.lists(st.floats(0, 1e3), min_size=1))
def test_a_bound_is_never_rounded_down(values) -> None:
    assert max(values) <= float(round_up_largest(values)) <= max(values) * 1.1 + 5e-324
