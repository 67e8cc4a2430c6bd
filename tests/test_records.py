"""The faster `dataclass` does what that of the standard library does, but lock its instances."""

from __future__ import annotations

import dataclasses
import pickle
from dataclasses import field
from typing import Any, ClassVar

import pytest

from orchestro import records


@records.dataclass(frozen=True, slots=True)
class Quick:
    """One."""

    KIND: ClassVar[str] = "quick"
    a: int
    b: tuple[int, ...] = ()
    c: dict[str, int] = field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Slow:
    """The same."""

    KIND: ClassVar[str] = "quick"
    a: int
    b: tuple[int, ...] = ()
    c: dict[str, int] = field(default_factory=dict)


@records.dataclass(frozen=True, slots=True)
class Named:
    """Has methods of its own."""

    a: int

    def __repr__(self) -> str:
        return "named"

    def __hash__(self) -> int:
        return 7


BOTH = pytest.mark.parametrize("kind", [Quick, Slow])


@BOTH
def test_it_is_made_of_its_fields(kind: Any) -> None:
    assert repr(kind(1, (2,))) == f"{kind.__name__}(a=1, b=(2,), c={{}})"
    assert kind(1) == kind(a=1) != kind(2)
    assert kind(1) != (1, (), {})
    assert kind.KIND == "quick"
    assert not hasattr(kind(1), "__dict__")


@BOTH
def test_the_tools_for_dataclasses_take_it(kind: Any) -> None:
    assert dataclasses.replace(kind(1), a=2) == kind(2)
    assert dataclasses.asdict(kind(1)) == {"a": 1, "b": (), "c": {}}
    assert [found.name for found in dataclasses.fields(kind)] == ["a", "b", "c"]
    assert pickle.loads(pickle.dumps(kind(1, (2,)))) == kind(1, (2,))  # made here
    match kind(1, (2,)):
        case kind(a, b):
            assert (a, b) == (1, (2,))


@BOTH
def test_equal_ones_have_one_hash(kind: Any) -> None:
    assert hash(kind(1, (), ())) == hash(kind(1, (), ()))
    assert len({kind(1, (), ()), kind(1, (), ()), kind(2, (), ())}) == 2


def test_methods_of_its_own_are_kept() -> None:
    assert (repr(Named(1)), hash(Named(1))) == ("named", 7)
    assert Named(1) == Named(1)


def test_others_are_made_by_the_standard_library() -> None:
    @records.dataclass(order=True)
    class Ordered:
        a: int

    assert Ordered(1) < Ordered(2)
