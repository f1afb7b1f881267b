"""What a worker answers is not believed, what a scheduler shows is no content, and who can reach one is asked first."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from conftest import ACCOUNT, FRESH, capture, report, write
from evidence_helpers import keyaudit, made, refused, report_on, verified

from keyaudit.aws.session import Session
from keyaudit.capture import Options
from keyaudit.capture.account_task import read_packed, reader
from keyaudit.capture.options import Request as Asked
from keyaudit.capture.target import Target
from keyaudit.cluster.address import find, is_open, refuse_open
from keyaudit.cluster.order import DIED, FAILED, Answer, LostError, Order, Payload, RefusedError, TaskError
from keyaudit.evidence import Request, make_evidence
from keyaudit.evidence.notebook_task import by_cluster
from keyaudit.evidence.verify_task import by_cluster as verify_by_cluster
from keyaudit.parcel import ParcelError, pack, unpack
from keyaudit.schema import EvidenceError, InputError

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = next(one for one in (ROOT / "reports" / "sample").iterdir() if one.is_dir())
Doctor = Callable[[dict[str, Any], dict[str, bytes]], None]


class Stand:
    """A cluster whose one worker answers what the test says: an error, or some bytes for the bytes that it is given."""

    ahead = 2

    def __init__(self, answer: Exception | Callable[[bytes], bytes]) -> None:
        self._answer = answer

    def call(self, _: object, content: bytes) -> bytes:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer(content)

    def submit(self, _: object, content: bytes) -> bytes:
        return content

    def result(self, content: bytes) -> bytes:
        return self.call(None, content)


# --- evidence ------------------------------------------------------------------------------------------------------------
def executed() -> dict[str, bytes]:
    return {"report.ipynb": (SAMPLE / "report.ipynb").read_bytes()}


def made_of(answer: Exception | bytes, reports: Path, **more: Any) -> Path:
    """Evidence of the sample, its notebook run by a worker that answers so."""
    stand = Stand(answer if isinstance(answer, Exception) else lambda _: answer)
    as_of = json.loads((SAMPLE / "manifest.json").read_bytes())["parameters"]["as_of"]
    asked = Request([], "", as_of, reports=reports, **more)
    return make_evidence(asked, by_cluster(stand)).path  # type: ignore[arg-type]


def test_what_a_worker_ran_is_sealed_if_it_is_what_the_evidence_gives(tmp_path: Path) -> None:
    folder = made_of(pack({"error": ""}, executed()), tmp_path)
    for name in ("findings.csv", "summary.json", "report.html", "report.ipynb"):
        assert (folder / name).read_bytes() == (SAMPLE / name).read_bytes()
    assert verified(folder)[0] == 0


def output(notebook: Any, call: str) -> Any:
    """The first output of the cell that makes a call."""
    return next(one.outputs[0] for one in notebook.cells if one.cell_type == "code" and call in one.source)


def overdue_is_gone(notebook: Any) -> None:
    told = output(notebook, "ka.bottom_line")
    told.data["text/html"] = told.data["text/html"].replace("NON_COMPLIANT", "COMPLIANT")


def a_table_is_shorter(notebook: Any) -> None:
    shown = [one for cell in notebook.cells if cell.cell_type == "code" for one in cell.outputs if "data" in one]
    table = next(one for one in shown if one.data.get("text/html", "").count("<tr>") > 3)
    rows = table.data["text/html"].split("<tr>")
    table.data["text/html"] = "<tr>".join([*rows[:2], *rows[3:]])


def a_cell_says_more(notebook: Any) -> None:
    next(one for one in notebook.cells if one.cell_type == "markdown").source += " All keys are in time."


def a_script(notebook: Any) -> None:
    last = [one for one in notebook.cells if one.cell_type == "code" and one.outputs][-1]
    last.outputs.append(nbformat.v4.new_output("display_data", {"text/html": "<script>1</script>"}))


@pytest.mark.parametrize("doctor", [overdue_is_gone, a_table_is_shorter, a_cell_says_more, a_script])
def test_a_doctored_notebook_is_no_evidence(tmp_path: Path, doctor: Callable[[Any], None]) -> None:
    notebook = nbformat.reads(executed()["report.ipynb"].decode(), as_version=4)
    doctor(notebook)
    with pytest.raises(EvidenceError, match="no evidence was made"):
        made_of(pack({"error": ""}, {"report.ipynb": nbformat.writes(notebook).encode()}), tmp_path)
    assert [one.name[:8] for one in tmp_path.iterdir() if one.is_dir()] == [".failed-"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"nothing", "answered what no worker does"),
        (pack({}, executed() | {"policy.toml": b""}), "answered what no worker does"),
        (pack({}, executed() | {"raw/more.csv": b""}), "added to the evidence that it reads"),
        (pack({}, executed() | {"more.txt": b""}), "keyaudit writes no such file"),
        (pack({}, {"report.ipynb": b"{}"}), "is no notebook"),
        (pack({"error": "the notebook failed: E"}, executed()), "the notebook failed: E"),
        (TaskError("", "the worker w: its process was killed"), "its process was killed"),
    ],
)  # fmt: skip
def test_any_other_answer_is_no_evidence(tmp_path: Path, answer: Exception | bytes, said: str) -> None:
    with pytest.raises(EvidenceError, match=said):
        made_of(answer, tmp_path)


@pytest.mark.parametrize("error", [RefusedError("the worker w"), LostError("gone")])
def test_a_cluster_that_cannot_be_used_leaves_nothing(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(type(error)):
        made_of(error, tmp_path / "reports")
    assert not (tmp_path / "reports").exists()


def test_evidence_says_that_others_could_reach_the_cluster(tmp_path: Path) -> None:
    run_there = made_of(pack({"error": ""}, executed()), tmp_path / "one", insecure_cluster=True)
    folder = capture(tmp_path / "cap", [ACCOUNT], **{f"a{ACCOUNT}": report(("alice", FRESH))})
    told = json.loads((folder / "accounts.json").read_bytes())
    (folder / "accounts.json").write_text(json.dumps(told | {"insecure_cluster": True}))
    captured_there = made(*report_on(tmp_path / "two", folder), code=0)
    for one in (run_there, captured_there):
        assert json.loads((one / "manifest.json").read_bytes())["insecure_cluster"] is True
        code, said = verified(one)
        assert code == 0 and "MADE OVER A CLUSTER WITHOUT TLS" in said


# --- captures ------------------------------------------------------------------------------------------------------------
OPTIONS = Options(reconcile="keys", owner_tag="", deadline=5, rate=100)


def captured_of(answer: Exception | Callable[[bytes], bytes], folder: Path) -> dict[str, Any]:
    """The capture.json of an account whose worker answers so."""
    target = Target(ACCOUNT, lambda _: None, f"arn:aws:iam::{ACCOUNT}:role/r")  # type: ignore[arg-type, return-value]
    session = Session(type("Boto", (), {"region_name": "us-east-1"}), "aws")
    read = reader(Asked(OPTIONS), folder, session, Stand(answer))  # type: ignore[arg-type]
    captured = read(target)
    facts = json.loads((folder / ACCOUNT / "capture.json").read_bytes())
    assert captured.account_id == ACCOUNT and list(captured.problems) == facts["problems"]
    return facts


def files_of(account: str = ACCOUNT, **more: Any) -> dict[str, bytes]:
    facts = {"account_id": account, "asked": OPTIONS.asked(), "problems": ["p"], "complete": False, "sha256": None}
    return {"capture.json": json.dumps(facts | more).encode()}


TOLD = {"account_id": ACCOUNT, "is_read": False, "problems": ["p"], "remarks": []}


@pytest.mark.parametrize(
    ("told", "files"),
    [
        (TOLD | {"account_id": "444455556666"}, files_of()),
        (TOLD, files_of("444455556666")),
        (TOLD | {"problems": []}, files_of()),
        (TOLD, files_of(complete=True)),
        (TOLD, files_of(asked={})),
        (TOLD | {"is_read": True}, files_of()),
        (TOLD, files_of() | {"credential-report.csv": b"x"}),
        (TOLD, files_of() | {"more.json": b"{}"}),
        (TOLD, files_of(inventory_sha256="0" * 64)),
        (TOLD, {}),
    ],
)
def test_what_is_no_capture_of_the_account_is_an_account_that_was_not_read(
    tmp_path: Path, told: dict[str, Any], files: dict[str, bytes]
) -> None:
    facts = captured_of(lambda _: pack(told, files), tmp_path)
    assert facts["complete"] is False and "answered what is no account's" in facts["problems"][0]
    assert sorted(one.name for one in (tmp_path / ACCOUNT).iterdir()) == ["capture.json"]


@pytest.mark.parametrize("error", [TaskError("", "the worker w: its process was killed"), LostError("gone")])
def test_a_task_that_fails_for_good_is_an_account_that_was_not_read(tmp_path: Path, error: Exception) -> None:
    facts = captured_of(error, tmp_path)
    assert facts["complete"] is False and "no worker of the cluster could read it" in facts["problems"][0]


def test_a_worker_without_credentials_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    asked: list[bytes] = []

    def answer(content: bytes) -> bytes:
        asked.append(content)
        return read_packed(content)

    facts = captured_of(answer, tmp_path)
    assert "there are no credentials to be had" in facts["problems"][0]
    assert unpack(asked[0])[0].keys() == {"account_id", "role", "external_id", "region", "options", "language"}


# --- verification --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "answer", [TaskError("", "x"), lambda _: b"", lambda _: pack({"error": "", "faults": [1]})]
)
def test_a_folder_on_which_no_worker_says_anything_is_verified_here(
    answer: Exception | Callable[[bytes], bytes],
) -> None:
    ((error, faults, _),) = verify_by_cluster(Stand(answer), [SAMPLE], False, False)  # type: ignore[arg-type]
    assert (error, faults) == ("", [])


# --- what is shown -------------------------------------------------------------------------------------------------------
def test_nothing_shows_what_is_sent() -> None:
    payload = Payload(b"secret")
    assert repr(payload) == str(payload) == "Payload(6 bytes)"
    for shown in (Order("m:f", "m:w", (), payload), Answer(DIED, payload), Answer(FAILED, payload), [payload]):
        assert "secret" not in repr(shown) and "c2Vj" not in repr(shown)
    assert sys.getsizeof(Payload(bytes(10_000))) > 10_000


def test_a_parcel_comes_back_as_it_was_sent_and_nothing_else_is_one() -> None:
    files = {"a/b.csv": b"1\n2", "c": b"", "d": b"\n{}"}
    assert unpack(pack({"n": [1, None]}, files)) == ({"n": [1, None]}, files)
    whole = pack({}, {"a": b"xy"})
    names = ("../a", "/a", "a/../b", "a//b", "", ".", "a\\b", "a\0")
    for content in (b"", b"{}", whole[:-1], whole + b"z", *(pack({}, {name: b""}) for name in names)):
        with pytest.raises(ParcelError):
            unpack(content)


# --- where it is ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "others_can"),
    [
        ("tcp://127.0.0.1:8786", False), ("tcp://127.1.2.3:1", False), ("tcp://localhost:1", False),
        ("tcp://[::1]:1", False), ("tls://example.org:1", False), ("tcp://10.0.0.7:8786", True),
        ("tcp://example.org:1", True), ("tcp://0.0.0.0:1", True), ("tcp://[2001:db8::1]:1", True),
        ("tcp://localhost.example.org:1", True), ("tcp://127.0.0.1.example.org:1", True), ("ws://127.0.0.1:1", True),
        ("inproc://x", True),
    ],
)  # fmt: skip
def test_who_can_reach_a_scheduler(address: str, others_can: bool) -> None:
    assert is_open(address) is others_can


def test_a_scheduler_that_others_can_reach_must_be_accepted(tmp_path: Path) -> None:
    file = write(tmp_path, "scheduler.json", json.dumps({"address": "tcp://10.0.0.7:8786"}))
    for named in ("tcp://10.0.0.7:8786", "10.0.0.7:8786", str(file)):
        with pytest.raises(InputError, match=r"whoever can reach it can run code in it; .*--insecure-cluster"):
            find(named)
        assert find(named, may_be_open=True).is_open
    assert not find("localhost:8786").is_open and not find("tls://10.0.0.7:8786").is_open
    with pytest.raises(InputError, match=r"a worker listens at tcp://10.0.0.9:1"):
        refuse_open(find("tcp://127.0.0.1:8786"), "tcp://10.0.0.9:1", "a worker")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cluster", "tcp://10.0.0.7:1"], "listens at tcp://10.0.0.7:1 without TLS"),
        (["--cluster", "tcp://127.0.0.1:1"], "no scheduler answers there; is it up"),
        (["--cluster", "somewhere"], "neither a scheduler file that exists nor an address such as"),
        (["--cluster", "ws://localhost:1"], "an address begins with tcp:// or tls://"),
        (["--cluster", "{file}"], "is no scheduler file"),
        (["--cluster", "tls://127.0.0.1:1"], "TLS cannot be used as it is configured"),
        (["--cluster", "tcp://127.0.0.1:1", "--tls-cert", "x"], "the TLS options are for an address that begins with"),
        (["--insecure-cluster"], "only with --cluster"),
        (["--tls-key", "x"], "only with --cluster"),
    ],
)  # fmt: skip
def test_a_cluster_that_cannot_be_used_is_one_line(tmp_path: Path, options: list[str], said: str) -> None:
    file = write(tmp_path, "file.json", "[]")
    given = [one.format(file=file) for one in options]
    assert said in refused(keyaudit("verify", SAMPLE, *given), 2)


@pytest.mark.parametrize("command", [["check", SAMPLE], ["report", SAMPLE], ["capture"], ["check"]])
def test_a_cluster_is_for_what_there_is_much_of(command: list[object]) -> None:
    assert "--cluster: for " in refused(keyaudit(*command, "--cluster", "tcp://127.0.0.1:1"), 2)


def test_without_dask_the_extra_is_named_and_nothing_else_needs_it(tmp_path: Path) -> None:
    without = "import sys\nfor name in ('dask', 'distributed'): sys.modules[name] = None"
    for command in (
        ["verify", SAMPLE, "--cluster", "tcp://127.0.0.1:1"],
        ["cluster", "up", "--file", tmp_path / "scheduler.json"],
    ):
        assert "pip install 'keyaudit[cluster]'" in refused(keyaudit(*command, first=without), 2)
    assert keyaudit("verify", SAMPLE, first=without).returncode == 0
    told = "import sys, keyaudit.cli; print({'dask', 'distributed', 'pandas'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", told], text=True) == "set()\n"


def test_a_cluster_that_is_down_is_said_to_be(tmp_path: Path) -> None:
    done = keyaudit("cluster", "down", tmp_path / "scheduler.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"no cluster was up\n")
    said = refused(keyaudit("cluster", "up", "--file", "/dev/null/scheduler.json"), 2)
    assert "name another --file" in said
