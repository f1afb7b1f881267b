"""keyaudit: are AWS access keys rotated within the period that the policy sets?

The face that notebooks import, as ``import keyaudit as ka``. Names are loaded when they are first used, so that
``keyaudit --help`` imports no pandas. ``%reload_ext keyaudit`` shows charts with their alternative text.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str

_FACE = {
    "keyaudit.auditing": ("audit",),
    "keyaudit.evidence.over_time": ("over_period",),
    "keyaudit.charts": (
        "plot_accounts",
        "plot_ages",
        "plot_breaches",
        "plot_calendar",
        "plot_deadlines",
        "plot_idle",
        "plot_over_time",
        "plot_replacements",
        "plot_share",
        "plot_two",
    ),
    "keyaudit.compared": ("earlier",),
    "keyaudit.explore": ("explore", "side_by_side"),
    "keyaudit.model": ("Audit",),
    "keyaudit.policy": ("Policy", "load_policy"),
    "keyaudit.present.over_period": (
        "period_accounts",
        "period_figures",
        "period_gaps",
        "period_keys",
        "period_limits",
        "period_line",
        "period_missing",
        "period_numbers",
        "period_remarks",
    ),
    "keyaudit.present": (
        "accounts",
        "bottom_line",
        "boundary",
        "changes",
        "completeness",
        "controls",
        "differences",
        "due_soon",
        "exemptions",
        "figures",
        "headline",
        "inactive",
        "limits_of_audit",
        "more_than_one",
        "offenders",
        "outdated_functions",
        "policy_in_force",
        "problems",
        "provenance",
        "references",
        "root",
        "rotated",
        "rotation_keys",
        "rotation_log",
        "rotation_schedules",
        "scope",
        "since",
        "skipped",
        "unused",
        "worst",
    ),
    "keyaudit.rotation.plan": ("asked", "to_do"),
    "keyaudit.schema": ("CredentialReport", "EvidenceError", "InputError", "KeyAuditError", "PolicyError"),
}
_HOMES = {name: module for module, names in _FACE.items() for name in names}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value = _version()
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'keyaudit' has no attribute {name!r}")
    globals()[name] = value
    return value


def _version() -> str:
    # looked up where somebody asks: what reads it imports all of email, and help is to be quick
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("keyaudit")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"


def home_of(name: str) -> str:
    """The module that a name of the face comes from; empty if there is none of that name."""
    return _HOMES.get(name, "")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, "__version__"})


def load_ipython_extension(shell: Any) -> None:
    """``%reload_ext keyaudit``: charts are shown with their alternative text and, where somebody looks at the
    notebook, all outputs as pages show them."""
    from keyaudit.charts.html import register
    from keyaudit.frontend import dress

    register(shell)
    dress(shell)
