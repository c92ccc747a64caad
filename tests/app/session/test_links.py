"""Choices from links, and links from choices."""

import streamlit as st

EDGES = "views/edges/page.py"


def test_a_choice_removed_from_the_link_returns_to_its_default(open_app):
    app = open_app(page=EDGES, side="512", sample="test-0003")
    app.selectbox(key="sample").select("test-0002").run()
    assert (app.selectbox(key="sample").value, app.selectbox(key="side").value) == ("test-0002", 512)
    del app.query_params["side"]
    app.run()
    assert not app.exception
    assert (app.selectbox(key="sample").value, app.selectbox(key="side").value) == ("test-0002", 768)
    assert app.query_params["side"] in ("768", ["768"])


def test_a_widget_changed_while_the_link_changes_keeps_its_choice(open_app):
    app = open_app(page=EDGES, side="512", sample="test-0003")
    app.selectbox(key="side").select(512).run()
    app.query_params["sample"] = "test-0001"
    app.selectbox(key="side").select(1024).run()
    assert (app.selectbox(key="sample").value, app.selectbox(key="side").value) == ("test-0001", 1024)


def test_a_fully_applied_link_stays_unchanged_until_the_next_choice(open_app):
    app = open_app(page=EDGES, side="512")
    assert set(app.query_params) == {"run", "side"}
    app.selectbox(key="sample").select("test-0002").run()
    assert {"run", "side", "sample", "epoch", "edge"} <= set(app.query_params)


def test_a_choice_made_before_the_page_was_complete_is_part_of_the_link(open_app, monkeypatch):
    with monkeypatch.context() as interrupted:
        interrupted.setattr("app.loading.edges.load_edge_tables", lambda *_, **__: st.stop())
        app = open_app(page=EDGES, side="512")
    assert set(app.query_params) == {"run", "side"}
    app.selectbox(key="sample").select("test-0002").run()
    assert app.query_params["sample"] in ("test-0002", ["test-0002"])


def test_many_warnings_about_a_link_are_one_short_list(open_app):
    wrong = {"epoch": "x", "side": "y", "opacity": "z", "flagged": "w", "nats": "v", "x": "u", "y": "t", "part": "s"}
    app = open_app(page=EDGES, **wrong)
    (warning,) = app.warning
    assert warning.value.count("\n- ") == 7
    assert warning.value.endswith("- and 2 more")
    assert "- epoch must be a whole number, got 'x'" in warning.value


def test_a_choice_sent_with_an_outdated_link_does_not_undo_others(open_app):
    app = open_app(page=EDGES, side="512", sample="test-0003")
    app.selectbox(key="sample").select("test-0002").run()
    app.selectbox(key="sample").select("test-0001").run()
    app.query_params["sample"] = "test-0002"
    app.selectbox(key="side").select(1024).run()
    assert (app.selectbox(key="sample").value, app.selectbox(key="side").value) == ("test-0001", 1024)


def test_going_back_restores_the_older_link(open_app):
    app = open_app(page=EDGES, side="512", sample="test-0003")
    app.selectbox(key="sample").select("test-0002").run()
    app.selectbox(key="sample").select("test-0001").run()
    app.query_params["sample"] = "test-0002"
    app.run()
    assert app.selectbox(key="sample").value == "test-0002"
