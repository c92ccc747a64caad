"""All panels move together: wheel, drag, keys, buttons and two fingers."""

import re
from importlib.resources import files

import numpy as np
import pytest

from hlcore.data.images import read_image
from tests.app.browser.pages import canvas, cursor, hover, link, placed, read_out, settle, stage

PLACES = [(0.1, 0.15), (0.5, 0.5), (0.93, 0.8)]
MIDDLE = (0.5, 0.5)


def seen(page, number: int) -> list[tuple[int, int]]:
    """The image pixels at PLACES in a panel."""
    return [hover(page, *place, number) for place in PLACES]


def zoom(page) -> tuple[float, ...]:
    """The zoom in the link: x and y as shares of the image size, and the magnification."""
    return tuple(float(part) for part in link(page).get("zoom", "0.5,0.5,1").split(","))


def brightness(colour: str) -> float:
    """Mean of red, green and blue of a CSS colour."""
    return float(np.mean([float(part) for part in re.findall(r"[\d.]+", colour)[:3]]))


def test_the_wheel_zooms_all_panels_around_the_cursor(watched, address):
    page = watched.open(f"{address}/?run=tiny")
    whole = seen(page, 0)
    before = hover(page, 0.3, 0.4)
    page.mouse.wheel(0, -600)
    page.wait_for_timeout(100)
    assert hover(page, 0.3, 0.4) == pytest.approx(before, abs=1), "the pixel under the cursor stays there"
    near = [seen(page, number) for number in range(4)]
    assert near[0] != whole
    assert np.ptp(near, axis=0).max() <= 1, "all panels show the same part"
    settle(page)
    assert zoom(page)[2] > 1.5
    page.mouse.wheel(0, 3000)
    page.mouse.wheel(0, 3000)
    page.mouse.wheel(0, 3000)
    settle(page)
    assert "zoom" not in link(page)
    assert seen(page, 3) == whole


def test_a_drag_moves_the_image_as_far_as_the_cursor(watched, address):
    page = watched.open(f"{address}/?run=tiny&zoom=0.5,0.5,4")
    held = hover(page, 0.6, 0.6, 1)
    box = stage(page, 1).bounding_box()
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"], steps=4)
    page.mouse.up()
    assert hover(page, 0.3, 0.4, 1) == pytest.approx(held, abs=1)
    assert hover(page, 0.3, 0.4, 2) == pytest.approx(held, abs=1)
    settle(page)
    assert zoom(page) == pytest.approx((0.5 + 0.3 / 4, 0.5 + 0.2 / 4, 4), abs=0.01)
    assert "x" not in link(page), "a drag pins nothing"


def test_keys_and_buttons_zoom_fit_and_show_one_to_one(watched, address):
    page = watched.open(f"{address}/?run=tiny&source=photographs&sample=rocket&show=Image,Hardness,Prediction,Entropy")
    stage(page).focus()
    page.keyboard.press("+")
    settle(page)
    assert zoom(page)[2] == pytest.approx(1.5)
    page.keyboard.press("-")
    settle(page)
    assert "zoom" not in link(page)
    page.keyboard.press("1")
    settle(page)
    shown = canvas(page)
    height, width = shown.shape[:2]
    photograph = read_image(files("skimage") / "data" / "rocket.jpg")
    assert width < photograph.shape[1], "otherwise 1:1 would show the whole image"
    left, top = ((whole - part) // 2 for whole, part in ((photograph.shape[1], width), (photograph.shape[0], height)))
    near = [photograph[y : y + height, x : x + width] for y in (top, top + 1) for x in (left, left + 1)]
    assert any((shown == part).all() for part in near), "the centre of the image, each pixel once"
    page.get_by_role("button", name="Fit").click()
    settle(page)
    assert "zoom" not in link(page)
    page.get_by_role("button", name="1:1").click()
    page.get_by_role("button", name="+", exact=True).click()
    settle(page)
    assert zoom(page)[2] == pytest.approx(1.5 * photograph.shape[1] / width, rel=0.01)
    stage(page).focus()
    page.keyboard.press("0")
    settle(page)
    assert "zoom" not in link(page)


def test_enlarged_pixels_are_squares_of_one_colour(watched, address, picture):
    page = watched.open(f"{address}/?run=tiny&show=Image,Hardness&zoom=0.5,0.5,9")
    shown = canvas(page)
    rows, columns = placed(picture.size, shown.shape[:2], 9)
    assert len(rows) > 6 * len(set(rows)), "each is more than six screen pixels wide"
    np.testing.assert_array_equal(shown, picture.sample.image[rows][:, columns])


def fingers(session, kind: str, *places: tuple[float, float]) -> None:
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_two_fingers_zoom_and_one_moves(watch, address):
    watched = watch(viewport={"width": 400, "height": 800}, has_touch=True)
    page = watched.open(f"{address}/?run=tiny&show=Hardness,Image")
    session = watched.context.new_cdp_session(page)
    stage(page).scroll_into_view_if_needed()
    box = stage(page).bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    fingers(session, "touchStart", (x - 30, y))
    fingers(session, "touchStart", (x - 30, y), (x + 30, y))
    for apart in (40, 60, 90):
        fingers(session, "touchMove", (x - apart, y), (x + apart, y))
    fingers(session, "touchEnd")
    settle(page)
    before = zoom(page)
    assert before == pytest.approx((0.5, 0.5, 3), abs=0.01), "three times as far apart, around the same centre"
    fingers(session, "touchStart", (x, y))
    for by in (10, 30, 60):
        fingers(session, "touchMove", (x - by, y))
    fingers(session, "touchEnd")
    settle(page)
    assert np.subtract(zoom(page), before) == pytest.approx((60 / box["width"] / 3, 0, 0), abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_wider_than_the_screen(watch, address, scheme):
    page = watch(viewport={"width": 400, "height": 800}, color_scheme=scheme).open(
        f"{address}/?run=tiny&above=Loss:2.4"
    )
    boxes = [one.bounding_box() for one in page.locator(".viewer canvas").all()]
    assert len(boxes) == 4
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 400 and box["height"] > 60 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    rights = page.locator(".viewer .bar, .viewer .readout, .viewer .steps, .viewer .tools, .viewer .chips")
    assert max(rights.evaluate_all("all => all.map((one) => one.getBoundingClientRect().right)")) <= 400
    words = page.locator(".viewer").evaluate("root => getComputedStyle(root).color")
    assert (brightness(words) > 128) == (scheme == "dark"), "bright text on dark, dark text on bright"


def test_the_read_out_shows_every_value_under_the_cursor(watched, address, record):
    page = watched.open(f"{address}/?run=tiny&epoch=0")
    x, y = hover(page, *MIDDLE)
    of = record(0)
    names = of.class_names
    assert read_out(page) == {
        "at": "epoch 0",
        "x": f"{x} px",
        "y": f"{y} px",
        "hardness": f"{of.hardness_map[y, x]:.3f}",
        "predicted": names[of.prediction[y, x]],
        "labelled": names[of.labels[y, x]],
        "loss": f"{of.loss_map[y, x]:.2f} nats",
        "entropy": f"{of.entropy[y, x]:.2f} nats",
    }
    notes = page.locator("figcaption .note").all_inner_texts()
    expected = [
        "",
        f"{of.hardness_map[y, x]:.3f}",
        f"{of.loss_map[y, x]:.2f} nats",
        "wrong" if of.error[y, x] else "right",
    ]
    assert notes == expected, "each panel shows its own value"
    assert cursor(page) == (x, y)


def test_another_image_starts_without_zoom_pixel_and_rectangle(watched, address):
    page = watched.open(f"{address}/?run=tiny&zoom=0.5,0.5,4&x=5&y=7&box=10,10,20,20&opacity=40")
    page.get_by_test_id("stButtonGroup").get_by_text("Photos").click()
    settle(page)
    assert not {"zoom", "x", "y", "box"} & set(link(page))
    assert link(page)["opacity"] == "40"


def test_selected_maps_return_with_an_image_that_has_them(watched, address):
    page = watched.open(f"{address}/?run=tiny&show=Loss,Hardness")
    page.get_by_test_id("stButtonGroup").get_by_text("Photos").click()
    settle(page)
    assert page.locator("figure").count() == 1
    page.get_by_test_id("stButtonGroup").get_by_text("Scenes").click()
    settle(page)
    assert page.locator("figure").count() == 2


def test_reset_clears_what_hides_or_covers_the_maps(watched, address):
    page = watched.open(f"{address}/?run=tiny&zoom=0.5,0.5,4&above=Hardness:0.5&compare=wipe,Loss,40&grey=1&hidden=Sky")
    page.get_by_role("button", name="Reset").click()
    settle(page)
    assert not {"zoom", "above", "compare", "grey", "hidden"} & set(link(page))
    assert page.get_by_role("button", name="Reset").count() == 0
