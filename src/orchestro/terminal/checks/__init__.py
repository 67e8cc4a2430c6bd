"""Conditions on a terminal, one family a file: `text` what was printed, `screen` what is drawn, `state` the rest.

`command` looks at the output of the last command; `near` finds what came nearest, for failure reports.
"""

from orchestro.terminal.checks.command import (
    CommandCheck,
    OutputCode,
    OutputContains,
    OutputEquals,
    OutputJson,
    OutputLacks,
    OutputLines,
    OutputMatches,
)
from orchestro.terminal.checks.screen import CursorAt, NotSee, See, Spot, find_on_screen
from orchestro.terminal.checks.state import Bell, Exit, Idle, MouseOn, Title
from orchestro.terminal.checks.text import Expect

__all__ = [
    "Bell",
    "CommandCheck",
    "CursorAt",
    "Exit",
    "Expect",
    "Idle",
    "MouseOn",
    "NotSee",
    "OutputCode",
    "OutputContains",
    "OutputEquals",
    "OutputJson",
    "OutputLacks",
    "OutputLines",
    "OutputMatches",
    "See",
    "Spot",
    "Title",
    "find_on_screen",
]
