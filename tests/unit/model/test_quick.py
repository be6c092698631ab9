"""A value that is made quickly is in nothing but the making different from one that is not."""

import copy
import inspect
import pickle
from dataclasses import (
    FrozenInstanceError,
    asdict,
    dataclass,
    field,
    fields,
    make_dataclass,
    replace,
)
from typing import Any

import pytest

from keeper.model.quick import quick


@dataclass(frozen=True, slots=True)
class Plain:
    one: int
    two: str
    three: tuple[int, ...] = (1, 2)


@quick
@dataclass(frozen=True, slots=True)
class Quick:
    one: int
    two: str
    three: tuple[int, ...] = (1, 2)


def test_it_is_equal_hashed_shown_and_taken_apart_as_before() -> None:
    plain, made = Plain(1, "b"), Quick(1, two="b")
    assert type(made) is Quick
    assert made == Quick(1, "b", (1, 2)) != Quick(2, "b")
    assert hash(made) == hash(plain)
    assert repr(made) == repr(plain).replace("Plain", "Quick")
    assert asdict(made) == asdict(plain)
    assert [f.name for f in fields(Quick)] == ["one", "two", "three"]


def test_it_is_replaced_copied_and_pickled_as_before() -> None:
    made = Quick(1, "b", (7,))
    assert replace(made, one=2) == Quick(2, "b", (7,))
    assert copy.deepcopy(made) == copy.copy(made) == pickle.loads(pickle.dumps(made)) == made  # noqa: S301


def test_no_class_goes_under_it_and_no_field_is_called_as_its_making() -> None:
    """What is made of a class under it would come out as another kind of value than was asked for."""
    with pytest.raises(TypeError, match="is under a class"):
        type("Under", (Quick,), {"__slots__": ()})
    for name in ("_set", "_opened", "_cls"):
        with pytest.raises(TypeError, match="part of the making"):
            quick(make_dataclass("Odd", [(name, int)], frozen=True, slots=True))


def test_a_making_that_fails_leaves_nothing_that_can_be_had() -> None:
    """Nobody has it before it is whole: an argument that is missing is told before, and pickles carry the own class."""
    assert b"InTheMaking" not in pickle.dumps(Quick(1, "b"))
    made = Quick(1, "b")
    with pytest.raises(TypeError):
        made.__init__(1, "b", (), 4)  # type: ignore[misc]
    assert type(made) is Quick
    assert made == Quick(1, "b")


def test_nothing_of_it_can_be_set_or_deleted() -> None:
    made = Quick(1, "b")
    with pytest.raises(FrozenInstanceError):
        made.one = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del made.one
    for name, value in (("more", 2), ("__class__", Plain)):
        # what is no field is refused through a `super` that misses its class before Python 3.12
        with pytest.raises((FrozenInstanceError, TypeError)):
            setattr(made, name, value)


@pytest.mark.parametrize("given", [(), (1,), (1, "b", (), 4)])
def test_it_takes_what_it_took_before(given: tuple[Any, ...]) -> None:
    for kind in (Plain, Quick):
        with pytest.raises(TypeError):
            kind(*given)
    assert list(inspect.signature(Quick).parameters) == list(inspect.signature(Plain).parameters)


def test_what_it_could_not_do_the_same_for_is_refused() -> None:
    @dataclass(slots=True)
    class Mutable:
        one: int

    @dataclass(frozen=True)
    class Unslotted:
        one: int

    @dataclass(frozen=True, slots=True)
    class Made:
        one: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Checked:
        one: int

        def __post_init__(self) -> None:
            raise ValueError

    @dataclass(frozen=True, slots=True)
    class Derived(Plain):
        four: int = 4

    for kind in (Mutable, Unslotted, Made, Checked, Derived, int):
        with pytest.raises(TypeError):
            quick(kind)
