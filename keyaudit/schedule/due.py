"""Evidence once per period: what decides which evidence that is, and whether it exists already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit import resources
from keyaudit.policy import DEFAULT_PRESET
from keyaudit.schedule.occasion import Occasion, alone, find_done, unseen, why_not
from keyaudit.schema import InputError
from keyaudit.sources import content_digest

if TYPE_CHECKING:
    from keyaudit.evidence import Evidence
    from keyaudit.model import Audit


@dataclass(frozen=True)
class Outcome:
    """The evidence of a period and its conclusion; whether it was made now; and why it does not count for the
    period, if it does not: then it is at best as good as no evidence. ``unseen``: what could not be read of other
    evidence that may have made it not count."""

    folder: Path
    conclusion: str
    is_new: bool
    not_counted: str = ""
    unseen: str = ""


def once(
    reports: Path, run: Occasion, again: bool, notebook: str, make: Callable[[dict[str, str]], Evidence[Audit]]
) -> Outcome:
    """Evidence for this period, which is made unless it exists, or if it is wanted ``again``."""
    with alone(reports, run, notebook):
        done = None if again else find_done(reports, run)
        if done is not None:
            return Outcome(*done, is_new=False, unseen=unseen(reports, done[0]))
        evidence = make(run.facts())
        reason = why_not(reports, run, evidence.path)
        return Outcome(evidence.path, evidence.judged.conclusion, True, reason, unseen(reports, evidence.path))


def content(name: str) -> str:
    """What stands for a file or folder in the request: the SHA-256 of the bytes that are read from it, so that a
    change makes another request, and the same content is recognised in another place. What cannot be read stands
    for itself."""
    try:
        return content_digest(Path(name)) if name and Path(name).exists() else name
    except (OSError, InputError):
        return name  # reading it will say so


def contents(sources: Sequence[str], policy: str, notebook: str, before: str) -> dict[str, Any]:
    """What stands for the files from which a report is made, including those that come with keyaudit."""
    presets, preset = resources.names("policies", ".toml"), policy or DEFAULT_PRESET
    own = resources.notebooks() / f"{notebook}.ipynb"
    return {
        # a preset that stands in for a missing policy concludes less than the same preset if it was asked for
        "policy": ("" if policy else "not given: ")
        + content(str(resources.data("policies", f"{preset}.toml")) if preset in presets else policy),
        "notebook": content(notebook if notebook.endswith(".ipynb") else str(own)),
        "sources": [content(one) for one in sources],
        "before": content(before),
    }
