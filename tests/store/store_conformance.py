"""What holds for the store on every database: run on SQLite by test_database.py, on a real PostgreSQL by test_postgres.

A class that inherits from `StoreConformance` gives a fixture `url` of a store that does not exist yet.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from orchestro.errors import StoreConflict, StoreError, UserError
from orchestro.model import DeadLetter, Outcome, Source
from orchestro.store import dead_letters
from orchestro.store.database import Database, open_database, write
from orchestro.store.dead_letters import DeadLetters
from orchestro.store.history import History
from orchestro.store.migrations import LATEST, MIGRATIONS, migrate, schema_version

LETTER = DeadLetter(
    fingerprint="abc123",
    task_id="a",
    kind="scenario",
    name="logs in",
    source=Source("tests/login.yaml", 3, 5),
    error="no prompt within 5 s",
    reason="failed 3 times",
    attempts=3,
    count=1,
    first_at=10.0,
    last_at=10.0,
    run_id="r1",
    payload='{"command": ["login"]}',
    stage="qa",
)
WRITERS = 8
ROUNDS = 25
_WRITER = """
import sys
from orchestro.model import DeadLetter, Outcome, Source
from orchestro.store.database import open_database, write
from orchestro.store.dead_letters import DeadLetters
from orchestro.store.history import History

url, rounds = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
database = open_database(url)  # all of them make or migrate the store at once
history = History(database)
letters = DeadLetters(database)
letter = DeadLetter("poison", "t", "k", "n", Source(), "", "", 1, 1, 1.0, 1.0, "r", "{}", "")

def count():
    [[number]] = database.query("SELECT runs FROM task WHERE key = 'counter'") or [[0]]
    database.execute(
        "INSERT INTO task (key, machine, runs) VALUES ('counter', 'm', :number)"
        " ON CONFLICT (key, machine) DO UPDATE SET runs = excluded.runs", {"number": number + 1})

for number in range(rounds):
    # In another order each time, as runs end in any order.
    keys = [f"k{(number * 7 + place) % 20}" for place in range(20)]
    history.add("m", float(number), [(key, Outcome.FLAKY, 1.0) for key in keys])
    write(database, count)
    letters.add(letter)
database.close()
"""
_STUCK = """
import sys
from orchestro.store.database import open_database

database = open_database(sys.argv[1])
with database.transaction():
    database.execute("INSERT INTO task (key, machine, runs) VALUES ('torn', 'm', 1)")
    print("inside", flush=True)
    sys.stdin.readline()
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A process of Python that says a line when it is where it should be, and goes on when it is told one."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


class StoreConformance:
    """The suite."""

    @pytest.fixture
    def database(self, url: str) -> Iterator[Database]:
        database = open_database(url)
        yield database
        database.close()

    def test_a_new_store_has_the_newest_schema_and_opening_it_again_changes_nothing(self, url: str) -> None:
        for _ in range(2):
            database = open_database(url)
            assert schema_version(database) == LATEST
            assert database.query("SELECT count(*) FROM schema_version") == [(1,)]
            database.close()
            database.close()

    def test_a_statement_takes_its_parameters_by_name_and_leaves_text_alone(self, database: Database) -> None:
        sql = "SELECT ':a 100% ''%s', CAST(:a AS TEXT), CAST(:b_2 AS BIGINT) % 4, CAST(:a AS TEXT)"
        assert database.query(sql, {"a": "it's %s :b", "b_2": 7}) == [(":a 100% '%s", "it's %s :b", 3, "it's %s :b")]
        assert database.query("SELECT '100%', 7 % 4") == [("100%", 3)]

    def test_a_statement_tells_how_many_rows_it_changed(self, database: Database) -> None:
        rows = [{"key": str(number)} for number in range(10)]
        database.execute_many("INSERT INTO task (key, machine, runs) VALUES (:key, 'm', 1)", rows)
        assert database.execute("UPDATE task SET runs = 2 WHERE key < :key", {"key": "4"}) == 4
        assert database.execute("DELETE FROM task") == 10

    def test_a_transaction_that_raises_leaves_nothing_and_the_next_one_works(self, database: Database) -> None:
        with pytest.raises(KeyError), database.transaction():
            database.execute("INSERT INTO task (key, machine) VALUES ('a', 'm')")
            raise KeyError
        assert database.query("SELECT * FROM task") == []
        with database.transaction():
            database.execute("INSERT INTO task (key, machine) VALUES ('a', 'm')")
        assert len(database.query("SELECT * FROM task")) == 1

    def test_a_transaction_within_another_is_a_part_of_it(self, database: Database) -> None:
        with pytest.raises(KeyError), database.transaction():
            with database.transaction():
                database.execute("INSERT INTO task (key, machine) VALUES ('a', 'm')")
            raise KeyError
        assert database.query("SELECT * FROM task") == []

    def test_many_rows_are_written_all_or_none(self, database: Database) -> None:
        rows = [{"key": "a"}, {"key": "b"}, {"key": "a"}]
        with pytest.raises(StoreError):
            database.execute_many("INSERT INTO task (key, machine) VALUES (:key, 'm')", rows)
        assert database.query("SELECT * FROM task") == []

    def test_what_a_transaction_writes_is_seen_by_others_only_at_its_end(self, url: str, database: Database) -> None:
        other = open_database(url)
        with database.transaction():
            database.execute("INSERT INTO task (key, machine) VALUES ('a', 'm')")
            assert other.query("SELECT * FROM task") == []
        assert len(other.query("SELECT * FROM task")) == 1
        other.close()

    def test_a_store_of_version_1_is_migrated_with_its_data(self, url: str) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(migrate, "__defaults__", (MIGRATIONS[:1],))
            old = open_database(url)
        assert schema_version(old) == 1
        old.execute("INSERT INTO task VALUES ('a', 'm', 1.5, 'timed out', 7, 3.0)")
        migrate(old)
        seen = History(old).read("m")["a"]
        assert (seen.duration_s, seen.last_outcome, seen.runs) == (1.5, Outcome.TIMED_OUT, 7)
        assert seen.counts == {Outcome.TIMED_OUT: 1}
        old.close()

    def test_a_store_of_a_newer_version_is_refused_and_left_alone(self, url: str, database: Database) -> None:
        database.execute("UPDATE schema_version SET version = 99")
        with pytest.raises(StoreError, match=r"newer orchestro \(schema 99, this one knows \d+\); update orchestro"):
            open_database(url)
        assert schema_version(database) == 99

    def test_a_migration_that_fails_leaves_the_store_as_it_was(self, database: Database) -> None:
        broken = ("DELETE FROM schema_version", "SELECT nonsense FROM nowhere")
        with pytest.raises(StoreError, match="nowhere"):
            migrate(database, [*MIGRATIONS, broken])
        assert schema_version(database) == LATEST

    def test_eight_processes_that_write_at_once_lose_nothing(self, url: str) -> None:
        writers = [start(_WRITER, url, str(ROUNDS)) for _ in range(WRITERS)]
        for writer in writers:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("\n")
            writer.stdin.flush()
        for writer in writers:
            writer.communicate()
        assert [writer.returncode for writer in writers] == [0] * WRITERS
        database = open_database(url)
        assert database.query("SELECT runs FROM task WHERE key = 'counter'") == [(WRITERS * ROUNDS,)]
        assert DeadLetters(database).get("poison").count == WRITERS * ROUNDS
        seen = History(database).read("m")
        assert {seen[f"k{number}"].runs for number in range(20)} == {WRITERS * ROUNDS}
        assert {seen[f"k{number}"].counts[Outcome.FLAKY] for number in range(20)} == {50}
        database.close()

    def test_a_process_killed_in_a_transaction_leaves_the_store_usable_and_nothing_of_it(self, url: str) -> None:
        stuck = start(_STUCK, url)
        assert stuck.stdout is not None
        assert stuck.stdout.readline() == "inside\n"
        stuck.kill()
        stuck.communicate()
        database = open_database(url)
        assert database.query("SELECT * FROM task") == []
        History(database).add("m", 1.0, [("a", Outcome.PASSED, 1.0)])
        assert set(History(database).read("m")) == {"a"}
        database.close()

    def test_a_lock_that_is_kept_too_long_is_told(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shorten_the_patience(monkeypatch)
        holder, other = open_database(url), open_database(url)
        with holder.transaction(), pytest.raises(StoreError, match="another process has kept it locked"):
            other.execute("DELETE FROM task")
        other.execute("DELETE FROM task")
        holder.close()
        other.close()

    def shorten_the_patience(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have a transaction wait for others for some milliseconds only."""
        raise NotImplementedError

    def test_a_transaction_that_was_given_up_is_done_again_a_bounded_number_of_times(self, database: Database) -> None:
        tries: list[int] = []

        def work(fails: int) -> str:
            tries.append(1)
            database.execute("INSERT INTO task (key, machine) VALUES ('a', 'm')")
            if len(tries) <= fails:
                raise StoreConflict("busy")
            return "done"

        assert write(database, lambda: work(2)) == "done"
        assert len(tries) == 3
        tries.clear()
        database.execute("DELETE FROM task")
        with pytest.raises(StoreConflict):
            write(database, lambda: work(99))
        assert len(tries) == 5
        assert database.query("SELECT * FROM task") == []

    def test_a_letter_is_read_back_as_it_was_kept(self, database: Database) -> None:
        letters = DeadLetters(database)
        assert letters.list() == []
        letters.add(LETTER)
        assert letters.list() == [LETTER]
        assert letters.get("abc123") == LETTER
        assert len(letters) == 1

    def test_a_letter_that_comes_again_is_counted_and_keeps_when_it_first_came(self, database: Database) -> None:
        letters = DeadLetters(database)
        letters.add(LETTER)
        letters.add(replace(LETTER, error="other", run_id="r2", first_at=20.0, last_at=20.0))
        letters.add(replace(LETTER, error="late", run_id="r0", first_at=5.0, last_at=5.0, count=40))
        assert letters.list() == [replace(LETTER, error="late", run_id="r0", count=3, last_at=20.0)]

    def test_replaying_counts_from_nothing(self, database: Database) -> None:
        letters = DeadLetters(database)
        letters.add(LETTER)
        assert letters.reset_count("abc123")
        assert letters.get("abc123").count == 0
        letters.add(LETTER)
        assert letters.get("abc123").count == 1
        assert not letters.reset_count("abc")

    def test_letters_are_listed_newest_first_in_pages(self, database: Database) -> None:
        letters = DeadLetters(database)
        for number in range(7):
            letters.add(replace(LETTER, fingerprint=f"f{number}", last_at=float(number % 5)))
        everything = [letter.fingerprint for letter in letters.list()]
        assert everything == ["f4", "f3", "f2", "f1", "f6", "f0", "f5"]
        assert [letter.fingerprint for offset in (0, 3, 6, 9) for letter in letters.list(3, offset)] == everything

    def test_the_beginning_of_a_fingerprint_names_a_letter_when_no_other_begins_so(self, database: Database) -> None:
        letters = DeadLetters(database)
        for fingerprint in ("ab", "abc1", "abc2", "x%", "x1"):
            letters.add(replace(LETTER, fingerprint=fingerprint))
        assert letters.get("abc1").fingerprint == "abc1"
        assert letters.get("ab").fingerprint == "ab"
        assert letters.get("x%").fingerprint == "x%"
        for prefix, problem in (("abc", "several dead letters begin"), ("", "there is no"), ("_", "there is no")):
            with pytest.raises(UserError, match=problem):
                letters.get(prefix)

    def test_letters_are_removed_one_by_one_by_age_or_all(self, database: Database) -> None:
        letters = DeadLetters(database, clock=lambda: 100.0)
        for at in (10.0, 60.0, 90.0):
            letters.add(replace(LETTER, fingerprint=f"at{at:g}", first_at=10.0, last_at=at))
        assert letters.purge(older_than_s=95.0) == 0
        assert letters.purge(older_than_s=40.0) == 2
        assert [letter.fingerprint for letter in letters.list()] == ["at90"]
        assert not letters.remove("at")
        assert letters.remove("at90")
        letters.add(LETTER)
        assert letters.purge() == 1
        assert letters.list() == []

    def test_the_oldest_letters_make_room(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dead_letters, "MAX_LETTERS", 3)
        letters = DeadLetters(database)
        for number in (5, 1, 4, 2, 3):
            letters.add(replace(LETTER, fingerprint=f"f{number}", last_at=float(number)))
        assert [letter.fingerprint for letter in letters.list()] == ["f5", "f4", "f3"]

    def test_any_text_can_be_kept(self, database: Database) -> None:
        letters = DeadLetters(database)
        letters.add(replace(LETTER, error="a\0b \udce9 \N{PILE OF POO} 'q' %s :x", source=Source("\udcff.yaml")))
        [kept] = letters.list()
        assert kept.error == "a\ufffdb \\udce9 \N{PILE OF POO} 'q' %s :x"
        assert kept.source.file == "\\udcff.yaml"
