"""Keys that may be gone: lost ones, those seen inactive for long, and room for a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from keyaudit.rotation.function.basics import (
    CONNECT,
    CURRENT,
    ENDED,
    LOST_FOR,
    MARGIN,
    READ,
    SKEW,
    UNSEEN,
    Key,
    NotYetError,
    RotationError,
    days,
    last4,
    stamp,
)
from keyaudit.rotation.function.iam_keys import Keys


class Spare(Keys):
    """Which of the keys is needed by nobody, and which is gone on with."""

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

    def current_is_inactive(self, key_id: str) -> str:
        return f"the secret's key {last4(key_id)} is inactive, and nothing else is touched. {self.way_back(key_id)}"
