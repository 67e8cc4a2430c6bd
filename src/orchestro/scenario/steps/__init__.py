"""The built-in kinds of steps, a family a file; each file ends with `KINDS`, which is what the registry reads."""
