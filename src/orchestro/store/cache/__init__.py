"""Results of tasks, kept by what they depend on: `key.py` names that, `cache.py` keeps and gives back.

`files.py` digests files, `patterns.py` finds them, `index.py` is the SQLite file, `blobs.py` the content of outputs,
`flight.py` lets one of many do the work. The run joins them in `app`.
"""
