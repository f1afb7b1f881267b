"""A reports folder with evidence as scheduled runs of certain moments would have left it, made without running them."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from evidence_helpers import digest, manifest, seal_again, show_again, summary

from keyaudit.auditing import audit
from keyaudit.dues.calendar import parse_every
from keyaudit.export.summary import summary_json
from keyaudit.export.tabular import findings_csv
from keyaudit.policy import parse_policy
from keyaudit.present import incomplete_known, overdue_known
from keyaudit.schedule.series import Series, series

NOW = datetime(2026, 12, 10, 12, tzinfo=UTC)
WEEK = parse_every("week")
NOT_TOLD = "not told"


class Reports:
    """A reports folder with evidence as runs of certain moments would have left it, chained. Its pages say what
    they should only if it ``has_pages``, which takes most of the time."""

    has_pages = True

    def __init__(self, folder: Path, evidence: Path) -> None:
        self.folder, self.evidence, self.last = folder, evidence, None
        self.subject = evidence.name.partition("Z-")[2]
        folder.mkdir(exist_ok=True)
        for sums in sorted(folder.glob("*/SHA256SUMS")):
            self.last = digest(sums.read_bytes())

    def run(self, day: str, name: str = "", generated: str = "", **changes: object) -> Path:
        """Of a run at six o'clock, which judged a report that AWS had generated at midnight, or when it is said."""
        moment = f"{day}T06:00:00Z"
        path = self.folder / (name or f"{day}T060000Z-{self.subject}")
        shutil.copytree(self.evidence, path)
        told = judge_again(path, generated or f"{day}T00:00:00Z", moment)
        facts = {"started_at": moment, "sealed_at": moment, "previous": self.last, "name": path.name}
        seal_again(path, **(told | facts))
        if self.has_pages:
            show_again(path)
        seal_again(path, **changes)
        self.last = digest((path / "SHA256SUMS").read_bytes())
        return path

    def found(self, since: str = "") -> Series:
        return series(self.folder, WEEK, NOW, datetime.fromisoformat(since) if since else None)

    def states(self) -> list[tuple[str, str]]:
        return [(one.period, one.state) for one in self.found().dues]


def judge_again(evidence: Path, generated: str, read: str) -> dict[str, object]:
    """Evidence as a run without an instant leaves it, of a report that tells when it was generated, or NOT_TOLD, and
    that was read at this moment; what follows from it is judged again. The facts of its manifest."""
    folder = evidence / "raw"
    told_time = None if generated == NOT_TOLD else generated
    captures = sorted(path.relative_to(folder).as_posix() for path in folder.glob("*/capture.json"))
    times: dict[str, dict[str, str | None]] = {}
    for name in captures:
        times[name] = {"generated_time": told_time, "received_time": read}
    for name, facts in (times | {"accounts.json": {"read_time": read}}).items():
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_bytes()) | facts), encoding="utf-8")
    policy = parse_policy((evidence / "policy.toml").read_bytes(), "policy.toml")
    judged = audit(str(folder), policy, sealed=True)
    (evidence / "findings.csv").write_bytes(findings_csv(judged))
    (evidence / "summary.json").write_bytes(summary_json(judged))
    told = {name: summary(evidence)[name] for name in ("as_of", "as_of_source", "conclusion")}
    told |= {
        "overdue": overdue_known(judged),
        "incomplete": incomplete_known(judged),
        "assurance": judged.assurance,
    }
    return told | {"parameters": {**manifest(evidence)["parameters"], "as_of": ""}}
