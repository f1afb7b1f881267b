"""Exploring evidence by hand: which evidence, what if the limit were another, and which keys of which users.

``desk``       what is chosen, and the cells that show it; ``chosen``: it is judged
``chooser``    another is chosen in JupyterLab; ``browse``: by walking folders
``selection``  the question; ``view``: the answer; ``show``: how it is shown; ``widgets``: the controls in
               JupyterLab. If nobody can move them, or they are not installed, the view is static
"""

from __future__ import annotations

from keyaudit.explore.chosen import Chosen
from keyaudit.explore.desk import Desk
from keyaudit.explore.show import side_by_side

__all__ = ["explore", "side_by_side"]


def explore(source: str = "", policy: str = "", as_of: str = "", before: str = "", before_as_of: str = "") -> Desk:
    """What a workbook explores, to begin with: as for ``audit``, with an earlier source to compare with; both may
    be evidence folders. KeyAuditError as for ``audit``."""
    return Desk(Chosen(source, policy, as_of, before, before_as_of))
