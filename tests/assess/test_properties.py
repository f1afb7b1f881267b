"""Properties that hold for every account, policy and instant; hypothesis looks for one where they do not.

The judge is compared with ``naive``, which was written from DESIGN.md and DOMAIN.md and shares no code with it.
"""

from __future__ import annotations

import base64
import codecs
import json
from datetime import datetime, timedelta

import naive
import pytest
from conftest import (
    ACCOUNT,
    AS_OF,
    CUT,
    FRESH,
    HEADER,
    OLD,
    OTHER,
    ROOT,
    capture,
    csv_of,
    examples,
    report,
    row,
    said,
    verdicts,
    write,
)
from generated import AGES, CONTROLS, DAY, KINDS, NOW, PAST_AGES, SECOND, accounts, exemptions, policies, toml
from hypothesis import assume, given
from hypothesis import strategies as st

import keyaudit
from keyaudit import InputError

#: a thousand examples meet no line that other tests do not, and would take twice as long
pytestmark = pytest.mark.no_cover


def judged(folder, rows: list[dict[str, str]], terms: dict, as_of: datetime = NOW, columns=tuple(HEADER)):
    policy = write(folder, "policy.toml", toml(terms))
    return keyaudit.audit(write(folder, "report.csv", csv_of(rows, columns)), policy, as_of)


def found_by(audit) -> dict[tuple[str, str, int | None], str]:
    """(control, user, slot) -> compliance type, without the rows that speak of the account."""
    return {
        (control, *key): kind for control in CONTROLS for key, kind in verdicts(audit, control).items() if key[0]
    }


@given(rows=accounts(), terms=policies(), age=st.sampled_from([timedelta(0), SECOND, -SECOND, DAY, -3 * DAY]))
@examples(250)
def test_the_naive_judge_says_the_same_of_any_account(tmp_path, rows, terms, age):
    audit = judged(tmp_path, rows, terms, NOW + age)
    findings, conclusions, conclusion = naive.judge(rows, ACCOUNT if rows else None, terms, NOW + age)
    assert found_by(audit) == findings
    assert audit.conclusions == conclusions
    assert audit.conclusion == conclusion


@given(rows=accounts(), terms=policies())
@examples(100)
def test_the_naive_judge_says_the_same_of_a_report_cut_to_columns_without_arns(tmp_path, rows, terms):
    rows = [{name: one[name] for name in CUT} for one in rows]
    audit = judged(tmp_path, rows, terms, columns=CUT)
    findings, conclusions, conclusion = naive.judge(rows, None, terms, NOW)
    assert found_by(audit) == findings
    assert audit.conclusions == conclusions
    assert audit.conclusion == conclusion


@given(rows=accounts(), terms=policies(), seed=st.randoms(use_true_random=False))
@examples(40)
def test_the_order_of_rows_and_columns_never_matters(tmp_path, rows, terms, seed):
    def of(audit):
        cells = audit.findings.astype(object).where(audit.findings.notna(), None)
        named = cells.drop(columns="annotation")[cells["user"].notna()]  # the account's own row names lines
        return named.values.tolist(), audit.conclusions, audit.conclusion, audit.tallies

    first = of(judged(tmp_path, rows, terms))
    columns = list(HEADER)
    seed.shuffle(rows)
    seed.shuffle(columns)
    assert of(judged(tmp_path, rows, terms, columns=tuple(columns))) == first


# --- monotony -------------------------------------------------------------------------------------------------
def rank(kind: str) -> int:
    return KINDS.index("COMPLIANT" if kind == "NOT_APPLICABLE" else kind)


@given(
    rows=accounts(),
    terms=policies(),
    limit=st.sampled_from(sorted(naive.LIMITS.values())),
    more=st.integers(1, 400),
)
@examples(60)
def test_a_longer_limit_never_makes_any_key_worse(tmp_path, rows, terms, limit, more):
    assume(limit in terms)
    longer = terms | {limit: min(2, terms[limit] + more) if limit == "max_active_keys" else terms[limit] + more}
    before, after = judged(tmp_path, rows, terms), judged(tmp_path, rows, longer)
    assert rank(after.conclusion) <= rank(before.conclusion)
    kinds = found_by(after)
    assert [key for key, kind in found_by(before).items() if rank(kinds[key]) > rank(kind)] == []


@given(rows=accounts(PAST_AGES), terms=policies(), later=AGES.map(abs))
@examples(60)
def test_ageing_never_makes_any_key_better(tmp_path, rows, terms, later):
    before, after = judged(tmp_path, rows, terms), judged(tmp_path, rows, terms, NOW + later)
    assert rank(after.conclusion) >= rank(before.conclusion)
    kinds = found_by(after)
    # where the file itself has become too old, nothing is said any more of a root key that it does not have
    gone = "INSUFFICIENT_DATA"
    assert [key for key, kind in found_by(before).items() if rank(kinds.get(key, gone)) < rank(kind)] == []


@given(rows=accounts(), terms=policies(), extra=exemptions("EXTRA"))
@examples(60)
def test_an_exemption_improves_nothing_but_failures_of_its_own_users_and_controls(tmp_path, rows, terms, extra):
    with_it = terms | {"exemption": [*terms["exemption"], extra]}
    before, after = found_by(judged(tmp_path, rows, terms)), found_by(judged(tmp_path, rows, with_it))
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert all((before[key], after[key]) == ("NON_COMPLIANT", "EXEMPT") for key in changed)
    assert all(key[0] in extra["controls"] and naive.in_scope(extra, key[1], ACCOUNT) for key in changed)


# --- what is missing never reads as clean ---------------------------------------------------------------------
UNREADABLE = (
    "N/A",
    "",
    "no_information",
    "not_supported",
    "15.03.2026 09:00",
    "46234",
    "0001-01-01T00:00:00Z",
    "?",
    "9999-12-31T23:59:59Z",
    "2026-11-23T00:00:01Z",
)


def kept_from(folder, rows, terms, columns=tuple(HEADER)) -> str:
    """The conclusion on rotation, or "refused"."""
    try:
        return judged(folder, rows, terms, columns=columns).conclusions["rotation"]
    except InputError:
        return "refused"


@given(rows=accounts(PAST_AGES), terms=policies(), data=st.data())
@examples(80)
def test_a_present_key_whose_date_becomes_unreadable_is_never_compliant(tmp_path, rows, terms, data):
    present = [
        (at, f"access_key_{slot}_last_rotated")
        for at, one in enumerate(rows)
        for slot in (1, 2)
        if one[f"access_key_{slot}_active"].lower() == "true"
    ]
    assume(present)
    at, column = data.draw(st.sampled_from(present))
    damaged = [
        one | ({column: data.draw(st.sampled_from(UNREADABLE))} if n == at else {}) for n, one in enumerate(rows)
    ]
    assert kept_from(tmp_path, damaged, terms) != "COMPLIANT"


@given(rows=accounts(PAST_AGES), terms=policies(), data=st.data())
@examples(80)
def test_a_key_whose_state_becomes_unreadable_is_never_compliant(tmp_path, rows, terms, data):
    present = [
        (at, slot)
        for at, one in enumerate(rows)
        for slot in (1, 2)
        if one[f"access_key_{slot}_active"].lower() == "true"
        and naive.moment(one[f"access_key_{slot}_last_rotated"])
    ]
    assume(present)
    at, slot = data.draw(st.sampled_from(present))
    words = st.sampled_from(["", "N/A", "no_information", "not_supported", "WAHR", "1", "yes", "truе"])
    damaged = [
        one | ({f"access_key_{slot}_active": data.draw(words)} if n == at else {}) for n, one in enumerate(rows)
    ]
    assert kept_from(tmp_path, damaged, terms) != "COMPLIANT"


@given(
    rows=accounts(),
    terms=policies(),
    missing=st.sampled_from(["user", *(n for n in CUT if n.endswith(("active", "rotated")))]),
)
@examples(30)
def test_without_a_needed_column_nothing_is_compliant(tmp_path, rows, terms, missing):
    assert kept_from(tmp_path, rows, terms, tuple(name for name in HEADER if name != missing)) == "refused"


@given(rows=accounts(), terms=policies(), missing=st.sampled_from([n for n in CUT if n.endswith("used_date")]))
@examples(40)
def test_without_the_date_of_last_use_unused_is_never_compliant(tmp_path, rows, terms, missing):
    columns = tuple(name for name in HEADER if name != missing)
    conclusions = judged(tmp_path, rows, terms, columns=columns).conclusions
    assert conclusions.get("unused", "not assessed") != "COMPLIANT"


@given(
    rows=accounts(),
    terms=policies(),
    lost=st.sampled_from(["not there", "empty", "cut", "denied", "of another account"]),
)
@examples(60)
def test_an_expected_account_that_cannot_be_read_is_never_compliant(tmp_path_factory, rows, terms, lost):
    folder = tmp_path_factory.mktemp("capture")
    text = csv_of(rows)
    content = {
        "not there": {"problems": []},
        "empty": "",
        "cut": report(("alice", FRESH), account=OTHER)[:-30],
        "denied": {"problems": ["AccessDenied"]},
        "of another account": report(("alice", FRESH), account="777788889999"),
    }[lost]
    capture(folder, [ACCOUNT, OTHER], a111122223333=text, a444455556666=content)
    audit = keyaudit.audit(folder, write(folder.parent, "policy.toml", toml(terms)), NOW)
    assert "COMPLIANT" not in audit.conclusions.values()
    assert audit.conclusion != "COMPLIANT"
    assert [one.conclusion for one in audit.provenance if one.account_id == OTHER] != ["COMPLIANT"]


# --- the reader, given anything at all ------------------------------------------------------------------------
GOOD = report(("alice", OLD), ("bob", FRESH))
PIECES = (
    *(GOOD, csv_of([row(ROOT)]), ",".join(CUT), "user", "sep=;", "N/A", "true", "2026-03-01T00:00:00Z"),
    *(
        "\n",
        "\r\n",
        "\r",
        ",",
        ";",
        '"',
        "\t",
        " ",
        "\0",
        "\x1a",
        "\ufeff",
        "{",
        "}",
        "[",
        "=",
        "é",
        "\U0001d4b6",
        "１",
    ),
    *('{"Content": "', '"}', "<html>", "arn:aws:iam::", "An error occurred (AccessDenied)", "0" * 5000),
    base64.b64encode(GOOD.encode()).decode(),
)


def read(folder, content: bytes) -> None:
    """An Audit whose findings fit together, or one line; never anything else."""
    try:
        audit = keyaudit.audit(write(folder, "report.csv", content), "cis", AS_OF)
    except InputError as refused:
        assert str(refused).startswith("report.csv") and "\n" not in str(refused)
        return
    assert sum(audit.counts.values()) >= len(audit.keys)
    assert all("\n" not in remark for remark in (*audit.warnings, *audit.notes))
    assert said(audit) or audit.conclusion


@given(
    content=st.binary(max_size=300)
    | st.builds(
        bytes.__add__,
        st.sampled_from([codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"\x1f\x8b"]),
        st.binary(max_size=100),
    )
)
@examples(200)
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path, content):
    read(tmp_path, content)


@given(text=st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@examples(300)
def test_any_text_is_read_or_refused_in_one_line(tmp_path, text):
    read(tmp_path, text.encode("utf-8", "surrogatepass"))


@given(
    answer=st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.sampled_from(PIECES),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["Content", "GeneratedTime", "x"]), inner, max_size=3)
        ),
        max_leaves=5,
    )
)
@examples(150)
def test_any_json_is_read_or_refused_in_one_line(tmp_path, answer):
    read(tmp_path, json.dumps(answer).encode())


@given(
    cells=st.dictionaries(
        st.sampled_from(HEADER),
        st.text(max_size=12) | st.sampled_from(PIECES[5:]) | st.sampled_from(UNREADABLE),
        min_size=1,
        max_size=3,
    ),
    user=st.sampled_from([ROOT, "alice"]),
)
@examples(150)
def test_any_cell_is_read_or_refused_in_one_line(tmp_path, cells, user):
    rows = [
        one | (cells if one["user"] == user else {}) for one in (row(ROOT), row("alice", OLD), row("bob", FRESH))
    ]
    read(tmp_path, csv_of(rows).encode("utf-8", "surrogatepass"))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A report with some bytes flipped, cut, inserted or deleted, or some lines or fields doubled or lost."""
    content = draw(
        st.sampled_from([GOOD, report(("alice", OLD), columns=CUT), '"' + GOOD.replace(",", '","') + '"'])
    )
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(
            st.sampled_from(["flip", "insert", "delete", "double line", "lose line", "double field", "lose field"])
        )
        at = draw(st.integers(0, len(content)))
        if kind == "flip":
            content = content[:at] + draw(st.characters(max_codepoint=255)) + content[at + 1 :]
        elif kind == "insert":
            content = content[:at] + draw(st.sampled_from(PIECES[4:])) + content[at:]
        elif kind == "delete":
            content = content[:at] + content[at + draw(st.integers(1, 30)) :]
        else:
            separator = "\n" if "line" in kind else ","
            parts = content.split(separator)
            index = draw(st.integers(0, len(parts) - 1))
            parts[index : index + 1] = [parts[index]] * (2 if kind.startswith("double") else 0)
            content = separator.join(parts)
    data = content.encode(draw(st.sampled_from(["utf-8", "utf-8", "latin-1", "utf-16"])), "replace")
    return data if draw(st.booleans()) else base64.b64encode(data)


@given(content=mutated())
@examples(400)
def test_a_damaged_report_is_read_or_refused_in_one_line(tmp_path, content):
    read(tmp_path, content)


@given(
    rows=accounts(),
    line=st.integers(0, 5),
    short=st.integers(1, 40) | st.integers(1, 200),
    form=st.sampled_from(["as sent", "CRLF", "quoted", "UTF-16", "base64"]),
)
@examples(200)
def test_a_report_cut_short_in_the_middle_of_a_row_is_never_accepted(tmp_path, rows, line, short, form):
    assume(rows)
    text = csv_of(rows)
    if form == "quoted":
        text = "\n".join(",".join(f'"{one}"' for one in line.split(",")) for line in text.split("\n"))
    ends = [at for at in range(text.index("\n") + 1, len(text) + 1) if text[at : at + 1] in ("\n", "")]
    length = ends[line % len(ends)] - short
    assume(length > text.index("\n") + 1 and text[length - 1] != "\n" and text[length] != "\n")
    text = text[:length]
    content = {
        "CRLF": text.replace("\n", "\r\n").encode(),
        "UTF-16": codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
        "base64": base64.b64encode(text.encode()),
    }.get(form, text.encode())
    with pytest.raises(InputError):
        keyaudit.audit(write(tmp_path, "report.csv", content), "cis", AS_OF)
