"""Where Lambda enters the function: one call for one secret, or the daily run of all."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from keyaudit.rotation.function.basics import CURRENT, LEFT, NotYetError, RotationError, deployed, instant
from keyaudit.rotation.function.clients import PATIENT, THROTTLED, code_of, took_no_effect
from keyaudit.rotation.function.daily import Daily
from keyaudit.rotation.function.four_steps import Steps


class Rotation(Steps, Daily):
    """Whatever the function is called for, for one secret."""

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
            steps = {
                "createSecret": self.create_secret,
                "setSecret": self.set_secret,
                "testSecret": self.test_secret,
                "finishSecret": self.finish_secret,
            }
            steps[self.step]()
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
    names, failed, late = sorted(users), [], []
    first = instant().toordinal() % max(1, len(names))
    for name in names[first:] + names[:first]:
        if context.get_remaining_time_in_millis() < 2 * LEFT:
            late.append(users[name])
            continue
        try:
            run(name, "retire", "", context)
        except RotationError:
            failed.append(users[name])
    told = [f"the daily run stopped for {len(failed)}: {', '.join(failed)}; see the lines above"] if failed else []
    told += [f"no time was left today for {len(late)}: {', '.join(late)}"] if late else []
    if told:
        raise RotationError("; ".join(told))


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
