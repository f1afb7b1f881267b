"""``python -m keyaudit``."""

from keyaudit.cli import main

main()
