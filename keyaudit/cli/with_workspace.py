"""JupyterLab with a workspace that is saved first, in one process: ``jupyterlab workspaces import`` would take as
long to start as JupyterLab itself.

Run as ``python -m keyaudit.cli.with_workspace NAME FILE [JUPYTERLAB OPTION]...``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from keyaudit.imports import leave_out_grammar


def main() -> None:
    """Save the workspace and be JupyterLab."""
    leave_out_grammar()
    from jupyterlab.labapp import LabApp
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    name, file = sys.argv[1:3]
    del sys.argv[1:3]
    WorkspacesManager(os.environ["JUPYTERLAB_WORKSPACES_DIR"]).save(name, Path(file).read_text(encoding="utf-8"))
    LabApp.launch_instance()


if __name__ == "__main__":
    main()
