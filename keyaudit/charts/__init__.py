"""The charts of the workbooks: the keys of an Audit + its policy -> matplotlib Axes (pure).

``plot_ages``       how old active keys are, against the limit
``plot_two``        the same, then and now, of two Audits
``plot_share``      which share of them is no older than any age
``plot_deadlines``  what is overdue, and what falls due in the next 90 days
``plot_idle``       age against days without use
``plot_accounts``   accounts by verdict, and how old the oldest active key of each is

Each but ``plot_two`` takes ``(keys, policy, as_of=None, ax=None)``, and each returns the Axes. ``keys`` is
``Audit.keys``, but for ``plot_accounts`` ``Audit.accounts`` (see ``schema``), and is never changed; ``as_of`` is
that of the audit, by default what the keys tell of it (accounts tell none). Without ``ax`` a new figure is made,
without pyplot; an ``ax`` whose figure has no layout engine gets the constrained one, so that nothing is cut. The
title claims what was found, the subtitle gives population and date, and ``ax.get_label()`` is the alternative text.
An empty population gives an Axes that says so in words.

What a reports folder says of a period (``Operated``) -> Axes, with an ``ax`` or without:

``plot_calendar``      in which periods evidence was made
``plot_over_time``     how the keys stood against their limits
``plot_breaches``      the keys that were late the longest
``plot_replacements``  at which age keys were replaced

``facts``   what is shown and said: counts, claims, alternative texts (no matplotlib)
``canvas``  figure, titles, limit lines, marks; ``placing`` room for the texts around an Axes; ``scale`` an axis of
            days, ``dates`` one of dates; ``empty`` nothing to draw; ``verdicts`` the bar of accounts by verdict
"""

from keyaudit.charts.accounts import plot_accounts
from keyaudit.charts.ages import plot_ages, plot_two
from keyaudit.charts.deadlines import plot_deadlines
from keyaudit.charts.gantt import plot_breaches
from keyaudit.charts.idle import plot_idle
from keyaudit.charts.replaced import plot_replacements
from keyaudit.charts.share import plot_share
from keyaudit.charts.standing import plot_over_time
from keyaudit.charts.strip import plot_calendar

__all__ = [
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
]
