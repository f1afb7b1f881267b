"""To be imported by a process whose forks make evidence: has done once all that they do, kernels included."""

from __future__ import annotations

import signal

# first of all: Ctrl-C is meant for the command
signal.signal(signal.SIGINT, signal.SIG_IGN)

from keyaudit.evidence.forked import warm_up  # noqa: E402

warm_up()
