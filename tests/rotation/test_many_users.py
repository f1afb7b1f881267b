"""One stack for the users of an account: planned, deployed, changed, over HTTP; and what holds of any such stack."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws import MANAGEMENT, Aws, Fault, add_user, aws, set_key  # noqa: F401
from conftest import IS_NIGHTLY
from evidence_helpers import keyaudit
from handling import later
from linting import parsed
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from rotating import STEPS, Lambda, Rotated, fill, function  # noqa: F401
from test_loop import DAY, run
from test_operate import invoked, secrets_manager, settings, stacks, template_of

from keyaudit.rotation.naming import secret_name
from keyaudit.rotation.users import read_rows, take
from keyaudit.schema import InputError

MANY = "keyaudit-rotations"
OTHER = "444455556666"
BUCKET = "templates-of-ours"
HEAD = "rank,account_id,user,key,status,case,action,by_when,owner,limit"


@pytest.fixture
def one(aws: Aws, function: Lambda) -> Iterator[Rotated]:  # noqa: F811
    """An account with one user that is under no rotation; afterwards no log may hold a secret key."""
    found = Rotated(aws, function, "svc-00", "a secret of its own")
    fill(found)
    found.secret.rotation_requested = found.secret.rotation_enabled = False
    with closing(aws.client("s3")) as s3:
        s3.create_bucket(Bucket=BUCKET)
    yield found
    users = iam_backends[MANAGEMENT]["aws"].users.values()
    secrets = [key.secret_access_key for user in users for key in user.access_keys]
    assert not [log for log in found.logs if any(secret in log for secret in secrets)]


def with_users(count: int, *more: str) -> list[str]:
    """Users with one key each, beside the first."""
    names = [*(f"svc-{number:02}" for number in range(1, count)), *more]
    for name in names:
        add_user(MANAGEMENT, name, keys=[(datetime.now(UTC) - 80 * DAY, "Active")], tags={"Owner": "payments"})
    return ["svc-00", *names]


def row(user: str, case: str = "in_use", account: str = MANAGEMENT, owner: str = "", limit: str = "90") -> str:
    name = f"'{user}" if user[0] in "=+-@" else user
    name = f'"{name}"' if "," in name else name
    return f"1,{account},{name},key 1,Active,{case},do,now,{owner},{limit}"


def file(tmp_path: Path, *rows: str, name: str = "plan.csv") -> str:
    path = tmp_path / name
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    return str(path)


def deploy(one: Rotated, *options: str, faults: tuple[Fault, ...] = ()) -> Any:
    return run(
        one, "rotation", "deploy", *options, "--template-bucket", BUCKET, faults=faults, invoked=invoked(one)
    )  # fmt: skip


def bound(one: Rotated) -> dict[str, str]:
    return json.loads(settings(one, MANY)["KEYAUDIT_USERS"])


def schedules(template: str) -> dict[str, int]:
    """User -> the days between its rotations, by the resources of a template."""
    found = parsed(template)
    users = json.loads(found["Resources"]["Function"]["Properties"]["Environment"]["Variables"]["KEYAUDIT_USERS"])
    names = {}
    for name, resource in found["Resources"].items():
        if resource["Type"] == "AWS::SecretsManager::Secret":
            names[name] = users[resource["Properties"]["Name"]]
    for name, parameter in found.get("Parameters", {}).items():
        names[name] = users[parameter["Default"].split(":")[-1][:-7]]
    rules = [one["Properties"] for one in found["Resources"].values() if one["Type"].endswith("RotationSchedule")]
    return {names[one["SecretId"]["Ref"]]: one["RotationRules"]["AutomaticallyAfterDays"] for one in rules}


def secret(one: Rotated, user: str, **more: Any) -> Any:
    """The user's secret as the stack made it, which the emulator does not."""
    name, value = secret_name(user), json.dumps({"username": user, **more})
    with closing(one.aws.client("secretsmanager")) as secrets:
        secrets.create_secret(Name=name, SecretString=value)
    found = secretsmanager_backends[MANAGEMENT]["us-east-1"].secrets[name]
    found.rotation_requested = found.rotation_enabled = True
    return found


# --- planned and deployed -----------------------------------------------------------------------------------------------
def test_twenty_users_get_one_stack_from_the_plan_s_file(one: Rotated, tmp_path: Path) -> None:
    users = with_users(20)
    now = datetime.now(UTC)
    for user in iam_backends[MANAGEMENT]["aws"].users.values():
        for key in user.access_keys:
            one.made(key.access_key_id, now - 100 * DAY, "Active", now - DAY)
    options = ("--policy", "cis", "--owner-tag", "Owner", "--capture", str(tmp_path / "capture"))
    told = run(one, "rotation", "plan", *options)
    assert "Or all 20 users of account" in told.stdout
    assert "keyaudit rotation deploy --users plan.csv --every 60 --grace 14 --max-age 90 --yes" in told.stdout
    planned = run(one, "rotation", "plan", *options[:4], "--capture", str(tmp_path / "again"), "-f", "csv")
    path = tmp_path / "plan.csv"
    path.write_text(planned.stdout)
    shown = deploy(one, "--users", str(path))
    assert shown.returncode == 0 and "not deployed" in shown.stdout and stacks(one) == {}, shown.stderr
    assert shown.stdout.count("AWS::SecretsManager::RotationSchedule  (svc-") == 20
    done = deploy(one, "--users", str(path), "--yes")
    assert done.returncode == 0, done.stderr
    assert "rotates the keys of 20 users" in done.stdout and stacks(one) == {MANY: "CREATE_COMPLETE"}
    assert bound(one) == {f"keyaudit/{user}": user for user in users}
    keys = {
        key.access_key_id for user in iam_backends[MANAGEMENT]["aws"].users.values() for key in user.access_keys
    }
    assert set(settings(one, MANY)["KEYAUDIT_ADOPTED"].split()) == keys and len(keys) == 20
    resources = parsed(template_of(one, MANY))["Resources"]
    assert Counter(resource["Type"] for resource in resources.values())["AWS::Lambda::Function"] == 1
    assert "ReservedConcurrentExecutions" not in resources["Function"]["Properties"]


def test_users_of_one_owner_rotate_on_different_days_and_those_deployed_keep_theirs(
    one: Rotated, tmp_path: Path
) -> None:
    users = with_users(20, "new", "other")
    rows = [row(user, owner="a" if user < "svc-15" else "") for user in users if user.startswith("svc")]
    assert deploy(one, "--users", file(tmp_path, *rows), "--yes").returncode == 0
    first = schedules(template_of(one, MANY))
    of_a = Counter(days for user, days in first.items() if user < "svc-15")
    # 15 users and 14 values: 60 down to 47, since 14 + 30 + 2 days must be less than that
    assert set(of_a) == set(range(47, 61)) and of_a[60] == 2 and max(of_a.values()) == 2
    assert sorted(days for user, days in first.items() if user >= "svc-15") == [56, 57, 58, 59, 60]
    done = deploy(one, "--users", file(tmp_path, row("new", owner="a"), row("other")), "--yes")
    assert done.returncode == 0, done.stderr
    after = schedules(template_of(one, MANY))
    assert after == {**first, "new": 59, "other": 55}
    again = deploy(one, "--users", file(tmp_path, row("new", owner="a")), "--yes")
    assert again.returncode == 0 and "nothing to change" in again.stdout


def test_other_periods_move_only_whom_they_must(one: Rotated, tmp_path: Path) -> None:
    path = file(tmp_path, *map(row, with_users(4)))
    deploy(one, "--users", path, "--yes")
    assert sorted(schedules(template_of(one, MANY)).values()) == [57, 58, 59, 60]
    done = deploy(one, "--users", path, "--every", "58", "--yes")
    assert done.returncode == 0, done.stderr
    assert schedules(template_of(one, MANY)) == {"svc-00": 56, "svc-01": 55, "svc-02": 58, "svc-03": 57}
    deploy(one, "--users", path, "--notify", "a@example.com", "--yes")
    assert schedules(template_of(one, MANY)) == {"svc-00": 56, "svc-01": 55, "svc-02": 58, "svc-03": 57}
    deploy(one, "--remove-user", "svc-00", "--yes")
    assert "a@example.com" in template_of(one, MANY)


def test_a_user_that_is_taken_out_and_returns_has_its_secret_taken_over(one: Rotated, tmp_path: Path) -> None:
    path = file(tmp_path, *map(row, with_users(3)))
    deploy(one, "--users", path, "--yes")
    done = deploy(one, "--remove-user", "svc-01", "--yes")
    assert done.returncode == 0 and sorted(bound(one).values()) == ["svc-00", "svc-02"], done.stderr
    kept = secret(one, "svc-01")
    kept.rotation_requested = kept.rotation_enabled = False  # the schedule went with the stack
    back = deploy(one, "--users", path, "--yes")
    assert back.returncode == 0, back.stderr
    assert "the secret of svc-01 has 1 field: username" in back.stdout
    assert sorted(bound(one).values()) == ["svc-00", "svc-01", "svc-02"]
    found = parsed(template_of(one, MANY))
    assert [one["Default"] for one in found["Parameters"].values()] == [kept.arn]
    assert kept.arn not in str(found["Resources"]) and len(schedules(template_of(one, MANY))) == 3
    # and it stays taken over
    assert deploy(one, "--users", path, "--notify", "a@example.com", "--yes").returncode == 0
    assert [one["Default"] for one in parsed(template_of(one, MANY))["Parameters"].values()] == [kept.arn]


def test_without_its_last_user_the_stack_is_deleted(one: Rotated, tmp_path: Path) -> None:
    deploy(one, "--users", file(tmp_path, row("svc-00")), "--yes")
    shown = deploy(one, "--remove-user", "svc-00")
    assert shown.returncode == 0 and "would be deleted" in shown.stdout and MANY in stacks(one)
    done = deploy(one, "--remove-user", "svc-00", "--yes")
    assert done.returncode == 0 and "no user left" in done.stdout and stacks(one) == {}
    gone = deploy(one, "--remove-user", "svc-00", "--yes")
    assert gone.returncode == 2 and "no user of the stack" in gone.stderr


def test_names_that_only_a_comma_tells_apart_are_two_secrets(one: Rotated, tmp_path: Path) -> None:
    with_users(1, "a,b", "a_b", "+x=y@z.e")
    done = deploy(one, "--users", file(tmp_path, row("a,b"), row("a_b"), row("+x=y@z.e")), "--yes")
    assert done.returncode == 0, done.stderr
    assert bound(one) == {
        f"keyaudit/a_b/{secret_name('a,b')[-8:]}": "a,b",
        "keyaudit/a_b": "a_b",
        "keyaudit/+x=y@z.e": "+x=y@z.e",
    }


# --- the whole loop -----------------------------------------------------------------------------------------------------
def members(one: Rotated) -> list[Rotated]:
    """The users of the stack, their secrets as it makes them, and its function, whose calls are logged as Lambda does."""
    with closing(one.aws.client("cloudformation")) as client:
        outputs = client.describe_stacks(StackName=MANY)["Stacks"][0]["Outputs"]
    arn = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "Function")
    group = f"/aws/lambda/{arn.split(':')[-1]}"
    with closing(one.aws.client("logs")) as logs:
        logs.create_log_group(logGroupName=group)
        logs.create_log_stream(logGroupName=group, logStreamName="stream")
    values = {name: text for name, text in settings(one, MANY).items() if isinstance(text, str)}
    found = []
    for user, every in schedules(template_of(one, MANY)).items():
        made = secret(one, user)
        made.rotation_lambda_arn, made.auto_rotate_after_days = arn, every
        found.append(Rotated(one.aws, one.function, user, secret_name(user), settings=values, arn=arn, group=group))
    return found


def test_the_loop_is_closed_for_many(one: Rotated, tmp_path: Path) -> None:
    count = 20 if IS_NIGHTLY else 5
    users = with_users(count)
    olds = {user: iam_backends[MANAGEMENT]["aws"].users[user].access_keys[0].access_key_id for user in users}

    def used(days: float, *ids: str) -> None:
        for key_id in ids:
            set_key(MANAGEMENT, key_id, last_used=datetime.now(UTC) - days * DAY)

    def judged(name: str) -> Any:
        options = ("--policy", "cis", "-f", "json", "--rotation", "--capture", str(tmp_path / name))
        return json.loads(run(one, "check", *options).stdout)

    used(0.1, *olds.values())
    for key_id in olds.values():
        one.made(key_id, datetime.now(UTC) - 70 * DAY, "Active")
    path = file(tmp_path, *map(row, users))
    assert deploy(one, "--users", path, "--yes").returncode == 0
    everyone = members(one)
    for each in everyone:
        each.rotate()
    assert [len(each.keys) for each in everyone] == [2] * count
    during = judged("during")
    assert during["conclusion"] == "COMPLIANT", during["conclusions"]
    assert (
        during["counts"]["COMPLIANT"] == 2 * count
        and [one["compliance_type"] for one in during["rotations"]] == ["COMPLIANT"] * count
    )
    everyone[0].call("all")  # the daily rule, which sees what is current
    with later(15):
        used(14, *olds.values())
        ended = everyone[0].call("all")
        assert ended.code == 0 and ended.outcomes.count("deactivated") == count, ended.log
        assert {
            key_id: each.keys[key_id].status for each in everyone for key_id in each.keys if key_id in olds.values()
        } == dict.fromkeys(olds.values(), "Inactive")
        after = judged("after")
        assert after["conclusion"] == "COMPLIANT", after["conclusions"]
    assert run(one, "rotation", "deploy", "--update", "--yes").stdout.startswith("nothing to update")
    one.logs += [log for each in everyone for log in each.logs]


# --- who is left out, and why -------------------------------------------------------------------------------------------
def test_rows_and_users_that_are_left_out_are_said_with_the_reason(one: Rotated, tmp_path: Path) -> None:
    with_users(1, "two-keys", "alone", "elsewhere", "tight", "kms", "going")
    iam_backends[MANAGEMENT]["aws"].create_access_key("two-keys")
    assert run(one, "rotation", "deploy", "--user", "alone", "--yes").returncode == 0
    secret(one, "elsewhere").rotation_lambda_arn = "arn:aws:lambda:us-east-1:1:function:copied"
    for user, name, value in (
        ("kms", "kms_key_id", "arn:aws:kms:us-east-1:1:key/x"),
        ("going", "deleted_date", 1e9),
    ):
        found = secret(one, user)
        found.rotation_enabled = found.rotation_requested = False
        setattr(found, name, value)
    rows = [
        row("svc-00"), row("svc-00"), row("svc-00", "spare"), row("x", "unused"), row("y", account=OTHER),
        row("two-keys"), row("alone"), row("elsewhere"), row("tight", limit="30"), row("nobody"), row("kms"), row("going"),
    ]  # fmt: skip
    done = deploy(one, "--users", file(tmp_path, *rows), "--yes")
    assert done.returncode == 0, done.stderr
    assert list(bound(one).values()) == ["svc-00"]
    for said in (
        f"1 row, of another account than {MANAGEMENT}",
        "2 rows, which advise something else",
        "two-keys: has two active keys",
        "alone: it has a stack of its own",
        "elsewhere: another function rotates its secret",
        "tight: its limit of 30 days is shorter than that of this stack, 90 days",
        "nobody: IAM has no such user",
        "kms: its secret is encrypted with another key",
        "going: its secret is scheduled for deletion",
    ):
        assert f"left out: {said}" in done.stderr, said


@pytest.mark.parametrize(
    "rows", [[], [row("svc-00", "unused")], [row("svc-00", account=OTHER)], [row("nobody")], [row("svc-00", limit="60")]]
)  # fmt: skip
def test_a_file_of_which_nobody_is_left_is_exit_2(one: Rotated, tmp_path: Path, rows: list[str]) -> None:
    done = deploy(one, "--users", file(tmp_path, *rows), "--yes")
    assert done.returncode == 2 and done.stderr.count("keyaudit: ") == 1 and stacks(one) == {}


def test_inactive_keys_are_named_with_the_command_that_deletes_each(one: Rotated, tmp_path: Path) -> None:
    (ids,) = [list(one.keys)]
    second = iam_backends[MANAGEMENT]["aws"].create_access_key("svc-00")
    one.made(second.access_key_id, datetime.now(UTC) - 300 * DAY, "Inactive")
    for done in (deploy(one, "--users", file(tmp_path, row("svc-00"))), deploy(one, "--user", "svc-00")):
        assert done.returncode == 0, done.stderr
        command = f"aws iam delete-access-key --user-name svc-00 --access-key-id {second.access_key_id}"
        assert command in done.stderr and ids[0] not in done.stderr
        assert "accesskey is the access key id, secretkey the secret access key" in done.stderr


# --- the other commands -------------------------------------------------------------------------------------------------
def test_a_member_of_the_stack_is_rotated_at_once_and_has_no_second_stack(one: Rotated, tmp_path: Path) -> None:
    deploy(one, "--users", file(tmp_path, *map(row, with_users(2))), "--yes")
    (key,) = one.keys.values()
    secret(one, "svc-00", accesskey=key.access_key_id, secretkey=key.secret_access_key)
    one.name = "keyaudit/svc-00"
    with secrets_manager(one):
        done = run(one, "rotation", "now", "--user", "svc-00", "--wait", "30")
    assert done.returncode == 0 and len(one.keys) == 2, done.stderr
    second = deploy(one, "--user", "svc-00", "--yes")
    assert second.returncode == 2 and f"is rotated by the stack {MANY}" in second.stderr
    removed = run(one, "rotation", "remove", "--user", "svc-00", "--yes")
    assert removed.returncode == 2 and "deploy --remove-user takes it out" in removed.stderr
    assert list(stacks(one)) == [MANY]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--user: missing"),
        (("--user", "a", "--users", "f"), "--user: is for a stack of its own"),
        (("--update", "--users", "f"), "--update: takes no --users"),
        (("--update", "--every", "50"), "--update: keeps what was deployed"),
        (("--users", "none.csv"), "none.csv: cannot be read"),
        (("--users", "f", "--secret-arn", "arn:aws:secretsmanager:us-east-1:111122223333:secret:x-AbCdEf"), "only for one user"),
        (("--users", "f", "--template-bucket", "A"), "not the name of a bucket"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_exit_2(one: Rotated, options: tuple[str, ...], said: str) -> None:
    done = run(one, "rotation", "deploy", *options)
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_a_signing_key_of_another_secret_is_for_a_stack_of_its_own(one: Rotated, tmp_path: Path) -> None:
    path = file(tmp_path, row("svc-00"))
    for options in (
        ("--self-managed",),
        ("--master-arn", f"arn:aws:secretsmanager:us-east-1:{OTHER}:secret:m-AbCdEf"),
    ):
        done = deploy(one, "--users", path, *options, "--yes")
        assert done.returncode == 2 and "such a user keeps a stack of its own" in done.stderr


@pytest.mark.parametrize(
    "call", ["DescribeStacks", "CreateChangeSet", "ExecuteChangeSet", "GetTemplate", "GetUser"]
)
def test_a_call_that_is_denied_is_named_and_is_exit_4(one: Rotated, tmp_path: Path, call: str) -> None:
    done = deploy(one, "--users", file(tmp_path, row("svc-00")), "--yes", faults=(Fault(call, "denied"),))
    assert (done.returncode, call in done.stderr) == (4, True), done.stderr


# --- limits -------------------------------------------------------------------------------------------------------------
def test_a_template_that_is_too_large_goes_through_a_bucket_and_not_without(one: Rotated, tmp_path: Path) -> None:
    users = with_users(30)
    path = file(tmp_path, *map(row, users))
    refused = run(one, "rotation", "deploy", "--users", path, "--yes")
    assert refused.returncode == 2 and stacks(one) == {}
    size = re.search(r"the template has ([\d,]+) bytes, and CloudFormation takes 51,200", refused.stderr)
    assert size and int(size[1].replace(",", "")) > 51_200 and "--template-bucket" in refused.stderr
    done = deploy(one, "--users", path, "--yes")
    assert done.returncode == 0 and f"was put into the bucket {BUCKET}" in done.stdout, done.stderr
    assert len(bound(one)) == 30
    with closing(one.aws.client("s3")) as s3:
        (kept,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        assert s3.get_object(Bucket=BUCKET, Key=kept["Key"])["Body"].read().decode() == template_of(one, MANY)


@pytest.mark.parametrize("call", [f"PUT /{BUCKET}"])
def test_a_bucket_that_is_not_there_is_exit_4_and_nothing_is_deployed(
    one: Rotated, tmp_path: Path, call: str
) -> None:
    path = file(tmp_path, *map(row, with_users(20)))
    done = run(one, "rotation", "deploy", "--users", path, "--yes", "--template-bucket", "no-such-bucket")
    assert done.returncode == 4 and "s3:PutObject" in done.stderr and stacks(one) == {}


def test_what_bites_first_is_said_before_anything_is_made(one: Rotated, tmp_path: Path) -> None:
    path = file(tmp_path, *map(row, with_users(50)))
    done = deploy(one, "--users", path, "--yes")
    assert done.returncode == 2 and "the function's policy" in done.stderr and "20,480" in done.stderr
    assert stacks(one) == {}


# --- the file -----------------------------------------------------------------------------------------------------------
def names(path: Path, **options: Any) -> list[str]:
    return [one.user for one in take(str(path), read_rows(str(path)), **options).users]


ROWS = [row("=cmd", owner="'it"), row("+44"), row("-rf"), row("@home"), row("a,b"), row("plain", owner="'=x")]
USERS = ["=cmd", "+44", "-rf", "@home", "a,b", "plain"]


@pytest.mark.parametrize(
    "how", ["as it is", "BOM", "CRLF", "BOM and CRLF", "semicolons", "tabs", "all quoted", "more columns", "sorted"]
)
def test_a_file_that_a_spreadsheet_wrote_again_is_read_as_before(tmp_path: Path, how: str) -> None:
    path = Path(file(tmp_path, *ROWS))
    lines = list(csv.reader(path.read_text().splitlines()))
    if how == "sorted":
        order = [2, 0, 1, 9, 8, 7, 6, 5, 4, 3]
        lines = [[line[number] for number in order] for line in lines]
    if how == "more columns":
        lines = [[*line, "x;y"] for line in lines]
    out = io.StringIO()
    sign = {"semicolons": ";", "tabs": "\t"}.get(how, ",")
    quoting = csv.QUOTE_ALL if how == "all quoted" else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=sign, lineterminator="\r\n" if "CRLF" in how else "\n", quoting=quoting).writerows(
        lines
    )
    path.write_bytes(out.getvalue().encode("utf-8-sig" if "BOM" in how else "utf-8"))
    assert names(path) == USERS
    owners = {one.user: one.owner for one in take(str(path), read_rows(str(path))).users}
    assert owners["plain"] == "=x" and owners["=cmd"] == "'it"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{HEAD}\n{row('a')}\n".encode("utf-16"), "no text in UTF-8"),
        (f"{HEAD}\n{row('a', account='1.23457E+11')}\n".encode(), "line 2: '1.23457E+11' is not an account id"),
        (f"{HEAD}\n{row('a', account='12345678901')}\n".encode(), "line 2: '12345678901' is not an account id"),
        (f"{HEAD}\n{row('a', limit='90.5')}\n".encode(), "line 2: '90.5' is not a limit"),
        (f"{HEAD}\n{row('a')},x,y\n".encode(), "line 2: not as many cells"),
        (f"{HEAD}\n1,2\n".encode(), "line 2: not as many cells"),
        (f"{HEAD}\n{row('a b')}\n".encode(), "not a user's name"),
        (f'{HEAD}\n1,"{row("a")}\n'.encode(), "cannot be read as CSV"),
        (b"user,arn\na,b\n", "no column account_id"),
        (b"", "no column account_id"),
        (b"\x00\xff", "no text in UTF-8"),
    ],
)
def test_a_file_that_is_no_plan_is_refused_in_one_clear_line(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "plan.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        names(path)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_rows_of_one_user_are_one_user_with_the_least_limit_and_all_its_keys(tmp_path: Path) -> None:
    keys = ["AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE"]
    rows = [
        row("a", limit=limit, owner=owner).replace("key 1", key)
        for key, limit, owner in zip(keys, ("90", "60"), ("", "b"), strict=True)
    ]
    path = file(tmp_path, *rows, row("a"))
    (one,) = take(path, read_rows(path)).users
    assert (one.user, one.owner, one.keys, one.limit) == ("a", "b", tuple(keys), 60)


def test_of_several_accounts_one_must_be_named(tmp_path: Path) -> None:
    path = Path(file(tmp_path, row("a"), row("b", account=OTHER), row("c", account="unknown-1")))
    with pytest.raises(InputError, match=f"of 3 accounts .*{OTHER}.*--account"):
        names(path)
    assert names(path, account=OTHER) == ["b"]
    done = keyaudit("rotation", "template", "--users", path, "--account", OTHER)
    assert done.returncode == 0 and b"2 rows, of other accounts" in done.stderr
    assert list(schedules(done.stdout.decode())) == ["b"]
    refused = keyaudit("rotation", "template", "--users", path)
    assert refused.returncode == 2 and b"--account" in refused.stderr


# --- who may write one secret -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", ["username", "tag", "master", "master by name", "fields"])
def test_who_writes_one_secret_gets_no_key_of_another_user(one: Rotated, tmp_path: Path, how: str) -> None:
    """The attacker may put values and tags into svc-01's secret, and begin rotations of it; svc-00 is the victim."""
    deploy(one, "--users", file(tmp_path, *map(row, with_users(2))), "--yes")
    (key,) = one.keys.values()
    victim = secret(one, "svc-00", accesskey=key.access_key_id, secretkey=key.secret_access_key)
    mine = secret(one, "svc-01")
    (own,) = iam_backends[MANAGEMENT]["aws"].users["svc-01"].access_keys
    value = {"username": "svc-01", "accesskey": own.access_key_id, "secretkey": own.secret_access_key}
    value |= {
        "username": {"username": "svc-00"},
        "tag": {},
        "master": {"masterarn": victim.arn},
        "master by name": {"masterarn": "keyaudit/svc-00"},
        "fields": {"user": "svc-00", "accesskey": "", "secretkey": "", "AWS_ACCESS_KEY_ID": key.access_key_id},
    }[how]
    version = next(iter(mine.versions.values()))
    version["secret_string"] = json.dumps(value)
    if how == "tag":
        mine.tags = [{"Key": name, "Value": text} for name, text in (
            ("username", "svc-00"), ("user", "svc-00"), ("keyaudit:user", "svc-00"),
            ("keyaudit:attempt", f"x 2020-01-01T00:00:00Z {own.access_key_id}"),
            ("keyaudit:deactivated", f"{key.access_key_id} 2020-01-01T00:00:00Z"),
        )]  # fmt: skip
    settings_of = {name: text for name, text in settings(one, MANY).items() if isinstance(text, str)}
    attacked = Rotated(one.aws, one.function, "svc-01", "keyaudit/svc-01", settings=settings_of)
    victims_keys, content = dict(one.keys), str(victim.versions)
    token = attacked.begin()
    for step in (*STEPS, "retire", "look"):
        attacked.call(step, token)
    one.logs += attacked.logs
    assert {key_id: found.status for key_id, found in one.keys.items()} == dict.fromkeys(victims_keys, "Active")
    assert str(victim.versions) == content
    held = " ".join(str(one.get("secret_string")) for one in mine.versions.values() if one is not version)
    assert key.secret_access_key not in held and "svc-00" not in held
    used = {signer for signers in attacked.signers.values() for signer in signers}
    assert key.access_key_id not in used


def test_a_secret_that_the_stack_does_not_know_is_rotated_for_nobody(one: Rotated, tmp_path: Path) -> None:
    deploy(one, "--users", file(tmp_path, row("svc-00")), "--yes")
    other = Rotated(one.aws, one.function, "svc-00", "keyaudit/svc-00x", settings={
        name: text for name, text in settings(one, MANY).items() if isinstance(text, str)
    })  # fmt: skip
    other.put()
    assert [other.call(step, other.begin()).code for step in ("createSecret", "look", "retire")] == [1, 1, 1]
    assert len(one.keys) == 1
