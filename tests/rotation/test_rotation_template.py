"""``keyaudit rotation template``: clean, least privilege, and the very function that the tests run."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import ACCOUNT, examples
from evidence_helpers import keyaudit, refused
from hypothesis import given
from hypothesis import strategies as st
from linting import parsed, template_faults

from keyaudit.rotation.code import FOLDER, PARTS, function_code, put_together
from keyaudit.rotation.deployed import changed_secrets, deployed, secrets_in, version_of
from keyaudit.rotation.deployment import Deployment, Member, days_between
from keyaudit.rotation.limits import Where, measures
from keyaudit.rotation.naming import name_in, secret_name
from keyaudit.rotation.periods import Periods
from keyaudit.rotation.template import rotation_template
from keyaudit.schema import InputError

#: the parts of the function, as they are put together
PARTS_OF_FUNCTION = [FOLDER / f"{name}.py" for name in PARTS]
V1 = Path(__file__).parents[1] / "data" / "rotation"
KMS = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
MASTER = "arn:aws-us-gov:secretsmanager:us-gov-west-1:111122223333:secret:master-AbCdEf"
VARIANTS: dict[str, tuple[str, ...]] = {
    "plain": (),
    "self-managed": ("--self-managed",),
    "master": ("--master-arn", MASTER),
    "adopted": ("--adopt", "AKIAIOSFODNN7EXAMPLE", "--adopt", "AKIAI44QH8DHBEXAMPLE", "--deactivate-in-use"),
    "path, key and mail": ("--path", "/it/billing/", "--kms-key-arn", KMS, "--notify", "it+keys@example.com"),
    "a secret that is there": ("--secret-arn", MASTER.replace("master", "keyaudit/svc")),
    "all": ("--self-managed", "--kms-key-arn", KMS, "--notify", "a@example.com", "--adopt", "AKIAIOSFODNN7EXAMPLE"),
    "fields": ("--fields", "accesskey=AWS_ACCESS_KEY_ID,secretkey=AWS_SECRET_ACCESS_KEY,username=user"),
}
#: users of a stack of many
MANY = {
    "one": ["svc-billing"],
    "two, with a comma": ["a,b", "a_b"],
    "all signs": ["+x=y,z.@-_", "=cmd", "-rf", "@home", "svc", "0123", "A" * 64],
    "twenty": [f"svc-billing{number:02}" for number in range(20)],
    "thirty": [f"svc-billing{number:02}" for number in range(30)],
}
MANY_OPTIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("--kms-key-arn", KMS, "--notify", "a@b.example", "--path", "/it/"),
)
#: needs no permission
FREE = {"get_caller_identity"}


def printed(*options: str, user: str = "svc-billing") -> str:
    done = keyaudit("rotation", "template", "--user", user, *options)
    assert (done.returncode, done.stderr) == (0, b""), done.stderr
    return done.stdout.decode()


def printed_many(tmp_path: Path, users: list[str], *options: str) -> str:
    path = tmp_path / "plan.csv"
    rows = [f'{ACCOUNT},"{plain(user)}",AKIAIOSFODNN7EX{n:05},in_use,team,90' for n, user in enumerate(users)]
    path.write_text("\n".join(["account_id,user,key,case,owner,limit", *rows]))
    done = keyaudit("rotation", "template", "--users", path, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def plain(user: str) -> str:
    """As the plan's file has it."""
    return f"'{user}" if user[0] in "=+-@" else user


def statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    policies = [one["PolicyDocument"] for one in resources["Role"]["Properties"]["Policies"]]
    policies.append(resources["InvokeItself"]["Properties"]["PolicyDocument"])
    if "SelfManagement" in resources:
        policies.append(resources["SelfManagement"]["Properties"]["PolicyDocument"])
    return [one for policy in policies for one in policy["Statement"]]


def actions(resources: dict[str, Any]) -> set[str]:
    listed = (one["Action"] for one in statements(resources))
    return {action for one in listed for action in ([one] if isinstance(one, str) else one)}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_is_clean_warnings_included_and_small_enough(tmp_path: Path, variant: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(printed(*VARIANTS[variant]))
    assert template_faults(path) == []
    assert path.stat().st_size <= 51_200


@pytest.mark.sampled(2)
@pytest.mark.parametrize("options", MANY_OPTIONS, ids=["plain", "all"])
@pytest.mark.parametrize("users", MANY)
def test_each_stack_of_many_is_clean(tmp_path: Path, users: str, options: tuple[str, ...]) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(printed_many(tmp_path, MANY[users], *options))
    assert template_faults(path) == []


def test_fourteen_users_of_ordinary_names_fit_in_a_template_that_is_sent_with_the_call(tmp_path: Path) -> None:
    assert len(printed_many(tmp_path, MANY["twenty"][:14]).encode()) <= 51_200


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_code_is_the_function_byte_for_byte(variant: str) -> None:
    code = parsed(printed(*VARIANTS[variant]))["Resources"]["Function"]["Properties"]["Code"]["ZipFile"]
    assert code == function_code()


def bare(source: str) -> ast.Module:
    """A module without what does nothing: docstrings, annotations, imports, and names of types."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Expr(ast.Constant(...))]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
    is_type = ("Key = dict[str, Any]",)
    tree.body = [
        node
        for node in tree.body
        if not isinstance(node, ast.Import | ast.ImportFrom) and ast.unparse(node) not in is_type
    ]
    lines = ast.unparse(tree).splitlines()
    return ast.parse("\n".join(re.sub(r"^( +[a-z_.]+): [^=]+ = ", r"\1 = ", line) for line in lines))


def test_the_code_is_the_parts_one_after_the_other_but_for_what_does_nothing() -> None:
    """No comments, docstrings or annotations, and every other statement, in order."""
    statements = [ast.dump(node) for path in PARTS_OF_FUNCTION for node in bare(path.read_text()).body]
    assert [ast.dump(node) for node in bare(function_code()).body] == statements
    assert len(statements) == 40


def imports(source: str) -> set[str]:
    """module or module.name of what is imported, at the top of a module alone."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(node in ast.parse(source).body or node.col_offset == 0 for node in found)
    return {".".join(filter(None, [getattr(node, "module", ""), one.name])) for node in found for one in node.names}


def test_the_code_imports_what_its_parts_use_of_the_standard_library_and_boto3() -> None:
    of_parts = {name for path in PARTS_OF_FUNCTION for name in imports(path.read_text())}
    for_types = {"__future__.annotations", "typing.Any", "collections.abc.Iterator"}
    assert imports(function_code()) == {name for name in of_parts - for_types if not name.startswith("keyaudit")}


def test_each_part_imports_only_parts_that_stand_before_it_and_all_of_them_are_put_together() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == {*PARTS, "__init__"}
    for number, path in enumerate(PARTS_OF_FUNCTION):
        ours = {name.split(".")[3] for name in imports(path.read_text()) if name.startswith("keyaudit")}
        assert ours <= set(PARTS[:number]), path
    assert imports((FOLDER / "__init__.py").read_text()) == set()


def test_no_part_hides_what_another_defines() -> None:
    """A method of one name in two of the classes, which all are parts of one, would replace the other."""
    classes = [node for node in ast.parse(function_code()).body if isinstance(node, ast.ClassDef)]
    methods = [node.name for one in classes for node in one.body if isinstance(node, ast.FunctionDef)]
    assert len(methods) > 60 and len(methods) == len(set(methods))


@pytest.mark.parametrize(
    "parts",
    [
        ("one = 1\n", "def one() -> int:\n    return 2\n"),
        ("from json import loads\n\nx = loads('1')\n", "loads = x = 2\n"),
        ("import json\n\nx = json\n", "json = 3\nprint(x, json)\n"),
        ("import json as text\n\nprint(text)\n",),
        ("from os import *\n",),
        ("from . import basics\n\nprint(basics)\n",),
        ("import os.path\n\nprint(os)\n",),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"one name for two things|not as parts import"):
        put_together(parts)


def test_the_template_and_the_function_agree_on_version_and_time() -> None:
    from keyaudit.rotation.function import basics
    from keyaudit.schema import FUNCTION_VERSION

    function = parsed(printed())["Resources"]["Function"]["Properties"]
    assert function["Timeout"] == basics.FUNCTION_SECONDS
    assert function["Environment"]["Variables"]["KEYAUDIT_VERSION"] == basics.VERSION == str(FUNCTION_VERSION)
    assert parsed(printed())["Outputs"]["Version"]["Value"] == basics.VERSION


def test_what_must_hold_of_the_resources_holds() -> None:
    found = parsed(printed())["Resources"]
    assert {found["Secret"][name] for name in ("DeletionPolicy", "UpdateReplacePolicy")} == {"Retain"}
    function = found["Function"]["Properties"]
    assert function["ReservedConcurrentExecutions"] == 1 and function["Handler"] == "index.handler"
    schedule = found["Schedule"]["Properties"]
    assert schedule["RotateImmediatelyOnUpdate"] is False and schedule["RotationRules"] == {
        "AutomaticallyAfterDays": 60
    }
    invoke = found["InvokeToRotate"]["Properties"]
    assert invoke["Principal"] == "secretsmanager.amazonaws.com"
    assert {"SourceAccount", "SourceArn"} <= invoke.keys()
    (target,) = found["Daily"]["Properties"]["Targets"]
    assert target["Input"] == '{"action": "retire"}'
    daily = found["InvokeDaily"]["Properties"]
    assert daily["Principal"] == "events.amazonaws.com" and "SourceArn" in daily


def calls_of_the_function() -> set[str]:
    """Methods of boto3's clients that the function calls, as IAM names their actions."""
    services = {"secrets": "secretsmanager", "iam": "iam", "maker": "iam", "sns": "sns", "sts": "sts"}
    found = set()
    for node in ast.walk(ast.parse(function_code())):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value
        owner = owner.func if isinstance(owner, ast.Call) else owner  # self.iam(...).get_user(...)
        name = getattr(owner, "attr", getattr(owner, "id", ""))
        method = node.func.attr
        if method == "get_paginator":
            method = node.args[0].value
        if name in services and method not in FREE and is_call(services[name], method):
            found.add(f"{services[name]}:{''.join(word.capitalize() for word in method.split('_'))}")
    # what RotateSecret demands of its caller, and what is printed
    return found | {"lambda:InvokeFunction", "logs:CreateLogStream", "logs:PutLogEvents"}


def is_call(service: str, method: str) -> bool:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    try:
        return method in client.meta.method_to_api_mapping
    finally:
        client.close()


def test_the_role_may_do_what_the_function_calls_and_nothing_else() -> None:
    assert actions(parsed(printed())["Resources"]) == calls_of_the_function()
    assert len(calls_of_the_function()) == 17


@pytest.mark.parametrize("users", MANY)
def test_the_role_of_many_is_limited_to_these_users_and_their_secrets(tmp_path: Path, users: str) -> None:
    resources = parsed(printed_many(tmp_path, MANY[users]))["Resources"]
    assert actions(resources) == calls_of_the_function()
    secrets = [name for name, one in resources.items() if one["Type"] == "AWS::SecretsManager::Secret"]
    said = {one["Sid"]: one["Resource"] for one in statements(resources)}
    of_secrets = said["Secrets"] if isinstance(said["Secrets"], list) else [said["Secrets"]]
    assert [one["Ref"] for one in of_secrets] == secrets and len(secrets) == len(MANY[users])
    assert arns(said["Users"]) == [
        f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:user/{user}" for user in MANY[users]
    ]
    assert said["Itself"] == {"Fn::GetAtt": "Function.Arn"}
    for one in statements(resources):
        assert one["Effect"] == "Allow" and "*" not in str(one["Resource"]) and "*" not in str(one["Action"])
    permitted = [
        one["Properties"]
        for one in resources.values()
        if one["Type"] == "AWS::Lambda::Permission"
        and one["Properties"]["Principal"] == "secretsmanager.amazonaws.com"
    ]
    assert [one["SourceArn"]["Ref"] for one in permitted] == secrets
    assert all(one["SourceAccount"] == {"Ref": "AWS::AccountId"} for one in permitted)


def arns(resource: Any) -> list[str]:
    """Of the users: one, or a list that is put together."""
    if "Fn::Sub" in resource:
        return [resource["Fn::Sub"]]
    sign, whole = resource["Fn::Split"]
    text, names = whole["Fn::Sub"]
    return text.replace("${U}", names["U"]["Fn::Sub"]).split(sign)


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_allowed_on_everything(variant: str) -> None:
    resources = parsed(printed(*VARIANTS[variant]))["Resources"]
    for one in statements(resources):
        assert one["Effect"] == "Allow" and "*" not in str(one["Resource"]) and "*" not in str(one["Action"])


def test_the_user_s_own_key_may_replace_the_user_s_keys_and_the_role_may_not() -> None:
    found = parsed(printed("--self-managed"))["Resources"]
    role = {
        action
        for one in found["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        for action in one["Action"]
    }
    assert not [action for action in role if str(action).startswith("iam:")]
    own = found["SelfManagement"]["Properties"]
    assert own["Users"] == ["svc-billing"]
    (statement,) = own["PolicyDocument"]["Statement"]
    assert len(statement["Action"]) == 6 and all(action.startswith("iam:") for action in statement["Action"])
    assert "user/svc-billing" in str(statement["Resource"])


def test_the_key_of_the_secret_may_be_used_for_this_secret_alone() -> None:
    found = [
        one for one in statements(parsed(printed("--kms-key-arn", KMS))["Resources"]) if one["Resource"] == KMS
    ]
    assert [one["Sid"] for one in found] == ["Encryption", "EncryptionKey"]
    assert "kms:EncryptionContext:SecretARN" in str(found[0]["Condition"])


def test_the_first_value_of_the_secret_names_the_user_and_holds_no_key() -> None:
    name = secret_name("a,b=c@d")
    assert re.fullmatch(r"keyaudit/a_b=c@d/[0-9a-f]{8}", name)
    for options, master in (
        ((), None),
        (("--self-managed",), name),
        (("--master-arn", MASTER), MASTER),
    ):
        found = json.loads(
            parsed(printed(*options, user="a,b=c@d"))["Resources"]["Secret"]["Properties"]["SecretString"]
        )
        assert found == {"username": "a,b=c@d"} | ({"masterarn": master} if master else {})


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--every", "80"), "80 + 14 + 2"),
        (("--every", "90", "--grace", "1"), "90 + 1 + 2"),
        (("--every", "60", "--retention", "44"), "14 + 44 + 2"),
        (("--every", "30", "--grace", "27"), "27 + 1 + 2"),
        (("--every", "0"), "--every 0"),
        (("--every", "1001", "--max-age", "1000"), "1001"),
        (("--quiet", "15"), "--quiet 15"),
        (("--max-age", "60"), "the limit is 60"),
    ],
)
def test_periods_that_cannot_hold_are_refused_with_the_numbers(options: tuple[str, ...], numbers: str) -> None:
    done = keyaudit("rotation", "template", "--user", "svc", *options)
    assert numbers in refused(done, 2)


@pytest.mark.parametrize(
    "options", [("--every", "74"), ("--every", "60", "--retention", "43"), ("--every", "20", "--grace", "5")]
)
def test_periods_that_just_hold_are_taken(options: tuple[str, ...]) -> None:
    assert parsed(printed(*options))


@pytest.mark.parametrize(
    "options",
    [
        ("--user", "a b"),
        ("--user", ""),
        ("--user", "x" * 65),
        ("--user", "a\nb"),
        ("--user", "${AWS::AccountId}"),
        ("--user", '"; DROP'),
        ("--path", "/*/"),
        ("--path", "/${x}/"),
        ("--path", "it"),
        ("--path", "/a b/"),
        ("--master-arn", "secret"),
        ("--master-arn", MASTER, "--self-managed"),
        ("--adopt", "AKIA"),
        ("--adopt", "AKIAIOSFODNN7EXAMPLE x"),
        ("--kms-key-arn", "alias/mine"),
        ("--notify", "nobody"),
        ("--notify", 'a"@example.com'),
        ("--secret-arn", MASTER.removesuffix("-AbCdEf")),
        ("--master-arn", MASTER.removesuffix("-AbCdEf")),
        ("--fields", "key=x"),
        ("--fields", "accesskey"),
        ("--fields", "accesskey=a b"),
        ("--fields", "accesskey=secretkey"),
        ("--fields", "accesskey=masterarn"),
        ("--fields", "accesskey=x,accesskey=y"),
    ],
)
def test_what_aws_would_not_take_is_refused(options: tuple[str, ...]) -> None:
    given = options if "--user" in options else ("--user", "svc", *options)
    said = refused(keyaudit("rotation", "template", *given), 2)
    assert options[-2 if len(options) == 2 else 0] in said or "--master-arn" in said


# --- what was deployed is read back ---------------------------------------------------------------------------------
PERIODS = Periods.of(60, 14, 90)
NAMES = st.from_regex(r"[\w+=,.@-]{1,64}", fullmatch=True, alphabet=st.characters(max_codepoint=127))
OWNERS = st.text(st.characters(exclude_categories=("C", "Z")), max_size=20)


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    is_many = draw(st.booleans())
    users = draw(st.lists(NAMES, min_size=1, max_size=5 if is_many else 1, unique=True))
    members = []
    for user in users:
        arn = f"arn:aws:secretsmanager:us-east-1:111122223333:secret:{secret_name(user)}-AbCdEf"
        every = draw(st.sampled_from(days_between(PERIODS)))
        path = draw(st.sampled_from(["/", "/it/x/", '/"{b}/']))
        members.append(Member(user, every, path, draw(OWNERS), draw(st.sampled_from(["", arn]))))
    fields = draw(st.sampled_from([{}, {"accesskey": "AWS_ACCESS_KEY_ID", "secretkey": "AWS_SECRET_ACCESS_KEY"}]))
    master = "" if is_many else draw(st.sampled_from(["", "self", MASTER]))
    adopted = tuple(draw(st.lists(st.from_regex(r"AKIA[A-Z0-9]{16}", fullmatch=True), max_size=3, unique=True)))
    return Deployment(
        tuple(members),
        PERIODS,
        is_many,
        master,
        draw(st.sampled_from(["", KMS])),
        adopted,
        draw(st.sampled_from(["", "it+x@example.com"])),
        draw(st.booleans()),
        fields,
    )


@examples(30)
@given(deployments())
def test_what_was_asked_for_is_read_back_from_the_template(one: Deployment) -> None:
    text = rotation_template(one)
    assert deployed(text) == one and version_of(text) == "2"
    found = parsed(text)
    own = {name for name, block in found["Resources"].items() if block["Type"] == "AWS::SecretsManager::Secret"}
    assert set(secrets_in(text)) == own | set(found.get("Parameters", {})) and len(secrets_in(text)) == len(
        one.members
    )
    for name in own:
        assert secrets_in(text)[name] == found["Resources"][name]["Properties"]
    assert (
        json.loads(found["Resources"]["Function"]["Properties"]["Environment"]["Variables"]["KEYAUDIT_USERS"])
        == one.users
    )


@pytest.mark.parametrize("name", ["plain", "comma", "self-managed", "taken-over"])
def test_a_stack_of_version_1_is_read_and_written_anew_without_a_change_of_its_secret(name: str) -> None:
    text = (V1 / f"{name}.v1.yaml").read_text()
    one = deployed(text)
    after = rotation_template(one)
    assert version_of(text) == "1" and deployed(after) == one
    assert secrets_in(text) == secrets_in(after) and changed_secrets(text, after) == []
    before, now = parsed(text)["Resources"], parsed(after)["Resources"]
    assert before.keys() - now.keys() == set()
    assert before.get("Secret") == now.get("Secret")
    assert before["Schedule"]["Properties"] == now["Schedule"]["Properties"]
    old, new = (found["Function"]["Properties"]["Environment"]["Variables"] for found in (before, now))
    assert json.loads(new["KEYAUDIT_USERS"]) == {one.only.name: old.pop("KEYAUDIT_USER")}
    assert old.items() <= new.items()


def test_settings_of_version_1_are_all_read() -> None:
    one = deployed((V1 / "self-managed.v1.yaml").read_text())
    assert (one.master, one.notify, len(one.adopted)) == ("self", "it+keys@example.com", 2)
    comma = deployed((V1 / "comma.v1.yaml").read_text())
    assert comma.only == Member("a,b", 45, "/it/x/", name="keyaudit/a_b") and comma.deactivates_in_use
    assert comma.periods == Periods(45, 10, 20, 5, 80)
    other = deployed((V1 / "taken-over.v1.yaml").read_text())
    assert (
        name_in(other.only.secret) == "old/name"
        and "secret:master-" in other.master
        and "key/1234" in other.kms_key
    )


@pytest.mark.parametrize("text", ["", "Resources: {}", "Metadata:\n keyaudit:\n  {}", "Metadata:\n keyaudit:\n  {"])
def test_what_keyaudit_did_not_write_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not as keyaudit writes it"):
        deployed(text)


def test_what_was_changed_by_hand_is_refused_or_seen() -> None:
    text = rotation_template(Deployment((Member("svc", 60),), PERIODS))
    with pytest.raises(InputError):
        deployed(text.replace('"every": 60', '"every": "x"'))
    with pytest.raises(InputError):
        deployed(text.replace('{"svc": 60}', '{"other": 60}'))
    assert changed_secrets(text.replace('"username": "svc"', '"username": "x"'), text) == ["Secret"]
    assert changed_secrets(text.replace("keyaudit/svc,", "keyaudit/other,"), text) == ["Secret"]


# --- limits ---------------------------------------------------------------------------------------------------------
def resolved(value: Any, names: dict[str, str]) -> Any:
    """A part of a template as CloudFormation gives it on."""
    if isinstance(value, list):
        return [resolved(one, names) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::Split"}:
        return arns_of(value, names)
    if set(value) == {"Fn::Sub"}:
        return pseudo(value["Fn::Sub"], names)
    if set(value) <= {"Ref", "Fn::GetAtt"}:
        return names[next(iter(value.values()))]
    return {key: resolved(one, names) for key, one in value.items()}


def arns_of(value: Any, names: dict[str, str]) -> list[str]:
    return [pseudo(one, names) for one in arns(value)]


def pseudo(text: str, names: dict[str, str]) -> str:
    return text.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", "111122223333")


@pytest.mark.parametrize("users", ["one", "all signs", "thirty"])
def test_what_is_measured_is_what_aws_counts(tmp_path: Path, users: str) -> None:
    text = printed_many(tmp_path, MANY[users])
    found, one = parsed(text), deployed(text)
    at = "eu-central-1:111122223333"
    names = {
        "Notices": f"arn:aws:sns:{at}:keyaudit-rotations-Notices-ABCDEFGHIJKL",
        "Logs.Arn": f"arn:aws:logs:{at}:log-group:keyaudit-rotations-Logs-ABCDEFGHIJKL:*",
        "Function.Arn": f"arn:aws:lambda:{at}:function:keyaudit-rotations-Function-ABCDEFGHIJKL",
    }
    names |= {
        name: f"arn:aws:secretsmanager:{at}:secret:{block['Properties']['Name']}-ABCDEF"
        for name, block in found["Resources"].items()
        if block["Type"] == "AWS::SecretsManager::Secret"
    }
    policies = [
        found["Resources"]["Role"]["Properties"]["Policies"][0],
        found["Resources"]["InvokeItself"]["Properties"],
    ]
    counted = sum(
        len(json.dumps(resolved(one["PolicyDocument"], names), separators=(",", ":"))) for one in policies
    )
    settings = resolved(found["Resources"]["Function"]["Properties"]["Environment"]["Variables"], names)
    told = {one.name: one.found for one in measures(one, text, Where("111122223333", "eu-central-1", "aws"))}
    assert told["template"] == len(text.encode())
    assert told["resources"] == len(found["Resources"]) == 7 + 3 * len(MANY[users])
    assert told["environment"] == sum(len(name) + len(value) for name, value in settings.items())
    # a list of one is counted as a list
    assert 0 <= told["role"] - counted <= 20
