"""The Lambda function that rotates the access keys of one IAM user, kept in one secret.

Secrets Manager calls it with ``{"SecretId", "ClientRequestToken", "Step"}``, any step any number of times, and a
daily rule with ``{"action": "retire", "SecretId"}``. This file is what is deployed: it imports only the standard
library and boto3. The secret is JSON: ``username``, ``accesskey``, ``secretkey``, and ``masterarn`` where another
secret (or this one) signs the calls of IAM; other fields are kept. Without ``masterarn`` the function's own role
signs them.

What it knows of its own doings is in two tags of the secret: ``keyaudit:attempt`` (token, time and the keys that
existed just before one was made) and ``keyaudit:deactivated`` (key and time).

Rules: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
ATTEMPT, DEACTIVATED = "keyaudit:attempt", "keyaudit:deactivated"
#: a key made so long after an attempt began was not made by it: more than the function may run
ATTEMPT_LASTS = timedelta(minutes=10)
#: a daily rule may come a day late, and IAM tells of uses with a delay
MARGIN = timedelta(days=2)
LEFT = 15_000  # milliseconds of the function's time that are kept for answering
_TIMES = {"connect_timeout": 5, "read_timeout": 10}
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, **_TIMES)
#: a lost answer to CreateAccessKey must not be asked for again: that would make a second key
ONCE = Config(retries={"total_max_attempts": 1}, **_TIMES)


class RotationError(Exception):
    """Why it stops, and what a person must do."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Entry point of Lambda."""
    steps = {
        "createSecret": Rotation.create_secret,
        "setSecret": Rotation.set_secret,
        "testSecret": Rotation.test_secret,
        "finishSecret": Rotation.finish_secret,
    }
    step = event["action"] if event.get("action") == "retire" else event.get("Step")
    if step != "retire" and step not in steps:
        raise RotationError(f"no step of a rotation: {step!r}")
    work = Rotation(event["SecretId"], step, event.get("ClientRequestToken", ""), context)
    try:
        if step == "retire":
            work.retire()
        elif work.is_pending():
            steps[step](work)
    except RotationError as error:
        work.log("stopped", reason=str(error))
        work.notify(f"{step} stopped: {error}")
        raise
    except (BotoCoreError, ClientError) as error:
        work.log("failed", reason=f"{type(error).__name__}: {code_of(error)}")
        raise


class Rotation:
    """One call of the function: the secret, the user that it was deployed for, and what is to be done."""

    def __init__(self, secret_id: str, step: str, token: str, context: Any) -> None:
        self.secret_id, self.step, self.token, self.context = secret_id, step, token, context
        self.user = os.environ["KEYAUDIT_USER"]
        self.secrets = boto3.client("secretsmanager", config=PATIENT)
        self.secret = self.secrets.describe_secret(SecretId=secret_id)
        self.now = self.since = datetime.now(UTC).replace(microsecond=0)

    # --- the four steps -------------------------------------------------------------------------------------------
    def is_pending(self) -> bool:
        """Whether the token is still to be rotated; RotationError where it is not the secret's to be."""
        stages = self.stages().get(self.token)
        if stages is None:
            raise RotationError("the token is no version of the secret; start a rotation in Secrets Manager")
        if CURRENT in stages:
            if self.step == "finishSecret" and PENDING in stages:
                self.clear_pending()
            self.log("already current")
            return False
        if PENDING not in stages:
            raise RotationError("the token's version is not AWSPENDING; start a rotation in Secrets Manager")
        return True

    def create_secret(self) -> None:
        """Make a key, once a token, and store it as the token's version."""
        current = self.current()
        if self.value(PENDING, self.token):
            return self.log("stored before")
        iam = self.iam(current, PATIENT)
        keys = self.without_lost(iam, self.keys(iam))
        if len(keys) > 1:
            keys = self.make_room(iam, keys)
        self.note(ATTEMPT, " ".join([self.token, stamp(self.now), *(key["AccessKeyId"] for key in keys)]))
        made = self.iam(current, ONCE).create_access_key(UserName=self.user)["AccessKey"]
        self.log("key made", made["AccessKeyId"])
        value = {**current, "accesskey": made["AccessKeyId"], "secretkey": made["SecretAccessKey"]}
        # where this fails the key is lost: no clean-up here, since it may have been stored all the same; who comes
        # next sees whether it was
        self.secrets.put_secret_value(
            SecretId=self.secret_id,
            ClientRequestToken=self.token,
            SecretString=json.dumps(value),
            VersionStages=[PENDING],
        )
        return self.log("key stored", made["AccessKeyId"])

    def set_secret(self) -> None:
        """Nothing is to be set: IAM made the key. It must be there, and active."""
        value = self.pending()
        for key in self.keys(self.iam(self.current(), PATIENT)):
            if key["AccessKeyId"] == value["accesskey"] and key["Status"] == "Active":
                return self.log("key is active", value["accesskey"])
        raise RotationError(
            f"the pending key {last4(value['accesskey'])} is not an active key of {self.user}: "
            "cancel the rotation, take AWSPENDING off its version, and rotate again"
        )

    def test_secret(self) -> None:
        """The new key answers as the user. AWS also asks when it made only a schedule: then the current does."""
        value = self.value(PENDING, self.token)
        current = self.current()
        value = value or current
        if not key_id_of(value):
            return self.log("nothing to test yet")
        expected = self.iam(current, PATIENT).get_user(UserName=self.user)["User"]["Arn"]
        self.wait_for(value, expected)
        return self.log("key works", value["accesskey"])

    def finish_secret(self) -> None:
        """Move AWSCURRENT to the token's version, which holds a key; leave no AWSPENDING behind."""
        key_id = self.pending()["accesskey"]
        former = next((version for version, stages in self.stages().items() if CURRENT in stages), None)
        moved = {"MoveToVersionId": self.token} | ({"RemoveFromVersionId": former} if former else {})
        self.secrets.update_secret_version_stage(SecretId=self.secret_id, VersionStage=CURRENT, **moved)
        self.clear_pending()
        return self.log("key is current", key_id)

    def clear_pending(self) -> None:
        self.secrets.update_secret_version_stage(
            SecretId=self.secret_id, VersionStage=PENDING, RemoveFromVersionId=self.token
        )

    def wait_for(self, value: dict[str, Any], expected: str) -> None:
        """GetCallerIdentity with the key, until IAM knows it everywhere, or the function's time is over."""
        sts = boto3.client(
            "sts",
            aws_access_key_id=value["accesskey"],
            aws_secret_access_key=value["secretkey"],
            aws_session_token=None,
            config=PATIENT,
        )
        pause = 1.0
        while True:
            try:
                found = sts.get_caller_identity()["Arn"]
            except ClientError as error:
                if code_of(error) not in ("InvalidClientTokenId", "SignatureDoesNotMatch", "AccessDenied"):
                    raise
                if self.context.get_remaining_time_in_millis() < LEFT + 1000 * pause:
                    raise RotationError(
                        f"the key {last4(value['accesskey'])} is not accepted: {code_of(error)}"
                    ) from None
                time.sleep(pause)
                pause = min(2 * pause, 10.0)
            else:
                break
        if found != expected:
            raise RotationError(f"the key {last4(value['accesskey'])} is {found}'s and not {expected}'s")

    # --- the daily action -----------------------------------------------------------------------------------------
    def retire(self) -> None:
        """Deactivate what the secret replaced, once it is quiet, and delete it later."""
        current = self.current()
        if not key_id_of(current):
            return self.log("no rotation took place yet")
        iam = self.iam(current, PATIENT)
        keys = self.without_lost(iam, self.keys(iam))
        relied = next((key for key in keys if key["AccessKeyId"] == current["accesskey"]), None)
        if relied is None or relied["Status"] != "Active":
            raise RotationError(
                f"the secret's key {last4(current['accesskey'])} is not an active key of {self.user}: "
                "rotate now; nothing else is touched"
            )
        if ATTEMPT in self.tags and current["accesskey"] not in self.attempt()[2]:
            self.note(ATTEMPT, "")  # what it made is in use: never again is it taken for a lost key
        replaced, since = self.replaced(), max(self.since, relied["CreateDate"])
        untouchable = {key_id for stage, key_id in self.labelled() if stage in (CURRENT, PENDING)}
        for key in keys:
            if key["AccessKeyId"] in untouchable:
                continue
            if key["AccessKeyId"] not in replaced:
                self.log("not this secret's key", key["AccessKeyId"])
                self.notify(f"{last4(key['AccessKeyId'])} was made by somebody else; nobody rotates it")
            elif key["Status"] == "Active":
                self.retire_active(iam, key, since)
            else:
                self.retire_inactive(iam, key)
        return None

    def retire_active(self, iam: Any, key: dict[str, Any], since: datetime) -> None:
        key_id, use = key["AccessKeyId"], self.last_use(iam, key)
        if self.now - since < days("KEYAUDIT_GRACE"):
            return self.log("in its grace", key_id)
        if use["at"] is None or self.now - use["at"] >= days("KEYAUDIT_QUIET"):
            return self.deactivate(iam, key_id)
        said = f"{last4(key_id)} was replaced and is still in use: {use['said']}"
        breaches = key["CreateDate"] + days("KEYAUDIT_MAX_AGE")
        if self.now + MARGIN < breaches:
            self.notify(f"{said}. It will be deactivated once it is quiet")
            return self.log("still in use", key_id, last_used=use["said"])
        if os.environ.get("KEYAUDIT_DEACTIVATE_IN_USE") == "yes":
            self.deactivate(iam, key_id)
            return self.notify(
                f"{said}. It was deactivated, since the policy's limit is reached on {stamp(breaches)}"
            )
        self.notify(f"{said}. It is left active, and NON_COMPLIANT from {stamp(breaches)} on: move what uses it")
        return self.log("still in use", key_id, last_used=use["said"], compliance_type="NON_COMPLIANT")

    def retire_inactive(self, iam: Any, key: dict[str, Any]) -> None:
        key_id, use = key["AccessKeyId"], self.last_use(iam, key)
        noted = self.tags.get(DEACTIVATED, "").split()
        when = datetime.fromisoformat(noted[1]) if noted[:1] == [key_id] else None
        if when is None or (use["at"] and use["at"] > when):
            # somebody else deactivated it: the retention is counted from when that is first seen
            self.note(DEACTIVATED, f"{key_id} {stamp(self.now)}")
            return self.log("inactive", key_id)
        if self.now - when < days("KEYAUDIT_RETENTION"):
            return self.log("in its retention", key_id)
        return self.delete(iam, key_id, "deleted")

    def replaced(self) -> set[str]:
        """Ids of all keys that the secret ever held, or was deployed to replace."""
        ids, more = set(os.environ.get("KEYAUDIT_ADOPTED", "").split()), {"SecretId": self.secret_id}
        while True:
            page = self.secrets.list_secret_version_ids(IncludeDeprecated=True, **more)
            ids |= {key_id_of(self.value(None, version["VersionId"])) for version in page["Versions"]}
            if not page.get("NextToken"):
                return ids
            more["NextToken"] = page["NextToken"]

    # --- keys -----------------------------------------------------------------------------------------------------
    def iam(self, current: dict[str, Any], config: Config) -> Any:
        """A client whose calls the master's key signs, or the function's role."""
        if not current.get("masterarn"):
            return boto3.client("iam", config=config)
        master = (self.fetch(SecretId=current["masterarn"], VersionStage=CURRENT) or ({},))[0]
        if not key_id_of(master):
            raise RotationError("the secret of masterarn holds no key to sign with; put a first one in it")
        return boto3.client(
            "iam",
            aws_access_key_id=master["accesskey"],
            aws_secret_access_key=master["secretkey"],
            config=config,
        )

    def keys(self, iam: Any) -> list[dict[str, Any]]:
        pages = iam.get_paginator("list_access_keys").paginate(UserName=self.user)
        return [key for page in pages for key in page["AccessKeyMetadata"]]

    def without_lost(self, iam: Any, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The keys, but for one that an attempt made and nobody holds: it is removed. It was made right after the
        attempt was noted, is in no labelled version, and nothing but the test step ever used it."""
        _, begun, before = self.attempt()
        held = {key_id for _, key_id in self.labelled()}
        kept = []
        for key in keys:
            # earlier ones too: IAM may not yet have listed, when the attempt was noted, what another had just made
            is_near = begun and abs(key["CreateDate"] - begun) <= ATTEMPT_LASTS
            is_lost = is_near and key["AccessKeyId"] not in {*before, *held}
            if is_lost and self.last_use(iam, key)["service"] in ("", "sts"):
                self.update(iam, key["AccessKeyId"])
                self.delete(iam, key["AccessKeyId"], "lost key removed")
            else:
                kept.append(key)
        return kept

    def make_room(self, iam: Any, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The keys without one that can go: in no labelled version, inactive, and unused for the grace period."""
        held = {key_id: stage for stage, key_id in self.labelled()}
        reasons = []
        for key in sorted(keys, key=lambda key: key["CreateDate"]):
            key_id, use = key["AccessKeyId"], self.last_use(iam, key)
            quiet = self.now - (use["at"] or key["CreateDate"]) >= days("KEYAUDIT_GRACE")
            active, used = "active" * (key["Status"] == "Active"), f"{use['said']}" * (not quiet)
            why = [reason for reason in (held.get(key_id), active, used) if reason]
            if not why:
                self.delete(iam, key_id, "room made")
                return [other for other in keys if other is not key]
            reasons.append(f"{last4(key_id)} is {', '.join(why)}")
        raise RotationError(
            f"{self.user} has two access keys and neither may be deleted ({'; '.join(reasons)}): "
            "find out who uses the one that is not AWSCURRENT, deactivate and delete it, then rotate"
        )

    def last_use(self, iam: Any, key: dict[str, Any]) -> dict[str, Any]:
        found = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
        at, service = found.get("LastUsedDate"), found.get("ServiceName", "N/A")
        if at is None:
            return {"at": None, "service": "", "said": "never used"}
        return {
            "at": at,
            "service": service,
            "said": f"last used {stamp(at)} in {found.get('Region')} by {service}",
        }

    def update(self, iam: Any, key_id: str) -> None:
        iam.update_access_key(UserName=self.user, AccessKeyId=key_id, Status="Inactive")

    def deactivate(self, iam: Any, key_id: str) -> None:
        self.update(iam, key_id)
        self.note(DEACTIVATED, f"{key_id} {stamp(self.now)}")
        self.log("deactivated", key_id)

    def delete(self, iam: Any, key_id: str, outcome: str) -> None:
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_access_key(UserName=self.user, AccessKeyId=key_id)
        self.log(outcome, key_id)

    # --- the secret -----------------------------------------------------------------------------------------------
    @property
    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.secret.get("Tags", [])}

    def stages(self) -> dict[str, list[str]]:
        return self.secret.get("VersionIdsToStages", {})

    def note(self, tag: str, value: str) -> None:
        """Write a tag; IAM is changed only after what is to be known of it was written."""
        self.secrets.tag_resource(SecretId=self.secret_id, Tags=[{"Key": tag, "Value": value}])
        self.secret["Tags"] = [one for one in self.secret.get("Tags", []) if one["Key"] != tag]
        self.secret["Tags"].append({"Key": tag, "Value": value})

    def attempt(self) -> tuple[str, datetime | None, list[str]]:
        """(token, time, ids of the keys that existed before) of the last attempt to make a key."""
        token, *rest = self.tags.get(ATTEMPT, "").split() or [""]
        return token, datetime.fromisoformat(rest[0]) if rest else None, rest[1:]

    def fetch(self, **what: str) -> tuple[dict[str, Any], datetime] | None:
        """A value of a secret, and when it was put there; None where there is none. Its text is in no error."""
        try:
            answer = self.secrets.get_secret_value(**what)
            value: dict[str, Any] = json.loads(answer["SecretString"])
            value.get("username")
            return value, answer["CreatedDate"]
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            return None
        except (AttributeError, KeyError, ValueError):
            raise RotationError("the secret is no JSON object with username, accesskey and secretkey") from None

    def value(self, stage: str | None, version: str) -> dict[str, Any] | None:
        what = {"VersionStage": stage} if stage else {}
        found = self.fetch(SecretId=self.secret_id, VersionId=version, **what)
        return found[0] if found else None

    def current(self) -> dict[str, Any]:
        """The value of AWSCURRENT, which must be of the user that the function was deployed for."""
        found = self.fetch(SecretId=self.secret_id, VersionStage=CURRENT)
        if found is None:
            raise RotationError('the secret has no value: put {"username": "..."} in it')
        value, self.since = found
        if value.get("username") != self.user:
            raise RotationError(
                f"the secret is of another user than {self.user}, for whom the function was deployed"
            )
        if bool(value.get("accesskey")) != bool(value.get("secretkey")):
            raise RotationError("the secret has accesskey or secretkey, and not the other")
        return value

    def pending(self) -> dict[str, Any]:
        value = self.value(PENDING, self.token)
        if not value or not key_id_of(value):
            raise RotationError("the pending version has no key: createSecret must come first")
        return value

    def labelled(self) -> list[tuple[str, str]]:
        """(stage, key id) of all versions that have a stage."""
        found = []
        for version, stages in self.stages().items():
            key_id = key_id_of(self.value(stages[0], version)) if stages else ""
            found += [(stage, key_id) for stage in stages if key_id]
        return found

    # --- what people are told -------------------------------------------------------------------------------------
    def log(self, outcome: str, key_id: str = "", **more: str) -> None:
        line = {"at": stamp(self.now), "user": self.user, "key": last4(key_id) or None, "step": self.step}
        print(json.dumps({**line, "token": self.token or None, "outcome": outcome, **more}), flush=True)

    def notify(self, text: str) -> None:
        """A notice; one that cannot be sent is logged, and stops nothing."""
        if topic := os.environ.get("KEYAUDIT_TOPIC"):
            try:
                sns = boto3.client("sns", config=PATIENT)
                sns.publish(TopicArn=topic, Subject=f"Access keys of {self.user}"[:100], Message=text)
            except (BotoCoreError, ClientError) as error:
                self.log("notice not sent", reason=code_of(error))
                return
        self.log("notice", text=text)


def days(name: str) -> timedelta:
    return timedelta(days=float(os.environ[name]))


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last4(key_id: str) -> str:
    return f"****{key_id[-4:]}" if key_id else ""


def code_of(error: Exception) -> str:
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__


def key_id_of(value: dict[str, Any] | None) -> str:
    """The id of the key in a value of the secret; empty where there is none yet."""
    return str((value or {}).get("accesskey") or "")
