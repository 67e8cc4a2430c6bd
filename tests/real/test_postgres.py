"""The store on a real PostgreSQL server of its own, made for these tests and removed after them."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import pytest
from store_conformance import StoreConformance

from orchestro.errors import StoreError, UserError
from orchestro.model import Outcome
from orchestro.store.database import open_database
from orchestro.store.history import History

PASSWORD = "s3cret%word"
ENCODED = "s3cret%25word"
NUMBERS = itertools.count()


def programs() -> str | None:
    """The directory of the programs of a server; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    folders = sorted(glob("/usr/lib/postgresql/*/bin"), key=lambda path: float(path.split("/")[-2]), reverse=True)
    return next((f for f in ([str(Path(found).parent)] if found else []) + folders if Path(f, "pg_ctl").exists()), None)


def unprivileged() -> str | None:
    """A user for the server, which refuses to run as root; None to stay who we are."""
    if os.name != "posix" or os.geteuid() != 0:
        return None
    import pwd

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    pytest.skip("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Host and port of the server."""
    pytest.importorskip("psycopg")
    folder = programs()
    if folder is None:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail("the programs of PostgreSQL are missing", pytrace=False)
        pytest.skip("the programs of PostgreSQL (initdb, pg_ctl) are missing")
    user = unprivileged()
    home = tempfile.mkdtemp(prefix="orchestro-pg-", dir="/tmp")
    if user:
        shutil.chown(home, user)

    def call(*command: str) -> None:
        subprocess.run(
            [os.path.join(folder, command[0]), *command[1:]],
            check=True,
            user=user,
            cwd=home,
            env={**os.environ, "HOME": home, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    data = os.path.join(home, "data")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    Path(home, "password").write_text(PASSWORD)
    os.chmod(os.path.join(home, "password"), 0o644)
    settings = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=off"
    try:
        call("initdb", "-D", data, "-U", "orchestro", "-A", "scram-sha-256", f"--pwfile={home}/password", "-E", "UTF8")
        call("pg_ctl", "-D", data, "-w", "-l", f"{home}/log", "-o", settings, "start")
        try:
            yield f"127.0.0.1:{port}"
        finally:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def url(server: str) -> str:
    """Of a store that is a schema of its own."""
    import psycopg

    schema = f"store_{next(NUMBERS)}"
    base = f"postgresql://orchestro:{ENCODED}@{server}/postgres"
    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{base}?options=-csearch_path%3D{schema}"


class TestPostgres(StoreConformance):
    @pytest.fixture
    def url(self, url: str) -> str:
        return url

    def shorten_the_patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from orchestro.store import postgres

        monkeypatch.setattr(postgres, "_BEGIN", postgres._BEGIN.replace("= 10000", "= 50"))


def refusal(url: str) -> str:
    with pytest.raises(StoreError) as caught:
        open_database(url)
    return str(caught.value)


def test_a_server_that_cannot_be_used_is_told_without_the_password(server: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = f"127.0.0.1:{free.getsockname()[1]}"
    told = refusal(f"postgresql://orchestro:{ENCODED}@{closed}/postgres")
    assert (
        told == f"the store postgresql://orchestro@{closed}/postgres: nothing listens there; " + told.partition("; ")[2]
    )
    assert "the password is wrong" in refusal(f"postgresql://orchestro:secret@{server}/postgres")
    assert "wants a password" in refusal(f"postgresql://orchestro@{server}/postgres")
    assert 'database "nowhere" does not exist' in refusal(f"postgresql://orchestro:{ENCODED}@{server}/nowhere")
    assert "there is no such host" in refusal("postgresql://orchestro:secret@nowhere.invalid/db")


@pytest.mark.parametrize("password", ["a/b", "a@b", "a%zz", "a:b@c:d"])
def test_of_a_url_that_cannot_be_read_nothing_is_shown(password: str) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(UserError) as caught:
        open_database(f"postgresql://me:{password}@host/db")
    assert "cannot be read" in str(caught.value)
    assert password not in str(caught.value)


def test_a_connection_that_broke_between_transactions_is_made_again(url: str) -> None:
    first, second = History(open_database(url)), open_database(url)

    def cut() -> None:
        second.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    cut()
    first.add("m", 1.0, [("a", Outcome.PASSED, 1.0)])
    cut()
    assert first.read("m")["a"].runs == 1
    with pytest.raises(StoreError), first.database.transaction():
        first.database.execute("INSERT INTO task (key, machine) VALUES ('lost', 'm')")
        cut()
        first.database.execute("INSERT INTO task (key, machine) VALUES ('lost too', 'm')")
    first.add("m", 2.0, [("a", Outcome.PASSED, 1.0)])
    assert {key: seen.runs for key, seen in first.read("m").items()} == {"a": 2}
    first.close()
    second.close()


def test_a_read_only_server_and_missing_rights_are_told(url: str, server: str) -> None:
    import psycopg

    database = open_database(url)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE ROLE reader LOGIN PASSWORD 'x'")
        admin.execute("GRANT USAGE ON SCHEMA public TO reader")
        schema = str(admin.execute("SELECT current_schema()").fetchall()[0][0])
        admin.execute(f"GRANT USAGE ON SCHEMA {schema} TO reader".encode())
        admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader".encode())
    reader = open_database(url.replace(f"orchestro:{ENCODED}", "reader:x"))
    with pytest.raises(StoreError, match="the user may not do that; grant it"):
        History(reader).add("m", 1.0, [("a", Outcome.PASSED, 1.0)])
    reader.close()
    with pytest.raises(StoreError, match="the server is read-only"), database.transaction():
        database.execute("SET TRANSACTION READ ONLY")
        database.execute("DELETE FROM task")
    database.close()


def test_an_error_that_is_passed_over_in_a_transaction_does_not_pass_for_a_success(url: str) -> None:
    database = open_database(url)
    with pytest.raises(StoreError, match="nothing was written"), database.transaction():
        database.execute("INSERT INTO task (key, machine) VALUES ('a', 'm')")
        with contextlib.suppress(StoreError):
            database.execute("INSERT INTO nowhere VALUES (1)")
    assert database.query("SELECT * FROM task") == []
    database.close()
