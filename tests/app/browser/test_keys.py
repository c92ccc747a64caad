"""The viewer works without a mouse, and all of its controls have names."""

import pytest
from playwright.sync_api import expect

from tests.app.browser.pages import hover, link, settle, stage


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
    by = 2  # at this scale the cursor moves by one or two pixels
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
            "INPUT Share of the pixels shown",
            "SELECT Colours of hardness",
            "SELECT Loss up to",
            "BUTTON Close panel",
        ),
    ):
        assert control in words
    panels = page.get_by_role("application")
    assert panels.count() == 4
    assert "Shift and arrows: move the cursor" in panels.first.get_attribute("aria-label")
    assert hover(page, 0.5, 0.5) == (128, 96)
