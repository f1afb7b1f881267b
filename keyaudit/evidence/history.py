"""An evidence folder -> what it says of the keys at its instant: verified, and judged again from what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keyaudit.auditing import audit
from keyaudit.evidence.contents import Manifest
from keyaudit.evidence.snapshot import snapshot_of
from keyaudit.evidence.verify.judged import Again, unsealed
from keyaudit.model.folders import Entry
from keyaudit.period.snapshots import Snapshot
from keyaudit.policy import Policy


@dataclass(frozen=True)
class Looked:
    """What is wrong in a folder, and without any fault what the folder says."""

    faults: tuple[str, ...]
    snapshot: Snapshot | None = None


def looked(one: Entry, again: Again, manifest: Manifest, place: Path, given: Policy | None) -> Looked:
    """What a folder says that was judged again from the files in ``place``, by its own policy; its conclusion is by
    the policy ``given``, if any."""
    judged, population = again.audit, again.population
    if again.faults or judged is None or population is None:
        return Looked(tuple(again.faults))
    own = judged.policy
    if given is not None:
        judged = audit(population, given, manifest["parameters"]["as_of"], rules=manifest.get("rules", 1))
        if changed := unsealed(judged, place, manifest):
            return Looked(tuple(changed))
    return Looked((), snapshot_of(one, judged, own))
