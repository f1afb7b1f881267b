"""Anchors: what a file of days and seals says, what is refused of it, and when others saw the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from years import snapshot

from keyaudit.model.over_period import Anchoring
from keyaudit.period.anchors import MOST_LINES, Anchor, anchoring, parse_anchors
from keyaudit.schema import InputError

ONE, TWO, OTHER = "a1" * 32, "b2" * 32, "c3" * 32
FEBRUARY = date(2026, 2, 2)
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def parsed(*lines: str | bytes, name: str = "notices.txt") -> list[tuple[str, str]]:
    """Day and seal of each anchor in a file of these lines."""
    content = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return [(f"{one.day}", one.seal) for one in parse_anchors(content, name)]


def refusal(*lines: str | bytes) -> str:
    with pytest.raises(InputError) as error:
        parsed(*lines)
    return str(error.value)


# --- files ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line",
    [
        f"2026-02-02 {ONE}",
        f"{ONE} 2026-02-02",
        f"{ONE}  2026-02-02T06:00:13Z",
        f"2026-02-02T23:59:59.123456+00:00\t{ONE.upper()}",
        f"2026-02-02,{ONE}",
        f'"2026-02-02","key rotation","{ONE}"',
        f"2026-02-02 06:00:13        131 reports/key_rotation/{ONE}.txt",
        f"Mon 2026-02-02 sealed: SHA256SUMS has the SHA-256 {ONE}.",
        f"  2026-02-02 sha256:{ONE} {ONE.upper()}  ",
        f"{ONE}\u00a02026-02-02 \u2014 Prüfsiegel",
    ],
    ids=["plain", "seal-first", "time", "tab-upper", "csv", "quoted", "s3-ls", "log", "twice-the-same", "unicode"],
)
def test_a_line_has_a_day_and_a_seal_with_anything_around_them(line: str) -> None:
    assert parsed(line) == [("2026-02-02", ONE)]


def test_a_header_comments_and_empty_lines_are_left_out_also_with_a_bom_and_crlf() -> None:
    lines = ["day,seal", f"2026-02-02,{ONE}", "", "# kept by finance", "   ", f"  # 2026-02-09,{OTHER}"]
    lines += [f"2026-02-09,{TWO}", ""]
    told = [("2026-02-02", ONE), ("2026-02-09", TWO)]
    assert parsed(*lines) == told
    assert parsed("\r\n".join(lines)) == told
    assert parsed(b"\xef\xbb\xbf" + "\r\n".join(lines).encode()) == told
    assert parsed(b"\xef\xbb\xbf" + "\n".join(lines[1:]).encode()) == told
    assert parsed("\r".join(lines)) == told


def test_of_several_days_in_a_line_the_latest_claims_least() -> None:
    assert parsed(f"2026-02-02 {ONE} seen 2026-03-01, for 2026-01-01") == [("2026-03-01", ONE)]


def test_a_longer_run_of_hexadecimal_digits_or_of_digits_is_no_seal_and_no_day() -> None:
    assert "line 1" in refusal(f"2026-02-02 {ONE}0")
    assert "line 1" in refusal(f"2026-02-02 {ONE[:-1]}")
    assert "line 1" in refusal(f"12026-02-021 {ONE}")
    assert "line 1" in refusal(f"2026-02-02 {'Ａ' * 64}")


def test_a_seal_may_stand_in_the_name_of_a_file_and_keep_its_own_days() -> None:
    name = f"2026-01-26T060000Z-key_rotation-111122223333/{ONE}"
    assert parsed(f"2026-02-02 06:01:02 131 {name}") == [("2026-02-02", ONE)]


# --- what is refused ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([f"2026-02-02 {ONE}", SECRET], "notices.txt, line 2: is not a day (2026-01-31) and one SHA-256"),
        ([f"2026-02-02 {ONE}", f"2026-02-09 {SECRET}"], "notices.txt, line 2: is not a day"),
        ([f"2026-02-02 {ONE}", f"{TWO} {SECRET}"], "notices.txt, line 2: is not a day"),
        ([f"2026-02-02 {ONE} {TWO}"], "notices.txt, line 1: is not a day"),
        ([f"# {SECRET}", "aws_secret_access_key"], "notices.txt, line 2: is not a day"),
        ([f"2026-02-31 {ONE}"], "notices.txt, line 1: has a day that is none of the calendar"),
        ([f"2026-13-01 {ONE}"], "notices.txt, line 1: has a day that is none of the calendar"),
        ([f"1999-01-01 {ONE}"], "notices.txt, line 1: is not a day"),
        ([f"02.02.2026 {ONE}"], "notices.txt, line 1: is not a day"),
        ([f"٢٠٢٦-02-02 {ONE}"], "notices.txt, line 1: is not a day"),
        ([SECRET], "notices.txt: holds no anchor"),
        (["day,seal"], "notices.txt: holds no anchor"),
        ([""], "notices.txt: holds no anchor"),
        ([b""], "notices.txt: holds no anchor"),
        ([b"\xff\xfe2\x000\x00"], "notices.txt: is not text in UTF-8"),
        ([f"2026-02-02 {ONE}", b"\xe9"], "notices.txt: is not text in UTF-8"),
        (["#"] * (MOST_LINES + 1), "notices.txt: has more than 100,000 lines"),
    ],
)
def test_the_first_wrong_line_is_named_and_its_words_are_never_repeated(
    lines: Sequence[str | bytes], told: str
) -> None:
    said = refusal(*lines)
    assert said.startswith(told)
    assert not any(word in said for word in (SECRET, SECRET[:12], SECRET[-12:], ONE, TWO, "aws_secret"))


# --- when others saw the evidence -----------------------------------------------------------------------------
def anchored(*anchors: tuple[str, str], sealed: str = "02-02 06:00", **seals: str) -> Anchoring:
    """The anchors of one folder, sealed at six o'clock of 2 February."""
    one = replace(snapshot("02-02", sealed=sealed), folder="one")
    found = [Anchor(date.fromisoformat(day), seal) for day, seal in anchors]
    return anchoring([one], {"one": ONE} | seals, found, "notices.txt")


@pytest.mark.parametrize(
    ("day", "group"),
    [
        ("2026-02-02", "within"),
        ("2026-02-03", "within"),
        ("2026-02-04", "within"),
        ("2026-02-05", "late"),
        ("2027-02-02", "late"),
        ("2026-02-01", "within"),
    ],
)
def test_a_seal_is_to_be_seen_by_others_within_two_days_of_its_day(day: str, group: str) -> None:
    found = anchored((day, ONE))
    groups = {"within": found.within, "late": found.late, "never": found.never}
    assert {name for name, folders in groups.items() if folders} == {group}
    assert groups[group] == ("one",) and found.folders == 1 and found.name == "notices.txt"


def test_the_hour_at_which_it_was_sealed_does_not_matter() -> None:
    assert anchored(("2026-02-04", ONE), sealed="02-02 00:00").within == ("one",)
    assert anchored(("2026-02-04", ONE), sealed="02-02 23:59").within == ("one",)
    assert anchored(("2026-02-05", ONE), sealed="02-02 23:59").late == ("one",)


def test_of_several_days_of_a_seal_the_earliest_counts_in_any_order() -> None:
    days = [("2026-03-01", ONE), ("2026-02-03", ONE), ("2026-02-20", ONE)]
    assert anchored(*days).within == anchored(*reversed(days)).within == ("one",)
    assert anchored(days[0], days[2]).late == ("one",)


def test_a_seal_that_was_seen_before_it_was_made_is_named_as_well() -> None:
    """Its maker's clock was wrong, or the file is."""
    found = anchored(("2026-02-01", ONE))
    assert (found.early, found.within) == (("one",), ("one",))
    assert anchored(("2026-02-02", ONE)).early == ()


def test_a_seal_that_is_of_no_folder_is_counted_and_dates_none() -> None:
    found = anchored(("2026-02-02", TWO), ("2026-02-03", TWO), ("2026-02-02", OTHER))
    assert (found.strangers, found.never, found.within) == (2, ("one",), ())
    # a folder that counts for no period is no stranger, and in none of the groups
    found = anchored(("2026-02-02", ONE), ("2026-02-02", TWO), sample=TWO)
    assert (found.strangers, found.within, found.folders) == (0, ("one",), 1)


def test_each_folder_is_in_one_group_and_in_their_order() -> None:
    folders = [replace(snapshot(f"02-{day:02d}"), folder=f"f-{day}") for day in (2, 9, 16, 23)]
    seals = {f"f-{day}": f"{day:02d}" * 32 for day in (2, 9, 16, 23)}
    anchors = [Anchor(FEBRUARY, "02" * 32), Anchor(FEBRUARY, "16" * 32), Anchor(date(2026, 3, 9), "23" * 32)]
    found = anchoring(folders, seals, anchors, "log")
    assert (found.within, found.late, found.never) == (("f-2", "f-16"), ("f-23",), ("f-9",))
    assert found.early == ("f-16",) and found.folders == 4
    assert anchoring([], seals, anchors, "log").folders == 0
