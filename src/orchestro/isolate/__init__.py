"""Private places for work: `scratch.py` the temporary directory of a run, `place.py` home and workspace of an attempt.

`environment.py` makes the environment of the programs repeatable.
"""
