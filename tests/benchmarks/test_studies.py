"""The documents about planted faults and about stability."""

import pandas as pd
import pytest

from benchmarks.studies import GAIN, markdown_table, of_faults, of_stability


def fault(measure: str, low: float, high: float) -> dict:
    about = {"run": "r", "split": "test", "images": 8, "seeds": 2, "level": "pixel", "method": "suspicion"}
    return {
        **about,
        "summary": "",
        "kind": "all",
        "measure": measure,
        "value": (low + high) / 2,
        "low": low,
        "high": high,
    }


def step(of: str, measure: str, first: str, second: str, value: float) -> dict:
    about = {"run": "r", "split": "val", "map": of, "first": first, "second": second, "measure": measure}
    return {**about, "value": value, "low": value - 0.01, "high": value + 0.01, "images": 6.0}


@pytest.fixture
def study() -> pd.DataFrame:
    """Three kept epochs after the untrained one; hardness overlaps more at the first pair and less at the second."""
    epochs = [f"epoch-{n:04d}" for n in (0, 1, 2, 3)]
    rows = [step(of, "level", "", name, 0.5) for of in ("hardness", "loss") for name in epochs]
    for measure in ("top10_iou", "spearman", "tail"):
        for of, values in (("hardness", (0.9, 0.6)), ("loss", (0.8, 0.7))):
            rows += [step(of, measure, epochs[1 + at], epochs[2 + at], value) for at, value in enumerate(values)]
    rows += [step(of, "relative_level", "", epochs[3], value) for of, value in (("hardness", 0.8), ("loss", 0.2))]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 0.2, "suspicion finds more than plain loss;"),
        (-0.2, -0.1, "suspicion finds less than plain loss, so hardness makes it worse;"),
        (-0.1, 0.1, "suspicion and plain loss cannot be told apart;"),
    ],
)
def test_the_sentence_about_hardness_follows_from_the_paired_gain(low, high, said):
    text = "\n".join(of_faults(pd.DataFrame([fault("average precision", 0.1, 0.9), fault(GAIN, low, high)])))
    assert said in text
    assert "0.500 (0.100 to 0.900)" in text


def test_pairs_of_epochs_are_counted_by_which_map_is_clearly_higher_and_the_untrained_epoch_is_left_out(study):
    text = "\n".join(of_stability(study))
    assert "- top 10 % IoU: hardness clearly higher in 1 of 2 pairs of epochs, loss in 1;" in text
    assert "| 1 → 2 |" in text
    assert "| 0 → 1 |" not in text


def test_the_last_level_is_divided_by_the_first(study):
    assert "mean hardness 0.800 (0.790 to 0.810), loss 0.200 (0.190 to 0.210)" in "\n".join(of_stability(study))


def test_a_table_has_a_line_per_row():
    assert markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("slow", "said"), [(0.9, "fades less the slower"), (0.3, "fades more the slower"), (0.8, "does not clearly change")]
)
def test_the_sentence_about_the_branchs_rate_follows_from_the_last_levels(study, slow, said):
    fast = study.assign(run="streets-every-epoch")
    other = study.assign(run="streets-slow-hardness")
    level = (other["measure"] == "relative_level") & (other["map"] == "hardness")
    other.loc[level, ["value", "low", "high"]] = [slow, slow - 0.01, slow + 0.01]
    assert said in "\n".join(of_stability(pd.concat([fast, other])))
