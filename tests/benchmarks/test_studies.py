"""The document about planted faults."""

import pandas as pd
import pytest

from benchmarks.studies import GAIN, format_fits, format_label_faults, format_markdown_table, format_suspicion


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


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 0.2, "suspicion finds more than plain loss;"),
        (-0.2, -0.1, "suspicion finds less than plain loss, so hardness makes it worse;"),
        (-0.1, 0.1, "suspicion and plain loss cannot be told apart;"),
    ],
)
def test_the_sentence_about_hardness_follows_from_the_paired_gain(low, high, said):
    text = "\n".join(format_label_faults(pd.DataFrame([fault("average precision", 0.1, 0.9), fault(GAIN, low, high)])))
    assert said in text
    assert "0.500 (0.100 to 0.900)" in text


def test_a_table_has_a_line_per_row():
    assert format_markdown_table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


@pytest.mark.parametrize(
    ("tcp", "said"), [(0.7, "lower than that of 1 − max softmax"), (0.95, "higher than that of 1 − max softmax")]
)
def test_fitted_branches_are_shown_with_intervals_over_seeds_and_the_best_target(tcp, said):
    def row(target: str, images: str, seed: int, score: str, measure: str, value: float) -> dict:
        about = {"run": "r", "target": target, "images": images, "seed": seed, "on": "d"}
        return {**about, "score": score, "measure": measure, "value": value}

    rows = [row("hardness", "in training", 0, "hardness", "auroc, all", 0.8)]
    rows += [row("hardness", "in training", 0, "max_softmax", "auroc, all", 0.9)]
    rows += [row("hardness", "train", seed, "hardness", "auroc, all", 0.5 + 0.1 * seed) for seed in range(3)]
    rows += [row("tcp", "train", seed, "hardness", "auroc, all", tcp + 0.001 * seed) for seed in (-1, 0, 1)]
    rows += [row("tcp", "train", 0, "hardness", "images", 7)]
    text = "\n".join(format_fits(pd.DataFrame(rows)))
    assert "## r on d, 7 images" in text
    assert "| hardness | in training |  | 0.800 |" in text
    assert "| hardness | train | 3 | 0.600 (0.352 to 0.848) |" in text
    assert "| 1 − max softmax |  |  | 0.900 |" in text
    assert f"Of the targets, tcp has the highest AUROC ({tcp:.3f})" in text
    assert said in text


@pytest.mark.parametrize(
    ("low", "high", "said"), [(0.01, 0.02, "higher"), (-0.02, -0.01, "lower"), (-0.01, 0.01, "not significant")]
)
def test_a_small_model_finds_more_errors_only_if_its_interval_says_so(low, high, said):
    gain = {"gain": (low + high) / 2, "gain_low": low, "gain_high": high}
    row = {"learned_on": "val", "tested_on": "test", "score": "a model", "auroc": 0.9, "low": 0.8, "high": 0.95}
    text = "\n".join(format_suspicion(pd.DataFrame([row | gain])))
    assert "## Fitted on val, tested on test" in text
    assert f"| a model | 0.900 (0.800 to 0.950) | {gain['gain']:.3f} ".replace("-", "−") in text
    assert f"| {said} |" in text
