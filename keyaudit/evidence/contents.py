"""What an evidence folder contains: its files by their names, and its manifest field by field.

The layout is that of BagIt (RFC 8493): a payload, a manifest with the digest of each file, and a file that
seals the manifest. All that make, seal, verify or list evidence take the names from here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, NotRequired, TypedDict

from keyaudit.captured.layout import ACCOUNTS_FILE
from keyaudit.texts import ENGLISH

#: the folder of what was judged: files of captures, or sources byte for byte with where and when they were read
RAW = "raw"
#: the folder of what "since last time" compares with, laid out as RAW
BEFORE = "before"
#: the data files and the seal of the evidence that "since last time" compares with
PREVIOUS = "previous"
#: the page, for people; self-contained
PAGE = "report.html"
#: the notebook as it was executed
NOTEBOOK = "report.ipynb"
#: every finding, for spreadsheets
FINDINGS = "findings.csv"
#: the judgement, for machines
SUMMARY = "summary.json"
#: the policy in force, byte for byte
POLICY = "policy.toml"
#: what the seal is made of: the manifest lists all files but these two; SUMS has their digests and its digest
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
#: what all our evidence has, besides the seal
EXPECTED = (f"{RAW}/{ACCOUNTS_FILE}", PAGE, NOTEBOOK, FINDINGS, SUMMARY, POLICY)
#: of evidence of a period, in RAW: what its copies do not tell
PERIOD = "period.json"
#: of evidence of a period, in place of FINDINGS: what became of each key
KEYS = "keys.csv"
#: and what it has instead of EXPECTED
EXPECTED_OF_PERIOD = (f"{RAW}/{PERIOD}", PAGE, NOTEBOOK, KEYS, SUMMARY, POLICY)
#: of these, what PREVIOUS holds
COMPARED = (FINDINGS, SUMMARY, SUMS)
#: what is in a reports folder beside the evidence, by its name: what keyaudit makes there, what a checkout holds
#: there, and what a file system makes for itself
BESIDE = ("index.html", "captures", "README.md", "lost+found")
#: how evidence folders are named; it tells them even if the files that make them evidence were taken out
NAMED = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z-.+", re.ASCII)
#: libraries whose versions decide what is judged, drawn and shown
LIBRARIES = (
    "boto3", "ipykernel", "jinja2", "matplotlib", "mistune",
    "nbconvert", "numpy", "pandas", "papermill", "pydantic",
)  # fmt: skip
#: the log of the kernel while it runs; not there once the folder is finished
LOG = "kernel.log"


@cache
def version_of(library: str) -> str:
    """Its version, looked up once in a process; PackageNotFoundError if it is not installed."""
    return version(library)


class File(TypedDict):
    """A file of the folder: ``path`` with slashes, relative to the folder; its size; its digest in hexadecimal."""

    path: str
    bytes: int
    sha256: str


class Terms(TypedDict):
    """The policy: the name of its file or preset, whether anybody ``given`` it, the digest of its bytes."""

    name: str
    given: bool
    sha256: str


class NotebookFacts(TypedDict):
    """The notebook that made the page: its name, the digest of its file before it was run, whether it is one of
    keyaudit's own (``ours``, since 0.4)."""

    name: str
    sha256: str
    ours: NotRequired[bool]


class Accounts(TypedDict):
    """The accounts that were expected: those read, and those failed."""

    expected: list[str]
    read: list[str]
    failed: list[str]


class Tool(TypedDict):
    """What made the evidence, and where: the versions of keyaudit and of Python, and the name of the operating
    system."""

    keyaudit: str
    python: str
    system: str


class Compared(TypedDict):
    """The earlier evidence that this one compares with: its name, and the digest of its SUMS."""

    name: str
    sha256: str


#: the first and the last day of a period, in UTC
Days = TypedDict("Days", {"from": str, "to": str})


class JudgedFacts(TypedDict):
    """What the manifest repeats of the judgement. It follows from what is sealed, and ``verify`` derives it again.

    ``as_of``: the instant of judgement, and where it came from (schema: given, generated_time, received_time);
    ``conclusion``: over all; ``assurance``: the lowest grade of any account (since 0.4); ``overdue``: how many keys
    are overdue, None if that is not known (since 0.2); ``incomplete``: how many accounts are INSUFFICIENT_DATA,
    None if it is not known which accounts there are (since 0.4); ``sample``: whether it is the bundled sample
    account.

    Evidence of a ``period`` (since 0.4, absent otherwise) says it of the period: ``as_of`` is the moment of the
    question, ``overdue`` the number of keys in breach, ``incomplete`` that of subjects, ``policy`` the one that was
    given or else the latest that was sealed."""

    as_of: str
    as_of_source: str
    conclusion: str
    assurance: NotRequired[str]
    overdue: NotRequired[int | None]
    incomplete: NotRequired[int | None]
    sample: bool
    policy: Terms
    accounts: Accounts
    period: NotRequired[Days]


class RunFacts(JudgedFacts):
    """Those facts, and what only the run knows. ``rules``: by which it was judged (since 0.3; absent: 1);
    ``language``: of its sentences (absent: en); ``parameters``: of the notebook; ``sources``: by the last part of
    their names; ``libraries``: the versions of those that decide what is judged, drawn and shown; ``started_at``
    and ``sealed_at``: when the command started and when the folder was sealed; ``schedule``: the one that the run
    belongs to, if any (``every``, ``period``, ``asked``); ``organization``: the one that was judged, by its id or
    its caller's account (since 0.4); ``compared``: the evidence in PREVIOUS, None without any (since 0.4);
    ``insecure_cluster``: True if it was captured, or its notebook run, by a cluster that others could reach, and
    could run code in; absent otherwise (since 0.4)."""

    rules: NotRequired[int]
    language: NotRequired[str]
    parameters: dict[str, Any]
    sources: list[str]
    notebook: NotebookFacts
    tool: Tool
    libraries: dict[str, str]
    started_at: str
    sealed_at: str
    schedule: NotRequired[dict[str, str]]
    organization: NotRequired[str | None]
    compared: NotRequired[Compared | None]
    insecure_cluster: NotRequired[bool]


class Manifest(RunFacts):
    """``manifest.json`` as a whole. ``format``: of the folder (absent: 1); ``name``: under which it was sealed
    (since 0.4); ``previous``: the digest of SUMS of the previous evidence of the same notebook and organization or
    account; ``files``: all of the folder but MANIFEST and SUMS."""

    format: NotRequired[int]
    name: NotRequired[str]
    previous: str | None
    files: list[File]


def expected_of(manifest: Manifest) -> tuple[str, ...]:
    """What evidence of this kind has, besides the seal."""
    return EXPECTED_OF_PERIOD if "period" in manifest else EXPECTED


def language_of(manifest: Manifest) -> str:
    """The language of the sentences of evidence."""
    return manifest.get("language", ENGLISH)


#: the order of the fields in the file
ORDER = (
    "format", "name", "rules", "as_of", "as_of_source", "conclusion", "assurance", "overdue", "incomplete",
    "sample", "period", "language", "parameters", "sources", "policy", "notebook", "accounts", "tool", "libraries",
    "started_at", "sealed_at", "schedule", "organization", "compared", "insecure_cluster", "previous", "files",
)  # fmt: skip


@dataclass(frozen=True)
class Former:
    """What the evidence before says by its manifest: the instant that it judges, its conclusion, the number of
    overdue keys (None: not known), and the digest of its policy."""

    as_of: str
    conclusion: str
    overdue: int | None
    policy: str


def former_of(manifest: Manifest) -> Former:
    """What a manifest says of its evidence, for the evidence that follows it."""
    overdue = manifest.get("overdue")
    known = overdue if type(overdue) is int and overdue >= 0 else None
    return Former(str(manifest["as_of"]), str(manifest["conclusion"]), known, str(manifest["policy"]["sha256"]))
