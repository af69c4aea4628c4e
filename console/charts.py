"""Charts as SVG pictures: no script, light and dark by the reader's own setting.

Whoever shows one says its numbers in a table beside it.
"""

from collections.abc import Mapping, Sequence
from itertools import count
from math import ceil
from typing import Any, Final
from xml.etree import ElementTree as ET

from starlette.responses import Response

from console.quiet_pygal import Style, pygal

STEPS_MAX: Final = 5
COLOURS: Final = ("#0b7a63", "#c2680b", "#5b5fc7", "#a4262c")
_DARK: Final = """
@media (prefers-color-scheme: dark) {
  text { fill: #a5b3ad !important; }
  .guides path, .axis .line, .guide { stroke: #37433e !important; }
  .color-0 { fill: #6fd3b8 !important; } .color-1 { fill: #f0a85e !important; }
  .color-2 { fill: #a9acf5 !important; } .color-3 { fill: #ff9a9a !important; }
}"""
_HEADERS: Final = {
    # A picture of ours has its own colours in it, and nothing else.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


def bars(
    labels: Sequence[str],
    series: Mapping[str, Sequence[float]],
    *,
    stacked: bool = False,
    height: int = 220,
    labels_shown: int = 12,
) -> Response:
    """A bar for each label and series; so many labels are written at most."""
    kind = pygal.StackedBar if stacked else pygal.Bar
    chart = kind(
        style=_style(),
        width=800,
        height=height,
        show_legend=len(series) > 1,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
        js=(),
        margin=8,
        spacing=6,
        print_values=False,
        truncate_label=-1,
        disable_xml_declaration=True,
        show_minor_x_labels=False,
        x_labels_major_every=max(1, -(-len(labels) // labels_shown)),
        css=["file://style.css", "file://graph.css", f"inline:{_DARK}"],
    )
    chart.x_labels = list(labels)
    chart.y_labels = ticks(_top(series, stacked=stacked))
    for name, values in series.items():
        chart.add(name, list(values))
    return Response(_written(chart), media_type="image/svg+xml", headers=_HEADERS)


def ticks(top: float) -> list[int]:
    """Whole numbers from 0 to `top` or just above, in even steps of 1, 2 or 5 times a ten."""
    step = next(
        digit * 10**power
        for power in count()
        for digit in (1, 2, 5)
        if digit * 10**power * STEPS_MAX >= top
    )
    return list(range(0, max(step, ceil(top / step) * step) + 1, step))


def _written(chart: Any) -> bytes:
    """Without the script that pygal would have a page run."""
    tree = chart.render_tree()
    for parent in list(tree.iter()):
        for child in list(parent):
            if str(child.tag).endswith("script"):
                parent.remove(child)
    return ET.tostring(tree)


def _top(series: Mapping[str, Sequence[float]], *, stacked: bool) -> float:
    columns = zip(*series.values(), strict=True)
    return max((sum(each) if stacked else max(each) for each in columns), default=0.0)


def _style() -> Style:
    return Style(
        background="transparent",
        plot_background="transparent",
        foreground="#55625d",
        foreground_strong="#55625d",
        foreground_subtle="#d5dbd8",
        guide_stroke_color="#d5dbd8",
        guide_stroke_dasharray="0",
        major_guide_stroke_color="#d5dbd8",
        major_guide_stroke_dasharray="0",
        font_family="system-ui, sans-serif",
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=13,
        no_data_font_size=16,
        colors=COLOURS,
        opacity="1",
        opacity_hover="1",
        transition="0",
    )
