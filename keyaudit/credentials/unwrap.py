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
from dataclasses import dataclass
from datetime import datetime

from keyaudit.credentials import answers
from keyaudit.credentials.answers import BASE64, CSV, FETCH, RECORDS
from keyaudit.credentials.columns import told_time
from keyaudit.schema import InputError

_ACCOUNT = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):")
_CLI_ERROR = re.compile(r"An error occurred \((\w{1,64})\)")
_MAGIC = (
    (b"\x1f\x8b", "gzip data: unpack it first (gunzip)"),
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook: save the report as CSV"),
    (b"%PDF", "a PDF: save the report as CSV"),
    (b"PAR1", "a Parquet file: save the report as CSV"),
    (b"BZh", "bzip2 data: unpack it first"),
    (b"\xfd7zXZ", "xz data: unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save the report as CSV"),
)
_UTF16 = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_REMEDIES = {
    "AccessDenied": "the caller may not read it; allow iam:GetCredentialReport",
    "AccessDeniedException": "the caller may not read it; allow iam:GetCredentialReport",
    "ReportNotPresent": "run 'aws iam generate-credential-report' first",
    "ReportExpired": "run 'aws iam generate-credential-report' again",
    "ReportInProgress": "the report is still being made; fetch it again in a moment",
    "ExpiredToken": "the session has expired; sign in again",
    "InvalidClientTokenId": "the credentials used are not valid; sign in again",
}


@dataclass(frozen=True)
class Unwrapped:
    """The CSV text of a report, the form it came in, and the generated time if the form carries one."""

    text: str
    form: str
    generated_time: datetime | None = None


def unwrap(content: bytes, source: str) -> Unwrapped:
    """The CSV text inside ``content``; InputError says what the file is instead, and the remedy."""
    text = _decode(content, source)
    stripped = text.strip()
    if not stripped:
        raise InputError(f"{source}: the file is empty ({len(content)} bytes); fetch the report again: {FETCH}")
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


def _decode(content: bytes, source: str) -> str:
    for magic, what in _MAGIC:
        if content.startswith(magic):
            raise InputError(f"{source}: this is {what}")
    for bom, encoding in _UTF16:
        if content.startswith(bom):
            try:
                return content[len(bom) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{source}: marked as UTF-16 but cannot be decoded at byte {error.start + len(bom)}; "
                    f"the file is cut off or damaged: fetch it again"
                ) from None
    if b"\0" in content[:65536] or b"\0" in content:
        raise InputError(
            f"{source}: holds NUL bytes: looks like UTF-16 without a byte order mark, or no text at all; "
            "save it as UTF-8"
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(_not_utf8(content, error, source)) from None


def _not_utf8(content: bytes, error: UnicodeDecodeError, source: str) -> str:
    # utf-8-sig counts from after the mark
    start = error.start + (3 if content.startswith(codecs.BOM_UTF8) else 0)
    line = content.count(b"\n", 0, start) + 1
    korean = ""
    try:
        content.decode("cp949")
        korean = " (CP949?)" if content[start] >= 0xB0 and content[start + 1 : start + 2] >= b"\xa1" else ""
    except UnicodeDecodeError:
        pass
    return (
        f"{source}, line {line}: not UTF-8{korean} (byte 0x{content[start]:02X}); "
        "AWS writes UTF-8 (was the file re-saved by a spreadsheet?): use the file as AWS sent it"
    )


def _refuse_other_texts(text: str, source: str) -> None:
    head = text[:2000]
    lowered = head.lower()
    if re.match(r"<(\w+:)?GetCredentialReportResponse\b", head):
        raise InputError(f"{source}: is the XML with which the IAM API answers; fetch the report again: {FETCH}")
    if re.match(r"[-+]{10,}\r?\n\|", head):
        raise InputError(f"{source}: is the output of the AWS CLI as a table: use --output json")
    if head.startswith("<") and re.match(r"<(!doctype|html|head|body|\?xml|script|form)\b", lowered):
        raise InputError(
            f"{source}: looks like HTML or XML (a sign-in page?), not a credential report; "
            "sign in and fetch the report again"
        )
    error = _CLI_ERROR.search(head)
    if error and "," not in head.splitlines()[0][: error.start()]:
        code = error.group(1)
        remedy = _REMEDIES.get(code, "mend that and fetch the report again")
        raise InputError(f"{source}: is an error of the AWS CLI ({code}), not a report: {remedy}")
    for sign in ("unable to locate credentials", "aws: error", "usage: aws", "error when retrieving token"):
        if lowered.startswith(sign):
            raise InputError(
                f"{source}: is an error of the AWS CLI, not a report: sign in and fetch the report again"
            )
    if head.startswith("-----BEGIN"):
        raise InputError(
            f"{source}: has PEM armour (certutil -encode?), not bare base64; "
            "remove the BEGIN and END lines, or use the report as AWS sent it"
        )
    if re.match(r"\{\s*'", head):
        raise InputError(
            f"{source}: is the Python repr of a boto3 response, not JSON; save response['Content'] instead"
        )


def _from_base64(text: str, source: str) -> str:
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise InputError(f"{source}: the base64 is cut off or damaged; fetch the report again") from None
    try:
        decoded = _decode(content, source)
        if not decoded.strip():
            raise InputError(f"{source}: the file is empty ({len(content)} bytes); fetch the report again")
    except InputError as error:
        raise InputError(f"{source}: decoded from base64, but {str(error).removeprefix(source + ': ')}") from None
    return decoded
