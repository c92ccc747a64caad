"""The page About the method, and the definitions that the other pages link to."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from app.components import definitions
from app.views.method import pipeline

PROJECT = Path(__file__).parents[3]
LINKING = {"make_anchor", "make_link", "link_text", "list_links", "get_text"}
"""Functions whose arguments name definitions."""
SVG = "{http://www.w3.org/2000/svg}"


def named() -> Iterator[tuple[str, str]]:
    """File and name of every definition that the app names as a literal."""
    for path in sorted((PROJECT / "app").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if "definitions" not in source or path == Path(definitions.__file__):
            continue
        for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
            function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            texts = [str(argument.value) for argument in call.args if isinstance(argument, ast.Constant)]
            if function == "link_text":  # the text, then the name if it differs
                texts = [text if len(call.args) > 1 else text[0].upper() + text[1:] for text in texts[-1:]]
            if function in LINKING:
                yield from ((path.name, text) for text in texts)


def shown(app) -> str:
    return "\n".join(element.value for element in (*app.markdown, *app.caption))


def pictures(app) -> set[str]:
    """Names of the maps in the drawing."""
    (drawing,) = app.get("bidi_component")
    return set(json.loads(drawing.proto.json or "{}"))


def test_the_page_works_without_runs(open_app):
    app = open_app(with_runs=False, page="views/method/page.py")
    assert not app.exception
    assert "Three gradient walls" in shown(app)
    assert pictures(app) == set()


def test_the_drawing_shows_the_maps_of_the_run(open_app):
    app = open_app(page="views/method/page.py")
    assert not app.exception and not app.error
    assert len(app.latex) == 5
    assert pictures(app) == {"image", "loss", "hardness"}


@pytest.mark.parametrize("run", ["blind", "waiting"])
def test_a_run_without_hardness_leaves_the_drawing_empty(open_app, run):
    app = open_app(page="views/method/page.py", run=run)
    assert not app.exception and not app.error
    assert pictures(app) == set()


def test_a_broken_checkpoint_hides_the_maps_but_not_the_definitions(open_app):
    app = open_app(page="views/method/page.py", run="broken")
    assert "epoch-0000" in app.error[0].value
    assert "Edge contrast" in [heading.value for heading in app.subheader]


def test_every_definition_has_its_own_heading(open_app):
    anchors = [heading.anchor for heading in open_app(page="views/method/page.py").subheader]
    assert len(set(anchors)) == len(anchors)
    assert {definitions.make_anchor(name) for name in definitions.list_names()} == set(anchors)


def test_anchors_match_those_of_github():
    assert len(definitions.list_names()) > 40
    assert all(re.fullmatch(r"[A-Za-z0-9]+( [A-Za-z0-9]+)*", name) for name in definitions.list_names())
    assert all(text for group in definitions.read_definitions().values() for text in group.values())


def test_every_linked_definition_exists():
    used = list(named())
    assert len(used) > 60
    assert [(file, name) for file, name in used if name not in definitions.list_names()] == []


def test_every_definition_named_in_a_table_exists():
    from app.views.dataset import controls as dataset_controls
    from app.views.dataset import gallery
    from app.views.errors import sentences
    from app.views.objects import charts
    from app.views.runs import controls as run_controls
    from app.views.stability import controls as stability_controls

    names = {
        *dataset_controls.DEFINITIONS.values(),
        *sentences.DEFINITIONS.values(),
        *charts.DEFINITIONS,
        *run_controls.METRICS,
        *(name for *_, name in gallery.MEASURES.values()),
    }
    assert names <= definitions.list_names()
    assert all("](method" in stability_controls.describe_measure(one) for one in stability_controls.SENTENCES)


def test_an_unknown_definition_suggests_a_similar_one():
    with pytest.raises(KeyError, match="did you mean 'Edge contrast'"):
        definitions.make_link("Edge contrats")


def test_a_link_keeps_the_run(open_app):
    facts = open_app(page="views/method/page.py").sidebar.get("html")
    assert any('href="method?run=tiny#miou"' in element.proto.body for element in facts)


def test_the_documentation_links_to_the_definitions():
    document = PROJECT / "docs" / "app.md"
    (target,) = re.findall(r"\]\(([^)]*definitions\.md)\)", document.read_text(encoding="utf-8"))
    assert (document.parent / target).resolve() == definitions.SOURCE
    example = re.search(r"/method\?run=streets#([a-z-]+)", document.read_text(encoding="utf-8"))
    assert example and example[1] in {definitions.make_anchor(name) for name in definitions.list_names()}


def test_the_drawing_is_well_formed_and_described():
    root = ET.fromstring(pipeline.SVG.read_text(encoding="utf-8"))
    assert root.get("role") == "img"
    ids = {element.get("id"): element for element in root.iter()}
    title, description = (ids[name] for name in str(root.get("aria-labelledby")).split())
    assert title.tag == f"{SVG}title" and title.text
    assert description.tag == f"{SVG}desc" and "walls" in str(description.text)
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"wall 1", "wall 2", "wall 3"} <= set(words)
    assert {image.get("data-map") for image in root.iter(f"{SVG}image")} == {"image", "loss", "hardness"}
    linked = {element.get("href") for element in root.iter(f"{SVG}use")}
    assert linked == {"#wall"} and "wall" in ids
