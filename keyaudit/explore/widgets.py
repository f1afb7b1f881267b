"""The explorer in JupyterLab: what is explored and controls at the top, and words, counts, chart and table that
follow them.

ipywidgets and itables belong to the extra ``lab``; both bring their scripts with them, so nothing is fetched from
anywhere.
"""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ipywidgets as w
from itables.widget import ITable

from keyaudit.explore import show
from keyaudit.explore.chooser import Chooser
from keyaudit.explore.chosen import Chosen, Judged
from keyaudit.explore.desk import Desk
from keyaudit.explore.drawing import Drawing
from keyaudit.explore.sealing import make
from keyaudit.explore.selection import AS_SET, STATUSES, Selection, span
from keyaudit.explore.view import Explorer, View
from keyaudit.frontend import Shown
from keyaudit.resources import data
from keyaudit.schema import CONTROLS, LIMIT_OF, InputError, KeyAuditError
from keyaudit.texts import line, say

#: the table holds so many of the worst rows, so that a redraw stays quick; the fields above filter all keys
MOST_ROWS = 500
#: the filters stand below their columns, so that the headings stay; ITable forgets this unless it is told again
FILTERS: dict[str, Any] = {"column_filters": "footer"}
#: days that the slider offers; more if the policy sets more
SLIDER_DAYS = 365


class Panel(w.VBox):
    """The explorer of what is on a Desk. ``view`` is what it shows now."""

    def __init__(self, desk: Desk, selection: Selection) -> None:
        self.desk, self.explorer, self.drawing = desk, Explorer(desk.judged.audit), Drawing()
        self.chooser = Chooser(desk.judged, self._choose)
        wide = w.Layout(width="auto")
        named = {"description_width": "initial"}
        self.control = w.Dropdown(
            options=[(say(f"control.{one}"), one) for one in CONTROLS],
            value=selection.control, description=say("explore.control"), style=named, layout=wide,
        )  # fmt: skip
        self.limit = w.IntSlider(description=say("explore.limit"), style=named, layout=w.Layout(width="520px"))
        self.reset = w.Button(description=say("explore.reset"), layout=wide)
        self.status = w.ToggleButtons(
            options=[(say(f"explore.status_{one}"), one) for one in STATUSES], value=selection.status,
            style={"button_width": "auto"},
        )  # fmt: skip
        self.accounts = _search("accounts", selection.accounts)
        self.users = _search("users", selection.users)
        self.words, self.counts, self.chart = _html(), _html(), _html()
        self.more = _html()
        self.user = w.Combobox(
            placeholder=say("explore.user_hint"), description=say("explore.user"), ensure_option=False, style=named
        )
        self.user_says = _html()
        self.export = w.Button(description=say("explore.export"), layout=wide)
        self.exported = _html()
        self.seal = w.Button(description=say("explore.seal"), layout=wide)
        # an output of a cell, where a front end knows where the link leads
        self.sealed = w.Output()
        self._is_set = self._quiet = False
        self._set_slider(selection.limit)
        self.view: View = self.explorer.view(self._selection())
        self.table = ITable(
            show.keys_frame(self.view, MOST_ROWS), caption=say("explore.table"), select="single", maxBytes=0,
            showIndex=False, order=[], lengthMenu=[10, 25, 100], **FILTERS,
        )  # fmt: skip
        self._draw()
        super().__init__([
            w.HTML(f"<style>{data('explore', 'panel.css').read_text(encoding='utf-8')}</style>"),
            self.chooser,
            w.HBox([self.control, self.limit, self.reset]),
            w.HBox([self.accounts, self.users, self.status]),
            self.words, self.counts, self.chart, self.table, self.more, self.user, self.user_says,
            w.HBox([self.export, self.seal]), self.exported, self.sealed,
        ])  # fmt: skip
        self.add_class("keyaudit-explorer")
        self.limit.observe(self._moved, "value")
        self.control.observe(lambda _: self._as_set(), "value")
        for one in (self.status, self.accounts, self.users):
            one.observe(lambda _: self.refresh(), "value")
        self.reset.on_click(lambda _: self._as_set())
        self.user.observe(lambda _: self._pick(self.user.value), "value")
        self.table.observe(self._row, "selected_rows")
        self.export.on_click(lambda _: self._export())
        self.seal.on_click(lambda _: self._seal())

    def refresh(self) -> None:
        """Judge and draw anew what the controls ask for now."""
        if self._quiet:
            return
        try:
            self.view = self.explorer.view(self._selection())
        except InputError as error:
            self.words.value = _strong(str(error))
            return
        self._draw()

    def _choose(self, chosen: Chosen) -> Judged:
        """Another choice: the controls stay as they are, and a limit that was not moved is the new policy's."""
        judged = self.desk.choose(chosen)
        self.explorer = Explorer(judged.audit)
        if self._is_set:
            self._set_slider(AS_SET)
        self.user.value = ""
        self.refresh()
        return judged

    def _selection(self) -> Selection:
        limit = AS_SET if self._is_set else self.limit.value
        control = self.control.value
        limit = AS_SET if control not in LIMIT_OF else limit
        return Selection(control, limit, self.status.value, self.accounts.value, self.users.value)

    def _set_slider(self, limit: int) -> None:
        """The span of the control's limit; at the policy's own, until the slider is moved."""
        control = self.control.value
        own = self.explorer.audit.policy.limit(control)
        lowest, highest = span(control)
        at = limit if limit != AS_SET else own if own is not None else lowest
        self._quiet = True
        self.limit.min, self.limit.max = 0, max(self.limit.max, 2)
        self.limit.max = min(highest, max(SLIDER_DAYS, at))
        self.limit.value, self.limit.min = at, lowest
        self.limit.disabled = self.reset.disabled = control not in LIMIT_OF
        self._quiet = False
        self._is_set = limit == AS_SET

    def _as_set(self) -> None:
        self._set_slider(AS_SET)
        self.refresh()

    def _moved(self, _: Any) -> None:
        if not self._quiet:
            self._is_set = False
            self.refresh()

    def _draw(self) -> None:
        view = self.view
        self.words.value = show.words(view)._repr_html_()
        self.counts.value = show.counts(view)._repr_html_()
        self.chart.value = self.drawing.html(show.chart(view))
        self.table.update(show.keys_frame(view, MOST_ROWS), selected_rows=[], **FILTERS)
        cut = len(view.keys) > MOST_ROWS
        self.more.value = escape(say("explore.cut", shown=MOST_ROWS, total=len(view.keys))) if cut else ""
        self.user.options = tuple(dict.fromkeys(view.keys["user"].head(MOST_ROWS)))
        self.exported.value = ""
        self.sealed.outputs = ()

    def _row(self, change: Any) -> None:
        if change["new"]:
            self.user.value = str(self.view.keys["user"].iloc[change["new"][0]])

    def _pick(self, user: str) -> None:
        tables = show.user_tables(self.explorer.audit, user) if user else ()
        self.user_says.value = "".join(one._repr_html_() for one in tables)

    def _export(self) -> None:
        content = base64.b64encode(show.selection_csv(self.view)).decode("ascii")
        name = "keyaudit-selection.csv"
        link = f'<a download="{name}" href="data:text/csv;base64,{content}">{name}</a>'
        said = escape(say("explore.exported", n=len(self.view.keys)))
        run, line = escape(say("explore.run")), escape(show.command(self.view.selection, self._places()))
        self.exported.value = f"<p>{said} {link}</p>" + (f"<p>{run}</p><pre>{line}</pre>" if line else "")

    def _seal(self) -> None:
        """Make the evidence of this view, and show the link to its page."""
        self.seal.disabled = True
        waiting = escape(say("explore.sealing"))
        self._tell(f"<p>{waiting}</p>")
        self._tell(self._sealed())
        self.seal.disabled = False

    def _sealed(self) -> str:
        """What came of it; nothing is sealed but what is shown."""
        try:
            if not self.desk.is_current():
                return _strong(say("explore.changed"))
        except KeyAuditError as error:
            return _strong(line(str(error)))
        made = make(show.arguments(self.view.selection, self._places()))
        told = escape(say("explore.sealed" if made.page else "explore.not_sealed"))
        leads_to = escape(quote(made.page.as_posix())) if made.page else ""
        link = f'<a href="{leads_to}" target="_blank">{escape(str(made.page))}</a>' if made.page else ""
        return f"<p>{told} {link}</p><pre>{escape(made.said)}</pre>"

    def _tell(self, html: str) -> None:
        told = {"output_type": "display_data", "metadata": {}, "data": {"text/html": html, "text/plain": ""}}
        self.sealed.outputs = (told,)

    def _places(self) -> dict[str, str]:
        """What was asked, with full paths for files, because the command is run from elsewhere."""
        asked = self.desk.judged.asked
        paths = {k: str(Path(v).resolve()) for k, v in asked.items() if v and k != "as_of" and Path(v).exists()}
        return asked | paths


class Board(w.Output):
    """Outputs of a cell, of which others can take the place."""

    def put(self, parts: list[object]) -> None:
        """Show these, and no others."""
        self.outputs = tuple(
            {"output_type": "display_data", "data": data, "metadata": metadata}
            for data, metadata in Shown(parts).bundles()
        )


def _search(name: str, value: str) -> w.Text:
    text = w.Text(value=value, placeholder=say("explore.search"), description=say(f"explore.{name}"))
    text.style.description_width = "initial"
    text.continuous_update = True
    return text


def _strong(text: str) -> str:
    return f"<p><b>{escape(text)}</b></p>"


def _html() -> w.HTML:
    """In the style that JupyterLab gives to the outputs of cells."""
    return w.HTML(_dom_classes=["jp-RenderedHTMLCommon"])
