"""Evidence of a period: the folders that it was concluded from, copied, and the answer, staged and sealed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit.evidence import contents, copies, seal
from keyaudit.evidence.answered import Answered
from keyaudit.evidence.finished import finish, run_facts
from keyaudit.evidence.notebook import Notebook
from keyaudit.evidence.over_time import of_folder
from keyaudit.evidence.request import PeriodAsked, Request, Runner
from keyaudit.evidence.stated_period import policy_of, stated_of
from keyaudit.export.over_time import operated_csv, operated_json
from keyaudit.files import write_file
from keyaudit.model import Progress
from keyaudit.model.operated import Operated
from keyaudit.policy import load_policy
from keyaudit.schema import InputError


@dataclass(frozen=True)
class OfPeriod:
    """What a folder of evidence of a period is made of."""

    answered: Answered
    asked: PeriodAsked
    notebook: Notebook
    request: Request

    @property
    def judged(self) -> Operated:
        return self.answered.operated

    @property
    def name(self) -> str:
        """``2026-12-31-period-123456789012``: the last day, notebook, and whose evidence it is; the moment of the
        question makes it as long as other names."""
        stated = stated_of(self.answered)
        return f"{self.answered.question.now:%Y-%m-%dT%H%M%SZ}-{self.notebook.name}-{stated.label}"

    def fill(self, staging: Path, run: Runner, is_trusted: bool) -> seal.Sealed:  # noqa: ARG002
        """Write, run and seal everything that belongs in the folder; any exception leaves the staging folder as it
        is. The notebook judges the copies; by reference, they are taken away before the seal."""
        found, question = self.answered.inputs, self.answered.question
        stated = stated_of(self.answered)
        copies.stage(staging, found, question, self.asked.by_reference)
        write_file(staging, contents.POLICY, policy_of(self.answered).content)
        write_file(staging, contents.KEYS, operated_csv(self.judged))
        write_file(staging, contents.SUMMARY, operated_json(self.judged).encode())
        parameters: dict[str, Any] = {
            **(self.request.parameters or {}),
            "source": contents.RAW,
            "first": stated.days["from"],
            "last": stated.days["to"],
            "every": self.asked.every,
            "policy": contents.POLICY if question.policy else "",
            "anchors": "",
        }
        told = run_facts(self.notebook, stated, self.request, parameters, {})
        told["organization"] = stated.organization

        def before_seal() -> None:
            if self.asked.by_reference:
                copies.drop(staging)

        return finish(staging, self.name, self.notebook, stated, told, run, self.request.progress, before_seal)


def of_period(
    request: Request, notebook: Notebook, asked: PeriodAsked, verifying: Progress | None = None
) -> OfPeriod:
    """Ask what was asked for, of the reports folder that is the source. InputError as for ``over_period``, if there
    is no evidence, or too much of it to be copied."""
    if lacking := [name for name in ("first", "last", "anchors") if name not in notebook.parameters]:
        raise InputError(
            f"--from: {notebook.name} has no parameter {lacking[0]}; give --notebook period, or one made from it"
        )
    if len(request.sources) != 1:
        raise InputError(f"--notebook {notebook.name}: give one reports folder, whose evidence is asked")
    policy = load_policy(request.policy) if request.policy else None
    answered = of_folder(Path(request.sources[0]), asked, policy, verifying)
    if not answered.operated.subjects:
        raise InputError(
            f"{request.sources[0]}: has no evidence of runs that judged their own moment; nothing is concluded, "
            "and nothing can be sealed"
        )
    if not asked.by_reference:
        copies.refuse_large(answered.inputs)
    return OfPeriod(answered, asked, notebook, request)
