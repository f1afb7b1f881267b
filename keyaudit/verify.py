"""An evidence folder -> what is wrong with it: its seal, and the same verdict reached again from its raw evidence.

Imports neither papermill nor nbconvert: a year of folders is verified in seconds. What is not proved here is
``report.html`` and ``report.ipynb`` beyond their hashes: they are sealed, not made again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from keyaudit import __version__, seal
from keyaudit.auditing import Audit, audit
from keyaudit.export import findings_csv, summary_json
from keyaudit.policy import parse_policy
from keyaudit.present import overdue_known
from keyaudit.schema import RULES, InputError, KeyAuditError
from keyaudit.texts import say, visible

MOST = 10  # differences between rules that are told one by one
EXPECTED = ("raw/accounts.json", "report.html", "report.ipynb", "findings.csv", "summary.json", "policy.toml")


def verify(folder: Path) -> tuple[list[str], list[str]]:
    """(faults, remarks) of a finished evidence folder; no fault: all holds. A remark is no fault: another version
    of keyaudit made it, so that sentences may differ, or today's rules give other verdicts.

    InputError if there is no such folder, NewerError if it takes a later version of keyaudit to verify it.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such evidence folder")
    manifest, faults = _seal(folder)
    if faults:
        return faults, []
    try:
        return _judge_again(folder, manifest)
    except KeyAuditError as error:
        return [f"cannot be judged again: {error}"], []
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        return [f"{seal.MANIFEST}: not as keyaudit writes it ({type(error).__name__})"], []


def _seal(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The manifest, and every way in which files, manifest and SHA256SUMS disagree."""
    missing = [
        name for name in (seal.MANIFEST, seal.SUMS) if (folder / name).is_symlink() or not (folder / name).is_file()
    ]
    if missing:
        return {}, [f"{name}: missing, or a link: not a finished evidence folder" for name in missing]
    manifest_bytes = (folder / seal.MANIFEST).read_bytes()
    try:
        manifest = json.loads(manifest_bytes)
        seal.refuse_newer(manifest, folder)
        listed = {str(entry["path"]): entry for entry in manifest["files"]}
        sums = seal.sums_bytes(manifest_bytes)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}, [f"{seal.MANIFEST}: not a manifest of keyaudit"]
    faults = [f"{name}: a path out of the folder" for name in listed if not _inside(name)]
    if faults:
        return manifest, faults
    if (folder / seal.SUMS).read_bytes() != sums:
        faults.append(f"{seal.SUMS}: is not what {seal.MANIFEST} implies")
    if seal.manifest_bytes(manifest) != manifest_bytes:
        faults.append(f"{seal.MANIFEST}: not written as keyaudit writes it")
    present = {path.relative_to(folder).as_posix(): path for path in seal.walk(folder)}
    faults += [f"{name}: missing" for name in sorted({*listed, *EXPECTED} - set(present))]
    extra = set(present) - set(listed) - {seal.MANIFEST, seal.SUMS}
    faults += [f"{name}: is not in the manifest" for name in sorted(extra)]
    faults += [
        fault
        for name in sorted(set(listed) & set(present))
        if (fault := _changed(present[name], name, listed[name]))
    ]
    faults += [f"{name}/: an empty folder that is not in the manifest" for name in _empty_folders(folder)]
    return manifest, faults


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and path.as_posix() == name


def _changed(path: Path, name: str, entry: dict[str, Any]) -> str:
    if path.is_symlink() or not path.is_file():
        return f"{name}: is not a plain file"
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry.get("sha256"):
        return f"{name}: changed (SHA-256 differs)"
    if len(content) != entry.get("bytes"):
        return f"{name}: the manifest gives another size"
    return ""


def _empty_folders(folder: Path) -> list[str]:
    return sorted(
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_dir() and not any(p.iterdir())
    )


def _judge_again(folder: Path, manifest: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Findings and summary from ``raw/`` and ``policy.toml``, by the rules that the evidence was judged by:
    byte-identical under the same version of keyaudit, else in every column but the annotation. Then by today's."""
    terms = manifest["policy"]
    policy = parse_policy((folder / "policy.toml").read_bytes(), terms["name"], given=terms["given"] is True)
    own = manifest.get("rules", 1)
    if type(own) is not int or own < 1:
        raise ValueError("rules")
    judge = partial(audit, str(folder / "raw"), policy, manifest["parameters"]["as_of"], sealed=True)
    judged = judge(rules=own)
    faults = [f"{seal.MANIFEST}: {name} is not what the evidence gives" for name in _misstated(judged, manifest)]
    made_by = str(manifest["tool"]["keyaudit"])
    if (made_by, own) == (__version__, RULES):
        pairs = (("findings.csv", findings_csv(judged)), ("summary.json", summary_json(judged)))
        faults += [
            f"{name}: is not what raw/ and policy.toml give"
            for name, new in pairs
            if new != (folder / name).read_bytes()
        ]
        return faults, []
    told, again = ((folder / "findings.csv").read_bytes(), findings_csv(judged))
    if not _agree(
        list(csv.DictReader(io.StringIO(told.decode()))), list(csv.DictReader(io.StringIO(again.decode())))
    ):
        faults.append("findings.csv: is not what raw/ and policy.toml give")
    summaries = (json.loads(content) for content in ((folder / "summary.json").read_bytes(), summary_json(judged)))
    if not _agree(*map(_core, summaries)):
        faults.append("summary.json: is not what raw/ and policy.toml give")
    remarks = [say("verify.older", made_by=made_by, version=__version__)]
    return faults, remarks + (_by_today(judged, judge(rules=RULES), own) if own < RULES else [])


def _by_today(judged: Audit, today: Audit, own: int) -> list[str]:
    """What today's rules conclude in another way from the same evidence."""
    before, after = _verdicts(judged), _verdicts(today)
    absent = say("verify.absent")
    found = [
        say("verify.verdict", what=visible(what), own=before.get(what, absent), today=after.get(what, absent))
        for what in dict.fromkeys([*before, *after])
        if before.get(what) != after.get(what)
    ]
    if not found:
        return [say("verify.by_rules", own=own, today=RULES)]
    more = [say("verify.more", n=len(found) - MOST)] if len(found) > MOST else []
    return [say("verify.differs", own=own, today=RULES), *(f"- {line}" for line in [*found[:MOST], *more])]


def _verdicts(judged: Audit) -> dict[str, str]:
    """Everything concluded, the whole first: of what -> compliance types."""
    found = {say("verify.conclusion"): {judged.conclusion}}
    found |= {control: {kind} for control, kind in judged.conclusions.items()}
    rows = judged.findings.sort_values("finding_id")
    names = ("control", "account_id", "user", "key_slot", "compliance_type")
    for control, account, user, slot, kind in zip(*(rows[name].astype(object) for name in names), strict=True):
        facts = {"control": control, "account": account}
        if pd.isna(user):
            what = say("verify.of_account", **facts)
        elif pd.isna(slot):
            what = say("verify.of_user", **facts, user=user)
        else:
            what = say("verify.of_key", **facts, user=user, slot=slot)
        found.setdefault(what, set()).add(kind)
    return {what: ", ".join(sorted(kinds)) for what, kinds in found.items()}


def _misstated(judged: Audit, manifest: dict[str, Any]) -> list[str]:
    summary = json.loads(summary_json(judged))
    facts = {name: summary[name] for name in ("as_of", "as_of_source", "conclusion", "sample")}
    labels = [one.account_id for one in judged.provenance]
    failed = [one.account_id for one in judged.provenance if not one.form]
    facts["accounts"] = {"expected": labels, "read": [one for one in labels if one not in failed], "failed": failed}
    facts["policy"] = {"name": judged.policy.name, "given": judged.policy.given, "sha256": judged.policy.sha256}
    stated = {name: manifest[name] for name in ("as_of", "as_of_source", "conclusion", "sample")}
    stated |= {name: manifest[name] for name in ("accounts", "policy")}
    if "overdue" in manifest:  # since 0.2.0
        facts["overdue"], stated["overdue"] = overdue_known(judged), manifest["overdue"]
    return [name for name, value in facts.items() if stated[name] != value]


#: sentences, which versions may word in other ways
WORDED = {"annotation", "problems", "remarks"}
#: columns that came after 0.1.0, and what came after 0.2.0 of a rotation
ADDED = {"owner", "administrator", "function", "function_version"}
#: what of a summary every version must agree on
CORE = (
    "as_of", "as_of_source", "sample", "policy", "conclusion", "conclusions", "counts", "findings", "accounts",
)  # fmt: skip


def _core(summary: dict[str, Any]) -> dict[str, Any]:
    return {name: summary[name] for name in (*CORE, *(("rotations",) if "rotations" in summary else ()))}


def _agree(told: Any, again: Any) -> bool:
    """Whether two values are the same, sentences and what an older version did not yet have aside."""
    if isinstance(told, dict) and isinstance(again, dict):
        if told.keys() - again.keys() or again.keys() - told.keys() - ADDED:
            return False
        return all(_agree(told[name], again[name]) for name in told.keys() - WORDED)
    if isinstance(told, list) and isinstance(again, list):
        return len(told) == len(again) and all(map(_agree, told, again))
    return bool(told == again)
