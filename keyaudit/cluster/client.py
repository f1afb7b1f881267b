"""The workers of a scheduler as an executor of functions of bytes."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, suppress
from ssl import SSLError
from typing import Any

from keyaudit.cluster.address import TLS, Place, refuse_open
from keyaudit.cluster.order import (
    DONE,
    FAILED,
    REFUSED,
    Answer,
    LostError,
    Order,
    Payload,
    RefusedError,
    TaskError,
)
from keyaudit.cluster.task import prepare, run
from keyaudit.schema import InputError
from keyaudit.texts import say

#: seconds for the scheduler to answer, and for it to have a worker
CONNECT, JOIN = 5.0, 10.0
#: seconds for an answer to arrive that is there
FETCH = 2.0
#: seconds between two looks for Ctrl-C and for a scheduler that has gone
LOOK = 0.5
#: tasks for each thread of a worker that are under way, so that none waits for the next one to arrive
AHEAD = 2
EXTRA = "pip install 'keyaudit[cluster]'"


class Cluster(Executor):
    """The workers of a scheduler. A function that is submitted must be found by its module and name, take bytes and
    return bytes."""

    def __init__(self, client: Any, threads: int, warm: str, same: Mapping[str, str]) -> None:
        self._client, self._warm, self._same = client, warm, tuple(same.items())
        self._waiting: set[Any] = set()
        self._is_over = False
        #: tasks that are worth having under way at once
        self.ahead = max(1, threads) * AHEAD

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_: Any) -> Future[Any]:
        """The bytes that the function returns, once they are there. RefusedError if a worker must not be used,
        LostError if the scheduler has gone, CancelledError after ``shutdown``, TaskError if the task failed for
        good."""
        (content,) = args
        if self._is_over:
            raise CancelledError
        order = Order(f"{fn.__module__}:{fn.__qualname__}", self._warm, self._same, Payload(content))
        # a key that says nothing of what is asked for
        asked = self._client.submit(run, order, key=f"task-{uuid.uuid4().hex}", pure=False, retries=0)
        told: Future[Any] = Future()
        told.set_running_or_notify_cancel()
        self._waiting.add(asked)
        asked.add_done_callback(lambda done: self._tell(done, told))
        return told

    def _tell(self, asked: Any, told: Future[Any]) -> None:
        self._waiting.discard(asked)
        try:
            told.set_result(_content(self._answer(asked)))
        except (LostError, RefusedError, TaskError) as error:
            told.set_exception(error)
        except CancelledError:
            told.set_exception(self._gone("cluster.ended"))
        except BaseException as error:  # that of Dask for a task that killed its workers, or cannot be read there
            told.set_exception(TaskError("", say("cluster.failed", error=type(error).__name__)))

    def _answer(self, asked: Any) -> Answer:
        """The answer of a task that has ended. A client that is closed in the meantime would be waited for without
        end."""
        while not self._is_closed and asked.status not in ("cancelled", "lost"):
            try:
                answer: Answer = asked.result(FETCH)
                return answer
            except TimeoutError:
                continue
        raise CancelledError

    @property
    def _is_closed(self) -> bool:
        return self._client.status in ("closed", "closing")

    def call(self, function: Callable[[bytes], bytes], content: bytes) -> bytes:
        """What the function returns; raises as ``submit`` says."""
        return self.result(self.submit(function, content))

    def result(self, told: Future[Any]) -> Any:
        """The result of what was submitted. Ctrl-C, and a scheduler that has gone, are noticed meanwhile."""
        while True:
            try:
                return told.result(LOOK)
            except NotYet:
                if self._is_closed:
                    raise self._gone("cluster.gone") from None

    def _gone(self, why: str) -> Exception:
        """Of a cluster that was shut down nobody waits for anything, and nothing is to be told of it."""
        return CancelledError() if self._is_over else LostError(say(why))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = True) -> None:  # noqa: ARG002
        """Leave no task behind, whether it has ended or not."""
        self._is_over = True
        with suppress(Exception):  # a scheduler that has gone has no tasks
            self._client.cancel(list(self._waiting), force=True)


def _content(answer: Answer) -> bytes:
    if answer.kind == DONE:
        return answer.payload.content
    if answer.kind == REFUSED:
        raise RefusedError(answer.words)
    if answer.kind == FAILED:
        raise TaskError(answer.error, answer.words)
    raise TaskError("", say("cluster.died", worker=answer.worker))


@contextmanager
def connected(place: Place, warm: str, same: Mapping[str, str]) -> Iterator[Cluster]:
    """The workers of a scheduler. At the end none of the tasks is left there, however it ends.

    InputError if no scheduler answers, if it has no worker, or if one of them must not be used: it has not what is
    the ``same`` here (name -> version), may write to its disk what it is given, or can be reached by others.
    """
    client = _client(place)
    try:
        cluster = Cluster(client, _threads(client, place, warm, same), warm, same)
        with cluster:
            yield cluster
    finally:
        with suppress(Exception):
            client.close(timeout=CONNECT)


def _client(place: Place) -> Any:
    try:
        import dask.config
        from distributed import Client, Security
    except ImportError:
        raise InputError(f"--cluster needs Dask, which is not installed: {EXTRA}") from None
    # each error reaches us as an exception, and is told in one line
    for name in [*logging.root.manager.loggerDict]:
        if name.split(".")[0] == "distributed":
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # a payload goes with its task, so that it is there if the task must be done again
    dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"})
    files = {"tls_ca_file": place.ca_file, "tls_client_cert": place.cert, "tls_client_key": place.key}
    try:
        security = Security(**{name: file for name, file in files.items() if file})
        if place.address.startswith(f"{TLS}://") and not security.get_connection_args("client").get("ssl_context"):
            raise ValueError
        return Client(place.address, timeout=CONNECT, set_as_default=False, security=security)
    except (TypeError, ValueError, SSLError, FileNotFoundError):
        raise InputError(
            f"--cluster {place.address}: TLS cannot be used as it is configured; give --tls-ca-file, --tls-cert "
            "and --tls-key, or Dask's own configuration"
        ) from None
    except OSError:
        raise InputError(
            f"--cluster {place.address}: no scheduler answers there; is it up, and with TLS as this "
            "command? keyaudit cluster up starts one for trying"
        ) from None


def _threads(client: Any, place: Place, warm: str, same: Mapping[str, str]) -> int:
    """The threads of all workers, which begin to warm up."""
    try:
        client.wait_for_workers(1, timeout=JOIN)
        found = client.run(prepare, warm, dict(same), on_error="return")
    except TimeoutError:
        raise InputError(f"--cluster {place.address}: the scheduler has no worker; start some") from None
    except OSError as error:
        raise InputError(
            f"--cluster {place.address}: the scheduler has gone ({type(error).__name__}); give the command again"
        ) from None
    threads = 0
    for address, told in sorted(found.items()):
        refuse_open(place, address, "a worker")
        if isinstance(told, BaseException):
            raise InputError(
                f"--cluster {place.address}: the worker {address} has no keyaudit {same['keyaudit']} "
                f"({type(told).__name__}); install the same on each worker"
            )
        _, wrong, number = told
        if wrong:
            raise InputError(f"--cluster {place.address}: {wrong}")
        threads += number
    return threads
