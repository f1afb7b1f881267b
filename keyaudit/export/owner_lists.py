"""For each owner, what is to be done with which key by when: a list as CSV, and a mail that is ready to send.
Nothing is sent."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from keyaudit.export.formats import Made
from keyaudit.export.tabular import BOM, table_csv
from keyaudit.model import Advice, Proved, called
from keyaudit.present.headline import caveats, headline
from keyaudit.texts import say, utc, visible

COLUMNS = (
    "user", "account_id", "account_name", "key", "status", "made", "age_days", "limit", "days_over", "last_used",
    "what_to_do", "by_when", "owner", "keys", "purpose",
)  # fmt: skip
#: the list of keys of which no owner is known
UNOWNED = "unowned"
#: a whole mail address, and nothing that a header could be broken with
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}", re.ASCII)
#: names that Windows has devices for
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
LONGEST_NAME = 60


def made(proved: Proved) -> Made:
    """A folder with two files for each owner of a key with which something is to be done, the same bytes from the
    same evidence."""
    found: dict[str | None, list[Advice]] = {}
    for one in proved.advice:
        found.setdefault(one.owner, []).append(one)
    if not found:
        return Made(None, (say("owners.nothing"),))
    files: dict[str, bytes] = {}
    for owner, name in names(found).items():
        content = BOM + table_csv(COLUMNS, map(_row, found[owner]))
        files[f"{name}.csv"] = content
        files[f"{name}.eml"] = mail(proved, owner, found[owner], f"{name}.csv", content)
    unknown = [visible(one) for one in found if one is not None and not _ADDRESS.fullmatch(one)]
    remarks = [say("owners.unowned", n=len(found[None]), file=f"{UNOWNED}.csv")] if None in found else []
    remarks += [say("owners.no_address", n=len(unknown), owners=", ".join(unknown))] if unknown else []
    return Made(files, tuple(remarks))


def _row(one: Advice) -> list[str | int | None]:
    return [
        one.user, one.account_id, one.account_name, one.key, one.status, utc(one.made) or None, one.age_days,
        one.limit, one.days_over, utc(one.last_used) or None, one.action, one.by_when, one.owner,
        one.told, one.purpose,
    ]  # fmt: skip


def names(owners: Iterable[str | None]) -> dict[str | None, str]:
    """A file's name for each owner, without its ending: in no folder but its own, not hidden, and another for each,
    also where capitals do not count. One that had to be changed, or is not alone, ends with a digest of the
    owner."""
    plain = {owner: UNOWNED if owner is None else _plain(owner) for owner in owners}
    folded = [_folded(name) for name in plain.values()]
    return {
        owner: name
        if owner is None or (name == owner and folded.count(_folded(name)) == 1 and _folded(name) != UNOWNED)
        else f"{name}-{_digest(owner)[:8]}"
        for owner, name in plain.items()
    }


def _plain(owner: str) -> str:
    kept = "".join(c if c.isalnum() or c in "@.-_+" else "_" for c in unicodedata.normalize("NFC", owner))
    name = kept[:LONGEST_NAME].strip(".-") or "_"
    return f"_{name}" if _DEVICE.fullmatch(name) else name


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def mail(proved: Proved, owner: str | None, tasks: list[Advice], name: str, content: bytes) -> bytes:
    """The mail to an owner as a draft: a program for mail opens it to be sent. Its date and ids follow from the
    evidence."""
    number = _digest(f"{proved.sha256}\x1f{owner or ''}\x1f{owner is None}")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = say("owners.subject", n=len(tasks), date=proved.audit.as_of.date().isoformat())
    if owner is not None and _ADDRESS.fullmatch(owner):
        message["To"] = Address(addr_spec=owner)
    message["Date"] = format_datetime(proved.audit.as_of.replace(microsecond=0))
    message["Message-ID"] = f"<{number[:32]}@keyaudit.invalid>"
    message["X-Unsent"] = "1"
    message.set_content(_body(proved, owner, tasks, name), cte="quoted-printable")
    message.add_attachment(content, maintype="text", subtype="csv", filename=name, params={"charset": "utf-8"})
    message.set_boundary(f"keyaudit-{number[:40]}")
    return message.as_bytes()


def _body(proved: Proved, owner: str | None, tasks: list[Advice], name: str) -> str:
    lines = [*caveats(proved.audit), headline(proved.audit), ""]
    lines += [say("owners.whose" if owner is not None else "owners.whose_unowned", n=len(tasks)), ""]
    for number, one in enumerate(tasks, 1):
        lines += [*_told(number, one), ""]
    lines += [say("owners.fetch_first"), ""]
    lines += [say("owners.attached", file=name)]
    lines += [say("owners.evidence", name=visible(proved.name), as_of=utc(proved.audit.as_of)), proved.sha256]
    return "\n".join(lines) + "\n"


def _told(number: int, one: Advice) -> Iterable[str]:
    account = visible(called(one.account_id, one.account_name))
    yield say("owners.task", number=number, action=one.action)
    yield say("owners.when", when=one.by_when)
    yield say("owners.keys", user=visible(one.user), account=account, keys=one.told)
    if one.purpose:
        yield say("owners.purpose", purpose=visible(one.purpose))
    if one.age_days is not None and one.limit is not None:
        case = {None: "age", 0: "age_just_over"}.get(one.days_over, "age_over")
        yield say(f"owners.{case}", age=one.age_days, limit=one.limit, over=one.days_over)
