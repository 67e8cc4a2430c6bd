"""A menu made with curses: arrow keys move, Enter chooses, q leaves."""

from __future__ import annotations

import curses

ITEMS = ["Open", "Save", "Quit"]


def main(screen: curses.window) -> str:
    curses.curs_set(0)
    curses.use_default_colors()
    curses.init_pair(1, curses.COLOR_YELLOW, -1)
    chosen = 0
    status = "ready"
    while True:
        screen.erase()
        screen.addstr(0, 2, "Menu", curses.A_BOLD | curses.color_pair(1))
        for number, item in enumerate(ITEMS):
            style = curses.A_REVERSE if number == chosen else curses.A_NORMAL
            screen.addstr(2 + number, 4, f" {item} ", style)
        rows, cols = screen.getmaxyx()
        screen.addnstr(rows - 1, 0, f"{status}  {cols}x{rows}", cols - 1)
        key = screen.get_wch()
        if key in (curses.KEY_DOWN, "j"):
            chosen = (chosen + 1) % len(ITEMS)
        elif key in (curses.KEY_UP, "k"):
            chosen = (chosen - 1) % len(ITEMS)
        elif key == "q" or (key in ("\n", "\r") and ITEMS[chosen] == "Quit"):
            return status
        elif key in ("\n", "\r"):
            status = f"{ITEMS[chosen].lower()}ed".replace("eed", "ed")


if __name__ == "__main__":
    print("last:", curses.wrapper(main))
