"""A staging folder filled: raw evidence -> notebook -> page -> seal."""

from __future__ import annotations

import json
import platform
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from keyaudit import __version__, changed, sources
from keyaudit.auditing import audit
from keyaudit.evidence import contents, former_run, raw, seal
from keyaudit.evidence.contents import RunFacts
from keyaudit.evidence.identity import label_of, organization_of
from keyaudit.evidence.kernel import Process, connected
from keyaudit.evidence.notebook import Notebook, run_notebook
from keyaudit.evidence.request import Request, Runner
from keyaudit.evidence.sheet import foreign_of, title_of
from keyaudit.evidence.stated import judged_facts
from keyaudit.evidence.verify import verify
from keyaudit.evidence.verify.judged import judge_again
from keyaudit.export.summary import summary_json
from keyaudit.export.tabular import findings_csv
from keyaudit.files import write_file
from keyaudit.model import Audit, Population
from keyaudit.policy import Policy, load_policy
from keyaudit.present import bottom_line, findings_digest
from keyaudit.schema import FORMAT, RULES, EvidenceError, InputError
from keyaudit.texts import language, utc

#: what a capture says of itself, as a manifest does
INSECURE = "insecure_cluster"


def judge(request: Request, notebook: Notebook) -> tuple[Audit, dict[str, Any]]:
    """The judgement that was asked for, and the facts of its capture; InputError and PolicyError as for
    ``audit``."""
    # the policy first, so that a mistake in it shows before hundreds of reports are read
    population = sources.find(list(request.sources), captured=request.captured)
    policy = load_policy(request.policy or population.policy or "")
    judged = audit(population, policy, request.as_of)
    if request.before and contents.BEFORE in notebook.parameters:
        former, at = before_population(request.before)
        changed.changes(audit(former, policy, at), judged)  # so that they can be compared
    elif request.before:
        former_run.check(Path(request.before), judged.as_of)
    return judged, population.facts


def folder_name(judged: Audit, notebook: Notebook) -> str:
    """``2026-11-23T170000Z-key_rotation-123456789012``: instant, notebook, and whose evidence it is."""
    whose = label_of([one.account_id for one in judged.provenance], judged.is_sample)
    return f"{judged.as_of:%Y-%m-%dT%H%M%SZ}-{notebook.name}-{whose}"


def fill(
    staging: Path,
    name: str,
    notebook: Notebook,
    judged: Audit,
    facts: dict[str, Any],
    request: Request,
    run: Runner,
    is_trusted: bool,
) -> seal.Sealed:
    """Write, run and seal everything that belongs in the folder; any exception leaves the staging folder as it
    is. Of a notebook that was run elsewhere (not ``is_trusted``), nothing is sealed that ``verify`` would not
    accept."""
    raw.stage(staging, contents.RAW, judged, facts)
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
    told = _facts(notebook, judged, request, parameters, facts)
    if former_run.PARAMETER in notebook.parameters:
        parameters[former_run.PARAMETER], told["compared"] = former_run.stage(staging, told, request.before)
    output = staging / contents.NOTEBOOK
    listed = seal.list_files(staging)
    executed = run(notebook, parameters, output, request.progress)
    _agree(executed, judged)
    _write_pages(staging, output, executed, judged, notebook)
    (staging / contents.LOG).unlink(missing_ok=True)
    seal.tidy(staging, listed)
    told["sealed_at"] = utc(datetime.now(UTC))
    if not is_trusted:
        _refuse_doctored(staging, name, told)
    return seal.finish(staging, name, told)


def by_kernel(process: Process) -> Runner:
    """Notebooks run by the kernel that this process becomes; it does one."""

    def run(notebook: Notebook, parameters: dict[str, Any], output: Path, progress: bool) -> Any:
        with connected(process) as kernel:
            # nbconvert takes half a second to import, which is done while the kernel works; not in a thread,
            # because two threads that import at the same time may stop each other
            meanwhile = partial(import_module, "nbconvert.exporters")
            return run_notebook(notebook, parameters, output, kernel, progress, meanwhile)

    return run


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
        faults = verify(Path(folder))[0]
        if faults:
            raise InputError(f"{named}: does not verify: {faults[0]}; name other evidence")
        str(told["as_of"] + told["parameters"]["as_of"])
        return told
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{named}: its {contents.MANIFEST} is not one of keyaudit; name other evidence") from None


def _agree(executed: Any, judged: Audit) -> None:
    """EvidenceError unless the page states exactly the judgement that the data files hold."""
    told = [
        (output.metadata["keyaudit"]["findings_sha256"], output.get("data", {}).get("text/html"))
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if "keyaudit" in output.get("metadata", {})
    ]
    line = bottom_line(judged)._repr_html_()
    if not told:
        raise EvidenceError(
            "the notebook shows no bottom line (ka.bottom_line(a)): a page without it proves nothing"
        )
    if set(told) != {(findings_digest(judged), line)}:
        raise EvidenceError("the notebook reached another judgement than keyaudit: their versions or inputs differ")


def _write_pages(staging: Path, output: Path, executed: Any, judged: Audit, notebook: Notebook) -> None:
    import nbformat

    from keyaudit.evidence.page import render

    output.unlink(missing_ok=True)
    write_file(staging, output.name, (nbformat.writes(executed) + "\n").encode())
    title = title_of([one.account_id for one in judged.provenance], judged.as_of, judged.is_sample)
    notice = "" if notebook.is_ours else foreign_of(notebook.name, notebook.sha256)
    write_file(staging, contents.PAGE, render(executed, title, notice))


def _facts(
    notebook: Notebook, judged: Audit, request: Request, parameters: dict[str, Any], facts: dict[str, Any]
) -> RunFacts:
    again = judged_facts(judged)
    told: RunFacts = {
        "rules": RULES,
        "as_of": again["as_of"],
        "as_of_source": again["as_of_source"],
        "conclusion": again["conclusion"],
        "assurance": again["assurance"],
        "overdue": again["overdue"],
        "incomplete": again["incomplete"],
        "sample": again["sample"],
        "language": language(),
        "parameters": parameters,
        "sources": [Path(one).name or one for one in request.sources],
        "policy": again["policy"],
        "notebook": {"name": notebook.name, "sha256": notebook.sha256, "ours": notebook.is_ours},
        "accounts": again["accounts"],
        "tool": {"keyaudit": __version__, "python": platform.python_version(), "system": platform.system()},
        "libraries": {name: contents.version_of(name) for name in contents.LIBRARIES},
        "started_at": utc(request.started),
        "sealed_at": utc(datetime.now(UTC)),
        "organization": organization_of(facts),
        "compared": None,
    }
    if request.schedule:
        told["schedule"] = dict(request.schedule)
    if request.insecure_cluster or facts.get(INSECURE) is True:
        told["insecure_cluster"] = True
    return told
