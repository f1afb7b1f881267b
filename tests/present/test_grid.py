"""What terminals show is as wide as the terminal: no word is broken, what is needed least goes first and is named, and
numbers end at the same place. Where it goes elsewhere, a row is one line."""

from __future__ import annotations

import os
import re
import struct
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import ACCOUNT, AS_OF, FRESH, OLD, report, write
from evidence_helpers import COMMAND, PROCESS_DEADLINE, failing

import keyaudit
from keyaudit import texts
from keyaudit.dues.calendar import parse_every
from keyaudit.model import Audit, RotationVerdict
from keyaudit.model.rotated import Line, RotatedKey, RotatedSecret, Version
from keyaudit.present import as_text
from keyaudit.present.grid import grid, width_of, wrapped
from keyaudit.present.table import Table
from keyaudit.present.terminal import rotations_text
from keyaudit.rotation.fresh import freshness
from keyaudit.rotation.plan import plan
from keyaudit.rotation.printed import as_text as plan_text
from keyaudit.schedule.series import series
from keyaudit.schedule.told import as_text as series_text

SAMPLE = Path(keyaudit.__file__).parent / "data" / "sample"
AT = datetime.fromisoformat(AS_OF)
KOREAN = Table(
    "접근 키 교체 현황",
    ("사용자", "부서", "일수", "사유"),
    (("홍길동", "정보보안팀", "1,204", "교체 기한을 넘긴 지 오래되어 즉시 교체해야 하는 키이며 담당자의 확인이 필요하다"), ("a", "b", "3", "c")),
    frozenset({"일수"}),
    leaving=("부서", "사유"),
)  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> Audit:
    return keyaudit.audit(str(SAMPLE))


def of_check(a: Audit, _: Path, width: int | None) -> str:
    return as_text(a, width=width)


def of_plan(a: Audit, _: Path, width: int | None) -> str:
    return plan_text(a, plan(a), [ACCOUNT], freshness(a, a.as_of), width=width)


def of_series(_: Audit, evidence: Path, width: int | None) -> str:
    found = series(evidence.parent, parse_every("3650d"), datetime.now(UTC), AT)
    due = replace(found.dues[0], remarks=("a remark of many words " * 9,)) if found.dues else None
    return series_text(replace(found, dues=(due,) if due else ()), width)


def of_status(a: Audit, _: Path, width: int | None) -> str:
    key = RotatedKey("AKIAIOSFODNN7EXAMPLE", True, AT, AT, "dynamodb, eu-central-1")
    line = Line(
        AT, key.last4, "retireReplaced", None, "still in use", "used within the last days, by dynamodb, and kept"
    )
    secret = RotatedSecret(
        a.provenance[0].account_id, "keyaudit-rotation/svc-inventory", "us-east-1", "svc-inventory", True, True, "keyaudit-f", 2, "", 60, 14,
        30, (), AT, AT, (Version("v", ("AWSCURRENT",), AT),), (key,), (line,), 0, (),
    )  # fmt: skip
    verdict = RotationVerdict(
        secret, 90, AT, 12, "COMPLIANT", "a key of twelve days, by IAM's word", ("a remark " * 9,)
    )
    judged = replace(a, provenance=tuple(replace(one, rotations=1) for one in a.provenance))
    return rotations_text(judged, [verdict], [ACCOUNT], width)


SHOWN = {"check": of_check, "plan": of_plan, "series": of_series, "status": of_status}
#: a command to be copied stays in one line
COPIED = re.compile(r" +\d+\) (aws|keyaudit) ")


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_broken(
    sample: Audit, tmp_path_factory: pytest.TempPathFactory, name: str, width: int
) -> None:
    evidence = failing(tmp_path_factory)
    whole = SHOWN[name](sample, evidence, None)
    told = SHOWN[name](sample, evidence, width)
    assert [line for line in told.splitlines() if width_of(line) > width and not COPIED.match(line)] == []
    # the line that says what is left out has words of its own
    said = re.sub(r"\d+ columns? (is|are) left out here.*?shows\s+(it|them)", "", told, flags=re.DOTALL)
    assert set(said.split()) <= set(whole.split())
    if width == 200:
        assert "left out" not in told


@pytest.mark.parametrize("name", SHOWN)
def test_without_a_terminal_no_line_is_broken(
    sample: Audit, tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    whole = SHOWN[name](sample, failing(tmp_path_factory), None)
    assert SHOWN[name](sample, failing(tmp_path_factory), 10_000) == whole
    assert "left out" not in whole


def test_what_is_needed_least_goes_first_and_is_named(sample: Audit) -> None:
    told = as_text(sample, width=80)
    assert (
        "3 columns are left out here (Not applicable, Compliant, Limit); a wider\n  terminal or -f json shows"
        in told
    )
    assert "  Control               Conclusion     Failing  Insufficient data  Exempt\n" in told
    rows = told.partition("Keys not rotated")[2].splitlines()
    assert rows[2].split() == ["User", "Account", "Key", "Age", "Limit", "Days", "Why"]
    assert rows[4].split() == ["iot-gateway", "123456789012", "1", "2,653", "90", "2,563", "–"]
    assert rows[11].endswith("0  by less than a day")


@pytest.mark.parametrize("width", [20, 40, 80, None])
def test_korean_takes_two_columns_a_letter(width: int | None) -> None:
    lines = grid(KOREAN, width=width).splitlines()
    if width:
        assert max(map(width_of, lines if width > 20 else lines[:3])) <= width
    ends = {
        width_of(line[: line.index(number) + len(number)])
        for line in lines
        for number in ("1,204",)
        if number in line
    }
    ends |= {width_of(lines[1][: lines[1].index("일수") + 2])}
    assert len(ends) == 1
    assert ("부서" in lines[1]) == (width in (80, None))


def test_a_word_that_is_wider_than_the_terminal_stays_whole() -> None:
    assert wrapped("  see " + "x" * 30 + " and more", 20, "  ") == ["  see", "    " + "x" * 30, "    and more"]


def test_the_columns_that_may_go_are_those_of_the_tables() -> None:
    leaving = texts.template("terminal.leaving", "en")
    for name, columns in leaving.items():
        headings = texts.say("plan.columns" if name == "plan" else f"table.{name}.columns").split("|")
        assert set(columns.split("|")) < {one.strip("#?") for one in headings} | {
            one.strip("?#") for one in headings
        }


@pytest.mark.sampled(1)
@pytest.mark.parametrize("columns", [80, 0])
def test_the_command_takes_the_width_of_its_terminal(tmp_path: Path, columns: int) -> None:
    import fcntl
    import termios

    write(tmp_path, "report.csv", report(("alice", FRESH), ("bob", OLD)))
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    words = [*COMMAND, "check", "report.csv", "--policy", "cis", "--as-of", AS_OF]
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"NO_COLOR": "1"}
    out = slave if columns else subprocess.PIPE
    done = subprocess.Popen(words, cwd=tmp_path, stdout=out, stderr=subprocess.DEVNULL, env=env)
    told = b"" if columns else done.communicate(timeout=PROCESS_DEADLINE)[0]
    done.wait(PROCESS_DEADLINE)
    os.close(slave)
    while columns:
        try:
            told += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    widest = max(map(len, told.decode().replace("\r\n", "\n").splitlines()))
    assert widest <= 80 if columns else widest > 80
