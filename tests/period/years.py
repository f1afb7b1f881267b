"""Shared by the tests of a period: snapshots from literal rows, and a made-up year of them with its naive truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from conftest import ACCOUNT

from keyaudit.model.over_period import PRESENT, DuePeriod, KeyOverPeriod, PeriodVerdict
from keyaudit.period import SeenAccount, SeenKey, Snapshot, Window, conclude
from keyaudit.policy import Policy, parse_policy
from keyaudit.schema import COMPLIANT, INSUFFICIENT_DATA, NON_COMPLIANT

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SUBJECT = "key_rotation 111122223333"
POLICIES: dict[str, Policy] = {}


def at(text: str) -> datetime:
    """``01-31`` and ``01-31 06:00`` are in 2026; a year may stand in front. UTC."""
    day, _, hour = text.partition(" ")
    whole = day if day.count("-") == 2 else f"2026-{day}"
    return datetime.fromisoformat(f"{whole}T{hour or '00:00'}").replace(tzinfo=UTC)


def terms(limit: int | None = 90, more: str = "") -> Policy:
    """A policy with a limit in days, and more lines of TOML."""
    text = 'title = "standard"\n' + (f"max_access_key_age = {limit}\n" if limit else "") + more
    return POLICIES.setdefault(text, parse_policy(text.encode(), "standard.toml"))


def exempt(user: str, expires: str, cap: int | None = None) -> str:
    """An exemption from rotation, as lines of a policy."""
    lines = [f'id = "EXC-{user}"', f'users = ["{user}"]', 'controls = ["rotation"]', f"expires = {expires}"]
    lines += ['reason = "vendor"', 'approved_by = "CISO"']
    lines += [f"max_access_key_age = {cap}"] if cap else []
    return "\n".join(["[[exemption]]", *lines, ""])


def key(
    user: str, created: str | datetime | None, on: bool = True, account: str = ACCOUNT, **more: object
) -> SeenKey:
    """A key as a snapshot shows it."""
    made = at(created) if isinstance(created, str) else created
    return SeenKey(account, user, more.pop("born", None), more.pop("key_id", None), made, on, **more)  # type: ignore[arg-type]


def snapshot(
    as_of: str | datetime,
    *keys: SeenKey,
    policy: Policy | None = None,
    accounts: Iterable[str | SeenAccount] = (ACCOUNT,),
    conclusion: str = "",
    sealed: str = "",
    **more: object,
) -> Snapshot:
    """An evidence folder; its conclusion, unless it is given, is that of its keys."""
    when = at(as_of) if isinstance(as_of, str) else as_of
    policy = policy or terms()
    told = tuple(SeenAccount(one) if isinstance(one, str) else one for one in accounts)
    return Snapshot(
        subject=SUBJECT,
        folder=f"{when:%m-%d}" + (f" {when:%H:%M}" if when.hour or when.minute else ""),
        as_of=when,
        started=when,
        sealed=at(sealed) if sealed else when + timedelta(minutes=1),
        policy=policy,
        conclusion=conclusion or naive_conclusion(keys, told, policy, when),
        accounts=told,
        keys=keys,
    )


def naive_conclusion(
    keys: Sequence[SeenKey], accounts: Sequence[SeenAccount], policy: Policy, as_of: datetime
) -> str:
    """On rotation, by a policy with one limit and exemptions by name."""
    kinds = {naive_kind(one, policy, as_of) for one in keys if one.is_active}
    if NON_COMPLIANT in kinds or policy.max_access_key_age is None:
        return NON_COMPLIANT
    is_whole = all(one.is_read and one.is_whole for one in accounts) and policy.given
    return COMPLIANT if is_whole and INSUFFICIENT_DATA not in kinds else INSUFFICIENT_DATA


def naive_kind(one: SeenKey, policy: Policy, as_of: datetime) -> str:
    if one.created is None:
        return INSUFFICIENT_DATA
    age, limit = as_of - one.created, policy.max_access_key_age
    for found in policy.exemption:
        cap = found.max_access_key_age
        if one.user in found.users and as_of.date() < found.expires and (cap is None or age <= cap * DAY):
            return COMPLIANT
    return NON_COMPLIANT if limit is None or age > limit * DAY else COMPLIANT


def due_of(first: str, last: str, days: int = 7, state: str = PRESENT) -> list[DuePeriod]:
    """Periods of so many days, named by their first day, that cover the days from first to last."""
    start, found = at(first), []
    while start <= at(last):
        found.append(DuePeriod(f"{start:%m-%d}", start, start + days * DAY, state))
        start += days * DAY
    return found


def window(first: str = "01-01", last: str = "12-31") -> Window:
    return Window.of_days(at(first).date(), at(last).date())


def verdict(
    snapshots: Iterable[Snapshot],
    first: str = "01-01",
    last: str = "12-31",
    due: Iterable[DuePeriod] | None = None,
    policy: Policy | None = None,
) -> PeriodVerdict:
    """The verdict over some days; unless it is told what was due, each of them is in a period of its own that ends
    where the next one begins."""
    snapshots = list(snapshots)
    return conclude(
        SUBJECT, snapshots, one_each(snapshots, first, last) if due is None else due, window(first, last), policy
    )


def one_each(snapshots: Sequence[Snapshot], first: str, last: str) -> list[DuePeriod]:
    inside = sorted(one.as_of for one in snapshots if window(first, last).has(one.as_of))
    starts = [min(inside[0], at(first)), *inside[1:]] if inside else []
    return [DuePeriod(f"{a:%m-%d}", a, b, PRESENT) for a, b in pairwise([*starts, at(last) + DAY])]


def days(span: timedelta) -> float:
    return span / DAY


def of(found: PeriodVerdict, user: str) -> KeyOverPeriod:
    """The only key of a user."""
    (one,) = [each for each in found.keys if user in each.users]
    return one


def bounds(one: KeyOverPeriod) -> tuple[float, float]:
    """The days beyond the limit, proved and possible."""
    least, most = one.breach_days
    return days(least), days(most)
