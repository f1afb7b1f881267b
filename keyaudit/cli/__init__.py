"""Flags -> one call -> exit code. Modules that do the work are imported by the command that needs them."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

import keyaudit
from keyaudit.cli.common import open_all, say, write
from keyaudit.files import why
from keyaudit.imports import leave_out_grammar, seldom_collect
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


#: the modules of this room whose commands have other names than they
_HOMES = {"demo": "report", "notebook": "beginning", "policy": "beginning"}
_NAMES = (
    "capture", "check", "cluster", "demo", "export", "lab", "notebook", "period", "policy", "report", "rotation",
    "sample", "schedule", "series", "verify",
)  # fmt: skip


class _Commands(click.Group):
    """The commands; one is imported when it is asked for, since most runs need no other."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _NAMES and cmd_name not in self.commands:
            module = import_module(f"keyaudit.cli.{_HOMES.get(cmd_name, cmd_name)}")
            self.add_command(getattr(module, cmd_name))
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _NAMES:  # whatever it is like is looked for among all
            for name in _NAMES:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)


def _tell_version(context: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if is_asked and not context.resilient_parsing:
        click.echo(f"keyaudit, version {keyaudit.__version__}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXIT_CODES)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_tell_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Are AWS access keys rotated within the period that the policy sets?"""


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point. It ends only with EXIT_CODES, and shows no traceback for a user's mistake."""
    # a plugin of another package has no say in how a policy is validated; to look for some takes longer than that
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    seldom_collect()
    leave_out_grammar()
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
