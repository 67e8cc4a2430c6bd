"""Dependencies between tasks. Pure: no clock, no process, no disk. `graph.py` holds the graph, `progress.py` a run."""

from orchestro.graph.graph import CycleError, Graph, UnknownNeedError
from orchestro.graph.progress import Progress

__all__ = ["CycleError", "Graph", "Progress", "UnknownNeedError"]
