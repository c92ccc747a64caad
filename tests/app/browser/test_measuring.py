"""The viewer and the analysis measure the same, to the digits shown."""

import numpy as np
import pytest
from playwright.sync_api import expect
from scipy.ndimage import label

from hlcore.analysis.components import label_components
from hlcore.analysis.flagging import outcome_map, region_mask, summarise_outcomes, threshold_for_share
from tests.app.browser.pages import (
    canvas,
    hover,
    link,
    measured,
    percent,
    placed,
    read_out,
    settle,
    stage,
    threshold_words,
)

LINE, MARK = (0, 229, 255), (255, 230, 0)
STEP = 1 / 65534
"""One step of hardness as sent to the browser."""
BELOW = 0.498 * STEP
"""A threshold this far below a sent value includes the pixels rounded to it, in the analysis and in the browser."""


def as_sent(values, high=1):
    """The values rounded to steps, as sent: a single pixel between a threshold and the next step changes a share."""
    return (np.rint(values.astype(float) / (high * STEP)) * (high * STEP)).astype(np.float32)


def kept_words(record, score, threshold, where=None, *, digits, unit="", high=1) -> str:
    """The expected text of the colour bar, from the analysis of the maps as sent."""
    counts, score = region_mask(record, "all") if where is None else where, as_sent(score, high)
    found = summarise_outcomes(outcome_map(score, counts, error=record.error, threshold=threshold), counts)
    return (
        f"≥ {threshold:.{digits}f}{unit}: {percent(found.pixels_share)} of the pixels, "
        f"{percent(found.errors_share)} of the errors caught, precision {percent(found.precision)}"
    )


@pytest.mark.parametrize("share", [0.03, 0.2, 0.71])
def test_a_threshold_in_the_link_shows_the_pixels_that_the_analysis_flags(watched, address, record, share):
    of = record(0)
    threshold = np.rint(threshold_for_share(of.hardness_map, of.valid, share=share) / STEP) * STEP - BELOW
    page = watched.open(f"{address}/?run=tiny&epoch=0&above=Hardness:{threshold:.12f}")
    assert threshold_words(page, "Hardness") == kept_words(of, of.hardness_map, threshold, digits=3)


def test_the_threshold_slider_describes_the_pixels_shown(watched, address, record):
    page = watched.open(f"{address}/?run=tiny&epoch=0")
    page.get_by_role("slider", name="Show hardness from").fill("477")
    settle(page)
    assert link(page)["above"] == "Hardness:0.477"
    of = record(0)
    assert threshold_words(page, "Hardness") == kept_words(of, of.hardness_map, 0.477, digits=3)
    field = page.get_by_role("spinbutton", name="Share of the pixels shown, highest hardness first, in percent")
    assert float(field.input_value()) == round(100 * float(np.mean(as_sent(of.hardness_map)[of.valid] >= 0.477)), 1)
    page.get_by_role("button", name="Show all of Hardness").click()
    settle(page)
    assert "above" not in link(page)
    assert threshold_words(page, "Hardness") == ""


@pytest.mark.parametrize(
    ("layer", "values", "high", "digits", "unit"),
    [("Hardness", "hardness_map", 1, 3, ""), ("Loss", "loss_map", 88, 2, " nats")],
)
def test_a_share_in_percent_sets_the_threshold_of_the_analysis(
    watched, address, record, layer, values, high, digits, unit
):
    page = watched.open(f"{address}/?run=tiny&epoch=0&nats=2")
    of, step = record(0), high * STEP
    score = getattr(of, values)
    field = page.get_by_role("spinbutton", name=f"Share of the pixels shown, highest {layer.lower()} first, in percent")
    field.fill("12.5")
    field.press("Tab")
    settle(page)
    name, above = link(page)["above"].split(":")
    assert name == layer
    assert float(above) == pytest.approx(
        threshold_for_share(score, region_mask(of, "all"), share=0.125), abs=0.51 * step + 5e-5
    )
    sent = np.rint(float(above) / step) * step
    words = kept_words(of, np.nan_to_num(score), sent - high * BELOW, digits=digits, unit=unit, high=high)
    assert threshold_words(page, layer) == words


def test_pixels_below_a_threshold_are_grey(watched, address, record):
    of = record(0)
    threshold = float(np.median(of.hardness_map))
    page = watched.open(f"{address}/?run=tiny&epoch=0&show=Hardness&opacity=100&above=Hardness:{threshold}")
    shown = canvas(page).astype(int)
    rows, columns = placed(of.hardness_map.shape, shown.shape[:2], 1)
    kept = (of.hardness_map >= threshold)[rows][:, columns]
    coloured = np.ptp(shown, axis=2) > 12
    assert (coloured == kept).mean() > 0.98


def test_hiding_a_class_removes_it_from_image_and_numbers(watched, address, record):
    of = record(0)
    name = of.class_names[np.bincount(of.labels[of.valid]).argmax()]
    index = of.class_names.index(name)
    page = watched.open(f"{address}/?run=tiny&epoch=0&show=Labels,Hardness&above=Hardness:0.477")
    before = canvas(page, 0), canvas(page, 1), threshold_words(page, "Hardness")
    page.get_by_role("button", name=name, exact=True).click()
    settle(page)
    assert link(page)["hidden"] == name
    assert (canvas(page, 0) != before[0]).any()
    assert (canvas(page, 1) != before[1]).any()
    where = region_mask(of, "all") & (of.labels != index)
    assert threshold_words(page, "Hardness") == kept_words(of, of.hardness_map, 0.477, where, digits=3)
    page.get_by_role("button", name=name, exact=True).click(modifiers=["Shift"])
    settle(page)
    assert name not in link(page)["hidden"].split(",")
    assert len(link(page)["hidden"].split(",")) == len(of.class_names) - 1
    where = region_mask(of, "all") & (of.labels == index)
    assert threshold_words(page, "Hardness") == kept_words(of, of.hardness_map, 0.477, where, digits=3)
    page.get_by_role("button", name=name, exact=True).click(modifiers=["Shift"])
    settle(page)
    assert "hidden" not in link(page)
    assert (canvas(page, 0) == before[0]).all()
    assert threshold_words(page, "Hardness") == before[2]


@pytest.mark.parametrize("by", ["shift", "button"])
def test_a_rectangle_is_measured(watched, address, record, by):
    page = watched.open(f"{address}/?run=tiny&epoch=0")
    if by == "button":
        page.get_by_role("button", name="Rectangle").click()
    start = hover(page, 0.55, 0.3, 1)
    box = stage(page, 1).bounding_box()
    if by == "shift":
        page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(box["x"] + 0.97 * box["width"], box["y"] + 0.9 * box["height"], steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    settle(page)
    left, top, right, bottom = (int(part) for part in link(page)["box"].split(","))
    assert (left, top) == start
    assert (right, bottom) == (int(0.97 * 256) + 1, int(0.9 * 192) + 1)
    of, part = record(0), np.s_[top:bottom, left:right]
    assert np.isnan(of.loss_map[part]).any(), "part of it is not labelled"
    assert measured(page) == [
        f"rectangle {right - left} × {bottom - top} px",
        f"{(right - left) * (bottom - top):,} px",
        f"mean hardness {of.hardness_map[part].mean(dtype=float):.3f}",
        f"mean loss {np.nanmean(of.loss_map[part], dtype=float):.2f} nats",
        f"wrong {percent(of.error[part].sum() / of.valid[part].sum())}",
    ]
    assert page.locator(".stage .box").nth(2).is_visible(), "every panel shows it"
    stage(page).focus()
    page.keyboard.press("Escape")
    settle(page)
    assert "box" not in link(page)


def test_a_pinned_pixel_is_described_on_the_page(watched, address, record):
    page = watched.open(f"{address}/?run=tiny")
    x, y = hover(page, 0.4, 0.6, 3)
    page.mouse.down()
    page.mouse.up()
    settle(page)
    assert (link(page)["x"], link(page)["y"]) == (str(x), str(y))
    first, last = record(0), record(2)
    words = page.get_by_test_id("stMarkdownContainer").filter(has_text="probability").inner_text()
    assert f"x {x} px, y {y} px" in words
    assert f"from epoch 0 to 2 hardness {first.hardness_map[y, x]:.3f} → {last.hardness_map[y, x]:.3f}" in words
    assert f"loss {first.loss_map[y, x]:.2f} → {last.loss_map[y, x]:.2f} nats" in words
    assert f"predicted {last.class_names[last.prediction[y, x]]}" in words
    expect(page.get_by_test_id("stPlotlyChart")).to_be_visible()
    assert page.locator(".stage .pin").nth(1).is_visible()
    page.mouse.move(5, 5)
    assert read_out(page)["hardness"] == f"{last.hardness_map[y, x]:.3f}", (
        "without a cursor, the pinned pixel is read out"
    )


def test_the_object_under_the_cursor_is_highlighted_and_measured(watched, address, record):
    page = watched.open(f"{address}/?run=tiny&epoch=0&show=Labels,Hardness&outlines=objects")
    of = record(0)
    assert count(page, LINE) > 100
    assert count(page, MARK) == 0
    x, y = hover(page, 0.5, 0.9, 1)
    settle(page)
    numbers = label_components(of.labels)
    inside = numbers == numbers[y, x]
    assert numbers[y, x] > 0
    assert measured(page) == [
        f"object {numbers[y, x]}, {of.class_names[of.labels[y, x]]}",
        f"{inside.sum():,} px",
        f"mean hardness {of.hardness_map[inside].mean(dtype=float):.3f}",
        f"mean loss {np.nanmean(of.loss_map[inside], dtype=float):.2f} nats",
        f"wrong {percent(of.error[inside].sum() / (of.valid & inside).sum())}",
    ]
    assert count(page, MARK) > 50


def test_the_hard_region_under_the_cursor_is_measured(watched, address, record):
    of = record(0)
    page = watched.open(f"{address}/?run=tiny&epoch=0&show=Hardness,Image&above=Hardness:0.477&outlines=regions")
    kept = of.hardness_map >= 0.477
    height, width = kept.shape
    regions = np.asarray(label(kept, np.ones((3, 3)))[0])
    y, x = np.argwhere(regions == np.bincount(regions[regions > 0]).argmax())[200]
    hovered = hover(page, (x + 0.5) / width, (y + 0.5) / height)
    assert hovered == (x, y)
    settle(page)
    inside = regions == regions[y, x]
    title, area, hardness, *_ = measured(page)
    assert title == "hard region"
    assert int(area.removesuffix(" px").replace(",", "")) == pytest.approx(inside.sum(), rel=0.005)
    assert hardness == f"mean hardness {of.hardness_map[inside].mean(dtype=float):.3f}"
    assert count(page, LINE, 1) > 50, "its outline is drawn in every panel"


def count(page, colour, number: int = 0) -> int:
    """Pixels of exactly this colour in a panel."""
    return int((canvas(page, number) == colour).all(axis=2).sum())
