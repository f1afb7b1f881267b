"""The layer in front of moto does what its faults are called: else a test that passes in spite of one proves nothing."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import closing
from datetime import UTC, datetime

import pytest
from aws import (
    MANAGEMENT,
    ROLE,
    SECRET_KEY,
    Call,
    Fault,
    add_user,
    aws,  # noqa: F401
    make_organization,
    remove_user,
    report_of,
    set_account,
    set_key,
)
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from conftest import ACCOUNT, HEADER, OLD, OTHER, ROOT
from faults import DRIP, KINDS, PAGED, SLOW

from keyaudit.aws.workers import within
from keyaudit.credentials import parse_instant

READ_ONLY = "arn:aws:iam::{}:role/" + ROLE


@pytest.fixture(autouse=True)
def empty(aws) -> None:  # noqa: F811
    aws.reset()


@pytest.fixture
def meet(aws):  # noqa: F811
    """``meet("iam", Fault(...))``: a client of a new scenario with these faults, and the scenario."""
    clients = []

    def _meet(service: str, *faults: Fault, read_timeout: float = 5, **options):
        scenario = aws.scenario(faults=list(faults), **options)
        clients.append(scenario.client(service, read_timeout=read_timeout))
        return clients[-1], scenario

    yield _meet
    for client in clients:
        client.close()


def code(call) -> tuple[str, int]:
    """Error code and HTTP status of a call that must fail with an answer."""
    with pytest.raises(ClientError) as found:
        call()
    said = found.value.response
    told = said["ResponseMetadata"]
    assert told["RequestId"] == told["HTTPHeaders"]["x-amzn-requestid"]
    return said["Error"]["Code"], told["HTTPStatusCode"]


def names(answer: dict) -> list[str]:
    return [user["UserName"] for user in answer["Users"]]


QUERY = {
    "throttle": ("Throttling", 400),
    "error500": ("InternalFailure", 500),
    "error503": ("ServiceUnavailable", 503),
    "expired": ("ExpiredToken", 403),
    "denied": ("AccessDenied", 403),
    "invalid": ("InvalidClientTokenId", 403),
}
JSON = {
    "throttle": ("TooManyRequestsException", 400),
    "error500": ("InternalFailure", 500),
    "error503": ("ServiceUnavailable", 503),
    "expired": ("ExpiredTokenException", 400),
    "denied": ("AccessDeniedException", 400),
    "invalid": ("UnrecognizedClientException", 400),
}


@pytest.mark.parametrize("kind", QUERY)
def test_an_error_has_the_code_that_each_service_gives_it(meet, kind):
    iam, _ = meet("iam", Fault("ListUsers", kind))
    assert code(iam.list_users) == QUERY[kind]
    sts, _ = meet("sts", Fault("*", kind))
    assert code(sts.get_caller_identity) == QUERY[kind]
    organizations, _ = meet("organizations", Fault("ListAccounts", kind))
    assert code(organizations.list_accounts) == JSON[kind]


def test_a_denial_says_who_may_not_do_what(meet):
    iam, _ = meet("iam", Fault("ListAccessKeys", "denied"), account=ACCOUNT)
    with pytest.raises(ClientError, match="is not authorized to perform: iam:ListAccessKeys") as found:
        iam.list_access_keys(UserName="alice")
    assert f"User: arn:aws:iam::{ACCOUNT}:user/auditor" in str(found.value) and "user alice" in str(found.value)


@pytest.mark.parametrize(
    ("kind", "error", "status"),
    [
        ("reset_before", ConnectionClosedError, 0),
        ("reset_after", ConnectionClosedError, 0),
        ("truncate", ResponseParserError, 200),
        ("malformed", ResponseParserError, 200),
        ("empty", ResponseParserError, 200),
        ("stall", ReadTimeoutError, 0),
        ("stall_before", ReadTimeoutError, 0),
        ("late", ClientError, 501),
    ],
)
def test_an_answer_that_is_not_all_there_is_no_answer(meet, kind, error, status):
    # only what never comes is not waited for
    patience = 1 if kind.startswith("stall") else 30
    iam, scenario = meet("iam", Fault("ListUsers", kind, first=1), read_timeout=patience)
    with pytest.raises(error):
        iam.list_users()
    assert scenario.calls == [Call("iam", "ListUsers", MANAGEMENT, status)]
    assert names(iam.list_users()) == []


@pytest.mark.parametrize("kind", ["truncate", "malformed", "empty"])
def test_botocore_takes_half_an_answer_of_organizations_for_an_empty_one(meet, kind):
    make_organization(1)
    organizations, scenario = meet("organizations", Fault("ListAccounts", kind, first=1))
    assert "Accounts" not in organizations.list_accounts()
    assert scenario.struck.total() == 1
    assert len(organizations.list_accounts()["Accounts"]) == 2


def test_half_an_answer_is_half_and_its_length_says_so_or_not(meet):
    whole = body_of(meet("iam")[1])
    assert body_of(meet("iam", Fault("GET /", "malformed"))[1]) == whole[: len(whole) // 2]
    with pytest.raises(http.client.IncompleteRead) as found:
        body_of(meet("iam", Fault("GET /", "truncate"))[1])
    assert found.value.partial == whole[: len(whole) // 2]
    assert len(found.value.partial) + found.value.expected == len(whole)


def body_of(scenario) -> bytes:
    """The body of an unsigned GET, which moto answers with a list of buckets."""
    with urllib.request.urlopen(f"{scenario.url}/", timeout=5) as answer:
        return answer.read()


def test_a_reset_is_hard_and_happens_before_or_after_the_work_is_done(meet):
    for kind, users in (("reset_before", []), ("reset_after", ["alice"])):
        iam, _ = meet("iam", Fault("CreateUser", kind))
        with pytest.raises(ConnectionClosedError) as found:
            iam.create_user(UserName="alice")
        assert "Connection reset by peer" in str(found.value.kwargs["error"])
        assert names(iam.list_users()) == users


@pytest.mark.parametrize(
    ("kind", "error", "users"),
    [
        ("stall_before", ReadTimeoutError, []),
        ("stall", ReadTimeoutError, ["alice"]),
        ("late", ClientError, ["alice"]),
    ],
)
def test_a_call_without_a_good_answer_was_made_or_not(meet, kind, error, users):
    iam, _ = meet("iam", Fault("CreateUser", kind), read_timeout=1)
    with pytest.raises(error):
        iam.create_user(UserName="alice")
    assert names(iam.list_users()) == users


def test_slow_is_late_but_whole_and_drip_comes_by_the_byte(meet):
    iam, _ = meet("iam", Fault("ListUsers", "slow"))
    start = time.monotonic()
    assert names(iam.list_users()) == []
    assert SLOW <= time.monotonic() - start < SLOW + 2
    _, scenario = meet("iam", Fault("*", "drip"))
    with urllib.request.urlopen(scenario.url + "/?drip", timeout=5) as answer:
        start = time.monotonic()
        assert len(answer.read(3)) == 3
        assert 2 * DRIP <= time.monotonic() - start < 3 * DRIP + 2


def test_latency_is_added_to_each_call(meet):
    iam, _ = meet("iam", latency=0.3)
    start = time.monotonic()
    iam.list_users()
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("kind", ["endless", "endless_new"])
def test_an_endless_list_holds_the_true_members_and_a_marker_each_time(meet, kind):
    make_organization(1)
    add_user(MANAGEMENT, "alice", keys=[(OLD.split()[1], "Active")])
    iam, _ = meet("iam", *(Fault(name, kind) for name in PAGED))
    organizations, _ = meet("organizations", Fault("ListAccounts", kind))
    for call, key in (
        (lambda **more: iam.list_users(**more), "Users"),
        (lambda **more: iam.list_access_keys(UserName="alice", **more), "AccessKeyMetadata"),
        (lambda **more: iam.get_account_authorization_details(Filter=["User"], **more), "UserDetailList"),
    ):
        first = call()
        second = call(Marker=first["Marker"])
        assert first[key] == second[key] and len(first[key]) == 1
        assert first["IsTruncated"] and second["IsTruncated"]
        assert (first["Marker"] == second["Marker"]) == (kind == "endless")
    first = organizations.list_accounts()
    second = organizations.list_accounts(NextToken=first["NextToken"])
    assert len(first["Accounts"]) == len(second["Accounts"]) == 2
    assert (first["NextToken"] == second["NextToken"]) == (kind == "endless")


def test_which_calls_a_fault_strikes(meet):
    add_user(MANAGEMENT, "alice")
    add_user(MANAGEMENT, "bob")
    fault = Fault("ListAccessKeys", "throttle", first=2, after=1, user="alice")
    iam, scenario = meet("iam", fault)
    for status in (200, 400, 400, 200):
        iam.list_access_keys(UserName="bob")
        if status == 200:
            iam.list_access_keys(UserName="alice")
        else:
            assert code(lambda: iam.list_access_keys(UserName="alice")) == ("Throttling", 400)
    assert scenario.struck[fault] == 2 and scenario.times["ListAccessKeys"] == 8
    assert [call.status for call in scenario.calls].count(400) == 2


def test_where_aws_makes_no_more_reports_the_one_that_is_there_can_be_had(meet):
    iam, scenario = meet("iam", Fault("GenerateCredentialReport", "limited"))
    scenario.reports[MANAGEMENT] = report_of(MANAGEMENT, datetime.now(UTC))
    assert code(iam.generate_credential_report) == ("LimitExceeded", 409)
    assert iam.get_credential_report()["Content"]


def test_a_fault_of_an_account_strikes_the_calls_in_it_and_the_way_into_it(meet):
    sts, _ = meet("sts", Fault("AssumeRole", "denied", account=OTHER), account=ACCOUNT)
    assert (
        code(lambda: sts.assume_role(RoleArn=READ_ONLY.format(OTHER), RoleSessionName="audit"))[0] == "AccessDenied"
    )
    sts.assume_role(RoleArn=READ_ONLY.format(MANAGEMENT), RoleSessionName="audit")
    for account in (ACCOUNT, OTHER):
        iam, _ = meet("iam", Fault("ListUsers", "throttle", account=OTHER), account=account)
        if account == OTHER:
            assert code(iam.list_users) == ("Throttling", 400)
        else:
            iam.list_users()


def test_a_mistyped_fault_is_refused():
    with pytest.raises(ValueError, match="no fault"):
        Fault("ListUsers", "throtle")
    with pytest.raises(ValueError, match="no pages"):
        Fault("GetCallerIdentity", "endless")
    tested = {*QUERY, "reset_before", "reset_after", "truncate", "malformed", "empty", "stall", "drip", "slow"}
    assert set(KINDS) == tested | {
        "slower",
        "stall_before",
        "late",
        "endless",
        "endless_new",
        "in_progress",
        "limited",
    }


def test_scenarios_side_by_side_know_nothing_of_each_other(meet):
    add_user(ACCOUNT, "alice")
    add_user(OTHER, "bob")
    mine, my_scenario = meet("iam", Fault("ListUsers", "throttle"), account=ACCOUNT)
    others, other_scenario = meet("iam", account=OTHER)
    assert code(mine.list_users) == ("Throttling", 400)
    assert names(others.list_users()) == ["bob"]
    assert my_scenario.calls == [Call("iam", "ListUsers", ACCOUNT, 400)]
    assert other_scenario.calls == [Call("iam", "ListUsers", OTHER, 200)]


def test_a_process_meets_its_scenario_and_nothing_else(aws, monkeypatch):  # noqa: F811
    monkeypatch.setenv("AWS_PROFILE", "of-the-machine")
    scenario = aws.scenario("process", account=ACCOUNT)
    env = scenario.env(EXTRA="1")
    assert "AWS_PROFILE" not in env and env["EXTRA"] == "1" and env["AWS_SECRET_ACCESS_KEY"] == SECRET_KEY
    assert "AWS_ENDPOINT_URL" not in os.environ
    done = subprocess.run(
        [sys.executable, "-c", "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"],
        env=env,
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.decode().strip() == f"arn:aws:iam::{ACCOUNT}:user/auditor"
    assert scenario.calls == [Call("sts", "GetCallerIdentity", ACCOUNT, 200)]


def test_lists_come_in_pages(meet):
    expected = [f"user-{number:02}" for number in range(25)]
    for name in expected:
        add_user(MANAGEMENT, name, tags={"team": "data & more"})
    accounts = make_organization(7)
    iam, scenario = meet("iam", page_size=10)
    pages = [names(one) for one in iam.get_paginator("list_users").paginate()]
    assert [len(one) for one in pages] == [10, 10, 5]
    assert [name for one in pages for name in one] == expected
    found = iam.get_paginator("get_account_authorization_details").paginate().build_full_result()
    assert [user["UserName"] for user in found["UserDetailList"]] == expected
    assert found["UserDetailList"][0]["Tags"] == [{"Key": "team", "Value": "data & more"}]
    assert scenario.times["GetAccountAuthorizationDetails"] == 3
    assert names(iam.list_users(MaxItems=3)) == expected[:3]
    assert code(lambda: iam.list_users(Marker="made-up")) == ("ValidationError", 400)
    organizations, scenario = meet("organizations", page_size=3)
    listed = organizations.get_paginator("list_accounts").paginate().build_full_result()["Accounts"]
    assert [account["Id"] for account in listed] == [MANAGEMENT, *accounts]
    assert scenario.times["ListAccounts"] == 3


def test_a_report_goes_through_its_states_and_errors(meet):
    add_user(ACCOUNT, "alice")
    script = report_of(
        ACCOUNT,
        "2026-11-23T08:00:00Z",
        states=["STARTED", "INPROGRESS", "COMPLETE"],
        gets=["ReportNotPresent", "ReportExpired", "ReportInProgress"],
    )
    iam, _ = meet("iam", reports={ACCOUNT: script}, account=ACCOUNT)
    states = [iam.generate_credential_report()["State"] for _ in range(4)]
    assert states == ["STARTED", "INPROGRESS", "COMPLETE", "COMPLETE"]
    for error in ("NotPresent", "Expired", "NotReady"):
        with pytest.raises(getattr(iam.exceptions, f"CredentialReport{error}Exception")):
            iam.get_credential_report()
    for _ in range(2):
        found = iam.get_credential_report()
        assert (found["Content"], found["ReportFormat"]) == (script.content, "text/csv")
        assert found["GeneratedTime"] == parse_instant("2026-11-23T08:00:00Z")


def test_a_report_can_be_in_progress_for_ever(meet):
    iam, _ = meet("iam", Fault("GenerateCredentialReport", "in_progress"), reports={MANAGEMENT: report_of()})
    assert {iam.generate_credential_report()["State"] for _ in range(5)} == {"INPROGRESS"}


def test_a_report_is_made_of_the_live_users_and_keys():
    add_user(
        ACCOUNT,
        "alice",
        "2021-02-03T04:05:06Z",
        keys=[
            ("2026-03-01T00:00:00Z", "Active", "2026-11-20T10:00:00+09:00"),
            ("2025-03-01T00:00:00Z", "Inactive"),
        ],
    )
    add_user(ACCOUNT, "bob", path="/eng/")
    content = report_of(ACCOUNT, root=(OLD,)).content.decode()
    lines = content.split("\n")
    assert lines[0] == ",".join(HEADER) and not content.endswith("\n") and "\r" not in content
    root, alice, bob = (dict(zip(HEADER, line.split(","), strict=True)) for line in lines[1:])
    assert root["user"] == ROOT and root["access_key_1_active"] == "true"
    assert alice["user_creation_time"] == "2021-02-03T04:05:06Z"
    assert [alice[f"access_key_1_{name}"] for name in ("active", "last_rotated", "last_used_date")] == [
        "true",
        "2026-03-01T00:00:00Z",
        "2026-11-20T01:00:00Z",
    ]
    assert alice["access_key_1_last_used_service"] == "s3"
    assert (alice["access_key_2_active"], alice["access_key_2_last_used_date"]) == ("false", "N/A")
    assert bob["arn"] == f"arn:aws:iam::{ACCOUNT}:user/eng/bob" and bob["access_key_1_last_rotated"] == "N/A"


def test_live_users_and_keys_are_as_they_were_put(meet):
    (first,) = add_user(ACCOUNT, "alice", keys=[("2026-03-01T00:00:00Z", "Active")])
    add_user(ACCOUNT, "bob", keys=[("2026-03-01T00:00:00Z", "Active")])
    set_key(ACCOUNT, first, created="2020-05-05T05:05:05Z", status="Inactive", last_used="2026-11-20T00:00:00Z")
    remove_user(ACCOUNT, "bob")
    iam, _ = meet("iam", account=ACCOUNT)
    assert names(iam.list_users()) == ["alice"]
    (key,) = iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]
    assert (key["AccessKeyId"], key["Status"]) == (first, "Inactive")
    assert key["CreateDate"] == parse_instant("2020-05-05T05:05:05Z")
    used = iam.get_access_key_last_used(AccessKeyId=first)["AccessKeyLastUsed"]
    assert used["LastUsedDate"] == parse_instant("2026-11-20T00:00:00Z")


def test_an_organization_whose_roles_lead_into_its_accounts(aws, meet):  # noqa: F811
    member, left = make_organization(2)
    set_account(left)
    add_user(member, "carol")
    with closing(aws.client("organizations")) as organizations:
        listed = organizations.list_accounts()["Accounts"]
    assert [(one["Id"], one["State"]) for one in listed] == [
        (MANAGEMENT, "ACTIVE"),
        (member, "ACTIVE"),
        (left, "SUSPENDED"),
    ]
    sts, scenario = meet("sts")
    key = sts.assume_role(RoleArn=READ_ONLY.format(member), RoleSessionName="audit")["Credentials"]["AccessKeyId"]
    scenario.key = key
    with closing(scenario.client("iam")) as iam:
        assert names(iam.list_users()) == ["carol"]
    assert scenario.calls[-1] == Call("iam", "ListUsers", member, 200)


def test_only_the_management_account_may_list_accounts(meet):
    alone, _ = meet("organizations", account=OTHER)
    assert code(alone.list_accounts) == ("AWSOrganizationsNotInUseException", 400)
    (member,) = make_organization(1)
    inside, _ = meet("organizations", account=member)
    assert code(inside.list_accounts) == ("AccessDeniedException", 400)


def test_cached_answers_are_kept_and_no_others(meet):
    add_user(MANAGEMENT, "alice")
    iam, scenario = meet("iam", cached=True)
    assert names(iam.list_users()) == ["alice"]
    iam.create_user(UserName="bob")
    assert names(iam.list_users()) == ["alice"] and scenario.times["ListUsers"] == 2
    fresh, _ = meet("iam")
    assert names(fresh.list_users()) == ["alice", "bob"]


def test_a_service_that_does_not_answer_leaves_nothing_behind_when_the_layer_closes(aws):  # noqa: F811
    own = type(aws)()
    scenario = own.scenario(faults=[Fault("ListUsers", "stall")])
    failed = []

    def call() -> None:
        with closing(scenario.client("iam")) as iam:
            try:
                iam.list_users()
            except HTTPClientError as problem:
                failed.append(problem)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    while not scenario.calls:
        time.sleep(0.01)
    own.close()
    thread.join(5)
    assert len(failed) == 1 and not thread.is_alive()


def test_ctrl_c_is_noticed_though_another_thread_was_given_it() -> None:
    """A system gives a signal to any thread, and one that waits is not woken by that of another."""
    answered = threading.Event()

    def ask() -> None:
        time.sleep(0.2)  # until the main thread waits for this one
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        answered.wait(30)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        deadline = time.monotonic() + 20
        with pytest.raises(KeyboardInterrupt):
            within(deadline, ask)
        assert time.monotonic() < deadline - 10
    finally:
        answered.set()
        signal.signal(signal.SIGINT, before)
