"""Which store a command means: ``--store``, else ``ORCHESTRO_STORE``, else the one in the state directory."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestro.store.database import Database

__all__ = ["VARIABLE", "add_store_option", "open_store"]

VARIABLE = "ORCHESTRO_STORE"


def add_store_option(parser: argparse._ActionsContainer) -> None:
    """Add ``--store``."""
    parser.add_argument(
        "--store",
        type=_store,
        # An empty variable is one that is not set, as everywhere in the shell.
        default=os.environ.get(VARIABLE) or None,
        metavar="URL",
        help="history and dead letters: a file, or postgresql://USER@HOST/DATABASE "
        f"(default: {VARIABLE}, else history.db where runs are kept)",
    )


def _store(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("expected a path or a URL, got ''")
    return text


def open_store(options: argparse.Namespace) -> Database | None:
    """The store that the options name; None when there is none yet in the state directory.

    Raises StoreError when it cannot be used, UserError when a file that was named is not there: a command that looks
    must not make one.
    """
    from orchestro.errors import UserError
    from orchestro.store.database import open_database, sqlite_path
    from orchestro.store.directory import StateDirectory

    store = options.store or StateDirectory(options.output_dir).history
    path = sqlite_path(store)
    if path is not None and not os.path.exists(path):
        if not options.store:
            return None
        raise UserError(f"there is no store {path}; `orchestro run --store {path}` begins one")
    return open_database(store)
