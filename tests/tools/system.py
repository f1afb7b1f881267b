"""The programs, libraries and fonts that the tests need from the system, as packages of Debian and Ubuntu: those that are missing
are installed where that is allowed (by root, or by sudo without a password), else they are named in one line.

Run by ``make test`` (``--all``: by ``make test-all``) before there is an environment: the standard library alone. Exit code 2 if something is missing.
"""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import shutil
import subprocess
import sys

#: program -> the package that has it
PROGRAMS = {
    "chromium": "chromium",
    "crontab": "cron",
    "fc-list": "fontconfig",
    "git": "git",
    "systemd-analyze": "systemd",
}
#: and those that the nightly tests need besides
NIGHTLY = {"soffice": "libreoffice-calc"}
#: library -> the package that has it: what a PDF is made with
LIBRARIES = {
    "pango-1.0": "libpango-1.0-0",
    "pangoft2-1.0": "libpangoft2-1.0-0",
    "harfbuzz-subset": "libharfbuzz-subset0",
}
APT = ("apt-get", "-qq", "-o", "Dpkg::Use-Pty=0")


def missing(is_nightly: bool) -> list[str]:
    """The packages of what is not there."""
    programs = PROGRAMS | (NIGHTLY if is_nightly else {})
    found = [package for program, package in programs.items() if not shutil.which(program)]
    if "fontconfig" in found or "dejavu" not in _output("fc-list").lower():
        found.append("fonts-dejavu-core")
    if "fontconfig" in found or not _output("fc-list", ":lang=ko"):
        found.append("fonts-nanum")
    found += [package for library, package in LIBRARIES.items() if not ctypes.util.find_library(library)]
    if importlib.util.find_spec("ensurepip") is None:
        found.append("python3-venv")
    return found


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def installed(packages: list[str]) -> bool:
    """Whether apt installed them; False where it is not there, or may not be used."""
    if not shutil.which("apt-get"):
        return False
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and (not shutil.which("sudo") or subprocess.run([*as_root, "true"], check=False).returncode):
        return False
    print(f"installing {', '.join(packages)}", file=sys.stderr)
    asked = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", *APT]
    install = [*asked, "install", "-y", "--no-install-recommends", *packages]
    return all(
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode == 0
        for command in ([*asked, "update"], install)
    )


def main() -> int:
    is_nightly = "--all" in sys.argv[1:]
    packages = missing(is_nightly)
    if packages and installed(packages):
        packages = missing(is_nightly)
    if packages:
        print(f"make test needs these packages: apt-get install {' '.join(packages)}", file=sys.stderr)
    return 2 if packages else 0


if __name__ == "__main__":
    sys.exit(main())
