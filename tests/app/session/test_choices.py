"""What a session takes over from a viewer, and what it gives back as texts of a link."""

import re
from pathlib import Path

import pytest

from app import session
from app.session.url import PARAMETERS

VIEWER = "some_viewer"
DOCUMENTED = Path(__file__).parents[3] / "docs" / "app.md"


@pytest.fixture
def stored(monkeypatch):
    """A session of its own, that a link has not asked anything of."""
    stored = {"_linked": set(), "_warnings": []}
    monkeypatch.setattr("streamlit.session_state", stored)
    return stored


def report(stored, viewer=VIEWER, **texts):
    """What a viewer tells: the choices that changed, and the report's number."""
    stored[viewer] = {"view": texts}
    session.apply_viewer_report(viewer)


def test_every_parameter_of_a_link_is_told_in_the_documentation():
    told = set(re.findall(r"`(\w+)`", DOCUMENTED.read_text(encoding="utf-8").partition("## A link is a view")[2]))
    assert PARAMETERS.keys() <= told


def test_choices_made_in_a_viewer_are_kept_as_those_of_a_link(stored):
    report(stored, epoch="3", opacity="25", show="Image,Loss", above="Hardness:0.5", revision=1)
    assert (session.get_choice("epoch"), session.get_choice("opacity"), session.get_choice("above")) == (
        3,
        25,
        "Hardness:0.5",
    )
    assert session.get_choice("show") == ["Image", "Loss"]
    names = ["epoch", "opacity", "show", "above", "zoom"]
    assert session.get_link_texts(names) == {
        "epoch": "3",
        "opacity": "25",
        "show": "Image,Loss",
        "above": "Hardness:0.5",
    }


def test_only_the_choices_that_are_asked_for_are_given_back(stored):
    report(stored, epoch="3", opacity="25", revision=1)
    assert session.get_link_texts(["opacity"]) == {"opacity": "25"}


@pytest.mark.parametrize("name", ["zoom", "above", "compare", "box", "outlines", "hidden", "grey"])
def test_what_a_viewer_says_of_itself_comes_back_letter_by_letter(stored, name):
    text = "wipe,Loss %25%2C change,50"
    report(stored, **{name: text}, revision=1)
    assert session.get_link_texts([name]) == {name: text}


def test_names_with_commas_and_percent_signs_come_back_as_they_were(stored):
    report(stored, show="Top 10 %25%2C or so,Image", revision=1)
    assert session.get_choice("show") == ["Top 10 %, or so", "Image"]
    assert session.get_link_texts(["show"]) == {"show": "Top 10 %25%2C or so,Image"}


def test_an_empty_text_takes_a_choice_back(stored):
    report(stored, x="4", y="5", opacity="25", zoom="0.5,0.5,2", revision=1)
    assert session.ensure_pinned_pixel(10, 10) == (4, 5)
    report(stored, x="", y="", opacity="", zoom="", revision=2)
    assert session.ensure_pinned_pixel(10, 10) is None
    assert session.get_link_texts(["x", "y", "opacity", "zoom"]) == {}
    assert session.ensure_number("opacity", 0, 100, default=70) == 70


def test_nonsense_is_left_out_and_the_rest_is_taken(stored):
    stored["epoch"] = 2
    report(stored, epoch="soon", nats="2.5", opacity="25", revision=1)
    assert session.get_choice("epoch") == 2
    assert session.get_link_texts(["epoch", "nats", "opacity"]) == {"epoch": "2", "opacity": "25"}


def test_a_name_that_no_link_has_changes_nothing(stored):
    stored["_uploads"] = {}
    before = dict(stored)
    report(stored, _uploads="x", hardest="10", _url="", colour="red")
    assert {name: value for name, value in session.items() if name != VIEWER} == before


def test_a_viewer_that_has_nothing_to_say_changes_nothing(stored):
    before = dict(stored)
    stored[VIEWER] = {"view": None}
    session.apply_viewer_report(VIEWER)
    assert {name: value for name, value in session.items() if name != VIEWER} == before


def test_every_viewer_is_told_which_of_its_own_reports_was_heard(stored):
    assert session.get_last_report(VIEWER) == 0
    report(stored, opacity="25", revision=3)
    report(stored, "another", opacity="30", revision=1)
    assert (
        session.get_last_report(VIEWER),
        session.get_last_report("another"),
        session.get_last_report("a third"),
    ) == (3, 1, 0)


def test_an_object_clicked_in_a_viewer_is_the_choice_and_each_click_is_counted(stored):
    assert session.count_selections() == 0
    report(stored, object="test-0001#2", x="3", y="4", revision=1)
    assert (session.get_choice("object"), session.count_selections()) == ("test-0001#2", 1)
    report(stored, opacity="30", revision=2)
    assert session.count_selections() == 1
    report(stored, object="test-0001#2", revision=3)
    assert session.count_selections() == 2


def test_a_value_has_changed_where_it_differs_from_when_it_was_last_asked(stored):
    assert session.detect_change("clicked", "a")
    assert not session.detect_change("clicked", "a")
    assert session.detect_change("other", "a")
    assert session.detect_change("clicked", "b")
    assert session.detect_change("clicked", "a")


def test_which_epochs_have_looked_is_known_of_the_last_picture_alone(stored):
    session.set_ready_epochs("one", [2, 0])
    assert session.get_ready_epochs("one") == [2, 0]
    session.set_ready_epochs("two", [1])
    assert (session.get_ready_epochs("one"), session.get_ready_epochs("two")) == ([], [1])
