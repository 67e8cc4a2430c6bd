"""The store in an SQLite file, and what the URL of a store may be."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from store_conformance import StoreConformance

from orchestro.errors import StoreError, UserError
from orchestro.model import Outcome
from orchestro.store import sqlite
from orchestro.store.database import open_database, without_password
from orchestro.store.history import History
from orchestro.store.migrations import LATEST, schema_version


class TestSqlite(StoreConformance):
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return str(tmp_path / "store.db")

    def shorten_the_patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite, "LOCK_TIMEOUT_S", 0.05)


def test_the_file_of_an_earlier_orchestro_is_taken_over_in_place(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    old.executescript(
        "PRAGMA journal_mode=WAL; BEGIN IMMEDIATE;"
        "CREATE TABLE IF NOT EXISTS task (key TEXT, machine TEXT, duration_s REAL, outcome TEXT, runs INTEGER,"
        " at REAL, PRIMARY KEY (key, machine)) WITHOUT ROWID; PRAGMA user_version=1; COMMIT;"
        "INSERT INTO task VALUES ('f::a', 'm', 2.0, 'passed', 4, 1.0);"
    )
    old.close()
    history = History(open_database(str(tmp_path / "history.db")))
    history.add("m", 2.0, [("f::a", Outcome.FLAKY, 3.0)])
    seen = history.read("m")["f::a"]
    assert (seen.duration_s, seen.runs, seen.recent) == (2.3, 5, "py")
    assert schema_version(history.database) == LATEST
    history.close()


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_a_path_and_a_url_name_the_same_file(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("here.db", str(tmp_path / "absolute.db")):
        open_database(form.format(path)).close()
        assert Path(path).exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/x", "mysql:// is no store"),
        ("sqlite://store.db", "write sqlite:///store.db"),
        ("sqlite:///", "the path of the store is empty"),
        ("", "the path of the store is empty"),
    ],
)
def test_a_url_that_names_no_store_is_the_users_mistake(url: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        open_database(url)


def test_a_file_that_cannot_be_used_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database " * 100)
    with pytest.raises(StoreError, match=r"text\.db: it is not an SQLite database; move the file away"):
        open_database(str(tmp_path / "text.db"))
    with pytest.raises(StoreError, match="its directory must exist and be writable"):
        open_database(str(tmp_path / "missing" / "x.db"))
    database = open_database(str(tmp_path / "x.db"))
    database.query("PRAGMA query_only=ON")
    with pytest.raises(StoreError, match="it is read-only"):
        database.execute("DELETE FROM task")
    database.close()
    with pytest.raises(StoreError, match="is closed"):
        database.query("SELECT 1")


def test_a_disk_that_is_full_loses_the_transaction_and_not_the_store(tmp_path: Path) -> None:
    database = open_database(str(tmp_path / "x.db"))
    History(database).add("m", 1.0, [("kept", Outcome.PASSED, 1.0)])
    database.query("PRAGMA max_page_count=20")
    with pytest.raises(StoreError, match="the disk is full"):
        History(database).add("m", 2.0, [(f"{number:0200}", Outcome.PASSED, 1.0) for number in range(5000)])
    assert set(History(database).read("m")) == {"kept"}
    database.query("PRAGMA max_page_count=100000")
    History(database).add("m", 3.0, [("new", Outcome.PASSED, 1.0)])
    assert set(History(database).read("m")) == {"kept", "new"}
    database.close()


def test_a_missing_driver_is_told_with_how_to_install_it() -> None:
    code = """
import sys
sys.modules["psycopg"] = None
from orchestro.errors import UserError
from orchestro.store.database import open_database
try:
    open_database("postgresql://user:secret@host/db")
except UserError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "pip install 'orchestro[postgres]'" in told
    assert "secret" not in told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:secret@host:5432/db", "postgresql://me@host:5432/db"),
        ("--store=postgres://me:se/c@r:et@host/db?x=1", "--store=postgres://me@host/db?x=1"),
        ("postgresql://host/db?user=me&password=secret&x=1", "postgresql://host/db?user=me&password=&x=1"),
        ("postgresql://:secret@/db", "postgresql://@/db"),
        ("postgresql://host/db", "postgresql://host/db"),
        ("https://a:b@c", "https://a:b@c"),
        ("a.yaml", "a.yaml"),
    ],
)
def test_passwords_are_taken_out_of_what_is_shown(text: str, shown: str) -> None:
    assert without_password(text) == shown
