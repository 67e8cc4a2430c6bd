"""The built-in kinds of validations; `files.py` ends with `KINDS`, which is what the registry reads."""
