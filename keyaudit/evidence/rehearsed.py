"""To be imported by a process whose forks make evidence: has done once all that they do, kernels included."""

from __future__ import annotations

import signal

# first of all: Ctrl-C ends the command, and this process with it, as long as nothing is made here; it came blocked
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

from keyaudit.evidence.forked import warm_up  # noqa: E402

warm_up()
