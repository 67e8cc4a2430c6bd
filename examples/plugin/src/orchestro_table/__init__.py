"""An example of a plugin for Orchestro: one module for each registry that it extends."""
