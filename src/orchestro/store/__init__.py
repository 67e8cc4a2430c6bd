"""What is kept between runs. `directory.py` is the state directory, `run_log.py` the events of a run.

The store is a database: `database.py` opens it, `sqlite.py` and `postgres.py` are the two kinds, `migrations.py` is its
schema. In it `history.py` keeps what the runs taught, and `dead_letters.py` what was given up. The rest derives from
the logs.
"""
