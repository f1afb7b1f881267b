"""What other packages import that nothing here needs."""

from __future__ import annotations

import sys
from typing import Any


def leave_out_grammar() -> None:
    """Before jsonschema is imported: extras of it that JupyterLab brings build a grammar at import, for one to
    three seconds, only to check the form of international addresses."""
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)
