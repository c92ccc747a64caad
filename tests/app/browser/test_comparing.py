"""Two layers in one panel, and maps over the image."""

from itertools import pairwise

import numpy as np

from tests.app.browser.pages import canvas, link, settle, stage

LAYERS = "run=tiny&epoch=0&show=Hardness,Labels"


def test_the_wipe_shows_one_layer_on_each_side_of_a_draggable_line(watched, address):
    page = watched.open(f"{address}/?{LAYERS}")
    hardness, labels = canvas(page, 0), canvas(page, 1)
    page.get_by_role("combobox", name="Compare", exact=True).select_option("wipe")
    page.get_by_role("combobox", name="Compared with").select_option("Labels")
    settle(page)
    assert link(page)["compare"] == "wipe,Labels,50"
    assert_wiped(page, hardness, labels, 0.5)
    assert (canvas(page, 1) == labels).all(), "a layer is not compared with itself"
    divider = page.locator(".stage .divider")
    assert divider.nth(0).is_visible()
    assert not divider.nth(1).is_visible()
    box = stage(page).bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 30, steps=3)
    page.mouse.up()
    settle(page)
    assert link(page)["compare"] == "wipe,Labels,80"
    assert_wiped(page, hardness, labels, 0.8)
    assert "x" not in link(page), "dragging the line pins nothing"


def assert_wiped(page, left: np.ndarray, right: np.ndarray, at: float) -> None:
    cut = round(at * left.shape[1])
    shown = canvas(page, 0)
    assert (shown[:, : cut - 2] == left[:, : cut - 2]).all()
    assert (shown[:, cut + 2 :] == right[:, cut + 2 :]).all()
    assert (left[:, cut:] != right[:, cut:]).any()


def test_blinking_alternates_between_both_layers(watched, address):
    page = watched.open(f"{address}/?{LAYERS}")
    hardness, labels = canvas(page, 0), canvas(page, 1)
    page.get_by_role("combobox", name="Compare", exact=True).select_option("blink")
    page.get_by_role("combobox", name="Compared with").select_option("Labels")
    seen, turns = [], 0
    for _ in range(40):
        shown = canvas(page, 0)
        seen += [name for name, layer in (("Hardness", hardness), ("Labels", labels)) if (shown == layer).all()]
        page.wait_for_timeout(100)
        turns = sum(one != other for one, other in pairwise(seen))
        if turns >= 3:
            break
    assert turns >= 3
    page.get_by_role("combobox", name="Compare", exact=True).select_option("")
    settle(page)
    assert "compare" not in link(page)
    assert (canvas(page, 0) == hardness).all()


def test_opacity_mixes_the_map_with_the_image(watched, address):
    page = watched.open(f"{address}/?run=tiny&epoch=0&show=Image,Hardness,Errors&opacity=100")
    image, opaque, errors = (canvas(page, number).astype(float) for number in range(3))
    page.get_by_role("slider", name="Opacity").fill("40")
    settle(page)
    assert link(page)["opacity"] == "40"
    np.testing.assert_allclose(canvas(page, 1), 0.4 * opaque + 0.6 * image, atol=1.6)
    assert (canvas(page, 0) == image).all()
    assert (canvas(page, 2) == errors).all(), "only maps over the image are transparent"
    page.get_by_role("slider", name="Opacity").fill("0")
    settle(page)
    assert (canvas(page, 1) == image).all()


def test_the_image_can_be_shown_in_grey(watched, address):
    page = watched.open(f"{address}/?run=tiny&show=Image")
    image = canvas(page).astype(float)
    page.get_by_role("button", name="Grey image").click()
    settle(page)
    assert link(page)["grey"] == "1"
    grey = canvas(page)
    assert (np.ptp(grey, axis=2) == 0).all()
    np.testing.assert_allclose(grey[..., 0], image @ [0.299, 0.587, 0.114], atol=1.6)


def test_every_colour_scale_shows_the_same_values_differently(watched, address):
    page = watched.open(f"{address}/?run=tiny&epoch=0&show=Hardness&opacity=100")
    scales = page.get_by_role("combobox", name="Colours of hardness")
    seen = {}
    for name in scales.locator("option").all_inner_texts():
        scales.select_option(name)
        settle(page)
        assert link(page).get("scale", name) == name
        seen[name] = canvas(page).tobytes()
    assert len(seen) >= 3
    assert len(set(seen.values())) == len(seen)
