"""The command line, thin over `app`: `start` is the entry point, `main` the parser, one module for each command."""
