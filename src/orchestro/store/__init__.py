"""What is kept between runs: `directory.py` the state directory, `run_log.py` the events of a run.

`history.py` is what the runs taught: durations and last outcomes. Everything else that is stored derives from the log.
"""
