"""Charts: even steps, and pictures that need nothing else."""

import pytest

from console.charts import bars, ticks


@pytest.mark.parametrize(
    ("top", "expected"),
    [
        (0, [0, 1]),
        (0.4, [0, 1]),
        (3, [0, 1, 2, 3]),
        (10, [0, 2, 4, 6, 8, 10]),
        (530, [0, 200, 400, 600]),
        (2192.38, [0, 500, 1000, 1500, 2000, 2500]),
    ],
)
def test_the_steps_are_even_and_reach_the_top(top: float, expected: list[int]) -> None:
    assert ticks(top) == expected


@pytest.mark.parametrize("stacked", [False, True])
def test_a_picture_asks_for_nothing(stacked: bool) -> None:
    svg = bytes(bars(["a", "b"], {"x": [1, 2], "y": [0, 3]}, stacked=stacked).body).decode()
    assert svg.startswith("<svg")
    for what in ("<script", "<image", "<use", "@import", "url(", "xlink:href"):
        assert what not in svg
