"""``python -m keyaudit``, and the command ``keyaudit``: no failure while they start looks like a verdict."""

import gc
import sys

FAILED, INTERRUPTED = 4, 130


def main() -> None:
    """The command; its exit codes are those of ``keyaudit.cli``."""
    try:
        from keyaudit.cli import main as command
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if sys.stderr is not None:
            sys.stderr.write(f"keyaudit: is not installed as it should be ({type(error).__name__}: {error})\n")
        sys.exit(FAILED)
    try:
        command()
    finally:
        # at its end, the interpreter would look for garbage in all that was imported: for a tenth of a second
        gc.freeze()


if __name__ == "__main__":
    main()
