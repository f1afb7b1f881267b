"""Evidence as its folder would give it, without the folder: an Audit, and what is made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from keyaudit.export.formats import Made
from keyaudit.model import Audit, Call, Proved, SealedFile
from keyaudit.rotation.advised import advice

NAME = "2026-11-23T000000Z-key_rotation-111122223333"
SEAL = "0123456789abcdef" * 4


def renamed(audit: Audit, **columns: dict[str, Any]) -> Audit:
    """The Audit with other values in columns of its frames: names that no report could have, owners of users."""
    frames = {name: getattr(audit, name) for name in ("keys", "findings")}
    for column, values in columns.items():
        for name, frame in frames.items():
            if column == "owner":
                cells = [values.get(user) for user in frame["user"]]
            elif column in frame:
                cells = [values.get(cell, cell) for cell in frame[column].astype(object)]
            else:
                continue
            frames[name] = frame.assign(**{column: pd.Series(cells, index=frame.index, dtype="str")})
    return replace(audit, **frames)


def proved(audit: Audit, calls: tuple[Call, ...] = ()) -> Proved:
    """What ``evidence.exports.prove`` would give for it."""
    return Proved(
        name=NAME,
        sha256=SEAL,
        language="en",
        audit=audit,
        advice=advice(audit),
        files=(SealedFile("findings.csv", 1234, SEAL),),
        calls=calls,
        versions=(("keyaudit", "0.4.0"),),
    )


def pdf_of(proved: Proved) -> Made:
    """Its PDF; what makes it takes a second to import, and of all tests few make one."""
    from keyaudit.export import pdf

    return pdf.made(proved)
