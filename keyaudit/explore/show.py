"""A View as what people see: words, counts, chart, tables, CSV, and the command that makes evidence of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from keyaudit import resources
from keyaudit.charts import plot_ages, plot_idle
from keyaudit.charts.empty import nothing
from keyaudit.charts.facts.population import population
from keyaudit.charts.html import picture, show_axes
from keyaudit.evidence.contents import RAW
from keyaudit.explore.selection import AS_SET, Selection
from keyaudit.explore.view import View
from keyaudit.export.tabular import cells_of, table_csv
from keyaudit.model import Audit
from keyaudit.present import Prose, Table, headline
from keyaudit.present.claims import preset_of, setter_of
from keyaudit.present.table import table
from keyaudit.schema import COMPLIANCE_TYPES, NON_COMPLIANT, ROOT_KEY, ROTATION, TIME, UNUSED
from keyaudit.texts import say, shell_line, utc

#: the columns of the table and of the CSV, in their order
COLUMNS = (
    "user", "account_id", "key_slot", "access_key_id", "status", "verdict", "age_days", "days_over", "idle_days",
    "last_rotated", "last_used_date", "owner", "administrator", "purpose",
)  # fmt: skip
#: columns that are in a table only if a capture has them
OPTIONAL = ("access_key_id", "owner", "administrator", "purpose")


def words(view: View) -> Prose:
    """The question and the answer, and the words that this is not a conclusion."""
    control, limit = say(f"control.{view.selection.control}"), _limit(view.selection.control, view.limit)
    kind, answer = ("what_if", "answer_if") if view.is_what_if else ("as_set", "answer")
    question = say(f"explore.{kind}", control=control, limit=limit, set=_set(view))
    said = [question, say(f"explore.{answer}", n=view.then[NON_COMPLIANT], total=len(view.keys))]
    if view.missing:
        said.append(say("explore.missing", n=len(view.missing), accounts=", ".join(view.missing[:10])))
    return Prose((*said, say("explore.no_conclusion", headline=headline(view.audit))))


def _set(view: View) -> str:
    """Which limit of the control is set, and by whom."""
    policy, control = view.audit.policy, view.selection.control
    own = _limit(control, policy.limit(control))
    said = say(f"headline.by.{setter_of(policy)}", days=own, preset=preset_of(policy))
    return said[:1].upper() + said[1:] if view.is_what_if else said


def counts(view: View) -> Table:
    """How many verdicts of each type there are, by the policy as it is and by the limit that is asked about."""
    kinds = [kind for kind in COMPLIANCE_TYPES if view.now[kind] or view.then[kind]]
    rows = [[kind, view.now[kind], view.then[kind] if view.is_what_if else None] for kind in kinds]
    limit = _limit(view.selection.control, view.limit)
    return table("explore_counts", rows, limit=limit, n_keys=say("count.keys", n=len(view.keys)))


def chart(view: View) -> Axes:
    """The distribution that the control judges: idle days for unused keys, ages for all others."""
    if view.keys.empty and len(view.audit.keys):
        return nothing(None, population(view.keys, view.policy, view.audit.as_of), "not_chosen")
    plot = plot_idle if view.selection.control == UNUSED else plot_ages
    asked = view.is_what_if and view.selection.control in (
        ROTATION,
        UNUSED,
    )  # for the other controls, ages are drawn
    return plot(view.keys, view.policy, view.audit.as_of, what_if=asked)


def keys_frame(view: View, most: int | None = None, is_dated: bool = False) -> pd.DataFrame:
    """The selected keys, worst first, as text and numbers under the headings that people read; times as days, as in
    the tables of pages, if ``is_dated``."""
    found = view.keys if most is None else view.keys.head(most)
    kept = [name for name in COLUMNS if name not in OPTIONAL or found[name].notna().any()]
    headings = dict(zip(COLUMNS, say("explore.columns").split("|"), strict=True))
    cells = {headings[name]: _days(found[name]) if is_dated else _cells(found[name]) for name in kept}
    return pd.DataFrame(cells, columns=[headings[name] for name in kept])


def keys_table(view: View) -> Table:
    """The worst of the selected keys."""
    frame = keys_frame(view, is_dated=True)
    rows = [[None if pd.isna(cell) or cell == "" else cell for cell in row] for row in frame.to_numpy(object)]
    whole = table("explored", [], total=len(rows))
    shown = tuple(tuple("–" if c is None else f"{c}" for c in row) for row in rows[:20])
    limit = _limit(view.selection.control, view.limit)
    return replace(
        whole,
        columns=tuple(frame.columns),
        rows=shown,
        numeric=frozenset(_numeric(frame)),
        total=len(rows),
        note=say("explore.judged_if", limit=limit) if view.is_what_if else "",
    )


def user_tables(audit: Audit, user: str) -> tuple[Table, Table]:
    """A user's keys, of any status and in all accounts, and what the policy says about them, control by control."""
    own = audit.keys[audit.keys["user"] == user] if len(audit.keys) else audit.keys
    keys = [
        [r.account_id, r.key_slot, r.status, utc(r.last_rotated), r.age_days, utc(r.last_used_date), r.idle_days]
        for r in own.itertuples()
    ]
    found = audit.findings[audit.findings["user"] == user]
    says = [
        [say(f"control.{r.control}"), r.account_id, r.key_slot, r.compliance_type, r.annotation]
        for r in found.itertuples()
    ]
    return (
        table("explore_user", _plain(keys), None, user=user),
        table("explore_user_says", _plain(says), None, user=user),
    )


def selection_csv(view: View) -> bytes:
    """The selected keys as CSV in UTF-8, of which a spreadsheet runs nothing; the columns have the names in
    ``schema``."""
    cells = [_cells(view.keys[name]) for name in COLUMNS]
    return table_csv(COLUMNS, zip(*cells, strict=True))


def command(selection: Selection, asked: Mapping[str, str]) -> str:
    """The ``keyaudit report`` command that makes evidence of what is selected; empty if a name in it cannot be
    shown."""
    return shell_line(arguments(selection, asked))


def arguments(selection: Selection, asked: Mapping[str, str]) -> list[str]:
    """The words of that command. It judges the whole source by the policy as it is, so no choice of keys can make a
    conclusion better; the page shows the selection."""
    # without a source the command would read AWS, but the notebook has read the sample
    parts = ["keyaudit", "report", asked.get("source") or str(resources.data("sample"))]
    for name, option in (("policy", "--policy"), ("as_of", "--as-of"), ("before", "--before")):
        parts += [option, asked[name]] if asked.get(name) else []
    parts += ["--notebook", "explore"]
    standard = Selection()
    for name in ("control", "limit", "status", "accounts", "users"):
        value = getattr(selection, name)
        parts += ["-p", name, str(value)] if value != getattr(standard, name) else []
    return parts


def side_by_side(before: Audit | None, after: Audit) -> Prose | Table:
    """Two judgements, number by number; None: there is no earlier one."""
    if before is None:
        return Prose((say("changes.none_given"),))
    rows: list[list[Any]] = [
        [say("explore.as_of"), utc(before.as_of), utc(after.as_of)],
        [say("explore.conclusion"), before.conclusion, after.conclusion],
        *(
            [kind, before.counts.get(kind, 0), after.counts.get(kind, 0)]
            for kind in COMPLIANCE_TYPES
            if before.counts.get(kind) or after.counts.get(kind)
        ),
    ]
    return table("side_by_side", rows)


class Static:
    """A View that cannot be changed: for headless runs, for paper, and if the widgets are not installed."""

    def __init__(self, view: View, asked: Mapping[str, str], hint: str = "") -> None:
        self.view, self.asked, self.hint = view, asked, hint

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        ax = chart(self.view)
        shown = (words(self.view), counts(self.view), keys_table(self.view))
        # in evidence, this is the evidence of the view, and its raw files are not a source that can be named from
        # elsewhere
        line = "" if self.asked.get("source") == RAW else command(self.view.selection, self.asked)
        told = say("explore.command", command=line) if line else ""
        rest = tuple(Prose((text,)) for text in (told, self.hint) if text)
        html = [one._repr_html_() for one in shown] + [one._repr_html_() for one in rest]
        html.insert(2, (show_axes(ax) or {"text/html": picture(ax.figure, str(ax.get_label()))})["text/html"])
        return {"text/html": "\n".join(html), "text/plain": "\n".join(map(repr, (*shown, *rest)))}


def _limit(control: str, limit: int | None) -> str:
    if control == ROOT_KEY:
        return say("explore.no_root_key")
    return say("limit.none") if limit is None or limit == AS_SET else say(f"limit.{control}", n=limit)


def _days(column: pd.Series) -> list[Any]:
    cells = _cells(column)
    return [cell.partition("T")[0] for cell in cells] if column.dtype == TIME else cells


def _cells(column: pd.Series) -> list[Any]:
    """As people read them; what is missing is empty."""
    found = cells_of(column)
    if column.dtype == "boolean":
        named = {None: "", True: say("table.yes"), False: say("table.no")}
        return [named[cell] for cell in found]
    return ["" if cell is None else cell for cell in found]


def _plain(rows: list[list[Any]]) -> list[list[Any]]:
    return [[None if pd.isna(cell) or cell == "" else cell for cell in row] for row in rows]


def _numeric(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if frame[name].map(lambda cell: isinstance(cell, int)).any()]
