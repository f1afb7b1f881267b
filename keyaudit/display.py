"""Charts in a notebook: ``%load_ext keyaudit`` shows an Axes as a PNG with its alternative text.

Charts are drawn without pyplot, so that nothing is shown twice and no figure outlives its cell; the alternative
text is the label that the chart gave to its Axes. nbconvert and JupyterLab take it from the output's metadata.
"""

from __future__ import annotations

import io
from base64 import b64encode
from typing import Any

DPI = 130


def register(shell: Any) -> None:
    """Teach an IPython shell to show Axes."""
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type_by_name("matplotlib.axes._axes", "Axes", show_axes)


def show_axes(axes: Any, **_: Any) -> tuple[dict[str, str], dict[str, Any]] | None:
    """The MIME bundle of an Axes, and the metadata with its alternative text; None leaves figures that pyplot
    manages to pyplot."""
    figure = axes.figure
    if figure.canvas.manager is not None:
        return None
    png = io.BytesIO()
    # no software name and no date: the same chart is the same bytes
    figure.savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    alt = str(axes.get_label())
    data = {"image/png": b64encode(png.getvalue()).decode("ascii"), "text/plain": alt}
    width, height = figure.get_size_inches()
    size = {"width": round(width * 96), "height": round(height * 96)}
    return data, {"image/png": {"alt": alt, **size}}
