"""What other packages import that nothing here needs."""

from __future__ import annotations

import sys
from typing import Any


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
