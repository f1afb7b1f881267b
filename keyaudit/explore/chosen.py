"""What is chosen to be explored, judged: the evidence, an earlier one, and the policy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keyaudit import changed
from keyaudit.auditing import audit
from keyaudit.evidence.contents import RAW
from keyaudit.evidence.folder import before_population, verified
from keyaudit.files import printable
from keyaudit.model import Audit
from keyaudit.schema import RECEIVED_TIME, InputError
from keyaudit.texts import say


@dataclass(frozen=True)
class Chosen:
    """As the workbook's parameters of these names say; a ``source`` may also be an evidence folder."""

    source: str = ""
    policy: str = ""
    as_of: str = ""
    before: str = ""
    before_as_of: str = ""


@dataclass(frozen=True)
class Judged:
    """What was chosen, judged; and the arguments with which ``keyaudit report`` judges the same (source, policy,
    as_of, before)."""

    chosen: Chosen
    audit: Audit
    before: Audit | None
    asked: dict[str, str]

    @property
    def contents(self) -> tuple[object, ...]:
        """What was judged, by the digests of its bytes."""
        audits = [one for one in (self.audit, self.before) if one]
        return tuple((one.policy.sha256, *((p.account_id, p.sha256) for p in one.provenance)) for one in audits)


def judge(chosen: Chosen) -> Judged:
    """Judge as ``keyaudit report`` would. Of an evidence folder, whose seal must hold, the raw evidence is judged,
    as of the folder's instant if no other is given. KeyAuditError for what cannot be judged or compared."""
    source, as_of = _raw_of(chosen)
    judged = audit(source, chosen.policy, as_of)
    before = None
    if chosen.before:
        population, own = before_population(chosen.before, chosen.before)
        before = audit(population, judged.policy, chosen.before_as_of or own)
        if before.as_of > judged.as_of and before.as_of_source == RECEIVED_TIME:
            raise InputError(say("choose.undated", before=printable(chosen.before)))
        changed.changes(before, judged)  # so that they can be compared
    asked = {"source": source, "policy": chosen.policy, "as_of": as_of, "before": chosen.before}
    return Judged(chosen, judged, before, asked)


def _raw_of(chosen: Chosen) -> tuple[str, str]:
    """What of the source is read, and as of when it is judged."""
    manifest = verified(chosen.source, chosen.source) if chosen.source else None
    if manifest is None:
        return chosen.source, chosen.as_of
    return str(Path(chosen.source) / RAW), chosen.as_of or manifest["as_of"]
