"""What AWS and its command line answered, saved in a file -> the report inside, and when it was generated
(pure)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyaudit.credentials import records
from keyaudit.credentials.refusals import refused
from keyaudit.credentials.times import parse_instant
from keyaudit.texts import looks_secret, say

#: forms in which people have a report
CSV, BASE64, JSON, TEXT, YAML, RECORDS = "csv", "base64", "json", "text", "yaml", "records"
#: those that AWS itself told the generated time in
ANSWERS = (JSON, TEXT, YAML)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_YAML_KEY = re.compile(r"(?:- |  )?(\w+):(?:[ \t]+(.*))?")
#: the keys of other answers of the AWS CLI; ``refused.answer`` says what they are
_OTHER_ANSWERS = (
    "UserDetailList", "AccessKeyMetadata", "AccessKey", "Credentials", "State", "Users", "SummaryMap",
)  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """The report as it was found in a form that is not CSV, and what stands beside it of its time."""

    form: str
    content: str
    generated: Any = None


def read(text: str, source: str) -> Answer | None:
    """The answer in a text without blanks around it; None where it is none of these, and so may be CSV."""
    if text[0] in "{[":
        return _from_json(text, source)
    bare = text.removesuffix("\n...").strip()  # the end of a YAML document that is one value
    bare = bare[1:-1] if bare[0] == bare[-1] and bare[0] in "\"'" else bare
    if answer := _from_text(text):
        return answer
    return Answer(BASE64, bare) if is_base64(bare) else _from_yaml(text, source)


def is_base64(text: str) -> bool:
    return len(text) >= 40 and "," not in text and _BASE64.fullmatch(text) is not None


def is_decoded(content: str) -> bool:
    """Whether this is the CSV itself: a comma is no letter of base64."""
    return content.lstrip('\ufeff"').startswith(("user,", 'user"')) or ("," in content and "\n" in content)


def generated_time(answer: Answer, source: str) -> datetime | None:
    """The generated time beside the report; InputError where that is no time with a zone."""
    value = answer.generated
    if value is None:
        return None
    instant = parse_instant(value) if isinstance(value, str) else None
    if instant is None and isinstance(value, int | float) and not isinstance(value, bool):
        # the CLI prints epoch seconds where cli_timestamp_format is "none" and the service sent them
        try:
            instant = datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            instant = None
    if instant is None:
        raise refused(source, "generated_time", form=answer.form.upper())
    return instant


def _refuse_secrets(told: Any, source: str) -> None:
    """InputError for a secret beside a report, which would be sealed with it."""
    if looks_secret(json.dumps(told, ensure_ascii=False)):
        raise refused(source, "secret_beside")


def _from_json(text: str, source: str) -> Answer:
    try:
        answer: Any = json.loads(text, object_pairs_hook=records.once)
    except records.TwiceError as error:
        raise refused(source, "json_twice", name=error) from None
    except (ValueError, RecursionError) as error:
        rows = records.of_lines(text)
        if rows is not None:
            _refuse_secrets(rows, source)
            return Answer(RECORDS, records.as_csv(rows, source))
        at_end = isinstance(error, json.JSONDecodeError) and (
            error.pos >= len(text) - 1 or error.msg.startswith("Unterminated string")
        )
        raise refused(source, "json_cut" if at_end else "json_invalid") from None
    if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], dict) and "Content" in answer[0]:
        answer = answer[0]  # an answer as the only one of a list
    rows = records.rows_of(answer)
    if rows is not None:
        _refuse_secrets(answer, source)
        return Answer(RECORDS, records.as_csv(rows, source))
    if not isinstance(answer, dict):
        raise refused(source, "json_other")
    if "Content" not in answer:
        kind = next((key for key in _OTHER_ANSWERS if key in answer), "other")
        raise refused(source, "json_no_content", what=say(f"refused.answer.{kind}"))
    content = answer["Content"]
    if not isinstance(content, str):
        kind = "null" if content is None else type(content).__name__
        raise refused(source, "json_content", kind=kind)
    _refuse_secrets({name: value for name, value in answer.items() if name != "Content"}, source)
    return Answer(JSON, content, answer.get("GeneratedTime"))


def _from_text(text: str) -> Answer | None:
    """``--output text``: the report in base64, its time and its format, with tabs between."""
    if "," in text[:40]:
        return None
    words = text.split()
    times = [word for word in words if "T" in word and ":" in word and parse_instant(word)]
    rest = "".join(word for word in words if word not in times and word != "text/csv")
    if len(times) > 1 or len(rest) == len("".join(words)) or not is_base64(rest):
        return None
    return Answer(TEXT, rest, times[0] if times else None)


def _from_yaml(text: str, source: str) -> Answer | None:
    """``--output yaml``: keys and values, one per line; a long value may be on the lines below its key."""
    if not re.match(r"(---\s+)?(- )?(Content|GeneratedTime|ReportFormat):", text):
        return None
    values: dict[str, str] = {}
    key = ""
    for line in text.removeprefix("---").splitlines():
        found = _YAML_KEY.fullmatch(line.rstrip())
        if found and found[1] in values:
            raise refused(source, "yaml_twice", name=found[1])
        if found:
            key = found[1]
            values[key] = re.sub(r"^(!!binary)?\s*[|>][-+]?$", "", found[2] or "")
        elif key:
            values[key] += line.strip()
    content, generated = (_bare(values.get(name, "")) for name in ("Content", "GeneratedTime"))
    if not is_base64(content):
        raise refused(source, "yaml_content")
    return Answer(YAML, content, generated or None)


def _bare(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
