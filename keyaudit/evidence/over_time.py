"""The question of a period, as notebooks and commands ask it: of a reports folder, or of copies of its evidence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from keyaudit.dues.calendar import parse_every
from keyaudit.evidence.answered import Answered, of_copies, window_of
from keyaudit.evidence.contents import PERIOD
from keyaudit.evidence.operating import Question, operating
from keyaudit.evidence.reports import of_reports
from keyaudit.evidence.request import PeriodAsked
from keyaudit.files import read_plain, why
from keyaudit.model import Progress
from keyaudit.model.operated import Operated
from keyaudit.period.anchors import parse_anchors
from keyaudit.policy import Policy, load_policy
from keyaudit.schema import InputError


def over_period(
    source: str = "", first: str = "", last: str = "", every: str = "", policy: str = "", anchors: str = ""
) -> Operated:
    """Did the rotation of access keys operate throughout a period? By the evidence in a reports folder, each folder
    verified and judged again; each organization or account concludes for itself.

    ``source``: the reports folder (empty: ``reports`` beside the workbook); ``first`` and ``last``: UTC days, both
    inclusive (empty: this year up to today); ``every``: how often evidence was due, where no schedule is sealed in
    it; ``policy``: a file or preset that judges all of it (empty: the policies that are sealed); ``anchors``: a
    file of days on which others saw seals.

    InputError and PolicyError name what cannot be used.
    """
    asked = PeriodAsked(first, last, every, anchors)
    given = load_policy(policy) if policy else None
    raw = Path(source) if source else _beside()
    if (raw / PERIOD).is_file():
        return of_copies(raw, asked, given).operated
    return of_folder(raw, asked, given).operated


def _beside() -> Path:
    """The reports folder beside a workbook, or beside the folder of workbooks."""
    return next((one for one in (Path("reports"), Path("../reports")) if one.is_dir()), Path("reports"))


def of_folder(
    reports: Path, asked: PeriodAsked, policy: Policy | None, progress: Progress | None = None
) -> Answered:
    """The answer of a reports folder, now."""
    now = datetime.now(UTC).replace(microsecond=0)
    anchors = _anchors(asked.anchors)
    question = Question(
        window_of(asked.first, asked.last, now),
        now,
        parse_every(asked.every) if asked.every else None,
        policy,
        None if anchors is None else parse_anchors(anchors, Path(asked.anchors).name),
        Path(asked.anchors).name,
    )
    found = of_reports(reports, policy, progress)
    return Answered(found, question, operating(found, question))


def _anchors(file: str) -> bytes | None:
    try:
        return read_plain(Path(file)) if file else None
    except OSError as error:
        raise InputError(f"--anchors: {why(error)}; name a file of days and seals") from None
