"""The front end in which somebody runs a notebook by hand, such as JupyterLab: whether there is one, and what it is
told.

It shows outputs in the style of the pages, and after *Run All Cells* stands at the bottom line. The script that
does that is an output of its own, of the cell with ``%reload_ext keyaudit`` (``%load_ext`` cannot be run
twice), and is published only where somebody can answer: papermill, ``keyaudit report`` and nbconvert run the same
notebook without it.
"""

from __future__ import annotations

import json
from typing import Any

from keyaudit import resources

#: where in the script the style sheet goes
STYLE = "/*style*/"
#: outputs of notebooks that loaded this extension; the others of the same window are not ours. Twice the class, for
#: the styles of front ends are told of elements within one class
OUTPUTS = ".keyaudit-notebook.keyaudit-notebook .jp-RenderedHTMLCommon:not(.jp-RenderedMarkdown)"

#: JupyterLab gives all columns of a table the same width, and leaves less room beside its folders than a page has;
#: and the output that is this script is not to be seen
FURTHER = "table { table-layout: auto; font-size: .8rem; } td.words { min-width: 7rem; }"
HIDDEN = ".jp-OutputArea-child.keyaudit-notebook { display: none; }"


def has_somebody() -> bool:
    """Whether a person can answer: a front end says so with each request (``allow_stdin`` in Jupyter's messages);
    papermill and nbconvert say that nobody can."""
    from ipykernel.kernelapp import IPKernelApp

    if not IPKernelApp.initialized():
        return False
    request = IPKernelApp.instance().kernel.get_parent("shell")
    return bool(request.get("content", {}).get("allow_stdin"))


def shell_of_kernel() -> Any:
    """The shell of the kernel that this process is; None if it is none."""
    from ipykernel.kernelapp import IPKernelApp

    return IPKernelApp.instance().shell if IPKernelApp.initialized() else None


class Shown:
    """Objects that a notebook shows one below the other, each as an output of its own."""

    def __init__(self, parts: list[object]) -> None:
        self.parts = parts

    def bundles(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """(data, metadata) of each, in the kernel's shell."""
        formatter = shell_of_kernel().display_formatter
        return [formatter.format(one) for one in self.parts]

    def _ipython_display_(self) -> None:
        for data, metadata in self.bundles():
            shell_of_kernel().display_pub.publish(data, metadata)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.parts))


def dress(shell: Any) -> None:
    """Show the outputs of this notebook as pages show them, if somebody looks at it."""
    if has_somebody():
        script = resources.data("frontend", "notebook.js").read_text(encoding="utf-8")
        told = {"application/javascript": script.replace(STYLE, json.dumps(_style())), "text/plain": ""}
        shell.display_pub.publish(told)


def _style() -> str:
    """The style sheet of pages, for outputs: without what is said of sheets of paper."""
    whole = resources.data("templates", "keyaudit", "style.css").read_text(encoding="utf-8")
    return f"{OUTPUTS} {{\n{whole.partition('@page')[0]}{FURTHER}\n}}\n{HIDDEN}\n"
