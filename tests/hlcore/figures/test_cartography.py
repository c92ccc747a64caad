"""Figures of how pixels were learned."""

import numpy as np
import pandas as pd
import pytest

from hlcore.figures.cartography import make_cartography_figure, make_learning_figure
from hlcore.figures.style import HARDNESS_SCALES, colour_scale, make_plotly_scale

PLANE = pd.DataFrame(
    {"mean_from": [0.0, 0.95], "spread_from": [0.025, 0.0], "pixels": [1, 99], "hardness_mean": [0.9, 0.1]}
)


def test_a_square_lies_in_the_middle_of_its_bin_and_grows_with_its_pixels() -> None:
    (points,) = make_cartography_figure(PLANE).data
    assert list(points.x) == pytest.approx([0.0375, 0.0125])
    assert points.marker.size[1] > points.marker.size[0]
    assert list(points.marker.color) == [0.9, 0.1]
    assert points.customdata[:, 0].tolist() == [1, 99]


def test_a_single_bin_can_be_drawn() -> None:
    (points,) = make_cartography_figure(PLANE.iloc[:1]).data
    assert len(points.x) == 1


def test_bars_show_shares_in_percent_with_intervals_and_hardness() -> None:
    rows = [
        (quantity, group, measure, value, value - 0.01, value + 0.02)
        for quantity, groups in (("learned", ("3", "never")), ("forgetting", ("0", "1", "2 or more")))
        for group in groups
        for measure, value in (("share", 0.25), ("hardness_mean", 0.6))
    ]
    table = pd.DataFrame(rows, columns=["quantity", "group", "measure", "value", "low", "high"])
    learned, forgotten, bar = make_learning_figure(table).data
    assert list(learned.x) == ["3", "never"]
    assert list(forgotten.x) == ["0", "1", "2 or more"]
    assert list(learned.y) == [25, 25]
    assert list(learned.error_y.array) == pytest.approx([2, 2])
    red, green, blue = colour_scale(HARDNESS_SCALES[0])[153]
    assert list(learned.marker.color) == [f"rgb({red}, {green}, {blue})"] * 2
    assert (bar.marker.cmin, bar.marker.cmax) == (0, 1)


@pytest.mark.parametrize("name", HARDNESS_SCALES)
def test_a_scale_for_plotly_has_the_same_ends_and_no_hexadecimal_colour(name: str) -> None:
    scale = make_plotly_scale(name)
    assert [scale[0][0], scale[-1][0]] == [0, 1]
    assert all(str(colour).startswith("rgb(") for _, colour in scale)
    for at, end in ((0, 0), (-1, 255)):
        found = [int(number) for number in str(scale[at][1])[4:-1].split(",")]
        assert np.abs(np.array(found) - colour_scale(name)[end].astype(int)).max() == 0
