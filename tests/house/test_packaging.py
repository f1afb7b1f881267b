"""pyproject.toml is the truth: environment.yml agrees, what is imported is declared, the wheel works by itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, packages_distributions
from pathlib import Path

import yaml
from conftest import IS_NIGHTLY
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: conda-forge's names where they differ, and the smaller builds that it has
CONDA_NAMES = {
    "matplotlib": "matplotlib-base",
    "nbconvert": "nbconvert-core",
    "jupyter-client": "jupyter_client",
    "jupyter-core": "jupyter_core",
}


def requirement(text: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[\w+\])?\s*(>=\s*[\d.]+)?", text)
    assert match, text
    return match[1].lower().replace("_", "-"), (match[2] or "").replace(" ", "")


#: the only modules that import what the extra lab brings
LAB = {ROOT / "keyaudit" / name for name in ("cli/with_workspace.py", "explore/chooser.py", "explore/widgets.py")}
#: the only room that imports what the extra cluster brings
CLUSTER = ROOT / "keyaudit" / "cluster"
#: the only modules that import what the extra xlsx brings: one writes workbooks, the other reads a filled sample
XLSX = {ROOT / "keyaudit" / "export" / name for name in ("xlsx.py", "filled.py")}

#: the only modules that import what the extra pdf brings: one makes PDFs, the other reads them
PDF = {ROOT / "keyaudit" / "export" / "pdf.py": "weasyprint", ROOT / "keyaudit" / "export" / "pdf_read.py": "pypdf"}


@cache
def homes() -> dict[str, list[str]]:
    """Package -> the distributions that it is of."""
    return dict(packages_distributions())


def imported(paths: Iterable[Path]) -> set[str]:
    """Distributions that these modules import, by their normal names."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    foreign = names - set(sys.stdlib_module_names) - {"keyaudit", "mpl_toolkits"}
    return {homes()[name][0].lower().replace("_", "-") for name in foreign}


def test_every_package_that_is_imported_is_declared_and_no_other() -> None:
    core = {requirement(text)[0] for text in PROJECT["dependencies"]}
    lab = {requirement(text)[0] for text in PROJECT["optional-dependencies"]["lab"]}
    apart = {*LAB, *XLSX, *PDF, *CLUSTER.glob("*.py")}
    assert imported(path for path in (ROOT / "keyaudit").rglob("*.py") if path not in apart) == core
    cluster = {requirement(text)[0] for text in PROJECT["optional-dependencies"]["cluster"]}
    assert imported(CLUSTER.glob("*.py")) == cluster
    xlsx = {requirement(text)[0] for text in PROJECT["optional-dependencies"]["xlsx"]}
    assert imported(XLSX) == xlsx
    pdf = {requirement(text)[0] for text in PROJECT["optional-dependencies"]["pdf"]}
    assert {name for path, name in PDF.items() if imported([path]) - core == {name}} == pdf
    assert imported(LAB) == lab


def test_environment_yml_says_the_same_as_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = dict(requirement(text) for text in environment["dependencies"] if isinstance(text, str))
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lab"]
    expected = {requirement(CONDA_NAMES.get(name, name))[0]: version for name, version in map(requirement, wanted)}
    expected |= {"python": PROJECT["requires-python"], "pip": ""}
    assert listed == expected
    assert {"jupyterlab", "pandas", "boto3", "matplotlib-base", "papermill"} <= set(listed)


def test_constraints_pin_every_requirement_plainly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.+!]+", line) for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    wanted = PROJECT["dependencies"] + [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    assert {requirement(text)[0] for text in wanted} <= pinned


def test_what_is_pinned_runs_on_every_python_that_the_project_names() -> None:
    """Debian 12 has Python 3.11.2."""
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()}
    needs = {name: metadata(name).get("Requires-Python") or ">=3" for name in pinned if is_installed(name)}
    assert len(needs) > len(pinned) / 2
    assert {name: need for name, need in needs.items() if oldest not in SpecifierSet(need)} == {}


def is_installed(name: str) -> bool:
    try:
        return bool(metadata(name))
    except PackageNotFoundError:  # pinned for another system or another Python
        return False


def says_its_licence_and_carries_the_pages(wheel: Path) -> None:
    """The licence by its SPDX name, its text, and the README.md of each room that is shipped."""
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        (facts,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        (licence,) = [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
        assert "\nLicense-Expression: Apache-2.0\n" in packed.read(facts).decode()
        assert packed.read(licence) == (ROOT / "LICENSE").read_bytes()
    rooms = {path.relative_to(ROOT).as_posix() for path in (ROOT / "keyaudit").rglob("README.md")}
    assert rooms <= set(names)
    beside = {f"keyaudit/notebooks/{one.name}" for one in (ROOT / "notebooks").iterdir() if one.is_file()}
    assert {name for name in names if name.startswith("keyaudit/notebooks/")} == beside


def test_the_licence_is_apache_2_0_word_for_word() -> None:
    assert PROJECT["license"] == "Apache-2.0" and PROJECT["license-files"] == ["LICENSE"]
    words = " ".join((ROOT / "LICENSE").read_text(encoding="ascii").split())
    assert words.startswith("Apache License Version 2.0, January 2004")
    assert "Grant of Patent License" in words and "END OF TERMS AND CONDITIONS" in words


def test_the_wheel_in_an_environment_of_its_own_makes_the_demo_from_any_folder(tmp_path: Path) -> None:
    # the environment borrows the dependencies of this one, and nothing else: not the checkout
    options = ("-q", "--no-deps", "--disable-pip-version-check")
    # by the backend that is here: to fetch one takes longer than all else, and the checkout's own installation did
    own = () if IS_NIGHTLY else ("--no-build-isolation",)
    subprocess.run([*PIP, "wheel", *options, *own, "-w", tmp_path / "dist", ROOT], check=True)
    wheel = next((tmp_path / "dist").glob("keyaudit-*.whl"))
    says_its_licence_and_carries_the_pages(wheel)
    home = tmp_path / "environment"
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    # by the pip of this environment; what is not used is not compiled
    subprocess.run([*PIP, "--python", python, "install", *options, "--no-compile", wheel], check=True)
    site = Path(
        subprocess.check_output(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
        ).strip()
    )
    borrowed = [path for path in sys.path if path.endswith("site-packages")]
    lent = tmp_path / "lent"
    lent.mkdir()
    for source in (Path(path) for path in borrowed):
        for item in source.iterdir():
            # all but the editable install of the checkout
            if "keyaudit" not in item.name.lower() and item.suffix != ".pth" and not (lent / item.name).exists():
                (lent / item.name).symlink_to(item)
    (site / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    where = subprocess.check_output(
        [python, "-c", "import keyaudit; print(keyaudit.__file__)"], text=True, cwd=elsewhere
    )
    assert Path(where.strip()).is_relative_to(home)
    done = subprocess.run(
        [home / "bin" / "keyaudit", "demo"], cwd=elsewhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (elsewhere / done.stdout.strip() / "SHA256SUMS").is_file()


def test_what_the_tests_lack_of_the_system_is_named_in_one_line_where_nothing_may_be_installed(
    tmp_path: Path,
) -> None:
    command = [sys.executable, ROOT / "tests" / "tools" / "system.py"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("make test needs these packages: apt-get install chromium cron fontconfig")
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
