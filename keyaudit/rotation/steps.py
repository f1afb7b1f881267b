"""What to do in each case, in the safe order, and the command for each step (pure).

What can be undone comes before what cannot; what is in use is moved before it is switched off; each deactivation
begins with reading the last use again. Whatever a command takes from outside is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from keyaudit.retiring import SLACK
from keyaudit.rotation import cases
from keyaudit.rotation.cases import Case, Key, User
from keyaudit.rotation.periods import Periods
from keyaudit.rotation.remarks import option
from keyaudit.schema import COMPLIANT, ROTATION, InputError
from keyaudit.texts import listed, say

LONGEST_GRACE, LONGEST_EVERY = 14, 60
#: the service of a last use that shows that mail is sent
SES = "ses"


@dataclass(frozen=True)
class Step:
    """What to do, and the command for it, if there is one; ``changes``: whether the command changes anything."""

    text: str
    command: str = ""
    changes: bool = False


def steps_of(case: Case, user: User) -> tuple[Step, ...]:
    """The safe order."""
    if user.is_root:
        return tuple(_root(case))
    steps = [_step("who", "aws sts get-caller-identity --query Account --output text"), *_of(case, user)]
    # a name that IAM cannot have is put into no command: it might do anything to a terminal
    is_safe = user.name.isprintable()
    return tuple(steps if is_safe else [Step(one.text) for one in steps])


def deletion(keys: tuple[Key, ...], user: User) -> tuple[Step, ...]:
    """A task of its own, 30 days after the keys were deactivated."""
    n = len(keys)
    if user.is_root:
        return tuple(_step(f"root_{name}", n=n) for name in ("inactive", "delete", "check"))
    steps = [_step("who", "aws sts get-caller-identity --query Account --output text")]
    steps.append(_step("inactive", f"aws iam list-access-keys {_named(user)}", n=n, ids=_holders(keys)))
    for key in keys:
        steps.append(_step("unused_since", _last_use(key), which=key.name))
        # no command for a key that this plan leaves active: a later plan deactivates it, and will have the command
        what = f"aws iam delete-access-key {_named(user)} --access-key-id {_holder(key)}"
        what = what if key.may_go or not key.is_active else ""
        steps.append(_step("delete" if what else "delete_later", what, True, which=key.name))
    return tuple(steps if user.name.isprintable() else [Step(one.text) for one in steps])


def _of(case: Case, user: User) -> Iterator[Step]:
    name, keys = case.name, case.keys
    rotated = name in (cases.REPLACED, cases.STALLED, cases.UNREAD, cases.UNTOLD)
    whose = option("--user", user.name)
    if rotated:
        yield _step("status", f"keyaudit rotation status {whose}")
    if name == cases.STALLED:
        yield from _ses(keys)
        yield _step("not_by_hand")
        yield _step("again", f"keyaudit rotation now {whose}", True)
        return
    if name in (cases.IN_USE, cases.DUE_SOON):
        yield from _automatic(case, user)
        return
    yield _step("find", f"aws iam list-access-keys {_named(user)}", ids=_holders(keys))
    if name == cases.UNKNOWN:
        yield _step("capture")
        yield from _by_hand_of_two(tuple(key for key in keys if not key.is_idle))
        return
    # if the key is switched off, its last use is read again just before that
    yield from (_use(key) for key in keys if key not in case.gone)
    yield from _ses(keys)
    yield from _middle(case, user)
    for key in case.gone:
        yield _step("anew", _last_use(key), which=key.name)
        what = f"aws iam update-access-key {_named(user)} --access-key-id {_holder(key)} --status Inactive"
        yield _step("deactivate", what, True, which=key.name)
    yield from _after(case, user)


def _middle(case: Case, user: User) -> Iterator[Step]:
    """The step between looking and switching off."""
    name, keys = case.name, case.keys
    if user.kind == cases.PERSON and name not in (cases.NEVER_USED, cases.NOT_USED, cases.LOOK_UP, *_BY_FUNCTION):
        yield _step("person")
    elif user.kind == cases.MAYBE:
        yield _step("ask_who")
    if name in (cases.UNREAD, cases.WAIT, cases.LOOK_UP, cases.UNTOLD):
        yield _step(name)
    elif name == cases.REPLACED:
        yield _step("move_secret")
    elif name == cases.IN_PROGRESS:
        yield _step("move", old=keys[0].name, new=keys[-1].name)
        yield from _by_hand_of_two(keys[:1]) if keys[-1].is_overdue else ()
        if not case.gone:
            yield _step("later", which=keys[0].name)
    elif name in (cases.BOTH_IN_USE, cases.TWO_KEYS):
        yield _step("consumer", old=keys[0].name, new=keys[-1].name)
        yield from _by_hand_of_two(keys)
        yield _step("moved", which=keys[0].name)
    elif name == cases.NOT_ALLOWED:
        yield _step("role")


def _after(case: Case, user: User) -> Iterator[Step]:
    """What remains to be done about keys that are in use."""
    name, keys = case.name, case.keys
    others = [key for key in keys if key not in case.gone]
    if name == cases.SPARE:
        is_moved = user.is_barred or user.kind == cases.PERSON
        if user.is_barred:
            yield _step("role")
        yield _step("moved" if is_moved else "other", which=others[-1].name)
        if any(key.is_overdue and not key.is_idle for key in others):
            yield _step("hand_after", which=case.gone[0].name)
    elif name in (cases.UNKNOWN_USE, cases.ASK):
        yield _step("as_in_use" if name == cases.UNKNOWN_USE else "if_program")
        yield from _automatic(case, user)
    elif name in (cases.A_PERSON_S, cases.NOT_ALLOWED):
        if len(keys) > 1:
            yield from _by_hand_of_two(keys)
        elif keys[0].is_overdue:
            yield from _by_hand(user, keys[0])
        yield from (_step("moved", which=key.name) for key in keys)


#: cases in which a function of keyaudit's makes and retires keys
_BY_FUNCTION = (cases.REPLACED, cases.UNREAD, cases.UNTOLD)


def _automatic(case: Case, user: User) -> Iterator[Step]:
    """Automatic rotation, if any periods fit the limit."""
    key = case.keys[0]
    if case.name in (cases.IN_USE, cases.DUE_SOON):
        yield from _ses((key,))
    if user.kind == cases.NOT_TOLD:
        yield _step("password", f"aws iam get-login-profile {_named(user)}")
    periods = periods_for(key.limit) if key.limit else None
    if periods is None:
        yield _step("no_periods", n=key.limit or 0)
    else:
        yield from (_step("room", which=one.name) for one in user.keys if not one.is_active)
        whose = option("--user", user.name)
        deploy = f"keyaudit rotation deploy {whose} {options_of(periods)}"
        yield _step("show", deploy, True)
        yield _step("deploy", f"{deploy} --yes", True)
        yield _step("rotate", f"keyaudit rotation now {whose}", True)
        yield _step("consumers")
        yield _step("check", f"keyaudit rotation status {whose}")
    if key.is_overdue or periods is None:
        yield from _by_hand(user, key)
        if periods:
            yield _step("hand_first")


def _by_hand(user: User, key: Key) -> Iterator[Step]:
    """What to do in the meantime about a key that is overdue and in use."""
    yield from (_step("hand_room", which=one.name) for one in user.keys if not one.is_active)
    yield _step("hand", f"aws iam create-access-key {_named(user)}", True, which=key.name)


def _by_hand_of_two(keys: tuple[Key, ...]) -> Iterator[Step]:
    """The same if both slots are taken: move to the other key, if that is in time."""
    over = [key for key in keys if key.is_overdue]
    in_time = [key for key in keys if key.types.get(ROTATION) == COMPLIANT]
    if over and in_time:
        yield _step("hand_other", old=over[0].name, new=in_time[-1].name)
    elif over:
        yield _step("hand_full", old=over[0].name)


def _root(case: Case) -> Iterator[Step]:
    yield _step("root_find")
    yield from _ses(case.keys)
    yield _step("root_anew")
    yield _step("root_deactivate" if case.name == cases.ROOT else "root_later")


def fits(key: Key) -> bool:
    """Whether there are periods of automatic rotation that keep the limit of a key."""
    return key.limit is not None and periods_for(key.limit) is not None


def periods_for(limit: int) -> Periods | None:
    """Periods that keep a limit of so many days, the longest usual ones; None if none do."""
    grace = max(1, min(LONGEST_GRACE, limit // 6))
    try:
        return Periods.of(min(LONGEST_EVERY, limit - grace - SLACK), grace, limit)
    except InputError:
        return None


def options_of(periods: Periods) -> str:
    """The periods as options of ``keyaudit rotation deploy``."""
    return f"--every {periods.every} --grace {periods.grace} --max-age {periods.max_age}"


def _step(name: str, command: str = "", changes: bool = False, **facts: object) -> Step:
    return Step(say(f"plan.step.{name}", **facts), command, changes)


def _use(key: Key) -> Step:
    return _step("use", _last_use(key), which=key.name)


def _ses(keys: Iterable[Key]) -> Iterator[Step]:
    if any(key.service.lower() == SES for key in keys):
        yield _step("ses")


def _last_use(key: Key) -> str:
    return f"aws iam get-access-key-last-used --access-key-id {_holder(key)}"


def _named(user: User) -> str:
    return option("--user-name", user.name)


def _holder(key: Key) -> str:
    """What stands in a command for a key's id, of which a report has at most the last characters: whoever runs the
    command looks up the id first, and a command that is pasted unread does nothing."""
    return f"{re.sub('[^A-Z0-9]+', '_', key.name.upper()).strip('_')}_ID"


def _holders(keys: Iterable[Key]) -> str:
    return listed("pair", sorted(_holder(key) for key in keys))
