"""Draw accounts by verdict: one bar above an Axes, each part of it labelled with its number."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from matplotlib.transforms import BboxTransformTo, ScaledTranslation, blended_transform_factory

from keyaudit.charts import canvas
from keyaudit.charts.facts.accounts import Accounts
from keyaudit.charts.facts.accounts_said import total_text, verdict_text
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT, UNREAD

LACKING: dict[str, Any] = {"facecolor": "#dcdcdc", "edgecolor": "#777777", "hatch": "\\\\\\"}
STYLES: dict[str, dict[str, Any]] = {
    NON_COMPLIANT: canvas.OVER,
    INSUFFICIENT_DATA: LACKING,
    UNREAD: canvas.UNKNOWN,
    COMPLIANT: canvas.WITHIN,
}
#: height of the bar in points; an account among thousands is still seen: share of the whole
HEIGHT, LEAST = 10.0, 0.008


def draw_verdicts(ax: Axes, found: Accounts, width: float, left: float, strips: int) -> int:
    """The bar, over so many ``strips``, from a share ``left`` of the ``width`` in points on, and the key of marks;
    returns how many strips there are then."""
    base = strips * canvas.STRIP + 2
    top = ScaledTranslation(0, 1, BboxTransformTo(ax.bbox))
    where = blended_transform_factory(ax.transAxes, ax.figure.dpi_scale_trans + top)
    shares = np.maximum(np.array([*found.verdicts.values()]) / len(found.table), LEAST)
    ends = left + (1 - left) * np.cumsum([0, *shares / shares.sum()])
    for verdict, start, end in zip(found.verdicts, ends, ends[1:], strict=False):
        style = {"transform": where, "clip_on": False, "linewidth": 0, "gid": verdict, **STYLES[verdict]}
        size = (end - start, HEIGHT / canvas.INCH)
        ax.add_patch(Rectangle((start, base / canvas.INCH), *size, **style))
    total = {"va": "center", "fontsize": canvas.SMALL, "fontweight": "bold"}
    canvas.note(ax, total_text(found), (0, 1), (0, base + HEIGHT / 2), "axes fraction", **total)
    texts = {verdict: verdict_text(found, verdict) for verdict in found.verdicts}
    handles = [Patch(linewidth=0, label=text, **STYLES[verdict]) for verdict, text in texts.items()]
    return strips + 1 + canvas.keys_above(ax, handles, width, strips + 1)
