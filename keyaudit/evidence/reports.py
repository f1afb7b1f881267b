"""A reports folder -> its evidence, for whoever concludes on a period: each folder verified, and judged again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from keyaudit.engine import spread
from keyaudit.evidence import seal
from keyaudit.evidence.contents import SUMS
from keyaudit.evidence.failed import failures
from keyaudit.evidence.history import Looked, looked
from keyaudit.evidence.inputs import Inputs
from keyaudit.evidence.ledger import entries_of
from keyaudit.evidence.verify import proved
from keyaudit.files import is_plain
from keyaudit.files import unreadable as cannot_read
from keyaudit.model import Progress
from keyaudit.model.folders import Entry
from keyaudit.policy import Policy
from keyaudit.schema import InputError


def of_reports(reports: Path, policy: Policy | None = None, progress: Progress | None = None) -> Inputs:
    """All evidence in a reports folder; its conclusions are by ``policy``, if one is given. InputError if there is
    no such folder, or it is evidence itself."""
    found, unreadable = entries_of(reports)
    try:
        if is_plain(reports / SUMS):
            raise InputError(f"{reports}: is evidence itself, and no reports folder; name the folder that it is in")
        failed = failures(reports)
    except OSError as error:
        raise InputError(cannot_read(reports, error)) from None
    # what a manifest says that is not that of its seal may be of anybody, at any time
    unreadable |= {one.path: "" for one in found if not _is_sealed(one)}
    found = [one for one in found if one.path not in unreadable]
    looks = spread(partial(look, given=policy), found)
    told: Sequence[Looked] = [*(progress(looks, len(found)) if progress else looks)]
    return Inputs(
        tuple(found),
        {one.path: each for one, each in zip(found, told, strict=True)},
        {path.name: why for path, why in unreadable.items()},
        tuple(failed),
    )


def _is_sealed(one: Entry) -> bool:
    try:
        return seal.is_sealed(one.path)
    except seal.NOT_OURS:
        return False


def look(one: Entry, given: Policy | None = None) -> Looked:
    """Verify the seal and the data of a folder, and judge it again by its own policy; its conclusion is by the
    policy ``given``, if any. What its page says is not asked: nothing follows from it here, and it takes most of
    the time of ``verify``. A folder of a later version, or one that is gone by now, is a fault: nothing in it can
    be relied on."""
    try:
        found = proved(one.path, data_alone=True)
        if found.faults or found.manifest is None:
            return Looked(tuple(found.faults))
        return looked(one, found, found.manifest, one.path, given)
    except InputError as error:
        return Looked((str(error),))
