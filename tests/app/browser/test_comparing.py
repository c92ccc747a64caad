"""Two layers in one panel, and how a map is laid over the image."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.app.browser.pages import canvas, hover, link, settle, stage

LAYERS = "run=tiny&epoch=0&show=Hardness,Labels"


def test_the_wipe_shows_one_layer_on_each_side_of_a_line_that_is_dragged(watched, address):
    page = watched.open(f"{address}/?{LAYERS}")
    hardness, labels = canvas(page, 0), canvas(page, 1)
    page.get_by_role("combobox", name="Compare", exact=True).select_option("wipe")
    page.get_by_role("combobox", name="Compared with").select_option("Labels")
    settle(page)
    assert link(page)["compare"] == "wipe,Labels,50"
    wiped(page, hardness, labels, 0.5)
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
    wiped(page, hardness, labels, 0.8)
    assert "x" not in link(page), "dragging the line pins nothing"


def wiped(page, left: np.ndarray, right: np.ndarray, at: float) -> None:
    cut = round(at * left.shape[1])
    shown = canvas(page, 0)
    assert (shown[:, : cut - 2] == left[:, : cut - 2]).all()
    assert (shown[:, cut + 2 :] == right[:, cut + 2 :]).all()
    assert (left[:, cut:] != right[:, cut:]).any()


def test_blinking_shows_both_layers_by_turns(watched, address):
    page = watched.open(f"{address}/?{LAYERS}")
    hardness, labels = canvas(page, 0), canvas(page, 1)
    page.get_by_role("combobox", name="Compare", exact=True).select_option("blink")
    page.get_by_role("combobox", name="Compared with").select_option("Labels")
    seen = []
    for _ in range(40):
        shown = canvas(page, 0)
        seen += [name for name, layer in (("Hardness", hardness), ("Labels", labels)) if (shown == layer).all()]
        page.wait_for_timeout(100)
        turns = sum(one != other for one, other in zip(seen, seen[1:], strict=False))
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
    assert (canvas(page, 2) == errors).all(), "only what lies over the image is seen through"
    page.get_by_role("slider", name="Opacity").fill("0")
    settle(page)
    assert (canvas(page, 1) == image).all()


def test_the_image_may_lose_its_colours(watched, address):
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


@pytest.mark.parametrize(
    ("pressed", "expected"), [("ArrowLeft", "1"), ("ArrowRight", "2"), ("ArrowLeft ArrowLeft", "0")]
)
def test_left_and_right_step_through_the_epochs(watched, address, pressed, expected):
    page = watched.open(f"{address}/?run=tiny")
    stage(page, 2).focus()
    for key in pressed.split():
        page.keyboard.press(key)
    settle(page)
    slider = page.get_by_role("slider", name="Epoch")
    assert slider.input_value() == expected
    assert slider.get_attribute("aria-valuetext") == f"epoch {expected}, iteration {10 * int(expected)}"
    assert link(page).get("epoch", "2") == expected


def test_keys_move_the_cursor_pin_and_clear(watched, address):
    page = watched.open(f"{address}/?run=tiny")
    stage(page).focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    moved = page.locator(".readout").first
    by = 2  # half as large on the screen as two of its pixels, the picture is gone through one pixel by one or by two
    x, y = (int(text.split()[0]) for text in moved.locator("b").all_inner_texts()[:2])
    assert 0 < x - 128 <= by
    assert y - 96 == 2 * (x - 128)
    expect(page.locator(".spoken").first).to_contain_text(f"x {x} px, y {y} px")
    page.keyboard.press("Enter")
    settle(page)
    assert (link(page)["x"], link(page)["y"]) == (str(x), str(y))
    stage(page).focus()
    page.keyboard.press("Escape")
    settle(page)
    assert "x" not in link(page)
    assert "y" not in link(page)


def test_tab_reaches_every_control_and_each_has_a_name(watched, address):
    page = watched.open(f"{address}/?run=tiny&above=Hardness:0.477&compare=wipe,Labels,50")
    page.get_by_role("button", name="Play").focus()
    reached = set()
    for _ in range(60):
        name = page.evaluate(
            """() => {
              let one = document.activeElement;
              while (one?.shadowRoot) one = one.shadowRoot.activeElement;
              const words = one?.getAttribute("aria-label") ?? one?.labels?.[0]?.textContent ?? one?.textContent;
              return one?.closest(".viewer") ? `${one.tagName} ${words.trim()}` : null;
            }"""
        )
        if name is None:
            break
        assert len(name.split(" ", 1)[1]) > 0, f"{name} has no name"
        reached.add(name)
        page.keyboard.press("Tab")
    words = "\n".join(reached)
    for control in (
        *("INPUT Epoch", "BUTTON Play", "BUTTON Rectangle", "BUTTON Save PNG", "BUTTON Copy link", "BUTTON Keys"),
        *("SELECT Compared with", "INPUT Opacity", "INPUT Show hardness from", "SELECT Panel 1 shows", "DIV Image"),
        *(
            "INPUT Highest part of hardness",
            "SELECT Colours of hardness",
            "SELECT Loss up to",
            "BUTTON Close this panel",
        ),
    ):
        assert control in words
    panels = page.get_by_role("application")
    assert panels.count() == 4
    assert "Shift and arrows: move the cursor" in panels.first.get_attribute("aria-label")
    assert hover(page, 0.5, 0.5) == (128, 96)
