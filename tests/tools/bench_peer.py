"""What the tools measured beside keyaudit share: an environment of their own, and the keys that both find compared."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_measure import BIN, ROOT

ROOT_USER = "<root_account>"
UNEXPLAINED = "unexplained"
SHOWN = 6  # keys of one reason
Key = tuple[str, int]
Finding = dict[str, Any]


def install(package: str, version: str, folder: str, *others: str) -> Path | None:
    """The folder of a package's commands, in an environment that is made once; None where it cannot be installed.

    ``others``: names of interpreters that are tried after the one that runs this, for what does not run on every
    version."""
    environment = BIN.parent / folder
    done = environment / f"{package}-{version}"
    if not done.exists():
        shown = environment.relative_to(ROOT) if environment.is_relative_to(ROOT) else environment
        print(f"(once: installing {package} {version} into {shown}, for this comparison alone)", flush=True)
        found = [sys.executable, *(path for name in others if (path := shutil.which(name)))]
        if not any(_installed(python, environment, f"{package}=={version}") for python in found):
            shutil.rmtree(environment, ignore_errors=True)
            return None
        done.touch()
    return environment / BIN.name


def _installed(python: str, environment: Path, package: str) -> bool:
    """Whether a package could be installed into a new environment of this interpreter; if not, the last word on it."""
    pip = (str(environment / BIN.name / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    for command in ((python, "-m", "venv", "--clear", str(environment)), (*pip, package)):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            print(f"(not with {Path(python).name}: {said[-1] if said else done.returncode})", flush=True)
            return False
    return True


def judged(ours: dict[str, Any], control: str) -> dict[Key, Finding]:
    """What keyaudit found of each key, under one control."""
    return {(one["user"], one["key_slot"]): one for one in ours["findings"] if one["control"] == control}


def failing(found: dict[Key, Finding]) -> set[Key]:
    """The keys that fail."""
    return {key for key, one in found.items() if one["compliance_type"] == "NON_COMPLIANT"}


def differences(mine: set[Key], theirs: set[Key], reason: Callable[[Key], str]) -> dict[str, list[Key]]:
    """The keys that one of the two alone found, by the reason for it."""
    found: dict[str, list[Key]] = {}
    for key in sorted(mine ^ theirs):
        found.setdefault(reason(key), []).append(key)
    return found


def compare(what: str, peer: str, mine: set[Key], theirs: set[Key], reason: Callable[[Key], str]) -> None:
    """Print the keys of both and the reason of each difference; an unexplained one ends the benchmark."""
    differing, both = differences(mine, theirs, reason), len(mine & theirs)
    print(f"  {what} keys: {len(mine):,} by keyaudit, {len(theirs):,} by {peer}, {both:,} in both")
    for why, keys in differing.items():
        some = ", ".join(f"{user} key {slot}" for user, slot in keys[:SHOWN])
        more = f" and {len(keys) - SHOWN:,} more" if len(keys) > SHOWN else ""
        print(f"    {some}{more}: {why}", flush=True)
    if UNEXPLAINED in differing or not both:
        raise SystemExit(f"the {what} keys differ, and no reason is known")
