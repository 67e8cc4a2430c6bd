"""The store on a PostgreSQL server, through psycopg, for a team."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from orchestro.errors import StoreConflict, StoreError, UserError
from orchestro.store.database import LOCK_TIMEOUT_S, Parameters, Row

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict, make_conninfo
    from psycopg.pq import TransactionStatus
except ImportError as missing:
    raise UserError(
        f"a store on PostgreSQL needs a driver ({missing}); install it with: pip install 'orchestro[postgres]'"
    ) from None

__all__ = ["PostgresDatabase", "translate"]

_CONNECT_TIMEOUT_S = 10
_LOCK = 0x6F72636865737472
"""Number of the advisory lock that a transaction holds: the letters ``orchestr``."""
_BEGIN = (
    # What is read after the lock was taken must be what the last holder has written: each statement looks anew.
    "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;"
    f" SET LOCAL lock_timeout = {LOCK_TIMEOUT_S * 1000:.0f}; SELECT pg_advisory_xact_lock({_LOCK})"
)
_TOKENS = re.compile(r"'(?:[^']|'')*'|::|%|:([a-z_][a-z0-9_]*)")

_REASONS = {
    "55P03": f"another process has kept it locked for {LOCK_TIMEOUT_S:g} s; end that one, or try again",
    "25006": "the server is read-only; connect to its primary",
    "42501": "the user may not do that; grant it CREATE on the schema, and its tables",
    "53100": "the disk of the server is full; free some space",
    "53300": "the server has no connection left; try again, or raise its max_connections",
    "3D000": "there is no such database; make it with createdb",
    "28P01": "the password is wrong; check the URL, PGPASSWORD or ~/.pgpass",
    "28000": "the server does not let this user in from here; check the user, and pg_hba.conf on the server",
}
"""What is wrong and what to do, by SQLSTATE."""
_GIVEN_UP = ("40001", "40P01")
"""SQLSTATEs of a transaction that was ended in favour of another."""
_CONNECTING = (
    ("password authentication failed", _REASONS["28P01"]),
    ("no password supplied", "the server wants a password; put it into PGPASSWORD or ~/.pgpass"),
    ("no pg_hba.conf entry", _REASONS["28000"]),
    ("Connection refused", "nothing listens there; start the server, or check host and port"),
    ("No such file or directory", "nothing listens there; start the server, or check host and port"),
    ("could not translate host name", "there is no such host; check the URL"),
    ("failed to resolve host", "there is no such host; check the URL"),
    ("timeout", f"the server did not answer within {_CONNECT_TIMEOUT_S} s; check host, port and firewalls"),
    ("too many clients", _REASONS["53300"]),
    ("remaining connection slots", _REASONS["53300"]),
)
"""A connection that fails has no SQLSTATE, only text; what is wrong and what to do, by a part of it."""
_UNREADABLE = (
    "the URL of the store cannot be read; expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
    "with / @ : and % in the password written as %2F %40 %3A and %25"
)


@lru_cache(maxsize=256)
def translate(sql: str) -> str:
    """`sql` with its parameters ``:name`` as psycopg writes them, ``%(name)s``; text in quotes stays as it is."""

    def token(found: re.Match[str]) -> str:
        return f"%({found[1]})s" if found[1] else found[0].replace("%", "%%")

    return _TOKENS.sub(token, sql)


class PostgresDatabase:
    """A `Database` on a server. A connection that broke between two transactions is made again."""

    dialect = "postgresql"

    def __init__(self, url: str) -> None:
        self.where, self._address = _parsed(url)
        self._closed = False
        self._db = self._connect()

    def _connect(self) -> psycopg.Connection[Row]:
        try:
            return psycopg.connect(self._address, autocommit=True)
        except psycopg.Error as error:
            text = str(error).strip()
            known = next((advice for part, advice in _CONNECTING if part in text), None)
            # Without advice, what the last address that was tried had to say.
            raise StoreError(f"the store {self.where}: {known or text.splitlines()[-1]}") from error

    def query(self, sql: str, parameters: Parameters = {}) -> list[Row]:  # noqa: B006  # never written to
        """All rows that `sql` selects."""
        if self._in_transaction():
            return self._carry_out(sql, parameters).fetchall()
        try:
            return self._carry_out(sql, parameters).fetchall()
        except StoreError:
            if not self._lost():
                raise
            return self._carry_out(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Parameters = {}) -> int:  # noqa: B006  # never written to
        """Carry out one statement and return the number of rows that it changed."""
        with self.transaction():
            return self._carry_out(sql, parameters).rowcount

    def execute_many(self, sql: str, rows: Iterable[Parameters]) -> None:
        """Carry a statement out for each of `rows`, without waiting for the answer to each."""
        with self.transaction(), self._explaining(), self._db.cursor() as cursor:
            cursor.executemany(translate(sql), rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is written together or not at all."""
        if self._in_transaction():
            yield
            return
        self._begin()
        try:
            yield
            self._commit()
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                if self._in_transaction():
                    self._db.execute("ROLLBACK")
            raise

    def _begin(self) -> None:
        try:
            self._carry_out(_BEGIN)
        except StoreError:
            if self._lost():  # e.g. by a firewall during a long run
                self._carry_out(_BEGIN)
                return
            with contextlib.suppress(psycopg.Error):
                self._db.execute("ROLLBACK")
            raise

    def _commit(self) -> None:
        done = self._carry_out("COMMIT").statusmessage
        if done != "COMMIT":
            # That is how the server answers when a statement had failed and whoever made it went on.
            raise StoreError(f"the store {self.where}: nothing was written, because a statement before had failed")

    def close(self) -> None:
        """Close the connection. Twice is harmless."""
        self._closed = True
        self._db.close()

    def _carry_out(self, sql: str, parameters: Parameters = {}) -> psycopg.Cursor[Row]:  # noqa: B006  # as above
        with self._explaining():
            # Without parameters psycopg leaves the text alone, and several statements may go at once.
            return self._db.execute(translate(sql), parameters) if parameters else self._db.execute(sql.encode())

    def _in_transaction(self) -> bool:
        return self._db.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def _lost(self) -> bool:
        """Whether the connection was lost; then there is a new one."""
        if self._closed or not self._db.closed:
            return False
        self._db = self._connect()
        return True

    @contextlib.contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            if error.sqlstate is None and not isinstance(error, psycopg.OperationalError):
                raise  # a bug of ours
            if error.sqlstate in _GIVEN_UP:
                raise StoreConflict(f"the store {self.where} is too busy; try again") from error
            reason = _REASONS.get(error.sqlstate or "") or error.diag.message_primary or str(error).strip()
            raise StoreError(f"the store {self.where}: {reason}") from error


def _parsed(url: str) -> tuple[str, str]:
    """The URL without the password, and what libpq takes. What it complains of may hold a part of the password."""
    try:
        options = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.Error:
        raise UserError(_UNREADABLE) from None
    host, port, user = (options.get(name, "") for name in ("host", "port", "user"))
    if not all(number.isdecimal() for number in port.split(",") if number) or "@" in host:
        raise UserError(_UNREADABLE)
    place = host + (f":{port}" if port else "")
    where = f"postgresql://{f'{user}@' if user else ''}{place}/{options.get('dbname', '')}"
    defaults = {"connect_timeout": str(_CONNECT_TIMEOUT_S), "application_name": "orchestro"}
    return where, make_conninfo("", **{**defaults, **options})
