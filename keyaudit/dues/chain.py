"""The chain of ``previous`` through evidence folders, and where it is broken (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from keyaudit.model.folders import Entry
from keyaudit.texts import say


def with_links(found: list[Entry], faults: Mapping[Path, Sequence[str]]) -> dict[Path, list[str]]:
    """The faults of each folder, with those of its place in the chain and of its name."""
    breaks = _breaks(found)
    renamed = {one.path: [say("series.renamed", name=one.sealed_as)] for one in found if one.sealed_as}
    return {one.path: [*faults[one.path], *breaks.get(one.path, ()), *renamed.get(one.path, ())] for one in found}


def _breaks(found: list[Entry]) -> dict[Path, list[str]]:
    """Where the chain of ``previous`` is broken: evidence whose predecessor is missing or was sealed anew; two
    folders that follow the same one; one that follows nothing, although there was earlier evidence."""
    known = {one.sha256 for one in found}
    followed = Counter(one.previous for one in found if one.previous)
    breaks: dict[Path, list[str]] = {}
    for one in found:
        if one.previous and one.previous not in known:
            breaks[one.path] = [say("series.predecessor", sha256=one.previous[:16])]
        elif one.previous and followed[one.previous] > 1:
            breaks[one.path] = [say("series.fork", sha256=one.previous[:16])]
        elif not one.previous and any(_is_before(other, one) for other in found):
            breaks[one.path] = [say("series.begins_anew")]
    return breaks


def _is_before(other: Entry, one: Entry) -> bool:
    """Whether evidence that follows nothing should have followed what began the chain before it. The order is told
    by links, and not by clocks, which may be set back; only which of two beginnings came first is told by the time.
    Before manifests named the organization, a chain was that of the accounts that were expected."""
    if one.identity.is_named:
        is_same = other.subject == one.subject
    else:
        former = (other.notebook, other.accounts) == (one.notebook, one.accounts)
        is_same = former and not other.identity.is_named
    is_earlier = (other.sealed, other.path.name) < (one.sealed, one.path.name)
    return is_same and is_earlier and other.previous is None
