"""The formats that ``keyaudit export`` makes of evidence: the only list of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from io import StringIO

from keyaudit.model import Proved
from keyaudit.schema import InputError


@dataclass(frozen=True)
class Made:
    """A file as its bytes, or a folder of files by their names (None: there is nothing to write); and what is to be
    said about it."""

    content: bytes | Mapping[str, bytes] | None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """``id``: what ``-f`` takes; ``ending``: of the name, after that of the evidence folder; ``maker``: module and
    function of this room that make it; ``library``: that the module needs, if any, of the extra of the same id;
    ``packages``: of Debian and Ubuntu, with the libraries that this library needs of the system."""

    id: str
    ending: str
    maker: str
    library: str = ""
    packages: str = ""

    def load(self) -> Callable[[Proved], Made]:
        """What makes it. InputError if its library is not installed, or lacks something of the system."""
        module, _, name = self.maker.partition(":")
        try:
            with redirect_stdout(StringIO()):  # a library that lacks something tells the world
                maker: Callable[[Proved], Made] = getattr(import_module(f"keyaudit.export.{module}"), name)
        except ImportError as error:
            if not self.library or error.name != self.library:
                raise
            raise library_missing(self, self.library) from None
        except OSError:
            if not self.packages:
                raise
            raise InputError(
                f"{self.id}: {self.library} lacks libraries of the system: apt-get install {self.packages}"
            ) from None
        return maker


def library_missing(form: Format, library: str) -> InputError:
    """That a library of its extra is not installed."""
    return InputError(f'{form.id}: needs {library}, which is not installed: pip install "keyaudit[{form.id}]"')


#: in the order in which they are offered
FORMATS = (
    Format("xlsx", ".xlsx", "xlsx:made", library="xlsxwriter"),
    Format("owners", "-owners", "owner_lists:made"),
    Format(
        "pdf",
        ".pdf",
        "pdf:made",
        library="weasyprint",
        packages="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
    ),
)


def formats_of(text: str) -> tuple[Format, ...]:
    """The formats of a list such as ``xlsx,owners``, each once. InputError for one that there is not."""
    known = {one.id: one for one in FORMATS}
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise InputError(f"{name!r}: no such format; there are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names))
