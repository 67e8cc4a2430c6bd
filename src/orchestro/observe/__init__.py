"""What a person or a machine sees of a run, made from its events alone.

`reporter.py` the contract and the fan-out, `registry.py` reporters by name, `run_view.py` the run as the events tell
it; then one reporter a module. Nothing here is imported before it is asked for.
"""

from orchestro.observe.registry import Factory, ReporterOptions, create, names
from orchestro.observe.reporter import Fanout, Reporter

__all__ = ["Factory", "Fanout", "Reporter", "ReporterOptions", "create", "names"]
