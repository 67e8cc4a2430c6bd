"""A calculator with a line editor, completion and colours, made with prompt_toolkit."""

from __future__ import annotations

import ast
import operator

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.formatted_text import HTML

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def value(node: ast.expr) -> float:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        return OPERATORS[type(node.op)](value(node.left), value(node.right))
    raise ValueError("only + - * / and numbers")


def main() -> None:
    session: PromptSession[str] = PromptSession(completer=WordCompleter(["help", "quit"]))
    while True:
        try:
            line = session.prompt(HTML("<ansigreen>calc</ansigreen>> "))
        except EOFError:
            break
        if line == "quit":
            break
        try:
            print(value(ast.parse(line, mode="eval").body))
        except (SyntaxError, ValueError, ZeroDivisionError) as error:
            print("error:", error)
    print("goodbye")


if __name__ == "__main__":
    main()
