"""Charts in a notebook: ``%reload_ext keyaudit`` shows an Axes as a picture with its alternative text.

Charts are drawn without pyplot, so that nothing is shown twice and no figure outlives its cell; the alternative
text is the label that the chart gave to its Axes. It is shown as HTML, for JupyterLab gives an ``image/png``
output no alternative text.
"""

from __future__ import annotations

import io
from base64 import b64encode
from html import escape
from typing import Any

DPI = 130
#: dots per inch of a page: a chart of the width that follows from them is drawn to scale
SCREEN_DPI = 96
#: a level of zlib: with the usual one, 6, a picture takes half as long again to write and is about as large
QUICK = 3
#: the lowest and the highest alpha of a picture that nothing shines through
OPAQUE = (255, 255)


def register(shell: Any) -> None:
    """Teach an IPython shell to show Axes."""
    formatter = shell.display_formatter.mimebundle_formatter
    formatter.for_type_by_name("matplotlib.axes._axes", "Axes", show_axes)


def show_axes(axes: Any, **_: Any) -> dict[str, str] | None:
    """The MIME bundle of an Axes; None leaves figures that pyplot manages to pyplot."""
    figure = axes.figure
    if figure.canvas.manager is not None:
        return None
    return {"text/html": picture(figure, alt := str(axes.get_label())), "text/plain": alt}


def picture(figure: Any, alt: str) -> str:
    """A figure as HTML that contains all of it, drawn finely enough for print."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    own_dpi, canvas = figure.dpi, FigureCanvasAgg(figure)
    figure.set_dpi(DPI)
    # figure.savefig would draw twice, for the same picture
    canvas.draw()
    figure.set_dpi(own_dpi)
    image, content = Image.fromarray(np.asarray(canvas.buffer_rgba())), io.BytesIO()
    if image.getchannel("A").getextrema() == OPAQUE:
        image = image.convert("RGB")  # a quarter less to write
    # no name of software and no date: the same chart is the same bytes
    image.save(content, "png", compress_level=QUICK, dpi=(DPI, DPI))
    return as_html(figure, alt, "image/png", content.getvalue())


def as_html(figure: Any, alt: str, kind: str, content: bytes) -> str:
    """The picture of a figure, to its scale, with its alternative text."""
    width, height = (round(inches * SCREEN_DPI) for inches in figure.get_size_inches())
    source = f"data:{kind};base64,{b64encode(content).decode('ascii')}"
    return f'<figure><img src="{source}" alt="{escape(alt)}" width="{width}" height="{height}"></figure>'
