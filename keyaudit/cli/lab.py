"""``keyaudit lab``: the workbooks in JupyterLab, in reading order, and nothing that phones home."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import click

from keyaudit import resources
from keyaudit.cli.common import say
from keyaudit.files import why
from keyaudit.schema import InputError

#: first the question, then looking around, then the remedy
READING_ORDER = ("key_rotation", "explore", "rotation")
WORKSPACE = "keyaudit"
#: extensions of JupyterLab that fetch something from the internet
PHONES_HOME = ("@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension")


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--notebooks",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path, readable=False),
    help="The folder to open; missing workbooks are copied into it. Default: the checkout's, else notebooks.",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[JUPYTERLAB OPTION]...")
def lab(folder: Path | None, options: tuple[str, ...]) -> int:
    """Open the workbooks in JupyterLab, in reading order."""
    if find_spec("jupyterlab") is None:
        raise InputError("JupyterLab is not installed; pip install 'keyaudit[lab]'")
    place = _place(folder)
    with tempfile.TemporaryDirectory(prefix="keyaudit-lab-") as home:
        environment = _environment(Path(home))
        command = [sys.executable, "-m", "keyaudit.cli.with_workspace", WORKSPACE, _workspace(Path(home))]
        server = [
            "--LabApp.news_url=",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            f"--LabApp.default_url=/lab/workspaces/{WORKSPACE}",
            "--Application.log_level=WARN",  # which leaves warnings, errors and the URL
            *_as_root(),
        ]
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # otherwise the folder would stay behind
        try:
            return subprocess.run(
                [*command, *server, *options, str(place)], env=environment, check=False
            ).returncode
        except KeyboardInterrupt:  # JupyterLab got it too, and has asked the user
            return 0


def _as_root() -> list[str]:
    """What JupyterLab must be told to run as root; elsewhere, nothing."""
    if getattr(os, "geteuid", lambda: 1)() != 0:
        return []
    say("you are root, and so is what runs in a cell")
    return ["--allow-root"]


def _place(folder: Path | None) -> Path:
    """The folder to open, with all workbooks in it; existing ones are left as they are."""
    own = resources.notebooks()
    if folder is None and own.parent != resources.PACKAGE:
        return own
    place = folder or Path("notebooks")
    try:
        place.mkdir(parents=True, exist_ok=True)
        for one in sorted(own.glob("*.ipynb")):
            if not (place / one.name).exists():
                shutil.copyfile(one, place / one.name)
                say(f"{place / one.name}: put there")
    except OSError as error:
        raise InputError(f"{place}: cannot write notebooks there ({why(error)})") from None
    return place


def _environment(home: Path) -> dict[str, str]:
    """JupyterLab's settings for this session; the user's own settings are read and not changed."""
    config = home / "config" / "labconfig"
    config.mkdir(parents=True)
    page = {"disabledExtensions": dict.fromkeys(PHONES_HOME, True)}
    (config / "page_config.json").write_text(json.dumps(page), encoding="utf-8")
    before = os.environ.get("JUPYTER_CONFIG_PATH")
    paths = os.pathsep.join([str(config.parent), *([before] if before else [])])
    return os.environ | {"JUPYTER_CONFIG_PATH": paths, "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}


def _workspace(home: Path) -> str:
    """A workspace file of JupyterLab: the workbooks as tabs, the first one in front."""
    tabs = [f"notebook:{name}.ipynb" for name in READING_ORDER]
    opened = {tab: {"data": {"path": tab.split(":")[1], "factory": "Notebook"}} for tab in tabs}
    dock = {"type": "tab-area", "currentIndex": 0, "widgets": tabs}
    layout = {"main": {"dock": dock, "current": tabs[0]}}
    told = {"data": {"layout-restorer:data": layout, **opened}, "metadata": {"id": WORKSPACE}}
    path = home / "workspace.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return str(path)
