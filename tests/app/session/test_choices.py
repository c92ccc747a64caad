"""Choices made in viewers, and their texts in links."""

import re
from pathlib import Path

import pytest

from app import session
from app.session.url import PARAMETERS

VIEWER = "some_viewer"
DOCUMENTED = Path(__file__).parents[3] / "docs" / "links.md"


@pytest.fixture
def stored(monkeypatch):
    """An empty session, opened without a link."""
    stored = {"_linked": set(), "_warnings": []}
    monkeypatch.setattr("streamlit.session_state", stored)
    return stored


def report(stored, viewer=VIEWER, **texts):
    """Apply a viewer's report: changed choices and the number of the report."""
    stored[viewer] = {"view": texts}
    session.apply_viewer_report(viewer)


def test_every_link_parameter_is_documented():
    documented = set(re.findall(r"`(\w+)`", DOCUMENTED.read_text(encoding="utf-8")))
    assert PARAMETERS.keys() <= documented


def test_choices_in_a_viewer_are_stored_like_those_of_a_link(stored):
    report(stored, epoch="3", opacity="25", show="Image,Loss", above="Hardness:0.5", revision=1)
    assert [session.get_choice(name) for name in ("epoch", "opacity", "above")] == [3, 25, "Hardness:0.5"]
    assert session.get_choice("show") == ["Image", "Loss"]
    names = ["epoch", "opacity", "show", "above", "zoom"]
    assert session.get_link_texts(names) == {
        "epoch": "3",
        "opacity": "25",
        "show": "Image,Loss",
        "above": "Hardness:0.5",
    }


def test_only_requested_choices_are_returned(stored):
    report(stored, epoch="3", opacity="25", revision=1)
    assert session.get_link_texts(["opacity"]) == {"opacity": "25"}


@pytest.mark.parametrize("name", ["zoom", "above", "compare", "box", "outlines", "hidden", "grey"])
def test_viewer_settings_are_returned_unchanged(stored, name):
    text = "wipe,Loss %25%2C change,50"
    report(stored, **{name: text}, revision=1)
    assert session.get_link_texts([name]) == {name: text}


def test_names_with_commas_and_percent_signs_survive_the_link(stored):
    report(stored, show="Top 10 %25%2C or so,Image", revision=1)
    assert session.get_choice("show") == ["Top 10 %, or so", "Image"]
    assert session.get_link_texts(["show"]) == {"show": "Top 10 %25%2C or so,Image"}


def test_an_empty_text_resets_a_choice(stored):
    report(stored, x="4", y="5", opacity="25", zoom="0.5,0.5,2", revision=1)
    assert session.ensure_pinned_pixel(10, 10) == (4, 5)
    report(stored, x="", y="", opacity="", zoom="", revision=2)
    assert session.ensure_pinned_pixel(10, 10) is None
    assert session.get_link_texts(["x", "y", "opacity", "zoom"]) == {}
    assert session.ensure_number("opacity", 0, 100, default=70) == 70


def test_invalid_values_are_ignored_and_the_rest_is_stored(stored):
    stored["epoch"] = 2
    report(stored, epoch="soon", nats="2.5", opacity="25", revision=1)
    assert session.get_choice("epoch") == 2
    assert session.get_link_texts(["epoch", "nats", "opacity"]) == {"epoch": "2", "opacity": "25"}


def test_an_unknown_parameter_changes_nothing(stored):
    stored["_uploads"] = {}
    before = dict(stored)
    report(stored, _uploads="x", hardest="10", _url="", colour="red")
    assert {name: value for name, value in stored.items() if name != VIEWER} == before


def test_an_empty_report_changes_nothing(stored):
    before = dict(stored)
    stored[VIEWER] = {"view": None}
    session.apply_viewer_report(VIEWER)
    assert {name: value for name, value in stored.items() if name != VIEWER} == before


def test_every_viewer_gets_the_number_of_its_own_last_report(stored):
    assert session.get_last_report(VIEWER) == 0
    report(stored, opacity="25", revision=3)
    report(stored, "another", opacity="30", revision=1)
    assert (
        session.get_last_report(VIEWER),
        session.get_last_report("another"),
        session.get_last_report("a third"),
    ) == (3, 1, 0)


def test_clicking_an_object_in_a_viewer_selects_it_and_counts_the_click(stored):
    assert session.count_selections() == 0
    report(stored, object="test-0001#2", x="3", y="4", revision=1)
    assert (session.get_choice("object"), session.count_selections()) == ("test-0001#2", 1)
    report(stored, opacity="30", revision=2)
    assert session.count_selections() == 1
    report(stored, object="test-0001#2", revision=3)
    assert session.count_selections() == 2


def test_a_change_is_detected_against_the_previous_call(stored):
    assert session.detect_change("clicked", "a")
    assert not session.detect_change("clicked", "a")
    assert session.detect_change("other", "a")
    assert session.detect_change("clicked", "b")
    assert session.detect_change("clicked", "a")


def test_ready_epochs_are_stored_for_the_last_image_only(stored):
    session.set_ready_epochs("one", [2, 0])
    assert session.get_ready_epochs("one") == [2, 0]
    session.set_ready_epochs("two", [1])
    assert (session.get_ready_epochs("one"), session.get_ready_epochs("two")) == ([], [1])
