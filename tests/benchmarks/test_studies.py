"""The document about planted faults."""

import pandas as pd
import pytest

from benchmarks.studies import GAIN, format_label_faults, format_markdown_table


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
