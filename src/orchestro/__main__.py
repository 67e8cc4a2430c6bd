"""`python -m orchestro`."""

from orchestro.cli.start import enter

enter()
