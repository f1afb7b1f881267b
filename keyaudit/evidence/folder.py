"""Evidence of a moment: what was judged, staged and sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyaudit import changed, sources
from keyaudit.auditing import audit
from keyaudit.evidence import contents, former_run, raw, seal
from keyaudit.evidence.contents import RunFacts
from keyaudit.evidence.finished import finish, run_facts
from keyaudit.evidence.identity import label_of
from keyaudit.evidence.notebook import Notebook
from keyaudit.evidence.request import Request, Runner
from keyaudit.evidence.stated import stated
from keyaudit.evidence.verify import verify
from keyaudit.evidence.verify.judged import judge_again
from keyaudit.export.summary import summary_json
from keyaudit.export.tabular import findings_csv
from keyaudit.files import write_file
from keyaudit.model import Audit, Population
from keyaudit.policy import Policy, load_policy
from keyaudit.schema import FORMAT, EvidenceError, InputError

#: what a capture says of itself, as a manifest does
INSECURE = "insecure_cluster"


@dataclass(frozen=True)
class OfMoment:
    """What a folder of evidence of a moment is made of: the judgement that was asked for, and the facts of its
    capture."""

    judged: Audit
    facts: dict[str, Any]
    notebook: Notebook
    request: Request

    @property
    def name(self) -> str:
        """``2026-11-23T170000Z-key_rotation-123456789012``: instant, notebook, and whose evidence it is."""
        whose = label_of([one.account_id for one in self.judged.provenance], self.judged.is_sample)
        return f"{self.judged.as_of:%Y-%m-%dT%H%M%SZ}-{self.notebook.name}-{whose}"

    def fill(self, staging: Path, run: Runner, is_trusted: bool) -> seal.Sealed:
        """Write, run and seal everything that belongs in the folder; any exception leaves the staging folder as it
        is. Of a notebook that was run elsewhere (not ``is_trusted``), nothing is sealed that ``verify`` would not
        accept."""
        judged, request, notebook = self.judged, self.request, self.notebook
        raw.stage(staging, contents.RAW, judged, self.facts)
        before = _stage_before(staging, request, notebook, judged.policy)
        write_file(staging, contents.POLICY, judged.policy.content)
        write_file(staging, contents.FINDINGS, findings_csv(judged))
        write_file(staging, contents.SUMMARY, summary_json(judged))
        parameters = {
            **(request.parameters or {}),
            "source": contents.RAW,
            # a policy that nobody gave is the default preset in the notebook too
            "policy": contents.POLICY if judged.policy.given else "",
            "as_of": request.as_of,
            **before,
        }
        now_stated = stated(judged)
        told = run_facts(notebook, now_stated, request, parameters, self.facts)
        if request.insecure_cluster or self.facts.get(INSECURE) is True:
            told["insecure_cluster"] = True
        if former_run.PARAMETER in notebook.parameters:
            parameters[former_run.PARAMETER], told["compared"] = former_run.stage(staging, told, request.before)

        def before_seal() -> None:
            if not is_trusted:
                _refuse_doctored(staging, self.name, told)

        return finish(staging, self.name, notebook, now_stated, told, run, request.progress, before_seal)


def of_moment(request: Request, notebook: Notebook) -> OfMoment:
    """Judge what was asked for; InputError and PolicyError as for ``audit``."""
    if request.before and not {"before", "previous"} & {*notebook.parameters}:
        raise InputError(f"--before: {notebook.name} compares with nothing; give another notebook")
    # the policy first, so that a mistake in it shows before hundreds of reports are read
    population = sources.find(list(request.sources), captured=request.captured)
    policy = load_policy(request.policy or population.policy or "")
    judged = audit(population, policy, request.as_of)
    if request.before and contents.BEFORE in notebook.parameters:
        former, at = before_population(request.before)
        changed.changes(audit(former, policy, at), judged)  # so that they can be compared
    elif request.before:
        former_run.check(Path(request.before), judged.as_of)
    return OfMoment(judged, population.facts, notebook, request)


def _refuse_doctored(staging: Path, name: str, told: RunFacts) -> None:
    """EvidenceError if the folder would not verify once it is sealed: judged again from its own files, its notebook
    and page say something else."""
    listed = seal.list_files(staging)
    whole: contents.Manifest = {"format": FORMAT, "name": name, **told, "previous": None, "files": listed}
    files = {entry["path"]: (staging / entry["path"]).read_bytes() for entry in listed}
    faults = judge_again(staging, whole, files).faults
    if faults:
        raise EvidenceError(f"the worker's notebook is not what the evidence gives: {faults[0]}")


def _stage_before(staging: Path, request: Request, notebook: Notebook, policy: Policy) -> dict[str, str]:
    """Copy the raw evidence of ``before`` for a notebook that judges it again, and give its parameter for it."""
    if not request.before or contents.BEFORE not in notebook.parameters:
        return {}
    population, as_of = before_population(request.before)
    raw.stage(staging, contents.BEFORE, audit(population, policy, as_of), population.facts)
    return {"before": contents.BEFORE, "before_as_of": as_of}


def before_population(before: str, named: str = "") -> tuple[Population, str]:
    """The raw evidence in a folder of evidence, and the instant that was given for it; or a source of any kind.
    InputError as for ``verified``."""
    told = verified(before, named or f"--before {before}")
    if told is None:
        return sources.find(before), ""
    # what it says about when it was read is believed only because of its seal
    return sources.find(str(Path(before) / contents.RAW), sealed=True), str(told["parameters"]["as_of"])


def verified(folder: object, named: str) -> contents.Manifest | None:
    """The manifest of an evidence folder, which verifies; None for any other source. InputError, which calls the
    folder as it was ``named``, if it does not verify, or is of a later version of keyaudit."""
    if not isinstance(folder, str | Path):
        return None
    manifest = Path(folder) / contents.MANIFEST
    if not (manifest.is_file() and (Path(folder) / contents.RAW).is_dir()):
        return None
    try:
        told = json.loads(manifest.read_bytes())
        seal.refuse_newer(told, named)
        if "period" in told:
            raise InputError(f"{named}: is evidence of a period; name evidence of a moment")
        faults = verify(Path(folder))[0]
        if faults:
            raise InputError(f"{named}: does not verify: {faults[0]}; name other evidence")
        str(told["as_of"] + told["parameters"]["as_of"])
        return told
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{named}: its {contents.MANIFEST} is not one of keyaudit; name other evidence") from None
