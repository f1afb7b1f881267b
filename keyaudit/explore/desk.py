"""The evidence of a workbook that explores: its cells show what is chosen, and show it anew when another is."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from keyaudit.explore.chosen import Chosen, Judged, judge
from keyaudit.explore.selection import Selection
from keyaudit.explore.show import Static
from keyaudit.explore.view import Explorer
from keyaudit.frontend import Shown, has_somebody
from keyaudit.model import Audit
from keyaudit.texts import say

#: gives what a cell shows of what was judged
Tell = Callable[[Judged], list[object]]


class Desk:
    """``judged``: what is chosen now. Its methods are what cells show; where nobody can choose (headless, or
    without the widgets) they stand still."""

    def __init__(self, chosen: Chosen) -> None:
        self.judged = judge(chosen)
        self._followers: list[Callable[[], None]] = []

    def show(self, *tables: Callable[[Audit], object]) -> Any:
        """What these functions of the Audit give, one below the other."""
        return self._follow(lambda judged: [one(judged.audit) for one in tables])

    def compare(self, *tables: Callable[[Audit | None, Audit], object]) -> Any:
        """What these functions of the earlier Audit and this one give; the last one of them alone, if there is no
        earlier one, says so."""

        def told(judged: Judged) -> list[object]:
            return [one(judged.before, judged.audit) for one in (tables if judged.before else tables[-1:])]

        return self._follow(told)

    def look(
        self,
        control: str = "rotation",
        limit: int = -1,
        status: str = "active",
        accounts: str = "",
        users: str = "",
    ) -> Any:
        """The explorer; see ``Selection`` for its first question. InputError if a part of that cannot be used."""
        selection = Selection(control, limit, status, accounts, users)
        if has_somebody() and has_widgets():
            from keyaudit.explore.widgets import Panel

            return Panel(self, selection)
        hint = say("explore.no_widgets") if has_somebody() else ""
        return Static(Explorer(self.judged.audit).view(selection), self.judged.asked, hint)

    def choose(self, chosen: Chosen) -> Judged:
        """Judge another choice, and show it in every cell; KeyAuditError, and nothing changes, if it cannot be
        judged."""
        self.judged = judge(chosen)
        for one in self._followers:
            one()
        return self.judged

    def is_current(self) -> bool:
        """Whether the files still hold what is shown; KeyAuditError if they cannot be judged any more."""
        return judge(self.judged.chosen).contents == self.judged.contents

    def _follow(self, tell: Tell) -> Any:
        if not (has_somebody() and has_widgets()):
            return Shown(tell(self.judged))
        from keyaudit.explore.widgets import Board

        board = Board()

        def follow() -> None:
            board.put(tell(self.judged))

        follow()
        self._followers.append(follow)
        return board


def has_widgets() -> bool:
    """Whether the extra ``lab`` is installed, as far as the explorer needs it."""
    return all(find_spec(name) is not None for name in ("ipywidgets", "itables", "anywidget", "traitlets"))
