"""Choosing in JupyterLab what is explored: evidence, an earlier one, the policy; by walking folders with mouse or
keyboard.

The browser shows what it is told and sends back what was done (``data/explore/chooser.js``); what is in a folder,
and what of it can be chosen, is decided here. anywidget and traitlets belong to the extra ``lab``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget
import traitlets as t

from keyaudit import resources
from keyaudit.explore.browse import EVIDENCE, POLICY, Entry, Listing, is_inside, leads_out, listing, served, shown
from keyaudit.explore.chosen import Chosen, Judged
from keyaudit.files import printable, unreadable
from keyaudit.schema import InputError, KeyAuditError
from keyaudit.texts import language, line, say, template, utc, visible

#: what is chosen, by its parameter, and what can be that
WANTED = {"source": EVIDENCE, "before": EVIDENCE, "policy": POLICY}
#: where in a root somebody was last, for the next chooser of this kernel
_WAS: dict[Path, Path] = {}
#: what a choice does: it judges, or raises
Choose = Callable[[Chosen], Judged]


class Chooser(anywidget.AnyWidget):
    """``things``: what is chosen, and what can be done about it; ``walk``: the folder that is walked, empty if none
    is; ``told``: what came of the last choice, and ``kind`` of it. All of it as the browser shows it."""

    _esm = resources.data("explore", "chooser.js").read_text(encoding="utf-8")
    _css = resources.data("explore", "chooser.css").read_text(encoding="utf-8")
    things: t.List[dict[str, Any]] = t.List().tag(sync=True)
    walk = t.Dict().tag(sync=True)
    told = t.Unicode().tag(sync=True)
    kind = t.Unicode().tag(sync=True)
    texts = t.Dict().tag(sync=True)

    def __init__(self, judged: Judged, choose: Choose, root: Path | None = None) -> None:
        self._judged, self._choose = judged, choose
        self._root = root.resolve() if root else served()
        self._thing, self._words, self._with_hidden, self._turn = "source", "", False, 0
        self._listing = Listing(self._root, ())
        texts = template("choose.browser", language())
        super().__init__(texts=texts, things=_things(judged, self._root))
        self.on_msg(lambda _, content, __: self.do(content))

    def do(self, asked: dict[str, Any]) -> None:
        """What somebody did in the browser: ``do`` names it. What was asked of an older listing is not done."""
        action, at = asked.get("do"), asked.get("at", 0)
        if action in ("enter", "choose", "crumb") and asked.get("turn") != self._turn:
            return
        try:
            if action == "walk":
                self._begin(str(asked["thing"]))
            elif action == "close":
                self.walk = {}
            elif action == "preset":
                self._take(str(asked["thing"]), str(asked["value"]))
            elif action == "find":
                self._words, self._with_hidden = str(asked.get("words", "")), bool(asked.get("hidden"))
                self._list(self._listing.place)
            elif action == "crumb":
                self._go([*self._places()][at])
            elif action == "enter" and self._listing.entries[at].is_open:
                self._go(self._listing.entries[at].path)
            elif action == "choose":
                self._pick(None if at < 0 else self._listing.entries[at])
        except InputError as error:
            self._say(str(error), "error")

    def _begin(self, thing: str) -> None:
        self._thing = thing if thing in WANTED else "source"
        was = _WAS.get(self._root, Path.cwd())
        self._go(was if is_inside(self._root, was) else self._root)

    def _go(self, place: Path) -> None:
        self._words = ""
        self._list(place.resolve())
        _WAS[self._root] = self._listing.place
        self._say("", "")

    def _list(self, place: Path) -> None:
        self._listing = listing(self._root, place, WANTED[self._thing], self._words, self._with_hidden)
        self._turn += 1
        told = self._listing
        self.walk = {
            "thing": self._thing,
            "turn": self._turn,
            "title": say(f"choose.title_{self._thing}"),
            "crumbs": [shown(one.name) or shown(str(one)) for one in self._places()],
            "rows": [_row(one) for one in told.entries],
            "words": self._words,
            "hidden": self._with_hidden,
            "note": _note(told, self._root, WANTED[self._thing]),
            "whole": WANTED[self._thing] == EVIDENCE,
        }

    def _places(self) -> list[Path]:
        """The folders from the root to where one is."""
        place = self._listing.place
        return [*reversed([one for one in place.parents if one.is_relative_to(self._root)]), place]

    def _pick(self, entry: Entry | None) -> None:
        """Choose an entry, or the folder itself."""
        if entry and entry.why:
            raise InputError(f"{entry.name}: {entry.why}")
        path = entry.path if entry else self._listing.place
        if not is_inside(self._root, path):  # it may have become a link since it was listed
            raise InputError(say("choose.outside", place=printable(str(path)), root=printable(str(self._root))))
        if path.is_dir() and (link := _link_out(self._root, path)):
            raise InputError(say("choose.leads_out", link=printable(str(link)), root=printable(str(self._root))))
        self._take(self._thing, str(path))

    def _take(self, thing: str, value: str) -> None:
        """Judge by the new choice; if that cannot be, all stays as it was, and that is said."""
        self._say(say("choose.judging"), "busy")
        former = self._judged
        try:
            self._judged = self._choose(_with(former.chosen, thing, value))
        except (KeyAuditError, OSError) as error:
            why = str(error) if isinstance(error, KeyAuditError) else unreadable(printable(value), error)
            still = say("choose.former", source=_source(former, self._root), policy=_policy(former, self._root))
            self._say(f"{why}. {still}", "error")
            return
        self.things, self.walk = _things(self._judged, self._root), {}
        self._say(say("choose.done", as_of=utc(self._judged.audit.as_of)), "done")

    def _say(self, text: str, kind: str) -> None:
        self.told, self.kind = line(text), kind


def _with(chosen: Chosen, thing: str, value: str) -> Chosen:
    """The choice with another value. An instant that was given was given for the evidence of the parameters."""
    own_instant = {"source": {"as_of": ""}, "before": {"before_as_of": ""}}
    return replace(chosen, **{thing: value}, **own_instant.get(thing, {}))


def _link_out(root: Path, folder: Path) -> Path | None:
    try:
        return leads_out(root, folder)
    except OSError as error:
        raise InputError(unreadable(printable(str(folder)), error)) from None


def _row(one: Entry) -> dict[str, Any]:
    kind = say(f"choose.kind_{one.kind}")
    return {"name": one.name, "kind": kind, "open": one.is_open, "why": one.why}


def _note(told: Listing, root: Path, wanted: str) -> str:
    """What is not listed, what can be chosen, and why nobody leaves the root."""
    notes = [say("choose.more", n=told.more, shown=len(told.entries))] if told.more else []
    notes += [say("choose.hidden", n=told.hidden)] if told.hidden else []
    notes += [say(f"choose.endings_{wanted}"), say("choose.root", root=printable(str(root)))]
    return visible(" ".join(notes))


def _things(judged: Judged, root: Path) -> list[dict[str, Any]]:
    chosen = judged.chosen
    presets = [("", say("choose.no_policy")), *((one, one) for one in resources.names("policies", ".toml"))]
    return [
        _thing("source", _source(judged, root), chosen.source, [("", say("choose.sample"))]),
        _thing(
            "before", _place(chosen.before, root) or say("choose.none"), chosen.before, [("", say("choose.none"))]
        ),
        _thing("policy", _policy(judged, root), chosen.policy, presets),
    ]


def _thing(thing: str, value: str, now: str, others: list[tuple[str, str]]) -> dict[str, Any]:
    buttons = [{"value": one, "name": name, "now": one == now} for one, name in others]
    return {"id": thing, "name": say(f"choose.{thing}"), "value": visible(value), "buttons": buttons}


def _source(judged: Judged, root: Path) -> str:
    return _place(judged.chosen.source, root) or say("choose.is_sample")


def _policy(judged: Judged, root: Path) -> str:
    policy = judged.audit.policy
    named = judged.chosen.policy
    if not named:
        return say(
            "choose.own_policy" if policy.given else "choose.stands_in", title=policy.title, preset=policy.name
        )
    return say("choose.policy_named", title=policy.title, name=_place(named, root))


def _place(path: str, root: Path) -> str:
    """A path as it is shown: from the root on, where it is in it."""
    if not path:
        return ""
    whole = Path(path).absolute()
    return shown(str(whole.relative_to(root)) if whole.is_relative_to(root) and whole != root else path)
