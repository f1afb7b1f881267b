"""The verdict, reached again from the raw evidence, by the rules that it was judged by; then by today's."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from keyaudit import __version__, released, seal, sources
from keyaudit.auditing import Audit, audit
from keyaudit.export import findings_csv, summary_json
from keyaudit.identity import is_renamed, organization_of
from keyaudit.policy import parse_policy
from keyaudit.present import findings_digest, overdue_known
from keyaudit.schema import RULES
from keyaudit.texts import say, visible
from keyaudit.verify import contents
from keyaudit.verify.older import agrees, told_digest
from keyaudit.verify.sealed import Sealed
from keyaudit.verify.shown import compare

POLICY, BEFORE = "policy.toml", "before"
UNNAMED = 2  # the last rules whose manifests may lack the organization, the name and the assurance
MOST = 10  # differences between rules that are told one by one


def judge_again(folder: Path, sealed: Sealed) -> tuple[list[str], list[str]]:
    """(faults, remarks): findings and summary from ``raw/`` and ``policy.toml``, by the rules that the evidence was
    judged by, byte-identical under the same version of keyaudit, else in all but sentences; then what notebook and
    page say; then what today's rules give."""
    manifest, files = sealed.manifest, sealed.files
    own, made_by = manifest.get("rules", 1), str(manifest["tool"]["keyaudit"])
    if type(own) is not int or own < 1:
        raise ValueError("rules")
    if outside := _outside(manifest["parameters"]):
        return [say("verify.outside", manifest=seal.MANIFEST, what=outside)], []
    terms = manifest["policy"]
    is_given = terms["given"] is True
    policy = parse_policy(files[POLICY], terms["name"], given=is_given)
    as_of = manifest["parameters"]["as_of"]
    population = sources.find(str(folder / seal.RAW), sealed=True)
    judged = audit(population, policy, as_of, rules=own)
    faults = [
        f"{seal.MANIFEST}: {name} is not what the evidence gives"
        for name in _misstated(judged, population, manifest)
    ]
    faults += _unsealed(judged, folder, manifest)
    if not released.is_known(made_by):
        return [say("verify.unknown_version", manifest=seal.MANIFEST, made_by=visible(made_by))], []
    if own not in released.rules_of(made_by):
        faults.append(f"{seal.MANIFEST}: keyaudit {made_by} did not judge by the rules {own}")
    is_same = (made_by, own) == (__version__, RULES)
    new = {"findings.csv": findings_csv(judged), "summary.json": summary_json(judged)}
    agree = operator.eq if is_same else partial(agrees, made_by)
    faults += [
        f"{name}: is not what raw/ and policy.toml give" for name in new if not agree(files[name], new[name])
    ]
    if faults:
        return faults, []
    # in the notebook, the policy is the file beside it
    run_by = parse_policy(files[POLICY], POLICY if is_given else terms["name"], given=is_given)
    known = {**manifest["parameters"], "a": replace(judged, policy=run_by), "b": None}
    if manifest["parameters"].get("before"):
        former = sources.find(str(folder / BEFORE), sealed=True)
        known["b"] = audit(former, run_by, manifest["parameters"]["before_as_of"], rules=own)
        if faults := _unsealed(known["b"], folder, manifest):
            return faults, []
    digest = findings_digest(judged) if is_same else told_digest(files["summary.json"])
    judgements = {seal.RAW: judged} | ({BEFORE: known["b"]} if known["b"] else {})
    listed = [str(entry["path"]) for entry in manifest["files"]]
    if faults := contents.unread(folder, listed, judgements):
        return faults, []
    shown = compare(files, manifest, known, digest, is_same)
    faults, written = contents.added(listed, judgements, shown.is_ours)
    renamed = is_renamed(folder, manifest)
    remarks = [say("verify.renamed", name=visible(renamed))] if renamed else []
    remarks += [*shown.remarks, *written]
    if not is_same:
        remarks.append(say("verify.older", made_by=visible(made_by), version=__version__))
    if own < RULES:
        remarks += _by_today(judged, audit(population, policy, as_of, rules=RULES), own)
    return [*faults, *shown.faults], remarks


def _outside(parameters: Mapping[str, Any]) -> str:
    """The parameter, if any, by which a notebook would read what is not in its folder, or what is none of it."""
    allowed: dict[str, set[str | None]] = {
        "source": {seal.RAW},
        "policy": {POLICY, ""},
        "before": {BEFORE, "", None},
    }
    told = {name: parameters.get(name) for name in allowed}
    return next((name for name, value in told.items() if not _is_among(value, allowed[name])), "")


def _is_among(value: Any, allowed: set[str | None]) -> bool:
    return (value is None or isinstance(value, str)) and value in allowed


def _unsealed(judged: Audit, folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Reports that were read with other bytes than the seal's: they were changed in between."""
    listed = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    paths = {one.origin.path: one for one in judged.provenance if one.origin is not None and one.origin.path}
    names = {path.relative_to(folder).as_posix(): one.sha256 for path, one in paths.items()}
    return [f"{name}: changed while it was read" for name, sha256 in names.items() if listed.get(name) != sha256]


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


def _misstated(judged: Audit, population: sources.Population, manifest: dict[str, Any]) -> list[str]:
    summary = json.loads(summary_json(judged))
    facts = {name: summary[name] for name in ("as_of", "as_of_source", "conclusion", "sample")}
    labels = [one.account_id for one in judged.provenance]
    failed = [one.account_id for one in judged.provenance if not one.form]
    facts["accounts"] = {"expected": labels, "read": [one for one in labels if one not in failed], "failed": failed}
    if "organization" in manifest or manifest.get("rules", 1) > UNNAMED:
        facts["organization"] = organization_of(population.facts)
    if manifest.get("rules", 1) > UNNAMED:
        facts["assurance"] = judged.assurance
    facts["policy"] = {"name": judged.policy.name, "given": judged.policy.given, "sha256": judged.policy.sha256}
    stated = {name: manifest[name] for name in ("as_of", "as_of_source", "conclusion", "sample")}
    stated |= {name: manifest[name] for name in ("accounts", "policy")}
    stated |= {name: manifest.get(name, "nothing") for name in ("organization", "assurance") if name in facts}
    if "overdue" in manifest or released.tells(str(manifest["tool"]["keyaudit"]), "overdue"):
        facts["overdue"], stated["overdue"] = overdue_known(judged), manifest.get("overdue", "nothing")
    return [name for name, value in facts.items() if stated[name] != value]
