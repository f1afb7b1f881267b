"""The verdict, reached again from the raw evidence: by the rules under which it was judged, and then by today's."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from keyaudit import __version__, sources
from keyaudit.auditing import audit
from keyaudit.compared import NOWHERE
from keyaudit.evidence import released
from keyaudit.evidence.contents import BEFORE, FINDINGS, MANIFEST, POLICY, PREVIOUS, RAW, SUMMARY, Manifest
from keyaudit.evidence.identity import is_renamed, organization_of
from keyaudit.evidence.stated import judged_facts, stated
from keyaudit.evidence.verify import closed, previous
from keyaudit.evidence.verify.older import agrees, told_digest
from keyaudit.evidence.verify.shown import compare
from keyaudit.evidence.verify.typed import odd_fields
from keyaudit.export.summary import summary_json
from keyaudit.export.tabular import findings_csv
from keyaudit.model import Audit, Population
from keyaudit.policy import parse_policy
from keyaudit.present import findings_digest
from keyaudit.schema import RULES
from keyaudit.texts import say, visible

#: what a manifest states about the judgement, and about whose evidence it is
TOLD = (
    "as_of", "as_of_source", "conclusion", "sample", "accounts", "organization", "assurance", "policy", "overdue",
    "incomplete",
)  # fmt: skip
UNNAMED = 2  # the last rules whose manifests may lack the organization, the name and the assurance
MOST = 10  # differences between rules that are told one by one


@dataclass(frozen=True)
class Again:
    """What is wrong, remarks, and what was judged, and how, as far as it could be."""

    faults: list[str]
    remarks: list[str] = field(default_factory=list)
    audit: Audit | None = None
    population: Population | None = None


def data_again(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Again:
    """``data_of``, and findings and summary, which must be those that it gives: byte-identical under the same
    version of keyaudit, otherwise equal in all but sentences."""
    again = data_of(folder, manifest, files)
    if again.audit is None:
        return again
    new = {FINDINGS: findings_csv(again.audit), SUMMARY: summary_json(again.audit)}
    agree = operator.eq if is_same(manifest) else partial(agrees, str(manifest["tool"]["keyaudit"]))
    faults = [f"{name}: is not what raw/ and policy.toml give" for name in new if not agree(files[name], new[name])]
    return Again([*again.faults, *faults]) if again.faults or faults else again


def other_data(judged: Audit, manifest: Manifest) -> Iterator[str]:
    """Findings and summary, by their digests alone, where they are not at hand; those of another version are not
    compared."""
    if not is_same(manifest):
        return
    sealed = {str(each["path"]): each["sha256"] for each in manifest["files"]}
    new = {FINDINGS: findings_csv(judged), SUMMARY: summary_json(judged)}
    for name, content in new.items():
        if hashlib.sha256(content).hexdigest() != sealed.get(name):
            yield f"{name}: is not what raw/ and policy.toml give"


def data_of(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Again:
    """What ``raw/`` and ``policy.toml`` give by the rules under which the evidence was judged, whatever is wrong
    with its manifest, which must state that."""
    own, made_by = manifest.get("rules", 1), str(manifest["tool"]["keyaudit"])
    if type(own) is not int or own < 1:
        raise ValueError("rules")
    if outside := _outside(manifest["parameters"]):
        return Again([say("verify.outside", manifest=MANIFEST, what=outside)])
    judged, population = reach(folder, manifest, files)
    faults = [
        f"{MANIFEST}: {name} is not what the evidence gives" for name in _misstated(judged, population, manifest)
    ]
    if released.tells(made_by, "name"):
        faults += [say("verify.odd_field", manifest=MANIFEST, name=visible(name)) for name in odd_fields(manifest)]
    faults += unsealed(judged, folder, manifest)
    if not released.is_known(made_by):
        return Again([say("verify.unknown_version", manifest=MANIFEST, made_by=visible(made_by))])
    if own not in released.rules_of(made_by):
        faults.append(f"{MANIFEST}: keyaudit {made_by} did not judge by the rules {own}")
    return Again(faults, [], judged, population)


def is_same(manifest: Manifest) -> bool:
    """Whether version and rules are those of this keyaudit."""
    return (manifest["tool"]["keyaudit"], manifest.get("rules", 1)) == (__version__, RULES)


def judge_again(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> Again:
    """First the data (``data_again``), then what notebook and page say, then what today's rules give."""
    data = data_again(folder, manifest, files)
    judged, population = data.audit, data.population
    if judged is None or population is None:
        return data
    own, made_by = manifest.get("rules", 1), str(manifest["tool"]["keyaudit"])
    terms, same = manifest["policy"], is_same(manifest)
    is_given, policy, as_of = terms["given"] is True, judged.policy, manifest["parameters"]["as_of"]
    # in the notebook, the policy is the file beside the notebook
    run_by = parse_policy(files[POLICY], POLICY if is_given else terms["name"], given=is_given)
    earlier, faults = previous.read(files, manifest)
    if faults:
        return Again(faults)
    known = {**manifest["parameters"], "a": replace(judged, policy=run_by), "b": None, "p": earlier}
    if manifest["parameters"].get("before"):
        former = sources.find(str(folder / BEFORE), sealed=True)
        known["b"] = audit(former, run_by, manifest["parameters"]["before_as_of"], rules=own)
        if faults := unsealed(known["b"], folder, manifest):
            return Again(faults)
    digest = findings_digest(judged) if same else told_digest(files[SUMMARY])
    judgements = {RAW: judged} | ({BEFORE: known["b"]} if known["b"] else {})
    listed = [str(entry["path"]) for entry in manifest["files"]]
    if faults := closed.unread(folder, listed, judgements):
        return Again(faults)
    shown = compare(files, manifest, known, stated(judged), digest, same)
    faults, written = closed.added(listed, judgements, shown.is_ours)
    renamed = is_renamed(folder, manifest)
    remarks = [say("verify.renamed", name=visible(renamed))] if renamed else []
    remarks += [*shown.remarks, *written]
    if manifest.get("insecure_cluster"):
        remarks.append(say("verify.insecure_cluster"))
    if not same:
        remarks.append(say("verify.older", made_by=visible(made_by), version=__version__))
    if own < RULES:
        remarks += _by_today(judged, audit(population, policy, as_of, rules=RULES), own)
    return Again([*faults, *shown.faults], remarks, judged, population)


def reach(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> tuple[Audit, Population]:
    """The verdict on the raw evidence of a folder, by its own policy, instant and rules; and what was judged."""
    terms = manifest["policy"]
    policy = parse_policy(files[POLICY], terms["name"], given=terms["given"] is True)
    population = sources.find(str(folder / RAW), sealed=True)
    return audit(population, policy, manifest["parameters"]["as_of"], rules=manifest.get("rules", 1)), population


def _outside(parameters: Mapping[str, Any]) -> str:
    """The parameter, if any, by which a notebook would read what is outside its folder, or is not evidence."""
    allowed: dict[str, set[str | None]] = {
        "source": {RAW},
        "policy": {POLICY, ""},
        "before": {BEFORE, "", None},
        "previous": {PREVIOUS, *NOWHERE, "", None},
    }
    told = {name: parameters.get(name) for name in allowed}
    return next((name for name, value in told.items() if not _is_among(value, allowed[name])), "")


def _is_among(value: Any, allowed: set[str | None]) -> bool:
    return (value is None or isinstance(value, str)) and value in allowed


def unsealed(judged: Audit, folder: Path, manifest: Manifest) -> list[str]:
    """Reports whose bytes are not those of the seal: they were changed after the seal was read."""
    listed = {entry["path"]: entry["sha256"] for entry in manifest["files"]}
    paths = {one.origin.path: one for one in judged.provenance if one.origin is not None and one.origin.path}
    names = {path.relative_to(folder).as_posix(): one.sha256 for path, one in paths.items()}
    return [f"{name}: changed while it was read" for name, sha256 in names.items() if listed.get(name) != sha256]


def _by_today(judged: Audit, today: Audit, own: int) -> list[str]:
    """What today's rules conclude differently from the same evidence."""
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
    """Everything that was concluded, the whole first: subject -> compliance types."""
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


def _misstated(judged: Audit, population: Population, manifest: Manifest) -> list[str]:
    told: dict[str, Any] = {**judged_facts(judged), "organization": organization_of(population.facts)}
    stated: Mapping[str, Any] = manifest
    is_later = manifest.get("rules", 1) > UNNAMED
    # whether it should be there
    later = {
        "organization": "organization" in manifest or is_later,
        "assurance": is_later,
        "incomplete": is_later,
        "overdue": "overdue" in manifest or released.tells(str(manifest["tool"]["keyaudit"]), "overdue"),
    }
    given = {name: stated.get(name, "nothing") if name in later else stated[name] for name in TOLD}
    return [name for name in TOLD if later.get(name, True) and given[name] != told[name]]
