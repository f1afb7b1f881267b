"""What a page shows, read without a browser: its text, its pictures, and anything that could change how it
looks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from keyaudit.evidence.sheet import csp_hash

#: all tags that keyaudit's pages are made of; none of them runs, hides or fetches anything
TAGS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body nav main footer div figure img p h1 h2 h3 h4 h5 h6 ul ol li em strong b "
        "span code pre blockquote hr br a table caption thead tbody tr th td",
    )
)
#: the attributes of each tag, besides class
ATTRIBUTES = {
    "html": {"lang"},
    "meta": {"charset", "http-equiv", "content", "name"},
    "img": {"src", "alt", "width", "height"},
    "a": {"href"},
    "nav": {"aria-label"},
    "h2": {"id"},
    "th": {"scope"},
    "td": {"data-label"},
}
#: tags that part no words
INLINE = frozenset({"em", "strong", "b", "code", "a", "span"})
#: attributes that some readers see, or have read out to them
LABELS = ("data-label", "aria-label")
#: how a page begins
OPENING = ("html", "head", "meta", "meta", "meta", "title", "style", "body", "main")
#: what may stand before the text: the links to its parts
CONTENTS = ("nav", "a")
#: to a part of the page
PART = re.compile(r"#part-[0-9]{1,3}")
#: to a page elsewhere, or to a file beside this one
LINK = re.compile(r"https?://[^\s\\]+|(?!/)[\w./-]+", re.ASCII)
#: the Content-Security-Policy of pages
POLICY = "default-src 'none'; img-src data:; style-src '{style}'; base-uri 'none'; form-action 'none'"
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
_SPACE = re.compile(r"\s+")


@dataclass
class Seen:
    """The text of a page by the element that holds it (``main``, ``nav``, ``title``, ``style``, ``footer``); its
    pictures (source, alternative text), links, links to its own parts, the marks and headings of these, classes,
    and labels of cells and places, in their order; the tags before its text, and what the ``meta`` among them say;
    and markup that no page of keyaudit has."""

    texts: dict[str, str] = field(default_factory=dict)
    pictures: list[tuple[str, str]] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    jumps: list[str] = field(default_factory=list)
    parts: list[tuple[str, str]] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    opening: list[str] = field(default_factory=list)
    metas: list[dict[str, str]] = field(default_factory=list)


def read(html: str) -> Seen:
    """Read a page, or a part of one (whose text is then under the empty name)."""
    parser = _Reader()
    parser.feed(html)
    parser.close()
    found = {name: "".join(parts) for name, parts in parser.parts.items()}
    style = found.pop("style", "")
    return Seen(
        {name: squeezed(text) for name, text in found.items()} | {"style": style},
        parser.pictures,
        parser.odd,
        parser.links,
        parser.jumps,
        [(mark, squeezed("".join(heading))) for mark, heading in parser.headings],
        parser.classes,
        parser.labels,
        parser.opening,
        parser.metas,
    )


def head_of(style: str) -> list[dict[str, str]]:
    """What the ``meta`` of a page with this style sheet must say: only that style, and no request to anywhere."""
    return [
        {"charset": "utf-8"},
        {"http-equiv": "Content-Security-Policy", "content": POLICY.format(style=csp_hash(style))},
        {"name": "viewport", "content": "width=device-width, initial-scale=1"},
    ]


def has_our_head(seen: Seen) -> bool:
    """Whether a page begins as keyaudit's do, with the policy that lets nothing run."""
    opening = tuple(tag for tag in seen.opening if tag not in CONTENTS)
    return opening == OPENING and seen.metas == head_of(seen.texts.get("style", ""))


def squeezed(text: str) -> str:
    """The text with one space wherever there is any."""
    return _SPACE.sub(" ", text).strip()


def letters(text: str) -> str:
    """The text without what depends on its typesetting."""
    return "".join(c for c in text if c.isalnum())


class _Reader(HTMLParser):
    """Collects text by the outermost element that has a name of its own."""

    PLACES = ("title", "style", "nav", "main", "footer")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: dict[str, list[str]] = {}
        self.pictures: list[tuple[str, str]] = []
        self.odd: list[str] = []
        self.links: list[str] = []
        self.jumps: list[str] = []
        self.headings: list[tuple[str, list[str]]] = []
        self.is_heading = self.is_text = False
        self.classes: list[str] = []
        self.labels: list[str] = []
        self.opening: list[str] = []
        self.metas: list[dict[str, str]] = []
        self.place: list[str] = []

    def updatepos(self, i: int, j: int) -> int:  # noqa: ARG002
        return j  # lines need not be counted, for nobody asks where something stands

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag not in TAGS:
            self.odd.append(f"<{tag}>")
        if told:
            self._attributes(tag, told, len(attrs))
        self._head(tag, told)
        if tag == "a":
            self._link(told.get("href", ""))
        elif tag == "h2":
            self.headings.append((told.get("id", ""), []))
            self.is_heading = True
        elif tag == "img":
            self.pictures.append((told.get("src", ""), told.get("alt", "")))
            self.odd += ["<img> of elsewhere"] if not PICTURE.fullmatch(told.get("src", "")) else []
        elif tag in self.PLACES:
            self.odd += [f"<{tag}> twice"] if tag in self.parts or self.place else []
            self.place.append(tag)
            self.parts.setdefault(tag, [])
        self._space(tag)

    def _attributes(self, tag: str, told: dict[str, str], number: int) -> None:
        known = ATTRIBUTES.get(tag, ())
        self.odd += [f"<{tag} {name}>" for name in told if name not in known and name != "class"]
        self.odd += [f"<{tag}> with an attribute twice"] if len(told) < number else []
        self.classes += [told["class"]] if "class" in told else []
        self.labels += [told[name] for name in LABELS if name in told]

    def _link(self, target: str) -> None:
        """To a part of the page from before its text; else to a page."""
        if PART.fullmatch(target) and self.place == ["nav"]:
            self.jumps.append(target)
            return
        self.links.append(target)
        self.odd += ["<a> to what is no page"] if not LINK.fullmatch(target) else []

    def _head(self, tag: str, told: dict[str, str]) -> None:
        """A page must have its head before its text, and no ``meta`` in the text."""
        if not self.is_text:
            self.is_text = tag == "main"
            self.opening.append(tag)
            self.metas += [told] if tag == "meta" else []
        elif tag in ("html", "head", "meta", "body"):
            self.odd.append(f"<{tag}> in its text")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if self.place and self.place[-1] == tag:
            self.place.pop()
        self.is_heading = self.is_heading and tag != "h2"
        self._space(tag)

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        self.odd.append("a comment")

    def handle_pi(self, data: str) -> None:  # noqa: ARG002
        self.odd.append("a processing instruction")

    def unknown_decl(self, data: str) -> None:  # noqa: ARG002
        self.odd.append("an unknown declaration")

    def _space(self, tag: str) -> None:
        # all other tags separate their text from what is around it
        if tag not in INLINE and "style" not in self.place:
            self._add(" ")

    def _add(self, text: str) -> None:
        # only the style sheet of the head applies; the policy of the page lets no other
        place = self.place[-1] if self.place else ""
        if place == "style" and self.is_text:
            return
        if place not in self.parts:
            self.parts[place] = []
        self.parts[place].append(text)
        if self.is_heading:
            self.headings[-1][1].append(text)
