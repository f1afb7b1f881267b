"""The forms in which people have a credential report -> its CSV text.

Accepted: CSV, bare base64 (wrapped or quoted, as ``--query Content`` prints it), what the AWS CLI prints as JSON,
text or YAML, the answer of boto3, and rows as JSON objects; each in UTF-8 with or without a mark, or UTF-16 with
one (PowerShell's ``>``). Everything else is refused by name.
No message repeats content of the file: a wrong file may hold a secret access key.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from keyaudit.credentials import answers
from keyaudit.credentials.answers import BASE64, CSV, RECORDS
from keyaudit.credentials.columns import told_time
from keyaudit.credentials.refusals import at, in_line, refused
from keyaudit.schema import InputError
from keyaudit.texts import say

_ACCOUNT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):")
_CLI_ERROR = re.compile(r"An error occurred \((\w{1,64})\)")
_MAGIC = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"%PDF", "pdf"),
    (b"PAR1", "parquet"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\xd0\xcf\x11\xe0", "old_excel"),
)
_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
#: codes of the AWS CLI, and the texts under ``refused.cli`` that say what to do
_REMEDIES = {
    "AccessDenied": "denied",
    "AccessDeniedException": "denied",
    "ReportNotPresent": "not_present",
    "ReportExpired": "expired",
    "ReportInProgress": "in_progress",
    "ExpiredToken": "expired_token",
    "InvalidClientTokenId": "invalid",
}


class _UnreadableError(ValueError):
    """Bytes that are no text of ours: ``what`` is wrong, and in which ``line`` (0: not in one)."""

    def __init__(self, key: str, line: int = 0, **facts: int | str) -> None:
        self.what, self.line = say(f"refused.{key}", **facts), line


@dataclass(frozen=True)
class Unwrapped:
    """The CSV text of a report, the form it came in, and the generated time if the form carries one."""

    text: str
    form: str
    generated_time: datetime | None = None


def unwrap(content: bytes, source: str) -> Unwrapped:
    """The CSV text inside ``content``; InputError says what the file is instead, and the remedy."""
    try:
        text = _decode(content)
    except _UnreadableError as error:
        raise InputError(at(in_line(source, error.line) if error.line else source, error.what)) from None
    stripped = text.strip()
    if not stripped:
        raise refused(source, "empty", n=len(content))
    _refuse_other_texts(stripped, source)
    answer = answers.read(stripped, source)
    if answer is None:
        return Unwrapped(text, CSV, told_time(text, source))
    if answer.form == RECORDS:
        return Unwrapped(answer.content, RECORDS, told_time(answer.content, source))
    report = _content(answer, source)
    return Unwrapped(report, answer.form, answers.generated_time(answer, source) or told_time(report, source))


def _content(answer: answers.Answer, source: str) -> str:
    """The CSV text in an answer of AWS: in base64, or decoded already, as boto3 does it."""
    if answer.form == BASE64 or not answers.is_decoded(answer.content):
        return _from_base64(answer.content, source)
    return answer.content


def peek_account(text: str) -> str | None:
    """The first account id in an ARN of the text, to name a report before it is read in full."""
    found = _ACCOUNT.search(text)
    return found.group(1) if found else None


def _decode(content: bytes) -> str:
    for magic, what in _MAGIC:
        if content.startswith(magic):
            raise _UnreadableError(what)
    for bom, encoding in _UTF16:
        if content.startswith(bom):
            try:
                return content[len(bom) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise _UnreadableError("utf16", at=error.start + len(bom)) from None
    if b"\0" in content[:65536] or b"\0" in content:
        raise _UnreadableError("nul")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(content, error) from None


def _not_utf8(content: bytes, error: UnicodeDecodeError) -> _UnreadableError:
    # utf-8-sig counts from after the mark
    start = error.start + (3 if content.startswith(codecs.BOM_UTF8) else 0)
    line = content.count(b"\n", 0, start) + 1
    is_korean = False
    with suppress(UnicodeDecodeError):
        content.decode("cp949")
        is_korean = content[start] >= 0xB0 and content[start + 1 : start + 2] >= b"\xa1"
    return _UnreadableError("cp949" if is_korean else "not_utf8", line, byte=f"0x{content[start]:02X}")


def _refuse_other_texts(text: str, source: str) -> None:
    head = text[:2000]
    lowered = head.lower()
    if re.match(r"<(\w+:)?GetCredentialReportResponse\b", head):
        raise refused(source, "xml")
    if re.match(r"[-+]{10,}\r?\n\|", head):
        raise refused(source, "cli_table")
    if head.startswith("<") and re.match(r"<(!doctype|html|head|body|\?xml|script|form)\b", lowered):
        raise refused(source, "html")
    error = _CLI_ERROR.search(head)
    if error and "," not in head.splitlines()[0][: error.start()]:
        code = error.group(1)
        remedy = say(f"refused.cli.{_REMEDIES.get(code, 'other')}")
        raise refused(source, "cli_error", code=code, remedy=remedy)
    for sign in ("unable to locate credentials", "aws: error", "usage: aws", "error when retrieving token"):
        if lowered.startswith(sign):
            raise refused(source, "cli_sign_in")
    if head.startswith("-----BEGIN"):
        raise refused(source, "pem")
    if re.match(r"\{\s*'", head):
        raise refused(source, "python_repr")


def _from_base64(text: str, source: str) -> str:
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise refused(source, "base64") from None
    try:
        decoded = _decode(content)
        if not decoded.strip():
            raise _UnreadableError("empty_inside", n=len(content))
    except _UnreadableError as error:
        what = at(in_line(source, error.line), error.what) if error.line else error.what
        raise refused(source, "decoded", what=what) from None
    return decoded
