"""``keyaudit cluster``: a cluster of this machine for trying; and the options of the commands that can use one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyaudit.cli.common import say, write_names
from keyaudit.schema import InputError

if TYPE_CHECKING:
    from keyaudit.cluster.address import Place
    from keyaudit.cluster.client import Cluster

_OPTIONS = (
    click.option(
        "--cluster",
        "cluster_at",
        metavar="ADDRESS|FILE",
        default="",
        help="A Dask scheduler whose workers share the work: its address, or a scheduler file.",
    ),
    click.option("--tls-ca-file", metavar="FILE", default="", help="With --cluster: the CA of its certificates."),
    click.option("--tls-cert", metavar="FILE", default="", help="With --cluster: the certificate of this client."),
    click.option("--tls-key", metavar="FILE", default="", help="With --cluster: the key of that certificate."),
    click.option(
        "--insecure-cluster",
        is_flag=True,
        help="Accept a scheduler without TLS beyond this machine: whoever can reach it can run code in it.",
    ),
)
NAMES = ("cluster_at", "tls_ca_file", "tls_cert", "tls_key", "insecure_cluster")


@dataclass(frozen=True)
class Shared:
    """The options for a cluster; ``at`` is empty if there is none."""

    at: str = ""
    ca_file: str = ""
    cert: str = ""
    key: str = ""
    is_insecure: bool = False

    def place(self) -> Place:
        """Where the scheduler is; InputError as for ``address.find``."""
        from keyaudit.cluster.address import find

        return find(self.at, self.ca_file, self.cert, self.key, self.is_insecure)

    @property
    def is_open(self) -> bool:
        """Whether others can reach the cluster, and that was accepted: evidence says so."""
        return bool(self.at) and self.place().is_open

    @contextmanager
    def connected(self, warm: str, libraries: Iterable[str]) -> Iterator[Cluster | None]:
        """The workers, for work of that kind and with these libraries as they are here; None if no cluster is
        named. InputError as for ``client.connected``."""
        if not self.at:
            yield None
            return
        from keyaudit.cluster.client import connected
        from keyaudit.cluster.order import versions_of

        with connected(self.place(), warm, versions_of(libraries)) as cluster:
            yield cluster

    def for_evidence(self) -> AbstractContextManager[Cluster | None]:
        """The workers, for running notebooks and verifying."""
        from keyaudit.evidence.contents import LIBRARIES
        from keyaudit.evidence.forked import WARM

        return self.connected(WARM, LIBRARIES)


#: no cluster
NONE = Shared()


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options for a cluster, passed on together as ``shared``."""

    @wraps(command)
    def gathered(*arguments: Any, **given: Any) -> Any:
        return command(*arguments, shared=shared_of(given), **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def shared_of(options: dict[str, Any]) -> Shared:
    """The options for a cluster, taken out of the options of a command. InputError if there is none for them."""
    at, ca_file, cert, key, is_insecure = (options.pop(name) for name in NAMES)
    if not at and (ca_file or cert or key or is_insecure):
        raise InputError("--insecure-cluster and --tls-...: only with --cluster; name the scheduler")
    return Shared(at, ca_file, cert, key, is_insecure)


@click.group()
def cluster() -> None:
    """Start or end a cluster of this machine, to try --cluster."""


file_option = click.option(
    "--file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="The scheduler file, which --cluster takes. Default: one in a folder of yours.",
)


@cluster.command(short_help="Start a scheduler and workers in the background.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, help="Worker processes. Default: 2.")
@file_option
def up(workers: int, file: Path | None) -> None:
    """Start a scheduler and workers in the background; print the scheduler file, which --cluster takes.

    They listen on this machine alone. Every user of this machine can reach them, and can run code in them as you.
    """
    from keyaudit.cluster import local

    file = file or local.default_file()
    if not local.up(file, workers):
        say("the cluster is up already; keyaudit cluster down ends it")
    write_names([file])


@cluster.command(short_help="End a cluster, with all its processes.")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def down(file: Path | None) -> None:
    """End the cluster of a scheduler file, with all its processes, and remove the file."""
    from keyaudit.cluster import local

    if not local.down(file or local.default_file()):
        say("no cluster was up")
