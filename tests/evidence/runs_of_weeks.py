"""Reports folders of weekly runs: one key in one account, which is made once a test run, and what schedules leave."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from conftest import ACCOUNT, NO_KEY, report, write
from evidence_helpers import digest, made, once, report_on, seal_again
from runs_made import Reports

from keyaudit.dues.calendar import parse_every
from keyaudit.evidence.operating import Question, operating
from keyaudit.evidence.reports import of_reports
from keyaudit.model.operated import Operated
from keyaudit.period import Window
from keyaudit.policy import Policy, parse_policy

NOW = datetime(2026, 10, 1, tzinfo=UTC)
#: made on 1 June, of a limit of 90 days: overdue from 30 August on
KEY = "true 2026-06-01T00:00:00Z 2026-06-01T00:00:00Z"
POLICY = 'title = "Standard"\nmax_access_key_age = {limit}\ncontrols = ["rotation"]\n'
#: Mondays of four weeks in which the key is in time
JUNE = ("2026-06-01", "2026-06-08", "2026-06-15", "2026-06-22")


def terms(limit: int = 90) -> bytes:
    return POLICY.format(limit=limit).encode()


def scheduled(every: str, what: str = "") -> dict[str, dict[str, str]]:
    """What a manifest says of a schedule, which ``what`` tells from others of the same period."""
    return {"schedule": {"every": every, "period": "-", "asked": digest(f"{every} {what}".encode())}}


WEEKLY, MONTHLY = scheduled("week"), scheduled("month")


class Runs(Reports):
    """Runs of a schedule; each begins at six o'clock of its day."""

    def at(self, day: str, whose: str = ACCOUNT, suffix: str = "", **changes: object) -> Path:
        return self.run(day, name=f"{day}T060000Z-brief-{whose}{suffix}", **changes)

    def by(self, limit: int, folder: Path) -> None:
        """From now on, runs judge by another policy."""
        self.evidence = shutil.copytree(self.evidence, folder / f"by-{limit}")
        (self.evidence / "policy.toml").write_bytes(terms(limit))
        sha256 = parse_policy(terms(limit), "policy.toml").sha256
        seal_again(self.evidence, policy={"name": "policy.toml", "given": True, "sha256": sha256})

    def over(self, first: str, last: str, every: str = "", policy: Policy | None = None) -> Operated:
        window = Window.of_days(date.fromisoformat(first), date.fromisoformat(last))
        return operating(
            of_reports(self.folder, policy),
            Question(window, NOW, parse_every(every) if every else None, policy),
        )


def one_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence of one key in one account; never write in its folder."""

    def make(folder: Path) -> None:
        write(folder, "report.csv", report(("alice", KEY), ("bob", NO_KEY)))
        write(folder, "policy.toml", terms())
        asked = report_on(folder / "reports", folder / "report.csv", policy=folder / "policy.toml")
        made(*asked, code=1).rename(folder / "evidence")

    return once(tmp_path_factory, "one-key", make) / "evidence"


def weeks_of_june(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Four weeks with a run each; never write in its folder."""
    evidence = one_key(tmp_path_factory)

    def make(folder: Path) -> None:
        runs = Runs(folder / "reports", evidence)
        for day in JUNE:
            runs.at(day, **WEEKLY)

    return Runs(once(tmp_path_factory, "june", make) / "reports", evidence)
