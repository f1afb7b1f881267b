"""The daily run: what the secret replaced is deactivated and later deleted, and what is stuck goes on."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keyaudit.rotation.function.basics import (
    CURRENT,
    MARGIN,
    NEAR,
    PENDING,
    STUCK,
    Key,
    RotationError,
    days,
    last4,
    stamp,
)
from keyaudit.rotation.function.clients import PATIENT, code_of
from keyaudit.rotation.function.spare import Spare


class Daily(Spare):
    """The daily look at one secret and its user's keys."""

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
