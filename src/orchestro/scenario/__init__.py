"""Scenarios in YAML: from text to what a terminal program should do, and the run of one.

`nodes.py` text to nodes, `shape.py` what values look like, `document.py` the keys, `step.py` steps and validations,
`expand.py` matrices, `loader.py` paths to scenarios, `registry.py` which steps there are, `steps/` and `validations/`
the built-in ones, `schema.py` and `reference.py` what is generated from all of it, `session.py` one attempt.
"""
