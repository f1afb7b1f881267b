"""The Lambda function that rotates the access keys of IAM users, each kept in a secret of its own.

Secrets Manager calls it with ``{"SecretId", "ClientRequestToken", "Step"}``, any step any number of times; a daily
rule with ``{"action": "retire"}``; whoever deploys it with ``{"action": "look", "SecretId"}``. This file is what is
deployed: it imports only the standard library and boto3. The secret is JSON: ``username``, ``accesskey`` and
``secretkey`` (or as KEYAUDIT_FIELDS names them); other fields are kept. Which user a secret is of is told by
KEYAUDIT_USERS alone, never by a value or a tag, which others may write.

It never takes away a key that may be in use. The key in AWSCURRENT is never touched. A key that AWSCURRENT left is
deactivated after its grace, and deleted only when it was seen inactive, day by day, for the whole retention. A key
whose making was never answered is lost only if nobody can have it. What it must remember is in tags of the secret:

``keyaudit:attempt``   token, start, and the key that existed: a key is being made; empty once that has ended
``keyaudit:stored``    key, version: made and stored, not yet current
``keyaudit:current``   the key that the last run saw in AWSCURRENT
``keyaudit:replaced``  key, time: when it stopped being current; its grace runs from there
``keyaudit:inactive``  key, first and last day that it was seen inactive
``keyaudit:lost``      key, time: deactivated as lost
``keyaudit:named``     active keys of nobody that a notice has named
``keyaudit:waiting``   a rotation was begun, could not go on, and is to begin again
``keyaudit:pending``   version, time: first seen with AWSPENDING, where Secrets Manager does not tell its age

Rules: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

VERSION = "2"
CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
TAG = "keyaudit:"
#: the function's timeout; a call that began so long ago, and a little, has ended
FUNCTION_SECONDS = 300
ENDED = timedelta(seconds=FUNCTION_SECONDS + 30)
#: a daily rule may come a day late, and IAM tells of uses with a delay
MARGIN = timedelta(days=2)
#: so long apart two looks of daily runs still are a look each day: one came late, or not at all
UNSEEN = MARGIN + timedelta(hours=6)
#: a rotation stores a key so soon after it made it
NEAR = timedelta(minutes=10)
#: a rotation that is pending for so long, and not with Secrets Manager, is stuck
STUCK = timedelta(hours=1)
#: after so long without use a lost key is deleted
LOST_FOR = timedelta(hours=24)
LEFT = 15_000  # milliseconds of the function's time that are kept for answering
CONNECT, READ = 5, 10  # seconds
_TIMES = {"connect_timeout": CONNECT, "read_timeout": READ}
PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5}, **_TIMES)
#: a lost answer to CreateAccessKey must not be asked for again: that would make a second key
ONCE = Config(retries={"total_max_attempts": 1}, **_TIMES)
#: clocks of two services differ by so much, and a record is written within as much
SKEW = timedelta(seconds=2)
KEY_ID = re.compile(r"\bA[KS]IA[A-Z0-9]{12,124}\b")
UNCLEAR = ("RequestTimeout", "RequestTimeoutException")
THROTTLED = ("Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded")
Key = dict[str, Any]


class RotationError(Exception):
    """Why it stops, and what a person must do."""


class NotYetError(RotationError):
    """It stops for now; the next call goes on, and nobody has to do anything."""


def handler(event: dict[str, Any], context: Any) -> dict[str, Any] | None:
    """Entry point of Lambda."""
    step = event.get("action") or event.get("Step")
    if step not in ("retire", "look", "createSecret", "setSecret", "testSecret", "finishSecret"):
        raise RotationError(f"no step of a rotation: {step!r}")
    if "SecretId" in event:
        return run(event["SecretId"], step, event.get("ClientRequestToken", ""), context)
    if step != "retire":
        raise RotationError(f"{step} needs a SecretId")
    retire_all(deployed("USERS"), context)
    return None


def retire_all(users: dict[str, str], context: Any) -> None:
    """The daily run of all that is deployed, each on its own: what stops one stops no other. Each day another one
    is the first, should the time not be enough for all."""
    names, failed = sorted(users), []
    first = instant().toordinal() % max(1, len(names))
    for name in names[first:] + names[:first]:
        try:
            if context.get_remaining_time_in_millis() < 2 * LEFT:
                raise RotationError("no time is left for it today")
            run(name, "retire", "", context)
        except RotationError:
            failed.append(users[name])
    if failed:
        raise RotationError(f"the daily run stopped for {len(failed)}: {', '.join(failed)}; see the lines above")


def run(secret_id: str, step: str, token: str, context: Any) -> dict[str, Any] | None:
    """One call for one secret. Every failure is a RotationError without the answer that it came from, which may
    hold a secret; it is logged, and a person is told where one must do something."""
    work = Rotation(secret_id, step, token, context)
    try:
        return work.run()
    except NotYetError as error:
        work.log("attempt under way", reason=str(error))
        raise
    except RotationError as error:
        work.log("stopped", reason=str(error))
        work.notify(f"{step} stopped: {error}")
        raise
    except (BotoCoreError, ClientError) as error:
        reason = f"{type(error).__name__}: {getattr(error, 'operation_name', '')} {code_of(error)}"
        work.log("failed", reason=reason)
        if took_no_effect(error) and code_of(error) not in THROTTLED:
            work.notify(f"{step} failed: {reason}. {work.user_said} Nothing goes on until that is mended")
        raise RotationError(reason) from None
    except Exception as error:  # its text may be an answer that could not be read
        work.log("failed", reason=type(error).__name__)
        work.notify(f"{step} failed: {type(error).__name__}. {work.user_said} See the function's log")
        raise RotationError(f"{step} failed: {type(error).__name__}") from None


class Rotation:
    """One call of the function for one secret, the user that it was deployed for, and what is to be done."""

    def __init__(self, secret_id: str, step: str, token: str, context: Any) -> None:
        self.secret_id, self.step, self.token, self.context = secret_id, step, token, context
        self.user, self.now = "", instant()
        self.fields = {name: name for name in ("username", "accesskey", "secretkey")} | deployed("FIELDS")
        self.secrets = boto3.client("secretsmanager", config=PATIENT)
        self.texts: dict[str, str | None] = {}
        self.secret: dict[str, Any] = {}
        self.listed: list[dict[str, Any]] | None = None

    @property
    def user_said(self) -> str:
        return f"The user is {self.user or 'not known'}, the secret {self.secret_id}."

    def run(self) -> dict[str, Any] | None:
        self.refresh()
        user = deployed("USERS").get(self.secret["Name"])
        if not user:
            raise RotationError(f"the function was not deployed for this secret, {self.secret_id}; deploy its user")
        self.user = user
        if self.step == "look":
            return self.look()
        if self.step == "retire":
            self.retire()
        elif self.is_pending():
            steps: dict[str, Callable[[Rotation], None]] = {
                "createSecret": Rotation.create_secret,
                "setSecret": Rotation.set_secret,
                "testSecret": Rotation.test_secret,
                "finishSecret": Rotation.finish_secret,
            }
            steps[self.step](self)
        return None

    def look(self) -> dict[str, Any]:
        """The names of the fields of the secret, and what is wrong with them; never a value."""
        try:
            value = self.staged(CURRENT)
        except RotationError as error:
            return {"fields": [], "problem": str(error)}
        problem = self.problem(value)
        if value and not problem:
            problem = self.stale(value, self.keys(self.iam(value, PATIENT)))
        return {"fields": sorted(value or {}), "problem": problem}

    # --- the four steps -------------------------------------------------------------------------------------------
    def is_pending(self) -> bool:
        """Whether the token is still to be rotated; RotationError where it is not the secret's to be."""
        stages = self.stages().get(self.token)
        if stages is None:
            raise RotationError("the token is no version of the secret; start a rotation in Secrets Manager")
        if CURRENT in stages:
            if self.step == "finishSecret":
                self.current()
                if PENDING in stages:
                    self.clear_pending(self.token)
            self.log("already current")
            return False
        if PENDING not in stages:
            key_id = self.key_id(self.value(self.token))
            if key_id and key_id == self.key_id(self.staged(CURRENT)):  # its fields were carried over
                self.log("already current", key_id)
                return False
            raise RotationError("the token's version is not AWSPENDING; start a rotation in Secrets Manager")
        return True

    def create_secret(self) -> None:
        """Make a key, once a token, and store it as the token's version."""
        current = self.current()
        if key_id := self.key_id(self.value(self.token)):
            self.stored(key_id)
            return self.log("stored before", key_id)
        iam, maker = self.iam(current, PATIENT), self.iam(current, ONCE)
        keys = self.keys(iam)
        if problem := self.stale(current, keys):
            raise RotationError(problem)
        if not self.settle(iam, keys):
            raise NotYetError("an earlier call may still be making a key; Secrets Manager tries again")
        if held := self.unfinished(keys):
            return self.store(current, held, "key stored again")
        self.make_room(iam, keys)
        self.begin_attempt(keys)
        try:
            made = maker.create_access_key(UserName=self.user)["AccessKey"]
        except ClientError as error:
            if took_no_effect(error):
                self.note(attempt="")
            raise
        self.log("key made", made["AccessKeyId"])
        # where storing fails the key is lost: no clean-up here, since it may have been stored all the same; who
        # comes next sees whether it was
        return self.store(current, (made["AccessKeyId"], made["SecretAccessKey"]), "key stored")

    def begin_attempt(self, keys: list[Key]) -> None:
        """Record the attempt with its start, which must not lie long before the key: else anew."""
        while True:
            start, began = instant(), time.monotonic()
            self.note(attempt=" ".join([self.token, stamp(start), *(key["AccessKeyId"] for key in keys)]))
            if time.monotonic() - began <= SKEW.total_seconds():
                return
            if self.context.get_remaining_time_in_millis() < 2 * LEFT:
                self.note(attempt="")
                raise NotYetError("Secrets Manager was too slow to record the attempt; no key was made")

    def store(self, current: dict[str, Any], pair: tuple[str, str], outcome: str) -> None:
        value = {**current, self.fields["accesskey"]: pair[0], self.fields["secretkey"]: pair[1]}
        self.put(value, self.token)
        self.log(outcome, pair[0])
        self.stored(pair[0])

    def stored(self, key_id: str) -> None:
        """The key is the secret's now: never again is it taken for a lost one."""
        self.note(attempt="", stored=f"{key_id} {self.token}")

    def set_secret(self) -> None:
        """Nothing is to be set: IAM made the key. It must be there, and active; IAM may list it late."""
        key_id = self.pending_key()
        self.await_active(key_id, self.current())
        return self.log("key is active", key_id)

    def await_active(self, key_id: str, current: dict[str, Any]) -> None:
        """RotationError unless the pending key is an active key of the user."""
        iam = self.iam(current, PATIENT)
        for _ in self.patiently():
            listed = {key["AccessKeyId"]: key["Status"] for key in self.keys(iam)}
            if listed.get(key_id) == "Active":
                return
            if key_id in listed:
                break
        raise RotationError(
            f"the pending key {last4(key_id)} is not an active key of {self.user}: a rotation with a new one "
            "begins by itself once the user has room for it"
        )

    def test_secret(self) -> None:
        """The new key answers as the user. AWS also asks when it made only a schedule: then the current does."""
        current = self.current()
        value = self.value(self.token) or current
        if not self.key_id(value):
            return self.log("nothing to test yet")
        expected = self.iam(current, PATIENT).get_user(UserName=self.user)["User"]["Arn"]
        found = self.wait_for(value)
        if found != expected:
            raise RotationError(f"the key {last4(self.key_id(value))} is {found}'s and not {expected}'s")
        return self.log("key works", self.key_id(value))

    def finish_secret(self) -> None:
        """Move AWSCURRENT to the version with the new key; leave no AWSPENDING behind; let the grace begin."""
        key_id, current = self.pending_key(), self.current()
        self.await_active(key_id, current)
        former = next((version for version, stages in self.stages().items() if CURRENT in stages), None)
        pending, target, outcome = self.value(self.token) or {}, self.token, "key is current"
        names = [self.fields[name] for name in ("accesskey", "secretkey")]
        merged = {**current, **{name: pending[name] for name in names}}
        if merged != pending:  # a person changed other fields meanwhile; a pending version cannot be rewritten
            target, outcome = str(uuid.uuid4()), "fields carried over"
            self.put(merged, target)
        moved = {"MoveToVersionId": target} | ({"RemoveFromVersionId": former} if former else {})
        self.secrets.update_secret_version_stage(SecretId=self.secret_id, VersionStage=CURRENT, **moved)
        replaced = self.key_id(current)
        self.note(
            current=key_id,
            replaced=f"{replaced} {stamp(instant())}" if replaced and replaced != key_id else "",
            stored="",
            waiting="",
        )
        self.clear_pending(target)
        self.log(outcome, key_id, token=target)

    def wait_for(self, value: dict[str, Any]) -> str:
        """Whose key it is, by GetCallerIdentity, once IAM knows it everywhere; RotationError if it never does."""
        sts = boto3.client("sts", **self.signing(value), config=PATIENT)
        code = ""
        for _ in self.patiently():
            try:
                return str(sts.get_caller_identity()["Arn"])
            except ClientError as error:
                code = code_of(error)
                if code not in ("InvalidClientTokenId", "SignatureDoesNotMatch", "AccessDenied"):
                    raise
        raise RotationError(f"the key {last4(self.key_id(value))} is not accepted: {code}")

    def patiently(self) -> Any:
        """Again and again, with pauses, until the function's time is nearly over."""
        pause = 1.0
        while True:
            yield
            if self.context.get_remaining_time_in_millis() < LEFT + 1000 * pause:
                return
            time.sleep(pause)
            pause = min(2 * pause, 10.0)

    # --- the daily action -----------------------------------------------------------------------------------------
    def retire(self) -> None:
        """Deactivate what the secret replaced, once it is quiet; delete it later; go on with what is stuck."""
        current = self.current()
        iam = self.iam(current, PATIENT)
        keys = self.keys(iam)
        self.refresh()  # after the keys: what is listed was recorded before it was made
        current = self.current()
        is_settled = self.settle(iam, keys)
        self.watch(iam, keys)
        keys = [key for key in keys if not self.is_gone(iam, key)]
        key_id = self.key_id(current)
        relied = next((key for key in keys if key["AccessKeyId"] == key_id), None)
        if is_settled and key_id and relied and relied["Status"] == "Active":
            keys = [key for key in keys if not self.retire_one(iam, key)]
        if is_settled:
            self.unstick(iam, keys)
        if not key_id:
            return self.log("no rotation took place yet")
        if relied is None:
            raise RotationError(
                f"the secret's key {last4(key_id)} is no key of {self.user} any more: rotate now "
                f"(keyaudit rotation now --user {self.user}); nothing else is touched"
            )
        if relied["Status"] != "Active":
            raise RotationError(self.current_is_inactive(key_id))
        return None

    def current_is_inactive(self, key_id: str) -> str:
        return f"the secret's key {last4(key_id)} is inactive, and nothing else is touched. {self.way_back(key_id)}"

    def retire_one(self, iam: Any, key: Key) -> bool:
        """Do what is due with a key beside the current one; True where it is deleted."""
        key_id = key["AccessKeyId"]
        if key_id in self.labelled() or self.unfinished([key]):
            return False  # in use, or what the next rotation goes on with
        if not self.is_own(key) or key_id in self.mentioned():
            if key["Status"] == "Active":
                self.name(key_id)
            return False
        if key["Status"] == "Active":
            self.retire_active(iam, key)
            return False
        if not self.may_be_deleted(iam, key):
            self.log("in its retention", key_id)
            return False
        return self.delete(iam, key_id, "deleted")

    def retire_active(self, iam: Any, key: Key) -> None:
        key_id, use = key["AccessKeyId"], self.last_use(iam, key)
        since = self.records("replaced", 1).get(key_id)
        if since is None:  # it is not known when it stopped being current: from now on at the latest
            self.keep("replaced", key_id, self.now)
            if key_id not in os.environ.get("KEYAUDIT_ADOPTED", "").split():
                self.notify(f"{last4(key_id)}: no tag tells when it stopped being current; its grace begins today")
        if since is None or self.now - since[0] < days("GRACE"):
            return self.log("in its grace", key_id)
        if use["at"] is None or self.now - use["at"] >= days("QUIET"):
            return self.deactivate(iam, key_id, "It was replaced, and nothing used it")
        said = f"{last4(key_id)} was replaced and is still in use: {use['said']}"
        breaches = key["CreateDate"] + days("MAX_AGE")
        if self.now + MARGIN < breaches:
            self.notify(f"{said}. It will be deactivated once it is quiet")
            return self.log("still in use", key_id, last_used=use["said"])
        if os.environ.get("KEYAUDIT_DEACTIVATE_IN_USE") == "yes":
            why = f"It is still in use ({use['said']}), and the policy's limit is reached on {stamp(breaches)}"
            return self.deactivate(iam, key_id, why)
        self.notify(f"{said}. It is left active, and NON_COMPLIANT from {stamp(breaches)} on: move what uses it")
        return self.log("still in use", key_id, last_used=use["said"], compliance_type="NON_COMPLIANT")

    def unstick(self, iam: Any, keys: list[Key]) -> None:
        """Take AWSPENDING off a version that nobody is working on, and begin that rotation again once there is
        room: left there, it would stop all later ones."""
        version = next((one for one, stages in self.stages().items() if PENDING in stages), "")
        if version and CURRENT in self.stages()[version]:
            self.clear_pending(version)
        elif version and self.now - self.pending_since(version) >= STUCK:
            key_id = self.key_id(self.value(version))
            made = next((key["CreateDate"] for key in keys if key["AccessKeyId"] == key_id), None)
            if made and abs(self.pending_since(version) - made) <= NEAR:  # as a rotation stores it
                self.note(stored=f"{key_id} {version}")
            if key_id in ("", *self.words("stored")[:1]):
                self.note(waiting=stamp(self.now))
            self.clear_pending(version)
            self.log("AWSPENDING cleared", key_id)
        elif version:
            return
        if self.secret.get("RotationLambdaARN") and not self.secret.get("RotationEnabled"):
            self.note(waiting="")  # a person turned rotation off; to begin one would turn it on again
        if not self.words("waiting"):
            return
        held = {*self.labelled(), *self.mentioned()}
        can_go = [key for key in keys if key["AccessKeyId"] not in held and self.may_be_deleted(iam, key)]
        if len(keys) > 1 and not can_go and not self.unfinished(keys):
            return
        self.begin_again()

    def begin_again(self) -> None:
        for pause in (1, 3, 0):
            try:
                self.secrets.rotate_secret(SecretId=self.secret_id)
            except (BotoCoreError, ClientError) as error:
                # AWSPENDING was taken off a moment ago, which Secrets Manager may not know everywhere
                if code_of(error) == "InvalidRequestException" and pause:
                    time.sleep(pause)
                    continue
                self.notify(
                    f"a rotation stopped and could not be begun again ({code_of(error)}); it is tried each day. "
                    f"By hand: keyaudit rotation now --user {self.user}"
                )
            else:
                self.note(waiting="")
                self.log("rotation begun again")
            return

    def pending_since(self, version: str) -> datetime:
        """When a pending version was made; where Secrets Manager does not list it yet, when it was first seen."""
        made: datetime | None = next(
            (one["CreatedDate"] for one in self.versions() if one["VersionId"] == version), None
        )
        if made is None:
            if version not in self.words("pending"):
                self.note(pending=f"{version} {stamp(self.now)}")
            made = self.records("pending", 1).get(version, [self.now])[0]
        return made

    # --- keys that may be gone ------------------------------------------------------------------------------------
    def settle(self, iam: Any, keys: list[Key]) -> bool:
        """Judge the last attempt to make a key: what it made and nobody has is lost, and deactivated. False as long
        as a call of it may be running."""
        begun, before = self.attempt()
        if begun is None:
            return True
        if self.now - begun < ENDED:
            return False
        latest = begun + timedelta(seconds=CONNECT + READ) + SKEW
        found = [
            key
            for key in keys
            if key["AccessKeyId"] not in before
            and begun - SKEW <= key["CreateDate"] <= latest
            and not self.is_known(key)
            and self.last_use(iam, key)["at"] is None
        ]
        token = self.words("attempt")[0]
        if kept := self.key_id(self.value(token)):
            self.note(stored=f"{kept} {token}")
        if len(found) == 1:  # of two, nobody can tell which is a person's
            key_id = found[0]["AccessKeyId"]
            self.update(iam, key_id, "Inactive")
            found[0]["Status"] = "Inactive"
            self.keep("lost", key_id, self.now)
            self.note(attempt="")
            self.log("lost key deactivated", key_id)
            self.notify(
                f"{last4(key_id)} was made by a rotation that broke off, and nobody has it: it was deactivated, "
                f"and will be deleted after a day if it stays unused. {self.way_back(key_id)}"
            )
        else:
            self.note(attempt="")
        return True

    def watch(self, iam: Any, keys: list[Key]) -> None:
        """Keep the records of which keys are inactive, since when, and seen so until today."""
        seen, now = self.records("inactive", 2), []
        for key in keys:
            key_id, known = key["AccessKeyId"], seen.get(key["AccessKeyId"])
            if key["Status"] == "Active":
                if known:  # a person did that: it is needed, and gets a whole new grace
                    self.log("active again", key_id)
                    if self.is_own(key) and key_id not in self.labelled():
                        self.keep("replaced", key_id, self.now)
                self.forget("lost", key_id)
                continue
            used = self.last_use(iam, key)["at"]
            is_whole = known and self.now - known[1] <= UNSEEN and not (used and used > known[0])
            first = known[0] if known and is_whole else self.now
            now.append(f"{key_id} {stamp(first)} {stamp(self.now)}")
            if not is_whole:
                self.log("inactive", key_id)
                if self.is_own(key) and key_id not in self.labelled():
                    self.told_inactive(key_id, "It is inactive")
        self.note(inactive=" ".join(now))

    def is_gone(self, iam: Any, key: Key) -> bool:
        """Whether it is a lost key whose day is over; then it is deleted."""
        lost = self.records("lost", 1).get(key["AccessKeyId"])
        if not lost:
            return False
        if self.is_known(key) or self.last_use(iam, key)["at"]:
            self.forget("lost", key["AccessKeyId"])  # somebody has it after all
            return False
        if self.now - lost[0] < LOST_FOR or not self.delete(iam, key["AccessKeyId"], "lost key removed"):
            return False
        self.forget("lost", key["AccessKeyId"])
        return True

    def may_be_deleted(self, iam: Any, key: Key) -> bool:
        """Whether it was seen inactive for the whole retention, day by day, and is in use by no stage."""
        first, last = self.records("inactive", 2).get(key["AccessKeyId"], (None, None))
        if key["Status"] == "Active" or not first or not last or self.now - last > UNSEEN:
            return False
        used = self.last_use(iam, key)["at"]
        return self.now - first >= days("RETENTION") and not (used and used > first)

    def make_room(self, iam: Any, keys: list[Key]) -> None:
        """Delete one of two keys where one may be; RotationError where neither may."""
        if len(keys) < 2:
            return
        if all(key["AccessKeyId"] in self.labelled() for key in keys):
            raise NotYetError("another rotation is under way, and its key has the second place")
        current = self.key_id(self.staged(CURRENT))
        if any(key["AccessKeyId"] == current and key["Status"] != "Active" for key in keys):
            raise RotationError(self.current_is_inactive(current))
        reasons = []
        for key in sorted(keys, key=lambda key: key["CreateDate"]):
            key_id, lost = key["AccessKeyId"], self.records("lost", 1)
            if key_id in self.labelled():
                reasons.append(f"{last4(key_id)} is in the secret's {' and '.join(self.labelled()[key_id])}")
            elif key_id in self.mentioned():
                reasons.append(f"{last4(key_id)} is named in the secret's value")
            elif key_id in lost:
                reasons.append(f"{last4(key_id)} is a lost key, and will be deleted within two days")
            elif key["Status"] == "Active":
                reasons.append(f"{last4(key_id)} is active, {self.last_use(iam, key)['said']}")
            elif not self.may_be_deleted(iam, key):
                reasons.append(f"{last4(key_id)} was not yet seen inactive for {days('RETENTION').days} days")
            elif self.delete(iam, key_id, "room made"):
                keys.remove(key)
                return
        if any(key["AccessKeyId"] in self.records("lost", 1) for key in keys):
            raise RotationError(f"no room for a new key yet ({'; '.join(reasons)}): the rotation goes on by itself")
        raise RotationError(
            f"{self.user} has two access keys and neither may be deleted ({'; '.join(reasons)}): find out who uses "
            "the one that is not AWSCURRENT, deactivate and delete it; the rotation then begins again by itself"
        )

    def unfinished(self, keys: list[Key]) -> tuple[str, str] | None:
        """The key that an earlier rotation made and stored and never finished, and its secret key, if it is still
        young enough to be rotated into use."""
        key_id, version = self.words("stored") if len(self.words("stored")) == 2 else ("", "")
        value = self.value(version) if version else None
        if not value or self.key_id(value) != key_id or key_id in self.records("replaced", 1):
            return None
        if key_id in (self.key_id(self.staged(CURRENT)), *self.words("current")):
            return None
        every = timedelta(days=self.secret.get("RotationRules", {}).get("AutomaticallyAfterDays", 0))
        spare = days("MAX_AGE") - every - days("GRACE") - MARGIN if every else MARGIN
        for key in keys:
            if key["AccessKeyId"] == key_id and key["Status"] == "Active":
                is_young = self.now - key["CreateDate"] <= max(spare, MARGIN)
                return (key_id, str(value[self.fields["secretkey"]])) if is_young else None
        return None

    def is_known(self, key: Key) -> bool:
        """Whether anybody could have the key from the secret: a value that has its id anywhere is enough."""
        return self.is_own(key) or any(key["AccessKeyId"] in (self.text(one) or "") for one in self.since(key))

    def is_own(self, key: Key) -> bool:
        """Whether the secret holds the key as its own, ever held it so, as far as is remembered, or was deployed to
        replace it. A key that is only mentioned, in a note, is not."""
        key_id = key["AccessKeyId"]
        remembered = {*self.words("current"), *self.records("replaced", 1), *self.words("stored")[:1]}
        if key_id in remembered or key_id in os.environ.get("KEYAUDIT_ADOPTED", "").split():
            return True
        values = [self.value(one) or {} for one in self.since(key)]
        return any(key_id in (self.key_id(value), value.get("accesskey")) for value in values)

    def since(self, key: Key) -> list[str]:
        """The versions that can have the key: a value never changes, so older ones cannot, and need not be read."""
        return [one["VersionId"] for one in self.versions() if one["CreatedDate"] >= key["CreateDate"] - SKEW]

    def is_relied_on(self, key_id: str) -> bool:
        """Whether AWSCURRENT or AWSPENDING has the key at this very moment."""
        self.refresh()
        return key_id in self.labelled()

    # --- keys -----------------------------------------------------------------------------------------------------
    def iam(self, current: dict[str, Any], config: Config) -> Any:
        """A client whose calls the master's key signs, or the function's role."""
        if not current.get("masterarn"):
            return boto3.client("iam", config=config)
        master = parsed(self.fetch(SecretId=current["masterarn"], VersionStage=CURRENT)) or {}
        names = self.fields if os.environ["KEYAUDIT_MASTER"] == "self" else {n: n for n in self.fields}
        if not (master.get(names["accesskey"]) and master.get(names["secretkey"])):
            raise RotationError("the secret of masterarn holds no key to sign with; put a first one in it")
        return boto3.client("iam", **self.signing(master, names), config=config)

    def signing(self, value: dict[str, Any], names: dict[str, str] | None = None) -> dict[str, Any]:
        names = names or self.fields
        pair = {"accesskey": "aws_access_key_id", "secretkey": "aws_secret_access_key"}
        return {parameter: value[names[name]] for name, parameter in pair.items()} | {"aws_session_token": None}

    def keys(self, iam: Any) -> list[Key]:
        try:
            pages = list(iam.get_paginator("list_access_keys").paginate(UserName=self.user))
        except iam.exceptions.NoSuchEntityException:
            raise RotationError(
                f"IAM has no user {self.user} any more: take its rotation away (keyaudit rotation remove)"
            ) from None
        return [key for page in pages for key in page["AccessKeyMetadata"]]

    def last_use(self, iam: Any, key: Key) -> dict[str, Any]:
        found = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]
        at, service = found.get("LastUsedDate"), found.get("ServiceName", "N/A")
        if at is None:
            return {"at": None, "said": "never used"}
        return {"at": at, "said": f"last used {stamp(at)} in {found.get('Region')} by {service}"}

    def update(self, iam: Any, key_id: str, status: str) -> None:
        iam.update_access_key(UserName=self.user, AccessKeyId=key_id, Status=status)

    def deactivate(self, iam: Any, key_id: str, why: str) -> None:
        if self.is_relied_on(key_id):
            return self.log("already current", key_id)
        # noted and said before it is done: whoever brings it back, although the function died here, is listened to
        self.keep("inactive", key_id, self.now, self.now)
        self.told_inactive(key_id, f"{why}. It is deactivated now")
        self.update(iam, key_id, "Inactive")
        self.log("deactivated", key_id)
        if self.is_relied_on(key_id):  # a person went back to it in this very moment
            self.update(iam, key_id, "Active")
            self.log("active again", key_id)
            self.notify(f"{last4(key_id)} is active again: AWSCURRENT went back to it")
        return None

    def delete(self, iam: Any, key_id: str, outcome: str) -> bool:
        listed = {key["AccessKeyId"]: key["Status"] for key in self.keys(iam)}
        if self.is_relied_on(key_id) or listed.get(key_id) == "Active":
            return False
        with suppress(iam.exceptions.NoSuchEntityException):
            iam.delete_access_key(UserName=self.user, AccessKeyId=key_id)
        self.log(outcome, key_id)
        return True

    # --- the secret -----------------------------------------------------------------------------------------------
    def refresh(self) -> None:
        self.secret, self.listed = self.secrets.describe_secret(SecretId=self.secret_id), None

    def stages(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = self.secret.get("VersionIdsToStages", {})
        return found

    def words(self, name: str) -> list[str]:
        """What a tag remembers."""
        tags = {tag["Key"]: tag["Value"] for tag in self.secret.get("Tags", [])}
        return str(tags.get(TAG + name, "")).split()

    def records(self, name: str, number: int) -> dict[str, list[datetime]]:
        """What a tag remembers of keys, so many times each; what it cannot have written is nothing."""
        words = self.words(name)
        groups = [words[at : at + number + 1] for at in range(0, len(words), number + 1)]
        with suppress(ValueError):
            return {key_id: [moment_of(one) for one in times] for key_id, *times in groups if len(times) == number}
        return {}

    def attempt(self) -> tuple[datetime | None, list[str]]:
        """(start, ids of the keys that existed before) of an attempt to make a key that has not ended."""
        with suppress(ValueError):  # empty, or not as it is written
            _, begun, *before = self.words("attempt")
            return moment_of(begun), before
        return None, []

    def note(self, **values: str) -> None:
        """Write tags that are other than they were, in one call."""
        told = {TAG + name: value for name, value in values.items() if self.words(name) != value.split()}
        if told:
            tags = [{"Key": name, "Value": value} for name, value in told.items()]
            self.secrets.tag_resource(SecretId=self.secret_id, Tags=tags)
            self.secret["Tags"] = [one for one in self.secret.get("Tags", []) if one["Key"] not in told] + tags

    def keep(self, name: str, key_id: str, *times: datetime) -> None:
        """Write the record of one key; those of others stay."""
        found = self.records(name, len(times)) | {key_id: list(times)}
        self.note(**{name: " ".join(" ".join([one, *map(stamp, at)]) for one, at in found.items())})

    def forget(self, name: str, key_id: str) -> None:
        """Take the record of one key away."""
        kept = {one: at for one, at in self.records(name, 1).items() if one != key_id}
        self.note(**{name: " ".join(" ".join([one, *map(stamp, at)]) for one, at in kept.items())})

    def fetch(self, **what: str) -> str | None:
        """A value of a secret as it is stored; None where there is none."""
        try:
            answer = self.secrets.get_secret_value(**what)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            return None
        return str(answer.get("SecretString") or answer.get("SecretBinary", b"").decode("latin-1"))

    def text(self, version: str) -> str | None:
        """The value of a version, which never changes once it is there."""
        if self.texts.get(version) is None:
            self.texts[version] = self.fetch(SecretId=self.secret_id, VersionId=version)
        return self.texts[version]

    def value(self, version: str) -> dict[str, Any] | None:
        return parsed(self.text(version))

    def staged(self, stage: str) -> dict[str, Any] | None:
        """The value of a stage; RotationError where it is of another form."""
        version = next((one for one, stages in self.stages().items() if stage in stages), None)
        text = self.text(version) if version else None
        value = parsed(text)
        if text is not None and value is None:
            raise RotationError("the secret is no JSON object with username, accesskey and secretkey")
        return value

    def problem(self, value: dict[str, Any] | None) -> str:
        """What keeps the value of AWSCURRENT from being rotated, with no value in it; empty where nothing does."""
        user, key, secret = (self.fields[name] for name in ("username", "accesskey", "secretkey"))
        if value is None:
            return f'the secret has no value: put {{"{user}": "{self.user}"}} in it'
        if user not in value:
            return f'the secret has no field "{user}": put the user\'s name there'
        if value[user] != self.user:
            return f"the secret is of another user than {self.user}, for whom the function was deployed"
        if bool(value.get(key)) != bool(value.get(secret)):
            return f"the secret has {key} or {secret}, and not the other"
        if master := value.get("masterarn"):
            names = {self.secret["ARN"], self.secret["Name"]}
            deployed_for = os.environ.get("KEYAUDIT_MASTER", "")
            if master != deployed_for and not (deployed_for == "self" and master in names):
                return "the secret names a masterarn that the function was not deployed with"
        found, mine = KEY_ID.findall(json.dumps(value)), value.get(key)
        if (found and not mine) or found.count(mine) > 1:
            places = sorted(name for name, one in value.items() if name != key and str(one) in found)
            where = f'in the field "{places[0]}"' if places else "in another place of its value"
            return f"the secret has its key {where}, which would not be rotated: deploy --fields"
        return ""

    def stale(self, value: dict[str, Any], keys: list[Key]) -> str:
        """What keeps it from being rotated besides: a field of its own for another key of the user."""
        theirs = {key["AccessKeyId"] for key in keys}
        names = [name for name, one in value.items() if name != self.fields["accesskey"] and str(one) in theirs]
        return f'the secret has another key of {self.user} in the field "{names[0]}": take it out' if names else ""

    def current(self) -> dict[str, Any]:
        """The value of AWSCURRENT, which must fit; and the record of which key is there. What does not follow from
        the last record starts every grace anew."""
        value = self.staged(CURRENT)
        if problem := self.problem(value):
            raise RotationError(problem)
        key_id, known = self.key_id(value), " ".join(self.words("current"))
        if key_id != known:
            self.note(current=key_id, replaced=f"{known} {stamp(self.now)}" if known else "", waiting="")
        elif key_id in self.records("replaced", 1):
            self.note(replaced="")
        return value or {}

    def pending_key(self) -> str:
        key_id = self.key_id(self.value(self.token))
        if not key_id:
            raise RotationError("the pending version has no key: createSecret must come first")
        return key_id

    def labelled(self) -> dict[str, list[str]]:
        """Ids of the keys in AWSCURRENT and AWSPENDING, which are never taken away, and where they are."""
        found: dict[str, list[str]] = {}
        for version, stages in self.stages().items():
            for stage in {CURRENT, PENDING}.intersection(stages):
                if key_id := self.key_id(self.value(version)):
                    found.setdefault(key_id, []).append(stage)
        return found

    def mentioned(self) -> set[str]:
        """Ids of keys anywhere in AWSCURRENT and AWSPENDING: somebody may read them there, or a person wrote them
        down."""
        live = [one for one, stages in self.stages().items() if {CURRENT, PENDING}.intersection(stages)]
        return {key_id for one in live for key_id in KEY_ID.findall(self.text(one) or "")}

    def versions(self) -> list[dict[str, Any]]:
        """All versions of the secret, those that no stage is on any more included."""
        if self.listed is not None:
            return self.listed
        found: list[dict[str, Any]] = []
        more = {"SecretId": self.secret_id}
        while True:
            page = self.secrets.list_secret_version_ids(IncludeDeprecated=True, **more)
            found += page["Versions"]
            if not page.get("NextToken"):
                self.listed = found
                return found
            more["NextToken"] = page["NextToken"]

    def put(self, value: dict[str, Any], token: str) -> None:
        """A new version, AWSPENDING."""
        what = {"ClientRequestToken": token, "SecretString": json.dumps(value), "VersionStages": [PENDING]}
        self.secrets.put_secret_value(SecretId=self.secret_id, **what)

    def clear_pending(self, version: str) -> None:
        self.secrets.update_secret_version_stage(
            SecretId=self.secret_id, VersionStage=PENDING, RemoveFromVersionId=version
        )
        self.stages()[version] = [one for one in self.stages().get(version, []) if one != PENDING]

    def key_id(self, value: dict[str, Any] | None) -> str:
        """The id of the key in a value of the secret; empty where there is none yet."""
        return str((value or {}).get(self.fields["accesskey"]) or "")

    # --- what people are told -------------------------------------------------------------------------------------
    def way_back(self, key_id: str) -> str:
        return (
            f"To bring it back: aws iam update-access-key --user-name '{self.user}' --status Active "
            f"--access-key-id ID, its id that ends with {key_id[-4:]} (aws iam list-access-keys "
            f"--user-name '{self.user}')"
        )

    def told_inactive(self, key_id: str, why: str) -> None:
        kept = f"and will be deleted after {days('RETENTION').days} days"
        self.notify(f"{last4(key_id)}: {why}, {kept}. {self.way_back(key_id)}")

    def name(self, key_id: str) -> None:
        """An active key of nobody, said once."""
        self.log("nobody's key", key_id)
        if key_id not in self.words("named"):
            self.notify(
                f"{last4(key_id)} is an active key that is not the secret's, or that its value names in another "
                "place: it is left alone, nobody rotates it, and while it is there no new key can be made. "
                "Find out who uses it"
            )
            self.note(named=" ".join([*self.words("named"), key_id][-4:]))

    def log(self, outcome: str, key_id: str = "", **more: str) -> None:
        line = {"at": stamp(self.now), "user": self.user, "key": last4(key_id) or None, "step": self.step}
        line |= {"token": self.token or None, "outcome": outcome, "version": VERSION}
        print(json.dumps({**line, **more}), flush=True)

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


def deployed(name: str) -> dict[str, str]:
    """What the function was deployed with."""
    return dict(json.loads(os.environ.get(f"KEYAUDIT_{name}", "{}")))


def parsed(text: str | None) -> dict[str, Any] | None:
    """A value of a secret; None where it is no JSON object."""
    with suppress(ValueError, RecursionError):
        value = json.loads(text or "")
        return value if isinstance(value, dict) else None
    return None


def days(name: str) -> timedelta:
    return timedelta(days=float(os.environ[f"KEYAUDIT_{name}"]))


def instant() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def moment_of(text: str) -> datetime:
    """ValueError unless it is a time with a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def last4(key_id: str) -> str:
    return f"****{key_id[-4:]}" if key_id else ""


def code_of(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__


def took_no_effect(error: Exception) -> bool:
    """Whether AWS answered, and that it did nothing."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return 400 <= status < 500 and code_of(error) not in UNCLEAR
