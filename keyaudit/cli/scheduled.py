"""What a scheduled run needs around ``keyaudit report``: once a period, the overview, the message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from keyaudit import texts
from keyaudit.cli.common import EXIT_OF, say, write_names
from keyaudit.schema import INSUFFICIENT_DATA, KeyAuditError


def content(name: str) -> str:
    """What stands for a file or folder in what is asked for: a SHA-256 of the bytes that are read of it, so that
    what was changed is asked anew, and what was not is known again elsewhere; what cannot be read stands for
    itself."""
    from keyaudit.sources import content_digest

    try:
        return content_digest(Path(name)) if name and Path(name).exists() else name
    except OSError:
        return name  # reading it in earnest says so


def contents(sources: Sequence[str], policy: str, notebook: str, before: str) -> dict[str, Any]:
    """What stands for the files that a report is made of, those that come with keyaudit too."""
    from keyaudit import resources
    from keyaudit.policy import DEFAULT_PRESET

    presets, preset = resources.names("policies", ".toml"), policy or DEFAULT_PRESET
    own = resources.notebooks() / f"{notebook}.ipynb"
    return {
        # a preset that stands in for no policy concludes less than the same one given
        "policy": ("" if policy else "not given: ")
        + content(str(resources.data("policies", f"{preset}.toml")) if preset in presets else policy),
        "notebook": content(notebook if notebook.endswith(".ipynb") else str(own)),
        "sources": [content(one) for one in sources],
        "before": content(before),
    }


def is_pipe(name: str) -> bool:
    from keyaudit.sources import is_pipe

    return is_pipe(Path(name))


def scheduled(
    reports: Path,
    every: str,
    again: bool,
    notebook: str,
    decides: dict[str, Any],
    make: Callable[[dict[str, str]], Any],
    started: datetime,
) -> int:
    """Evidence for this period, unless it is there: then its folder and exit code, as if it had been made now. What
    was made and does not count for the period is said, and is at best as good as none."""
    from keyaudit.periods import parse_every
    from keyaudit.schedule.occasion import alone, find_done, occasion, why_not

    run = occasion(parse_every(every), decides, started)
    try:
        with alone(reports, run, notebook):
            done = None if again else find_done(reports, run)
            if done is None:
                evidence = make(run.facts())
                if reason := why_not(reports, run, evidence.path):
                    say(texts.say("schedule.not_counted", period=run.period, why=reason))
                exit_code = EXIT_OF[evidence.audit.conclusion]
                return exit_code or (EXIT_OF[INSUFFICIENT_DATA] if reason else 0)
    except Exception:
        if reports.is_dir():
            rebuild_index(reports)  # it names the runs that failed
        raise
    folder, conclusion = done
    say(f"{conclusion}: made before for {run.period}; --again makes another")
    write_names([folder])
    return EXIT_OF[conclusion]


def rebuild_index(reports: Path) -> None:
    """The overview of the reports folder; the evidence is what it is without it."""
    from keyaudit.files import why
    from keyaudit.schedule.index import rebuild

    try:
        rebuild(reports)
    except OSError as error:
        say(texts.say("index.not_made", folder=reports, why=why(error)))
    except (
        Exception
    ) as error:  # whatever lies in the folder: what was sealed before is sealed, and its verdict holds
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
        from keyaudit.schedule.notice import NotSentError, send

        subject, text = (texts.say(key, **facts) for key, facts in parts)
        try:
            send(self.topic, subject, text.strip() + "\n", self.profile)
        except NotSentError as error:
            say(texts.say("notice.unconfirmed", why=error))
