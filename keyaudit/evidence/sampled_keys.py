"""An evidence folder -> the population of which a sample is drawn. The folder is verified first, and judged again;
its findings.csv, or keys.csv of a period, is never read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keyaudit.evidence import seal
from keyaudit.evidence.answered import of_copies
from keyaudit.evidence.beside import place
from keyaudit.evidence.contents import POLICY
from keyaudit.evidence.exports import BrokenError, prove, refuse_inside
from keyaudit.evidence.request import PeriodAsked
from keyaudit.evidence.verify import proved
from keyaudit.evidence.verify.referred import copies_in
from keyaudit.model.over_period import BREACH, NO_LIMIT_SET, POSSIBLE
from keyaudit.model.sampled import MAYBE, NO_BREACH, PROVED, Item, SampledFrom
from keyaudit.policy import parse_policy
from keyaudit.schema import NOT_APPLICABLE, ROTATION, InputError, KeyAuditError
from keyaudit.texts import utc

if TYPE_CHECKING:
    from keyaudit.model import Audit
    from keyaudit.model.operated import Operated
    from keyaudit.model.over_period import PeriodVerdict

#: digits of the id of a key over a period: as many as of a finding's
_DIGITS = 16
#: reasons that say what became of keys that were seen; all others say that something was not
_OF_KEYS = frozenset((BREACH, NO_LIMIT_SET, POSSIBLE))


def population_of(folder: Path, control: str) -> SampledFrom:
    """What a control judged in an evidence folder. InputError if there is no such folder, if it does not verify, or
    if its evidence has no findings of the control."""
    try:
        of_one = prove(folder)
    except BrokenError as error:
        raise _broken(folder, error.faults[0]) from None
    return replace(judged_by(of_one.audit, control, of_one.name, of_one.sha256), remarks=of_one.remarks)


def _broken(folder: Path, fault: str) -> InputError:
    return InputError(
        f"{folder}: does not verify ({fault}), and nothing is drawn from it; keyaudit verify names all that is "
        "wrong: take a copy that verifies, or make new evidence"
    )


def judged_by(audit: Audit, control: str, name: str, sha256: str) -> SampledFrom:
    """The findings of a control on keys or users, but for those to which it does not apply: inactive keys, say."""
    rows = audit.findings[audit.findings["control"] == control].to_dict("records")
    named = [row for row in rows if _text(row["user"])]
    inside = [row for row in named if row["compliance_type"] != NOT_APPLICABLE]
    return SampledFrom(
        name=name,
        sha256=sha256,
        as_of=audit.as_of,
        control=control,
        items=tuple(map(_item, inside)),
        left_out=Counter(row["compliance_type"] for row in named if row["compliance_type"] == NOT_APPLICABLE),
        gaps=len(rows) - len(named),
        is_sample_data=audit.is_sample,
    )


def _item(row: dict[Any, Any]) -> Item:
    slot = _text(row["key_slot"])
    return Item(
        id=row["finding_id"],
        account=_text(row["account_id"]),
        user=_text(row["user"]),
        key=_text(row["access_key_id"]) or (f"access_key_{slot}" if slot else ""),
        created=utc(row["last_rotated"]) if _text(row["last_rotated"]) else "",
        verdict=row["compliance_type"],
    )


def _text(cell: Any) -> str:
    import pandas as pd

    return "" if cell is None or pd.isna(cell) else str(cell)


# --- evidence of a period ------------------------------------------------------------------------------------
def is_of_period(folder: Path) -> bool:
    """Whether a folder says that it is evidence of a period; what is wrong with it is found when it is verified."""
    try:
        return "period" in seal.read_manifest(folder)
    except (KeyAuditError, OSError, ValueError, TypeError):
        return False


def population_of_period(folder: Path, series: Path | None) -> SampledFrom:
    """The keys that may have been active in the period of evidence. ``series``: the reports folder that it refers
    to, if it does. InputError if it does not verify, or if that folder is not given."""
    found = proved(folder, series=series)
    manifest = found.manifest
    if found.faults or manifest is None:
        raise _broken(folder, found.faults[0])
    told = manifest["parameters"]
    given = parse_policy(found.files[POLICY], POLICY) if told["policy"] else None
    with copies_in(folder, series) as raw:
        answered = of_copies(raw, PeriodAsked(str(told["first"]), str(told["last"]), str(told["every"])), given)
    source = over_period(answered.operated, manifest["name"], seal.digest_of(folder), answered.question.now)
    return replace(source, remarks=tuple(found.remarks))


def over_period(found: Operated, name: str, sha256: str, as_of: datetime) -> SampledFrom:
    """The keys of all subjects that may have been active, each with what became of it."""
    verdicts = [one.verdict for one in found.subjects]
    inactive = sum(one.figures.inactive for one in verdicts)
    return SampledFrom(
        name=name,
        sha256=sha256,
        as_of=as_of,
        control=ROTATION,
        items=tuple(item for one in verdicts for item in _over_period(one)),
        left_out={NOT_APPLICABLE: inactive} if inactive else {},
        gaps=sum(bool(set(one.reasons) - _OF_KEYS) for one in verdicts) + bool(found.faults),
        is_sample_data=False,
        is_of_period=True,
    )


def _over_period(found: PeriodVerdict) -> Iterator[Item]:
    """The items of a subject. What tells a key from others is its account, user, date and id; of keys that have all
    of these in common, also which of them it is, in the order in which they were seen."""
    active = [one for one in found.keys if one.active[1]]
    before: Counter[tuple[str, ...]] = Counter()
    for one in sorted(active, key=lambda each: (each.first_seen, each.last_seen, utc(each.ended))):
        own = (found.subject, one.account, one.user, utc(one.created), one.key_id or "")
        told = [*own, str(before[own])] if before[own] else [*own]
        before[own] += 1
        yield Item(
            id=hashlib.sha256(json.dumps(told).encode()).hexdigest()[:_DIGITS],
            account=one.account,
            user=one.user,
            key=one.key_id or "",
            created=utc(one.created),
            verdict=PROVED if one.is_breach else MAYBE if one.is_possible else NO_BREACH,
        )


def write_sample(path: Path, content: bytes) -> None:
    """Put the table where nothing is yet; what was filled in is never written over. InputError for a place inside
    of evidence."""
    refuse_inside(path.parent)
    place(path, content)
