"""``keyaudit verify``: does the evidence still hold?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keyaudit.cli.cluster import Shared, cluster_options
from keyaudit.cli.common import doing, progress, series_option, write
from keyaudit.cli.common import say as tell
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.evidence.verify_task import Verdict

WRONG_INPUT = 2


@click.command(short_help="Check that evidence is unchanged and supports its verdict.")
@click.argument("evidence", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option("--page", "with_page", is_flag=True, help="Also render each page again from its notebook.")
@click.option(
    "--run", "with_run", is_flag=True, help="Also run each notebook again, which draws its pictures anew."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=None, help="Processes. Default: the processors, if that pays."
)
@series_option
@cluster_options
def verify(
    evidence: tuple[Path, ...],
    with_page: bool,
    with_run: bool,
    jobs: int | None,
    series: Path | None,
    shared: Shared,
) -> int:
    """Check the seals of evidence folders, or of all evidence in a reports folder, and reach each verdict again
    from the raw evidence. What notebook and page say is compared with the verdict; with --run, so are their
    pictures.

    A PDF that keyaudit export made is checked against the seal that it carries; if it carries the whole evidence,
    the verdict is reached and the PDF is made again.

    Exits with 0 if all holds, 1 if anything inside is wrong, 2 if there is no such folder or PDF.
    """
    doing("verifying")
    import keyaudit.evidence.verify  # noqa: F401  before there are processes, which then have it
    from keyaudit.texts import line, say

    folders = list(_folders(evidence))
    if not folders:
        raise InputError(f"{evidence[0]}: no evidence in it; name an evidence folder, or a folder of them")
    code = 0
    are_pictures_seen = True
    verdicts = _verdicts(folders, with_page, with_run, jobs, series, shared)
    bar = progress("verifying", "folder") or (lambda each, _: each)
    for folder, (error, faults, remarks) in zip(folders, bar(verdicts, len(folders)), strict=True):
        if error:
            # the other folders are verified all the same
            tell(f"keyaudit: {error}")
            code = WRONG_INPUT
            continue
        code = max(code, int(bool(faults)))
        are_pictures_seen &= bool(faults) or with_run or folder.is_file()  # a PDF says so itself
        told = [f"{'WRONG' if faults else 'OK'}  {folder}", *(f"  {one}" for one in (*faults, *remarks))]
        write("\n".join(map(line, told)) + "\n")
    if not are_pictures_seen:
        tell(say("verify.pictures"))
    return code


def _verdicts(
    folders: list[Path],
    with_page: bool,
    with_run: bool,
    jobs: int | None,
    series: Path | None,
    shared: Shared,
) -> Iterator[Verdict]:
    """What is wrong with each folder, in their order: by processes, or by a cluster."""
    from keyaudit.engine import spread
    from keyaudit.evidence.verify_task import by_cluster, verdict_of

    if not shared.at:
        yield from spread(partial(verdict_of, with_page=with_page, with_run=with_run, series=series), folders, jobs)
        return
    with shared.for_evidence() as cluster:
        assert cluster is not None
        yield from by_cluster(cluster, folders, with_page, with_run, series)


def _folders(named: tuple[Path, ...]) -> Iterator[Path]:
    """The evidence folders that are meant: those that were named, and those at any depth in reports folders; also
    folders there that cannot be looked into, for they may be evidence."""
    from keyaudit.evidence.contents import BESIDE

    for path in named:
        if path.name in BESIDE and not _is_evidence(path):
            continue  # reports/* names them as well
        inside = [] if _is_evidence(path) else list(_inside(path))
        yield from inside or [path]


def _inside(folder: Path) -> Iterator[Path]:
    from keyaudit.evidence.contents import BESIDE

    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_dir())
    except OSError:
        yield folder  # verifying it will say so
        return
    for path in paths:
        if _is_evidence(path):
            yield path
        elif path.name not in BESIDE and not path.is_symlink():
            yield from _inside(path)


def _is_evidence(folder: Path) -> bool:
    """Whether the folder is evidence, or was until somebody took its seal out."""
    from keyaudit.evidence.contents import NAMED

    try:
        is_sealed = any((folder / name).exists() for name in ("manifest.json", "SHA256SUMS"))
        return is_sealed or (bool(NAMED.fullmatch(folder.name)) and (folder / "report.html").exists())
    except OSError:  # the folder cannot be read
        return bool(NAMED.fullmatch(folder.name))
