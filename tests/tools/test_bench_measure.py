"""What the bench says that a command took is the command's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench_measure import run


def test_the_memory_of_whoever_measures_is_not_counted(tmp_path: Path) -> None:
    own = b"x" * (200 << 20)
    assert run(sys.executable, "-S", "-c", "pass", cwd=tmp_path).mib < len(own) >> 21


def test_time_and_output_are_those_of_the_command(tmp_path: Path) -> None:
    code = "import time; print('said'); end = time.process_time() + 0.1\nwhile time.process_time() < end: pass"
    taken = run(sys.executable, "-S", "-c", code, cwd=tmp_path, output=tmp_path / "out")
    assert (tmp_path / "out").read_text() == "said\n"
    assert 0.1 <= taken.cpu <= taken.wall + 0.1


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_verdict_is_no_failure(tmp_path: Path, code: int) -> None:
    run(sys.executable, "-S", "-c", f"raise SystemExit({code})", cwd=tmp_path)


@pytest.mark.parametrize("code", [2, 4])
def test_a_command_that_failed_ends_the_bench(tmp_path: Path, code: int) -> None:
    with pytest.raises(SystemExit, match=f"exit code {code}$"):
        run(sys.executable, "-S", "-c", f"raise SystemExit({code})", cwd=tmp_path)
