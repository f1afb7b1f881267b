"""What other packages import that nothing here needs, and what is imported and stays."""

from __future__ import annotations

import gc
import sys
from typing import Any


def seldom_collect() -> None:
    """For a process of our own alone: what is imported stays, and is not looked through for garbage again and
    again, which would take a tenth of a second of a short command; nor are a million cells."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def leave_out_grammar() -> None:
    """Before jsonschema is imported: extras of it that JupyterLab brings build a grammar at import, for one to
    three seconds, only to check the form of international addresses."""
    _leave_out("rfc3987_syntax")


def leave_out_debugger() -> None:
    """Before ipykernel is imported: it imports a debugger, for a twentieth of a second, that nobody attaches to a
    kernel without a front end."""
    _leave_out("debugpy")


def _leave_out(name: str) -> None:
    modules: dict[str, Any] = sys.modules
    modules.setdefault(name, None)
