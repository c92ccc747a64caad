"""The facts under the run picker, and the names of the epochs."""

from app.components.layers import make_steps
from tests.app.conftest import make_run

PAGE = "views/inspect/page.py"


def test_the_parameters_of_a_small_hardness_branch_are_not_rounded_to_zero(open_app):
    app = open_app(page=PAGE)
    assert any("(1,000 hardness)" in html.proto.body for html in app.get("html"))


def test_the_best_epoch_is_named_among_the_steps(tmp_path):
    run = make_run(tmp_path, "best").write_best_epoch(1)
    run.append_metrics("epoch", {"epoch": 1, "iteration": 10, "mean_iou": 0.5})
    run.append_metrics("epoch", {"epoch": 2, "iteration": 20, "mean_iou": 0.4})
    assert [step.note for step in make_steps(run)] == ["iteration 0", "iteration 10, best on val", "iteration 20"]
