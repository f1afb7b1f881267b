"""The four steps of a rotation, as Secrets Manager calls them."""

from __future__ import annotations

import time
import uuid
from typing import Any

import boto3
from botocore.exceptions import ClientError

from keyaudit.rotation.function.basics import (
    CURRENT,
    LEFT,
    PENDING,
    SKEW,
    Key,
    NotYetError,
    RotationError,
    instant,
    last4,
    stamp,
)
from keyaudit.rotation.function.clients import ONCE, PATIENT, code_of, took_no_effect
from keyaudit.rotation.function.spare import Spare


class Steps(Spare):
    """A rotation, step by step; each can be called any number of times."""

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
