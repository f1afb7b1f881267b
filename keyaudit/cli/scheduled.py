"""What a scheduled run needs around ``keyaudit report``: once a period, the overview, the message."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keyaudit.cli.common import EXIT_OF, say, write
from keyaudit.schema import KeyAuditError


def content(name: str) -> str:
    """What stands for a file or folder in what is asked for: a SHA-256 of its bytes, so that what was changed is
    asked anew, and what was not is known again elsewhere; a preset's or a notebook's name, or what cannot be read,
    stands for itself."""
    path, digest = Path(name), hashlib.sha256()
    try:
        if not name or not path.exists():
            return name
        inside = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for one in inside:
            digest.update(
                f"{one.relative_to(path).as_posix()}\0{_sha256(one)}\n".encode("utf-8", "surrogateescape")
            )
    except OSError:
        return name  # reading it in earnest says so
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def scheduled(
    reports: Path,
    every: str,
    again: bool,
    notebook: str,
    decides: dict[str, Any],
    make: Callable[[dict[str, str]], int],
) -> int:
    """Evidence for this period, unless it is there: then its folder and exit code, as if it had been made now."""
    from keyaudit.periods import parse_every
    from keyaudit.schedule.occasion import alone, find_done, occasion

    run = occasion(parse_every(every), decides)
    try:
        with alone(reports, run, notebook):
            done = None if again else find_done(reports, run)
            if done is None:
                return make(run.facts())
    except Exception:
        if reports.is_dir():
            rebuild_index(reports)  # it names the runs that failed
        raise
    folder, conclusion = done
    say(f"{conclusion}: made before for {run.period}; --again makes another")
    write(f"{folder}\n")
    return EXIT_OF[conclusion]


def rebuild_index(reports: Path) -> None:
    """The overview of the reports folder; the evidence is what it is without it."""
    from filelock import Timeout

    from keyaudit import texts
    from keyaudit.schedule.index import rebuild

    try:
        rebuild(reports)
    except (OSError, Timeout) as error:
        say(texts.say("index.not_made", folder=reports, why=type(error).__name__))


class Notice:
    """The message after a run, if one was asked for: what was made, or that nothing was. That it cannot be sent is
    said, and changes nothing else."""

    def __init__(self, topic: str, profile: str, reports: Path) -> None:
        self.topic, self.profile, self.reports = topic, profile, reports
        if topic:
            from keyaudit.schedule.notice import region_of

            region_of(topic)

    def made(self, evidence: Any, line: str) -> None:
        facts = {"headline": line, "folder": evidence.path.resolve(), "sha256": evidence.sha256}
        whose = {"conclusion": evidence.audit.conclusion, "whose": evidence.path.name}
        self._send(("notice.subject", whose), ("notice.text", facts))

    def __enter__(self) -> Notice:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception):
            reason = str(error) if isinstance(error, KeyAuditError) else type(error).__name__
            facts = {"reason": reason, "folder": self.reports.resolve()}
            self._send(("notice.failed_subject", {}), ("notice.failed", facts))

    def _send(self, *parts: tuple[str, dict[str, Any]]) -> None:
        if not self.topic:
            return
        from keyaudit import texts
        from keyaudit.schedule.notice import NotSentError, send

        subject, text = (texts.say(key, **facts) for key, facts in parts)
        try:
            send(self.topic, subject, text.strip() + "\n", self.profile)
        except NotSentError as error:
            say(texts.say("notice.unconfirmed", why=error))
