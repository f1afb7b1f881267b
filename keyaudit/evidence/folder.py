"""A staging folder filled: raw evidence -> notebook -> page -> seal."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import subprocess
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from keyaudit import __version__, history, seal, sources
from keyaudit.assess.limits import is_known
from keyaudit.auditing import ORGANIZATION, Audit, Provenance, audit
from keyaudit.evidence.kernel import LOG, connected
from keyaudit.evidence.notebook import Notebook, run_notebook
from keyaudit.evidence.request import Request
from keyaudit.export import findings_csv, summary_json
from keyaudit.policy import Policy, load_policy
from keyaudit.present import findings_digest, overdue_known
from keyaudit.schema import FORMAT, RULES, EvidenceError, InputError
from keyaudit.texts import say, utc
from keyaudit.verify import verify

BEFORE = "before"
POLICY_FILE = "policy.toml"
LIBRARIES = ("boto3", "ipykernel", "matplotlib", "nbconvert", "numpy", "pandas", "papermill", "pydantic")


def judge(request: Request) -> tuple[Audit, dict[str, Any]]:
    """The judgement that was asked for, and the facts of its capture; InputError and PolicyError as ``audit``."""
    # the policy first: a mistake in it shows before hundreds of reports are read
    population = sources.find(list(request.sources), captured=request.captured)
    policy = load_policy(request.policy or population.policy or "")
    judged = audit(population, policy, request.as_of)
    if request.before:
        former, at = before_population(request.before)
        history.changes(audit(former, policy, at), judged)  # that they can be compared
    return judged, population.facts


def folder_name(judged: Audit, notebook: Notebook) -> str:
    """``2026-11-23T170000Z-key_rotation-123456789012``: instant, notebook, and whose evidence it is."""
    labels = [one.account_id for one in judged.provenance]
    # a label that comes from JSON is never trusted as a part of a path
    single = labels[0] if len(labels) == 1 and re.fullmatch(r"[0-9]{12}|unknown-[0-9]+", labels[0]) else ""
    whose = "sample" if judged.is_sample else single or "organization"
    return f"{judged.as_of:%Y-%m-%dT%H%M%SZ}-{notebook.name}-{whose}"


def fill(
    staging: Path,
    name: str,
    notebook: Notebook,
    judged: Audit,
    facts: dict[str, Any],
    request: Request,
    process: subprocess.Popen[bytes],
) -> seal.Sealed:
    """Everything that belongs in the folder, written, run and sealed; any exception leaves the staging as it is."""
    _stage_raw(staging, seal.RAW, judged, facts)
    compared = _stage_before(staging, request, judged.policy)
    seal.write_file(staging, POLICY_FILE, judged.policy.content)
    seal.write_file(staging, "findings.csv", findings_csv(judged))
    seal.write_file(staging, "summary.json", summary_json(judged))
    parameters = {
        **(request.parameters or {}),
        "source": seal.RAW,
        # a policy that nobody gave is the default preset in the notebook too
        "policy": POLICY_FILE if judged.policy.given else "",
        "as_of": request.as_of,
        **compared,
    }
    output = staging / "report.ipynb"
    before = seal.list_files(staging)
    with connected(process) as kernel:
        # nbconvert takes half a second to import, while the kernel has the work; not in a thread of its own: two
        # threads that import at the same time may stop each other
        meanwhile = partial(import_module, "nbconvert.exporters")
        executed = run_notebook(notebook, parameters, output, kernel, request.progress, meanwhile)
    _agree(executed, judged)
    _write_pages(staging, output, executed, judged)
    (staging / LOG).unlink()
    seal.tidy(staging, before)
    return seal.finish(staging, name, _facts(notebook, judged, request, parameters))


def _stage_before(staging: Path, request: Request, policy: Policy) -> dict[str, str]:
    """The raw evidence of before, and the notebook's parameter for it."""
    if not request.before:
        return {}
    population, as_of = before_population(request.before)
    _stage_raw(staging, BEFORE, audit(population, policy, as_of), population.facts)
    return {"before": BEFORE, "before_as_of": as_of}


def before_population(before: str) -> tuple[sources.Population, str]:
    """The raw evidence in a folder of evidence, and the instant that was given for it; or a source of any kind.
    InputError where its manifest cannot be read, or is of a later version of keyaudit."""
    raw, manifest = Path(before) / seal.RAW, Path(before) / seal.MANIFEST
    if not (manifest.is_file() and raw.is_dir()):
        return sources.find(before), ""
    try:
        told = json.loads(manifest.read_bytes())
        seal.refuse_newer(told, f"--before {before}")
        # what it says of when it was read is believed for its seal alone
        faults = verify(Path(before))[0]
        if faults:
            raise InputError(f"--before {before}: does not verify: {faults[0]}; name other evidence")
        return sources.find(str(raw), sealed=True), str(told["parameters"]["as_of"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"--before {before}: its {seal.MANIFEST} is not one of keyaudit; name other evidence"
        ) from None


def _stage_raw(staging: Path, into: str, judged: Audit, facts: dict[str, Any]) -> None:
    """The reports byte for byte, each with a capture.json that says where and when it was read, and ``facts`` of
    the capture that they are of. A file that was refused is described, not copied: it may hold a secret."""
    for one in judged.provenance:
        if one.origin is not None:
            _stage_one(staging, f"{into}/{one.account_id}", one, one.origin)
    read = [one.origin.read_time for one in judged.provenance if one.origin is not None]
    accounts = {
        **facts,
        "sample": judged.is_sample,
        # the list of accounts itself, where it is missing, is no account
        "expected": [one.account_id for one in judged.provenance if one.account_id != ORGANIZATION],
        # what no source can say of itself, and only evidence whose seal holds is believed
        "captured": [one.account_id for one in judged.provenance if one.origin and one.origin.captured_now],
        # where nothing was read, the judgement was made of that very moment
        "read_time": max(read, default=judged.as_of).isoformat(),
    }
    seal.write_file(staging, f"{into}/{sources.ACCOUNTS_FILE}", _json(accounts))


def _stage_one(staging: Path, folder: str, one: Provenance, origin: sources.Origin) -> None:
    readable = one.form or origin.path is None
    captured = sources.whole_capture(origin, one.account_id, bool(one.form)) if readable else None
    if captured:
        for name in sources.CAPTURED_FILES:
            path = captured / name
            if path.is_file() and not path.is_symlink():
                seal.write_file(staging, f"{folder}/{name}", path.read_bytes())
        return
    told = origin.capture or {}
    known: dict[str, Any] = {
        "account_id": one.account_id if is_known(one.account_id) else None,
        "bytes": one.bytes,
        "sha256": one.sha256,
        "generated_time": utc(one.generated_time) or None,
        "caller": one.caller,
        "problems": [],
    }
    # what a capture says, and what it does not, must be judged again as it was
    facts = ({} if sources.is_live(told) else known) | {
        **told,
        "source": one.source,
        "file": _raw_name(one.form) if one.form else None,
        "form": one.form or None,
        "received_time": one.received_time.isoformat() if one.received_time else None,
    }
    if not one.form:
        facts["problems"] = [one.error]
    else:
        seal.write_file(staging, f"{folder}/{facts['file']}", _reread(one, origin))
        for name in (sources.INVENTORY_FILE, sources.ROTATION_FILE):
            beside = origin.folder / name if origin.folder else None
            if beside and beside.is_file():
                seal.write_file(staging, f"{folder}/{name}", beside.read_bytes())
    seal.write_file(staging, f"{folder}/{sources.CAPTURE_FILE}", _json(facts))


def _reread(one: Provenance, origin: sources.Origin) -> bytes:
    content = origin.content if origin.content is not None else origin.path.read_bytes() if origin.path else b""
    if hashlib.sha256(content).hexdigest() != one.sha256:
        raise EvidenceError(f"{one.source}: changed while it was read")
    return content


def _raw_name(form: str) -> str:
    ends = {"base64": "b64", "json": "json", "records": "json", "text": "txt", "yaml": "yaml"}
    return f"credential-report.{ends[form]}" if form in ends else sources.REPORT_FILE


def _agree(executed: Any, judged: Audit) -> None:
    """The page must state the very judgement that the data files hold."""
    told = [
        output.metadata["keyaudit"]["findings_sha256"]
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if "keyaudit" in output.get("metadata", {})
    ]
    if not told:
        raise EvidenceError(
            "the notebook shows no bottom line (ka.bottom_line(a)): a page without it proves nothing"
        )
    if set(told) != {findings_digest(judged)}:
        raise EvidenceError("the notebook reached another judgement than keyaudit: their versions or inputs differ")


def _write_pages(staging: Path, output: Path, executed: Any, judged: Audit) -> None:
    import nbformat

    from keyaudit.evidence.page import render

    output.unlink()
    seal.write_file(staging, output.name, (nbformat.writes(executed) + "\n").encode())
    whose = say("count.accounts", n=len(judged.provenance))
    if len(judged.provenance) == 1:
        whose = judged.provenance[0].account_id
    title = say("page.title", whose=whose, as_of=utc(judged.as_of))
    if judged.is_sample:
        title = say("page.sample", title=title)
    seal.write_file(staging, "report.html", render(executed, title))


def _facts(notebook: Notebook, judged: Audit, request: Request, parameters: dict[str, Any]) -> dict[str, Any]:
    labels = [one.account_id for one in judged.provenance]
    failed = [one.account_id for one in judged.provenance if not one.form]
    return {
        "format": FORMAT,
        "rules": RULES,
        "as_of": utc(judged.as_of),
        "as_of_source": judged.as_of_source,
        "conclusion": judged.conclusion,
        "overdue": overdue_known(judged),
        "sample": judged.is_sample,
        "parameters": parameters,
        "sources": [Path(one).name or one for one in request.sources],
        "policy": {"name": judged.policy.name, "given": judged.policy.given, "sha256": judged.policy.sha256},
        "notebook": {"name": notebook.name, "sha256": notebook.sha256},
        "accounts": {"expected": labels, "read": [one for one in labels if one not in failed], "failed": failed},
        "tool": {"keyaudit": __version__, "python": platform.python_version(), "system": platform.system()},
        "libraries": {name: version(name) for name in LIBRARIES},
        "started_at": utc(request.started),
        "sealed_at": utc(datetime.now(UTC)),
        **({"schedule": dict(request.schedule)} if request.schedule else {}),
    }


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
