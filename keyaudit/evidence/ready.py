"""To be imported by a process whose forks make evidence: imports all that they need, kernels included."""

from __future__ import annotations

from keyaudit.evidence.forked import import_all

import_all()
