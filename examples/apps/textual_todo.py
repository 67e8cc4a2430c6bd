"""A to-do list made with Textual: type and press Enter to add, click a button to clear."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Button, Input, Label, ListItem, ListView


class Todo(App[None]):
    """The app."""

    CSS = "Horizontal { height: 3; } ListView { height: 1fr; } #count { padding: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [("ctrl+q", "quit", "Quit")]
    TITLE = "Todo"

    def compose(self) -> ComposeResult:
        yield Input(placeholder="What needs to be done?")
        yield ListView()
        with Horizontal():
            yield Button("Clear all", id="clear")
            yield Label("0 items", id="count")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.query_one(ListView).append(ListItem(Label(event.value)))
        event.input.value = ""
        self.call_after_refresh(self.recount)

    async def on_button_pressed(self) -> None:
        await self.query_one(ListView).clear()
        self.recount()

    def recount(self) -> None:
        count = len(self.query_one(ListView).children)
        self.query_one("#count", Label).update(f"{count} item{'' if count == 1 else 's'}")


if __name__ == "__main__":
    Todo().run()
