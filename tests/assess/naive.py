"""The judging rules once more, as naively as they can be written: one row at a time, no pandas, nothing of
keyaudit. Written from DESIGN.md and DOMAIN.md, to be compared with keyaudit by test_properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE = "COMPLIANT", "NON_COMPLIANT", "NOT_APPLICABLE"
INSUFFICIENT_DATA, EXEMPT = "INSUFFICIENT_DATA", "EXEMPT"
LIMITS = {
    "rotation": "max_access_key_age",
    "unused": "max_credential_usage_age",
    "active-keys": "max_active_keys",
}
ALL = ("rotation", "unused", "active-keys", "root-key")


def moment(cell: str) -> datetime | None:
    """The time in a cell; None for N/A, an empty cell and AWS's words for "not known"."""
    if cell in ("N/A", "", "no_information", "not_supported"):
        return None
    read = datetime.fromisoformat(cell.replace("Z", "+00:00")).astimezone(UTC)
    return read if read.year >= 2000 else None


def matches(pattern: str, name: str) -> bool:
    """``*`` any run of characters, ``?`` any one; case counts."""
    if not pattern:
        return not name
    if pattern[0] == "*":
        return any(matches(pattern[1:], name[start:]) for start in range(len(name) + 1))
    return bool(name) and pattern[0] in ("?", name[0]) and matches(pattern[1:], name[1:])


def in_scope(scope: dict, user: str, account: str | None) -> bool:
    """An unknown account is never among accounts that are named."""
    if "accounts" in scope and account not in scope["accounts"]:
        return False
    return "users" not in scope or any(matches(pattern, user) for pattern in scope["users"])


def limit_of(control: str, user: str, account: str | None, policy: dict) -> int | None:
    """The policy's limit, or the strictest of the overrides that match and have one."""
    base = policy.get(LIMITS[control])
    matching = [one for one in policy.get("override", []) if in_scope(one, user, account)]
    tighter = [one[LIMITS[control]] for one in matching if LIMITS[control] in one]
    return min(tighter) if tighter and base is not None else base


def too_old(age: timedelta, days: int, policy: dict) -> bool:
    if policy.get("age_comparison") == "whole_days":
        return age.days > days
    return age > timedelta(days=days)


def keys_of(row: dict[str, str]) -> list[dict]:
    """The access keys that exist: active, or inactive with a date."""
    found = []
    for slot in (1, 2):
        active = row[f"access_key_{slot}_active"].lower() == "true"
        rotated = moment(row[f"access_key_{slot}_last_rotated"])
        used_cell = row.get(f"access_key_{slot}_last_used_date", "no_information")
        if active or rotated:
            found.append(
                {
                    "user": row["user"],
                    "is_root": row["user"] == "<root_account>",
                    "slot": slot,
                    "active": active,
                    "rotated": rotated,
                    "used": moment(used_cell),
                    "no_answer": used_cell in ("no_information", "not_supported"),
                }
            )
    return found


def rotation(key: dict, limit: int | None, policy: dict, as_of: datetime) -> str:
    if not key["active"]:
        return NOT_APPLICABLE
    if limit is None:
        return NON_COMPLIANT
    if key["rotated"] is None or key["rotated"] > as_of:
        return INSUFFICIENT_DATA
    return NON_COMPLIANT if too_old(as_of - key["rotated"], limit, policy) else COMPLIANT


def unused(key: dict, limit: int, as_of: datetime) -> str:
    """Idle since the last use of this very key, else since it was made."""
    known = [when for when in (key["used"], key["rotated"]) if when]
    if not known or max(known) > as_of:
        return INSUFFICIENT_DATA
    if as_of - max(known) < timedelta(days=limit):
        return COMPLIANT
    return INSUFFICIENT_DATA if key["no_answer"] else NON_COMPLIANT


def exempt(control: str, user: str, account: str | None, rotated: datetime | None, policy: dict, as_of: datetime):
    """Whether an exemption in force covers a failing finding."""
    for exemption in policy.get("exemption", []):
        if control not in exemption["controls"] or not in_scope(exemption, user, account):
            continue
        if user == "<root_account>" and user not in exemption["users"]:
            continue
        expires: date = exemption["expires"]
        if as_of >= datetime.combine(expires, time(), UTC):
            continue
        cap = exemption.get("max_access_key_age")
        if control == "rotation" and cap is not None and rotated and too_old(as_of - rotated, cap, policy):
            continue
        return True
    return False


def gaps(rows: list[dict[str, str]], account: str | None, policy: dict, as_of: datetime) -> set[str]:
    """The controls for which evidence is missing, whatever the keys say."""
    missing: set[str] = set()
    if not rows:
        missing.update(ALL)
    if not any(row["user"] == "<root_account>" for row in rows):
        missing.add("root-key")
    newest: list[datetime] = []
    for row in rows:
        cells = [row.get("user_creation_time", "N/A")]
        for slot in (1, 2):
            if f"access_key_{slot}_last_used_date" not in row:
                missing.add("unused")
            cells += [row[f"access_key_{slot}_last_rotated"], row.get(f"access_key_{slot}_last_used_date", "N/A")]
        # the report knows of something after as_of: it was made later, and keys deleted in between are not in it
        if any(when > as_of for when in map(moment, cells) if when):
            missing.update(ALL)
        newest += [when for when in map(moment, cells) if when]
        if row.get("additional_credentials_info", "N/A") not in ("N/A", ""):
            missing.update(LIMITS)
            if row["user"] == "<root_account>":
                missing.add("root-key")
    # no file here says when it is from: whoever keeps to the policy would have touched an active key since
    active = [key["user"] for row in rows for key in keys_of(row) if key["active"]]
    days = [limit_of(control, user, account, policy) for user in active for control in ("rotation", "unused")]
    known = [one for one in days if one is not None]
    if newest and known and as_of - max(newest) > timedelta(days=min(known)):
        missing.update(ALL)
    if account is None:
        for override in policy.get("override", []):
            if "accounts" in override and any(
                in_scope({"users": override.get("users", ["*"])}, key["user"], None)
                for row in rows
                for key in keys_of(row)
            ):
                missing.update(control for control, name in LIMITS.items() if name in override)
    return missing


def worst(types: set[str]) -> str:
    for kind in (NON_COMPLIANT, INSUFFICIENT_DATA):
        if kind in types:
            return kind
    return COMPLIANT


def judge(rows: list[dict[str, str]], account: str | None, policy: dict, as_of: datetime):
    """-> findings {(control, user, slot): type}, conclusions {control: type}, and the overall conclusion."""
    findings: dict[tuple[str, str, int | None], str] = {}
    rotated: dict[tuple[str, str, int | None], datetime | None] = {}
    missing = gaps(rows, account, policy, as_of)
    has_root_key = False
    for row in rows:
        active = 0
        for key in keys_of(row):
            user, slot = key["user"], key["slot"]
            active += key["active"]
            place = ("rotation", user, slot)
            findings[place] = rotation(key, limit_of("rotation", user, account, policy), policy, as_of)
            rotated[place] = key["rotated"]
            idle = limit_of("unused", user, account, policy)
            if key["active"] and idle is not None:
                findings["unused", user, slot] = unused(key, idle, as_of)
            if key["is_root"]:
                findings["root-key", user, slot] = NON_COMPLIANT
                has_root_key = True
        most = limit_of("active-keys", row["user"], account, policy)
        if active and most is not None:
            findings["active-keys", row["user"], None] = NON_COMPLIANT if active > most else COMPLIANT
    if not has_root_key and "root-key" not in missing:
        findings["root-key", "<root_account>", None] = COMPLIANT
    for (control, user, slot), kind in list(findings.items()):
        undefined = control == "rotation" and "max_access_key_age" not in policy
        when = rotated.get((control, user, slot))
        if kind == NON_COMPLIANT and not undefined and exempt(control, user, account, when, policy, as_of):
            findings[control, user, slot] = EXEMPT
    conclusions = {}
    for control in ALL:
        if control in ("unused", "active-keys") and LIMITS[control] not in policy:
            continue
        types = {kind for (of, _, _), kind in findings.items() if of == control}
        if control in missing:
            types.add(INSUFFICIENT_DATA)
        if control == "rotation" and "max_access_key_age" not in policy:
            types.add(NON_COMPLIANT)
        conclusions[control] = worst(types)
    counting = {conclusions[control] for control in policy.get("controls", ALL) if control in conclusions}
    return findings, conclusions, worst(counting) if counting else INSUFFICIENT_DATA
