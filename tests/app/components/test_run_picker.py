"""The facts under the run picker."""

PAGE = "views/inspect/page.py"


def test_the_parameters_of_a_small_hardness_branch_are_not_rounded_to_zero(open_app):
    app = open_app(page=PAGE)
    assert any("(1,000 hardness)" in html.proto.body for html in app.get("html"))
