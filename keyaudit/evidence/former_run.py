"""Which earlier evidence a run compares with ("since last time"), and its files in the run's own folder."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from keyaudit.compared import FIRST, UNPROVED
from keyaudit.credentials import parse_instant
from keyaudit.evidence import contents, seal
from keyaudit.evidence.contents import Compared, RunFacts
from keyaudit.evidence.verify import proved, verify
from keyaudit.files import read_plain, write_file
from keyaudit.schema import InputError, KeyAuditError

#: the parameter of notebooks that compare with it
PARAMETER = "previous"


def stage(staging: Path, facts: RunFacts, given: str) -> tuple[str, Compared | None]:
    """(the notebook's parameter, what the manifest says): the files of the evidence ``given`` (see ``check``), or
    of the latest that verifies and has an earlier instant, are copied."""
    earlier = [Path(given)] if given else _earlier(staging.parent, facts, _instant(facts["as_of"]))
    folder = next((one for one in earlier if given or _holds(one)), None)
    if folder is None:
        return UNPROVED if earlier else FIRST, None
    for name in contents.COMPARED:
        write_file(staging, f"{contents.PREVIOUS}/{name}", read_plain(folder / name))
    return contents.PREVIOUS, {"name": folder.resolve().name, "sha256": seal.digest_of(folder)}


def check(folder: Path, as_of: datetime) -> None:
    """InputError unless this is evidence that verifies, and was judged as of an earlier instant."""
    found = proved(folder)
    if found.manifest and "period" in found.manifest:
        raise InputError(f"--before {folder}: is evidence of a period; name evidence of a moment")
    if faults := found.faults:
        raise InputError(f"--before {folder}: does not verify: {faults[0]}; name other evidence")
    if _instant(seal.read_manifest(folder)["as_of"]) >= as_of:
        raise InputError(f"--before {folder}: is not as of an earlier instant; name earlier evidence")


def _earlier(reports: Path, facts: RunFacts, as_of: datetime) -> list[Path]:
    """Evidence with an earlier instant, the latest first."""
    earlier: list[tuple[datetime, str, Path]] = []
    for folder, manifest in seal.of_subject(reports, facts)[0].items():
        try:
            instant = _instant(manifest["as_of"])
            earlier += [(instant, str(manifest["sealed_at"]), folder)] if instant < as_of else []
        except seal.NOT_OURS:
            continue
    return [folder for _, _, folder in sorted(earlier, reverse=True)]


def _holds(folder: Path) -> bool:
    try:
        # its data alone are compared with
        return not verify(folder, data_alone=True)[0]
    except (KeyAuditError, *seal.NOT_OURS):
        return False


def _instant(text: object) -> datetime:
    found = parse_instant(str(text))
    if found is None:
        raise ValueError(text)
    return found
