"""The secret: its versions and their stages, its value, and the tags in which the function remembers."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from keyaudit.rotation.function.basics import (
    CURRENT,
    KEY_ID,
    PENDING,
    TAG,
    Key,
    RotationError,
    moment_of,
    parsed,
    stamp,
)
from keyaudit.rotation.function.clients import code_of
from keyaudit.rotation.function.notices import Call


class Secret(Call):
    """What is in the secret, and what the function writes there."""

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
