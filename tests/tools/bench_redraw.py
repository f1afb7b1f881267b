"""How long the explorer takes in its kernel to follow a step of the slider."""

from __future__ import annotations

import json
from pathlib import Path

from bench_measure import figure
from jupyter_client.manager import start_new_kernel
from make_reports import write_population

STEPS = 41
BAR = 0.150
#: a step is judged, drawn and sent when the assignment returns
CODE = """
import json, statistics, time
import keyaudit as ka
panel = ka.explore({source!r}, "cis", "2026-11-23T08:00:00Z").look()
took = []
for limit in range(60, 60 + {steps}):
    before = time.perf_counter()
    panel.limit.value = limit
    took.append(time.perf_counter() - before)
print(json.dumps([len(panel.view.keys), statistics.median(took[1:]), max(took[1:])]))
"""


def redraw(work: Path) -> None:
    """Steps over 5,000 active keys, one by one, in a kernel as JupyterLab has it."""
    source = next(write_population(work / "redraw", 1, 5_000).iterdir())
    manager, client = start_new_kernel(kernel_name="python3")
    told: list[str] = []
    try:
        client.execute_interactive(
            CODE.format(source=str(source), steps=STEPS),
            allow_stdin=True,
            timeout=120,
            output_hook=lambda m: told.append(m["content"].get("text", "")) if m["msg_type"] == "stream" else None,
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    keys, median, longest = json.loads("".join(told).splitlines()[-1])
    name = f"explorer: a step of the slider, {keys:,} keys, median of {STEPS - 1}"
    figure(name, median, f"at most {BAR:.3f} (longest {longest:.3f})", median <= BAR)
