"""Task files: commands, Python functions and scenarios with needs, inputs and resources, in YAML.

`document.py` reads one file and explains every mistake, `loader.py` makes the tasks of many, `compiled.py` keeps what
large files came to, `routes.py` says what follows a verdict.
"""
