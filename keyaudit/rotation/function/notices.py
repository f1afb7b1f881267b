"""One call of the function, and what it tells people: in its log, and in notices."""

from __future__ import annotations

import json
import os
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from keyaudit.rotation.function.basics import VERSION, days, deployed, instant, last4, stamp
from keyaudit.rotation.function.clients import PATIENT, code_of


class Call:
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

    def way_back(self, key_id: str) -> str:
        return (
            f"To bring it back: aws iam update-access-key --user-name '{self.user}' --status Active "
            f"--access-key-id ID, its id that ends with {key_id[-4:]} (aws iam list-access-keys "
            f"--user-name '{self.user}')"
        )

    def told_inactive(self, key_id: str, why: str) -> None:
        kept = f"and will be deleted after {days('RETENTION').days} days"
        self.notify(f"{last4(key_id)}: {why}, {kept}. {self.way_back(key_id)}")

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
