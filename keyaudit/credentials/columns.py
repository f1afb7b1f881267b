"""CSV text -> columns of strings, strictly: a row with a field too few or too many is refused, never padded.

Read by name, in any order, whatever the case of the names; unknown columns are tolerated. Nothing of the file is
repeated in a message but short cells of the columns that keyaudit knows (``shown``), for a wrong file may hold a
secret.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from keyaudit.credentials.refusals import in_line, refused
from keyaudit.credentials.times import ends_with_zone, read_instants
from keyaudit.schema import (
    EXTRA_COLUMN,
    REPORT_COLUMNS,
    REQUIRED_COLUMNS,
    UNJUDGED_BOOLEANS,
    UNJUDGED_TIMES,
    InputError,
)
from keyaudit.texts import say

KNOWN = (*REPORT_COLUMNS, EXTRA_COLUMN)
WHOLE_VALUES = frozenset({"N/A", "no_information", "not_supported"})
_FURTHER_KEY = re.compile(r"access_key_([03-9]|[0-9]{2,})_")
_SECRETIVE = re.compile(r"secret|session.?token|private.?key", re.IGNORECASE)
_DELIMITERS = {";": "read.semicolons", "\t": "read.tabs"}
#: what Steampipe calls AWS's columns, and what it tells besides: of the report, and whose it is
ALIASES = {"user_name": "user", "user_arn": "arn"}
TOLD_TIME, TOLD_ACCOUNT = "generated_time", "account_id"
ACCOUNT_DIGITS = 12
#: lines above the header: a spreadsheet's, and the one that Export-Csv of PowerShell writes
_BANNER = re.compile(r"(sep=(?P<delimiter>[^\"\r\n])|#TYPE [^\r\n]*)\r?\n")


@dataclass
class Table:
    """Columns of strings by name, all of one length; ``lines[i]`` is the line of row i in the file; ``told`` are
    the columns TOLD_TIME and TOLD_ACCOUNT, which AWS does not write."""

    columns: dict[str, list[str]]
    lines: list[int] | range
    warnings: list[str] = field(default_factory=list)
    further_keys: tuple[str, ...] = ()  # columns for more keys than AWS's two
    told: dict[str, list[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)


def shown(value: str) -> str:
    """A cell for a message; anything long enough to be a secret, and anything unprintable, is not shown."""
    if len(value) > 32 or not value.isprintable():
        return say("read.not_shown", n=len(value))
    return repr(value)


def read_table(text: str, source: str) -> Table:
    """All rows of the CSV text; InputError names line and column of the first fault."""
    warnings: list[str] = []
    text = text.removeprefix("\ufeff")
    blank = len(text) - len(text.lstrip("\r\n"))
    first_line = 1 + text.count("\n", 0, blank)
    text = text[blank:]
    delimiter = ","
    if banner := _BANNER.match(text):
        delimiter = banner["delimiter"] or delimiter
        text, first_line = text[banner.end() :], first_line + 1
        skipped = "by_spreadsheet" if banner["delimiter"] else "by_powershell"
        warnings.append(say(f"read.{skipped}", source=source, line=repr(f"sep={delimiter}")))
    header_line = text.split("\n", 1)[0].rstrip("\r")
    if delimiter == "," and "," not in header_line:
        delimiter = next((d for d in _DELIMITERS if d in header_line), ",")
    if delimiter != ",":
        name = say(_DELIMITERS[delimiter]) if delimiter in _DELIMITERS else repr(delimiter)
        warnings.append(say("read.separator", source=source, name=name))
    names, rows, lines = _split(text, delimiter, source, first_line)
    trimmed = [name.strip().strip("\ufeff").removesuffix("\\n") for name in names]
    header = _as_aws_writes(trimmed, source, warnings)
    _check_header(header, names, header_line, source, first_line)
    columns = dict(zip(header, rows, strict=True))
    _refuse_second_header(columns, lines, source)
    if len(lines) and not text.endswith("\n"):
        _refuse_cut_end(header[-1], rows[-1][-1], lines[-1], source)
    if trimmed != names or delimiter != ",":
        columns = {name: [cell.strip() for cell in cells] for name, cells in columns.items()}
    further = tuple(name for name in header if _FURTHER_KEY.match(name))
    known, told = (
        {name: columns[name] for name in names if name in columns} for names in (KNOWN, (TOLD_TIME, TOLD_ACCOUNT))
    )
    return Table(known, lines, warnings, further, told)


def _as_aws_writes(names: list[str], source: str, warnings: list[str]) -> list[str]:
    """The names of columns as AWS writes them, where they are the same but for their case, or Steampipe's."""
    ours = {*KNOWN, *ALIASES, TOLD_TIME, TOLD_ACCOUNT}
    lowered = [name.lower() if name.lower() in ours or _FURTHER_KEY.match(name.lower()) else name for name in names]
    if lowered != names:
        warnings.append(say("read.capitals", source=source))
    return [ALIASES[name] if name in ALIASES and ALIASES[name] not in lowered else name for name in lowered]


def _refuse_second_header(columns: dict[str, list[str]], lines: list[int] | range, source: str) -> None:
    # an IAM user may be called "user", but its first key is not called "access_key_1_active"
    probe = REQUIRED_COLUMNS[1]
    if any(cell.strip() == probe for cell in set(columns[probe])):
        line = next(line for line, cell in zip(lines, columns[probe], strict=True) if cell.strip() == probe)
        raise refused(in_line(source, line), "header_repeated")


def _refuse_cut_end(column: str, cell: str, line: int, source: str) -> None:
    """AWS writes no final newline, so that only the last cell can tell whether the file ends where it should: it
    must be a whole value of its column."""
    whole = True
    if column in UNJUDGED_BOOLEANS or column.endswith("_active"):
        whole = cell.strip().lower() in ("true", "false", "n/a", "not_supported")
    elif column == TOLD_ACCOUNT:
        whole = len(cell.strip()) == ACCOUNT_DIGITS
    elif column in UNJUDGED_TIMES or column.endswith(("_time", "_date", "_last_rotated")):
        whole = cell.strip() in WHOLE_VALUES or ends_with_zone(cell.strip())
    if not whole:
        raise refused(say("read.place", source=source, line=line, column=column), "cut_value")


def _split(
    text: str, delimiter: str, source: str, first_line: int
) -> tuple[list[str], list[list[str]], list[int] | range]:
    """The header fields, the columns, and the line of each row."""
    if '"' in text:
        return _split_quoted(text, delimiter, source, first_line)
    text = text.replace("\r\n", "\n").rstrip("\r\n")
    if "\r" in text:
        before = text[: text.index("\r")]
        raise refused(in_line(source, first_line + before.count("\n")), "carriage_return")
    names = text.split("\n", 1)[0].split(delimiter)
    width, ends = len(names), text.count("\n")
    # if every line has the same number of fields, their ends are so many cells apart, and so are those of a column
    cells = text.replace("\n", f"{delimiter}\n{delimiter}").split(delimiter)
    if len(cells) != width + ends * (width + 1) or cells[width :: width + 1].count("\n") != ends:
        lines = text.split("\n")
        number, line = next((n, one) for n, one in enumerate(lines) if one.count(delimiter) + 1 != width)
        raise _wrong_count(source, first_line + number, line.count(delimiter) + 1, width, line)
    rows = [cells[width + 1 + position :: width + 1] for position in range(width)]
    return names, rows, range(first_line + 1, first_line + 1 + ends)


def _split_quoted(
    text: str, delimiter: str, source: str, first_line: int
) -> tuple[list[str], list[list[str]], list[int] | range]:
    # blanks after a delimiter would hide the quote that opens a field
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    records: list[list[str]] = []
    lines: list[int] = []
    line = first_line
    try:
        for record in reader:
            records.append(record)
            lines.append(line)
            line = first_line + reader.line_num
            if len(record) != len(records[0]):
                raise _wrong_count(source, lines[-1], len(record), len(records[0]), "")
            if any("\n" in cell or "\r" in cell for cell in record):
                raise refused(in_line(source, lines[-1]), "line_break")
    except csv.Error:
        raise refused(in_line(source, line), "quotes") from None
    rows = [list(column) for column in zip(*records[1:], strict=True)] or [[] for _ in records[0]]
    return records[0], rows, lines[1:]


def _wrong_count(source: str, line: int, found: int, expected: int, text: str) -> InputError:
    place = in_line(source, line)
    if not text.strip() and found == 1:
        return refused(place, "empty_line")
    return refused(place, "few_fields" if found < expected else "many_fields", n=found, expected=expected)


def _check_header(header: list[str], names: list[str], header_line: str, source: str, line: int) -> None:
    """InputError where the question cannot be asked with these columns; ``names`` are as they stand in the file."""
    place = in_line(source, line)
    lowered = [name.lower() for name in header]
    if "access key id" in lowered or any(_SECRETIVE.search(name) for name in lowered):
        raise refused(source, "download")
    if any(name.endswith("\\n") for name in (n.strip() for n in names)):
        raise refused(place, "literal_line_ends")
    for name in (*KNOWN, TOLD_TIME, TOLD_ACCOUNT):
        if header.count(name) > 1:
            raise refused(place, "column_twice", column=name)
    if "user" not in header:
        aligned = re.match(r"\s*user\s{2,}\S", header_line)
        raise refused(place, "no_user_aligned" if aligned else "no_user")
    missing = [name for name in REQUIRED_COLUMNS if name not in header]
    if missing:
        unknown = [name for name in header if name not in KNOWN]
        near = difflib.get_close_matches(missing[0], unknown, n=1, cutoff=0.9)
        nearest = near[0] if near and len(near[0]) <= 40 else ""
        kind = "missing_near" if nearest else "missing"
        raise refused(place, kind, n=len(missing), columns=", ".join(missing), nearest=nearest)


def told_time(text: str, source: str) -> datetime | None:
    """When the report was generated, if a column says so for every row; None if none does."""
    start = text.lstrip("\ufeff\r\n")
    if TOLD_TIME not in "".join(start.split("\n", 2)[:2]).lower():  # a banner, and the header
        return None
    cells = read_table(text, source).told.get(TOLD_TIME, [])
    read = read_instants(cells)
    moments = {value.item().replace(tzinfo=UTC) for value in read.values if not np.isnat(value)}
    if read.bad is not None or read.naive is not None or len(moments) > 1 or (moments and read.none.any()):
        raise refused(say("read.column", source=source, column=TOLD_TIME), "told_time")
    return moments.pop() if moments else None
