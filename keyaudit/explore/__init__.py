"""Exploring an Audit by hand: what if the limit were another, and which keys of which users.

``explore``       widgets in JupyterLab; a static view if nobody can move them, or they are not installed
``selection``     the question; ``view``: the answer; ``show``: how it is shown; ``widgets``: the controls
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from keyaudit.explore.selection import Selection
from keyaudit.explore.show import Static, side_by_side
from keyaudit.explore.view import Explorer
from keyaudit.frontend import has_somebody
from keyaudit.model import Audit
from keyaudit.texts import say

__all__ = ["explore", "side_by_side"]


def explore(
    audit: Audit,
    control: str = "rotation",
    limit: int = -1,
    status: str = "active",
    accounts: str = "",
    users: str = "",
    **asked: str,
) -> Any:
    """The explorer of an Audit, which a notebook shows by itself; see ``Selection`` for its first question.

    ``asked`` are the parameters from which the Audit was made (source, policy, as_of, before), for the command that
    makes evidence. InputError if a part of the selection cannot be used.
    """
    selection, explorer = Selection(control, limit, status, accounts, users), Explorer(audit)
    if not has_somebody():
        return Static(explorer.view(selection), asked)
    if find_spec("ipywidgets") is None or find_spec("itables") is None or find_spec("anywidget") is None:
        return Static(explorer.view(selection), asked, say("explore.no_widgets"))
    from keyaudit.explore.widgets import Panel

    return Panel(explorer, selection, asked)
