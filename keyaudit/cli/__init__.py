"""Flags -> one call -> exit code. Modules that do the work are imported by the command that needs them."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from keyaudit import __version__
from keyaudit.cli.beginning import notebook, policy
from keyaudit.cli.capture import capture
from keyaudit.cli.check import check
from keyaudit.cli.cluster import cluster
from keyaudit.cli.common import open_all, say, write
from keyaudit.cli.export import export
from keyaudit.cli.lab import lab
from keyaudit.cli.period import period
from keyaudit.cli.report import demo, report
from keyaudit.cli.rotation import rotation
from keyaudit.cli.sample import sample
from keyaudit.cli.schedule import schedule
from keyaudit.cli.series import series
from keyaudit.cli.verify import verify
from keyaudit.files import why
from keyaudit.schema import EvidenceError, KeyAuditError

EXIT_CODES = """\b
Exit codes of check and report (and of capture, where it applies):
  0    COMPLIANT
  1    NON_COMPLIANT
  2    the command or its input is wrong
  3    INSUFFICIENT_DATA: something was not seen, so nothing is concluded
  4    keyaudit or the notebook failed: there is no evidence
  130  interrupted"""
WRONG, FAILED, INTERRUPTED = 2, 4, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.version_option(__version__, prog_name="keyaudit")
def cli() -> None:
    """Are AWS access keys rotated within the period that the policy sets?"""


for command in (
    capture, check, cluster, demo, export, lab, notebook, period, policy, report, rotation, sample, schedule,
    series, verify,
):  # fmt: skip
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point. It ends only with EXIT_CODES, and shows no traceback for a user's mistake."""
    # jupyterlab brings extras of jsonschema that build a grammar at import, 0.9 s that no command needs
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)
    open_all()
    code = _run(arguments)
    write(b"")  # output that is still buffered must not decide the exit code when the interpreter ends
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        code = cli.main(args=arguments, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.ClickException as error:
        return _say(error.format_message(), WRONG)
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", INTERRUPTED)
    except EvidenceError as error:
        return _say(str(error) or type(error).__name__, FAILED)
    except KeyAuditError as error:
        return _say(str(error), WRONG)
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):  # no such file can exist
            return _say(why(error), WRONG)
        return _failed(f"keyaudit itself failed ({why(error)})")
    except SystemExit as stop:  # raised by something that we call; it is not a verdict
        return _say(f"keyaudit itself failed (it was ended with {str(stop.code)[:40]!r})", FAILED)
    except Exception as error:
        return _failed(f"keyaudit itself failed ({type(error).__name__})")


def _failed(message: str) -> int:
    """Exit code 4: after an error Python itself would end with 1, which is a verdict here."""
    if not os.environ.get("KEYAUDIT_DEBUG"):
        return _say(f"{message}; set KEYAUDIT_DEBUG=1 to see where", FAILED)
    for line in traceback.format_exc().splitlines():
        say(line)
    return _say(message, FAILED)


def _say(message: str, code: int) -> int:
    say(f"keyaudit: {' '.join(message.split())}")
    return code
