"""Keys under automatic rotation, as a capture with ``--rotation`` shows them: verdicts, and what took place."""

from __future__ import annotations

from keyaudit import changed
from keyaudit.model import Audit, RotatedSecret
from keyaudit.present.account_names import named
from keyaudit.present.table import Prose, Table, table
from keyaudit.schema import COMPLIANCE_TYPES, FUNCTION_VERSION
from keyaudit.texts import listed, say, utc, visible

#: what the function logs of a thing that it did or saw, or that went wrong; the rest is routine. "not this secret's
#: key" is version 1's word for "nobody's key"
EVENTS = (
    "key made", "key stored", "key stored again", "fields carried over", "key works", "key is current",
    "still in use", "deactivated", "active again", "inactive", "deleted", "room made", "lost key deactivated",
    "lost key removed", "nobody's key", "not this secret's key", "attempt under way", "AWSPENDING cleared",
    "rotation begun again", "stopped", "failed", "notice not sent",
)  # fmt: skip


def rotated(a: Audit) -> Table | Prose:
    """One row per secret, worst first: whether its key is rotated within the policy, by IAM's dates."""
    if not _asked(a):
        return Prose((say("rotated.not_asked"),))
    names = named(a)
    found = sorted(a.rotations, key=lambda one: (COMPLIANCE_TYPES.index(one.compliance_type), one.secret.user))
    rows = [
        [
            names[one.secret.account_id],
            one.secret.user,
            one.secret.name,
            one.compliance_type,
            utc(one.made) or None,
            one.age_days,
            one.limit,
            listed("remarks", [one.annotation, *one.remarks]),
        ]
        for one in found
    ]
    return table("rotated", rows, most=None, is_list=True)


def outdated_functions(a: Audit) -> Prose:
    """The functions of older versions, what is wrong with them, and what updates them; nothing where there are
    none."""
    secrets: dict[tuple[str, str, str, int], list[str]] = {}
    for one in (verdict.secret for verdict in a.rotations):
        if one.is_older:
            secrets.setdefault((one.account_id, one.region, one.function, one.version), []).append(one.name)
    if not secrets:
        return Prose(())
    items, called = [], named(a)
    for (account, region, function, version), names in sorted(secrets.items()):
        wrong = say(f"outdated.wrong_{version}")
        sentence = say("outdated.function", function=function, region=region, version=version, wrong=wrong)
        items.append(
            say("outdated.of_account", account=called[account], sentence=sentence, secrets=", ".join(names))
        )
    some = say("outdated.some", n=len(secrets), today=FUNCTION_VERSION)
    return Prose((some, say("outdated.update")), "problems", tuple(map(visible, items)))


def rotation_schedules(a: Audit) -> Table | Prose:
    """One row per secret: what Secrets Manager says about its schedule, and when the versions with a stage were
    made."""
    if not _asked(a):
        return Prose(())
    names = named(a)
    rows = [
        [
            names[one.account_id],
            one.name,
            say("table.yes" if one.is_enabled else "table.no"),
            one.every if one.every is not None else one.schedule or None,
            utc(one.last_rotated) or None,
            utc(one.next_rotation) or None,
            _stages(one),
        ]
        for one in (verdict.secret for verdict in a.rotations)
    ]
    return table("rotation_schedules", rows, most=None, is_list=True)


def rotation_keys(a: Audit) -> Table | Prose:
    """The keys of these users as IAM describes them, newest first."""
    if not _asked(a):
        return Prose((say("rotated.no_keys"),))
    names = named(a)
    rows = [
        [
            names[one.secret.account_id],
            one.secret.user,
            key.last4,
            say("table.key_active" if key.is_active else "table.key_inactive"),
            utc(key.created),
            utc(key.last_used) or None,
            key.used_by or None,
        ]
        for one in a.rotations
        for key in sorted(one.secret.keys or (), key=lambda key: key.created, reverse=True)
    ]
    return table("rotation_keys", rows, most=None)


def rotation_log(a: Audit, most: int = 60) -> Table | Prose:
    """What took place up to the instant of judgement, as the functions logged it, latest first."""
    if not _asked(a):
        return Prose((say("rotated.no_log"),))
    all_lines = [(line.at, one.secret, line) for one in a.rotations for line in one.secret.lines]
    lines = sorted((one for one in all_lines if one[2].outcome in EVENTS), key=lambda one: one[0])[::-1]
    names = named(a)
    rows = [
        [utc(at), names[secret.account_id], secret.user, line.step, line.key, line.outcome, line.said or None]
        for at, secret, line in lines
    ]
    return table("rotation_log", rows, most=most)


def changes(before: Audit | None, after: Audit) -> Table | Prose:
    """What changed since an earlier judgement; None: there is none to compare with."""
    if before is None:
        return Prose((say("changes.none_given"),))
    names = named(before) | named(after)
    rows = [
        [
            one.user,
            names[one.account_id],
            say(f"changes.{one.kind}"),
            utc(one.before) or None,
            utc(one.after) or None,
            say("table.yes" if one.was_overdue else "table.no"),
            say("table.yes" if one.is_overdue else "table.no"),
        ]
        for one in changed.changes(before, after)
    ]
    return table("changes", rows, most=100)


def _stages(secret: RotatedSecret) -> str | None:
    """Each stage, and when the version that has it was made."""
    found = [(stage, one.created) for one in secret.versions for stage in one.stages]
    return "; ".join(f"{stage} {utc(created)}" for stage, created in sorted(found)) or None


def _asked(a: Audit) -> bool:
    return any(one.rotations is not None for one in a.provenance)
