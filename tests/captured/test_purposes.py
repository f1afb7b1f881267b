"""What a key is said to be for: one short line, with nothing secret in it, whatever was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyaudit.captured.purposes import MOST_LETTERS, purpose_of
from keyaudit.texts import looks_secret, say, visible

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "FwoGZXIvYXdzEBYaDPJ7z1/Kq+8u4bXq2CLKAQ" * 6 + "w8z9Q="
KEY_ID = "AKIAIOSFODNN7EXAMPLE"
MASKED = say("secret")

CASES = {
    "": "",
    " \t\n ": "",
    "  nightly backup ": "nightly backup",
    "x" * MOST_LETTERS: "x" * MOST_LETTERS,
    "x" * (MOST_LETTERS + 1): "x" * (MOST_LETTERS - 1) + "…",
    "y z" * 85 + "!": ("y z" * 85)[: MOST_LETTERS - 1] + "…",  # 256 characters, the most that IAM takes
    SECRET: MASKED,
    TOKEN: MASKED,
    f"backup, the key is {SECRET} until May": f"backup, the key is {MASKED} until May",
    f"AWS_SECRET_ACCESS_KEY={SECRET}": f"AWS_SECRET_ACCESS_KEY={MASKED}",
    f"{KEY_ID}:{SECRET}": f"****MPLE:{MASKED}",
    f"token: {TOKEN}": f"token: {MASKED}",
    # half of it would not be known for a secret
    "a" * 99 + " " + SECRET: "a" * 99 + " " + MASKED[:19] + "…",
    "b" * 93 + " " + SECRET: "b" * 93 + " " + MASKED,
    # what a cut leaves of a longer word is as long as a secret
    "c" * 78 + " " + SECRET + "morE": "c" * 78 + " " + MASKED + "…",
    # and what it leaves of a value looks longer by its ellipsis
    "d" * 102 + " password=Ab3xyz7 and more": ("d" * 102 + " password=" + MASKED)[: MOST_LETTERS - 1] + "…",
    f"takes the place of {KEY_ID}, see {KEY_ID[:-1]}": f"takes the place of ****MPLE, see {KEY_ID[:-1]}",
    "one\r\nline\x1b[31m\u2028": r"one\r\nline\x1b[31m",
    "\u202eevil": r"\u202eevil",
    "גיבוי לילי 🚀 / نسخ": "גיבוי לילי 🚀 / نسخ",
    "<b>=cmd|' /C calc'!A0</b>": "<b>=cmd|' /C calc'!A0</b>",
}


@pytest.mark.parametrize("written", CASES, ids=range(len(CASES)))
def test_a_description_is_one_short_line_without_a_secret(written):
    assert purpose_of(written) == CASES[written]
    assert not looks_secret(purpose_of(written))


WORDS = st.sampled_from(
    [SECRET, TOKEN, KEY_ID, "password=", "secret_access_key: ", " ", "/", "…", "\n", "\u202e", "é"]
)


@given(st.lists(WORDS | st.text(max_size=130), max_size=6).map("".join))
def test_what_was_made_of_a_description_is_left_as_it_is(written):
    found = purpose_of(written)
    assert len(found) <= MOST_LETTERS and visible(found) == found and not looks_secret(found)
    assert purpose_of(found) == found


def test_no_place_of_the_cut_leaves_a_part_of_a_secret():
    for before in range(MOST_LETTERS + 5):
        written = "n" * (before - 1) + " " * bool(before) + SECRET + " and more to be said"
        assert SECRET[:8] not in purpose_of(written), before
