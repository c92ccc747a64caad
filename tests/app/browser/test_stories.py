"""Whole user stories."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from hlcore.storage.png import read_hardness_png
from tests.app.browser.pages import (
    canvas,
    comes_to_show,
    hover,
    link,
    measured,
    placed,
    read_out,
    settle,
    sideways_astronaut,
    stage,
    upload,
)


def test_a_new_user_uploads_a_photo_changes_the_epoch_pins_a_pixel_and_shares_the_link(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=upload&zoom=0.5,0.5,8")
    expect(page.locator("input[type=file]").first).to_be_attached()
    upright, jpeg = sideways_astronaut()
    upload(page, "me.jpg", jpeg)
    shown = canvas(page, 0)
    rows, columns = placed(upright.shape[:2], shown.shape[:2], 8)
    np.testing.assert_array_equal(shown, upright[rows][:, columns], err_msg="shown upright and exactly")
    before = canvas(page, 1)
    assert (before != shown).any(), "the map covers it"

    page.get_by_role("slider", name="Epoch").focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    assert link(page)["epoch"] == "1"
    assert (canvas(page, 1) != before).any(), "another epoch has another map"
    assert (canvas(page, 0) == shown).all()

    hover(page, 0.3, 0.4, 2)
    page.mouse.down()
    page.mouse.up()
    settle(page)
    read = read_out(page)
    words = page.get_by_test_id("stMarkdownContainer").filter(has_text="probability").inner_text()
    assert f"x {read['x']}, y {read['y']}" in words
    assert f"{link(page)['x']} px" == read["x"]

    page.get_by_test_id("stButtonGroup").get_by_text("Scenes").click()
    expect(page).to_have_url(re.compile("source=scenes"))
    settle(page)
    copy = watched.open(page.url)
    assert link(copy) == link(page)
    assert copy.get_by_role("slider", name="Epoch").get_attribute("aria-valuetext") == "epoch 1, iteration 10"
    for number in range(4):
        assert (canvas(copy, number) == canvas(page, number)).all()


def test_a_copied_link_opens_exactly_this_view(watched, address):
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = watched.open(f"{address}/?run=tiny")
    page.get_by_role("slider", name="Epoch").fill("0")
    page.get_by_role("combobox", name="Panel 3 shows").select_option("Entropy")
    page.get_by_role("button", name="Close panel").last.click()
    page.get_by_role("slider", name="Opacity").fill("55")
    page.get_by_role("slider", name="Show hardness from").fill("470")
    page.get_by_role("combobox", name="Colours of hardness").select_option("cividis")
    page.get_by_role("combobox", name="Compare", exact=True).select_option("wipe")
    page.get_by_role("combobox", name="Compared with").select_option("Labels")
    hover(page, 0.3, 0.4, 2)
    page.mouse.wheel(0, -500)
    hover(page, 0.2, 0.2, 2)
    page.keyboard.down("Shift")
    page.mouse.down()
    hover_to = stage(page, 2).bounding_box()
    page.mouse.move(hover_to["x"] + 0.7 * hover_to["width"], hover_to["y"] + 0.6 * hover_to["height"])
    page.mouse.up()
    page.keyboard.up("Shift")
    page.mouse.move(5, 5)
    page.get_by_role("button", name="Copy link").click()  # immediately, before the change is reported to the page
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    settle(page)

    other = watched.open(copied)
    expected = {"epoch": "0", "show": "Image,Hardness,Entropy", "opacity": "55", "above": "Hardness:0.47"}
    assert expected.items() <= link(other).items()
    assert {"scale": "cividis", "compare": "wipe,Labels,50"}.items() <= link(other).items()
    assert {name: link(other)[name] for name in ("box", "zoom")} == {name: link(page)[name] for name in ("box", "zoom")}
    assert page.locator(".stage").count() == other.locator(".stage").count() == 3
    for number in range(3):
        assert (canvas(page, number) == canvas(other, number)).all()
    assert measured(other) == measured(page)
    assert measured(other)[0].startswith("rectangle ")
    bar = ".bar[data-name='Hardness'] output"
    assert other.locator(bar).inner_text() == page.locator(bar).inner_text()
    assert "of the errors caught" in page.locator(bar).inner_text()


def test_an_uploaded_photograph_can_be_compared_across_epochs(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=upload")
    upright, jpeg = sideways_astronaut()
    upload(page, "me.jpg", jpeg)
    page.get_by_role("link", name="Epochs").click()
    expect(page.locator(".viewer")).to_have_count(2)
    settle(page)
    titles = page.locator("figcaption b").all_inner_texts()
    assert titles[:3] == ["Hardness, epoch 1", "Hardness, epoch 2", "Hardness change, epoch 1 to 2"]
    assert (canvas(page, 0) != canvas(page, 1)).any()
    height, width = canvas(page).shape[:2]
    assert width / height == pytest.approx(upright.shape[1] / upright.shape[0], rel=0.02)
    assert titles[3:] == ["Hardness 0", "Hardness 1", "Hardness 2"], "the strip starts before training"
    near = page.locator(".stage canvas").last
    before = near.evaluate("canvas => canvas.toDataURL()")
    stage(page).hover()
    page.mouse.wheel(0, -600)
    settle(page)
    assert near.evaluate("canvas => canvas.toDataURL()") != before, "the strip moves with the panels above"


def test_another_photograph_keeps_the_epoch_and_the_threshold(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=upload&epoch=1&above=Hardness:0.55")
    _, jpeg = sideways_astronaut()
    for name in ("one.jpg", "two.jpg", "three.jpg"):
        upload(page, name, jpeg + name.encode())
        assert page.get_by_role("slider", name="Epoch").input_value() == "1"
        threshold = page.get_by_role("slider", name="Show hardness from")
        assert threshold.get_attribute("aria-valuetext") == "0.550"


def test_downloads_equal_the_computed_maps(watched, address, record, tmp_path):
    page = watched.open(f"{address}/?run=tiny")
    page.get_by_role("button", name="Download").click()
    kept = {}
    for label in ("Hardness, 16-bit PNG", "Hardness, NPY"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        kept[label] = tmp_path / download.value.suggested_filename
        download.value.save_as(kept[label])
    hardness_map = np.load(kept["Hardness, NPY"])
    np.testing.assert_allclose(hardness_map, record(2).hardness_map, atol=1e-5)
    assert kept["Hardness, NPY"].name == "test-0000-epoch2.hardness.npy"
    np.testing.assert_allclose(read_hardness_png(kept["Hardness, 16-bit PNG"]), hardness_map, atol=1 / 65535)


def test_a_user_browses_a_data_set_and_opens_an_image_in_inspect(watched, address):
    page = watched.open(f"{address}/dataset?run=streets")
    leads = page.get_by_role("link", name=re.compile("at every epoch in Inspect"))
    hardest = leads.inner_text().split()[-6]
    assert "sample" not in link(page), "nothing is selected yet"
    first = canvas(page, 1)
    page.get_by_alt_text("and its hardness map").nth(3).click(force=True)  # the button below covers it
    settle(page)
    chosen = link(page)["sample"]
    assert chosen != hardest
    expect(leads).to_contain_text(chosen)
    assert comes_to_show(page, first, 1, other=True)

    page.get_by_text("Table", exact=True).click()
    settle(page)
    table = page.get_by_test_id("stDataFrame").locator("canvas").first
    expect(table.locator("[role=gridcell]").first).to_be_attached()  # drawn: it ignores a click before
    table.click(position={"x": 17, "y": 35 + 17}, force=True)  # a scroll area covers it
    settle(page)
    assert link(page)["sample"] == hardest
    assert comes_to_show(page, first, 1)
    page.go_back()
    settle(page)
    assert link(page)["sample"] == chosen
    expect(leads).to_contain_text(chosen)

    leads.click()
    expect(page.get_by_role("combobox", name="Sample")).to_be_visible()
    settle(page)
    assert link(page)["sample"] == chosen
    assert page.get_by_role("slider", name="Epoch").get_attribute("aria-valuetext")


def test_epochs_are_played_and_stopped(watched, address):
    page = watched.open(f"{address}/?run=tiny&epoch=0")
    slider = page.get_by_role("slider", name="Epoch")
    page.get_by_role("button", name="Play").click()
    for epoch in "120":
        expect(slider).to_have_value(epoch)
    page.get_by_role("button", name="Pause").click()
    settle(page)
    held = slider.input_value()
    page.wait_for_timeout(1500)
    assert slider.input_value() == held
    assert link(page)["epoch"] == held


def test_two_dark_pages_of_one_session_have_no_errors(watch, address):
    watched = watch(color_scheme="dark")
    pages = [watched.open(f"{address}/?run=tiny&outlines=objects&grey=1") for _ in range(2)]
    assert (canvas(pages[0], 1) == canvas(pages[1], 1)).all()
    background = pages[0].locator(".stApp").evaluate("app => getComputedStyle(app).backgroundColor")
    assert max(int(part) for part in re.findall(r"\d+", background)[:3]) < 80
