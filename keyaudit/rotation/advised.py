"""The plan of an Audit as advice for files that others read: without steps and commands (pure)."""

from __future__ import annotations

from keyaudit.model import Advice, Audit
from keyaudit.rotation.plan import plan
from keyaudit.rotation.planned import Task
from keyaudit.rotation.printed import told


def advice(audit: Audit) -> tuple[Advice, ...]:
    """What is to be done, worst first."""
    return tuple(map(_of, plan(audit)))


def _of(task: Task) -> Advice:
    return Advice(
        account_id=task.account_id,
        account_name=task.account_name,
        user=task.user,
        is_root=task.owned.user.is_root,
        owner=task.owner,
        keys=tuple((one.slot, one.key_id) for one in task.about),
        key=task.key,
        told="; ".join(map(told, task.keys)),
        status=task.status,
        made=task.made,
        age_days=task.age_days,
        limit=task.limit,
        days_over=task.days_over,
        last_used=task.last_used,
        action=task.action,
        by_when=task.by_when,
        purpose=task.purpose,
    )
