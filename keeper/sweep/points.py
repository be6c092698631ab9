"""What is varied: lists and ranges by name, as a grid or as seeded draws."""

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keeper.errors import SettingError

WORLD = "world."
MOST = 100_000
"""Points of one sweep."""
_OPTION = "--vary"
Point = tuple[tuple[str, str], ...]
"""(name, value as text) in the order of the options."""


@dataclass(frozen=True, slots=True)
class Vary:
    """One name and what it may be."""

    name: str
    values: tuple[str, ...]
    """As given, or the steps of a range."""
    low: float = 0.0
    high: float = 0.0
    ranged: bool = False
    log: bool = False
    whole: bool = False
    """The range is of whole numbers."""

    @classmethod
    def parsed(cls, text: str) -> "Vary":
        """Of `NAME=a,b,c` or `NAME=low:high[:n][:log]`; SettingError says what is wrong."""
        name, equals, given = (part.strip() for part in text.partition("="))
        if not equals or not name or name == WORLD or not given:
            raise _wrong(f"{text!r} is no NAME=a,b,c and no NAME=low:high:n")
        if ":" not in given or given[0] in "{[":
            values = _listed(given)
            if len(set(values)) < len(values) or not all(values):
                raise _wrong(f"{name} has a value twice or an empty one")
            return cls(name, values)
        return cls._range(name, given)

    @classmethod
    def _range(cls, name: str, given: str) -> "Vary":
        parts = given.split(":")
        log = parts[-1] == "log"
        parts = parts[:-1] if log else parts
        try:
            low, high = float(parts[0]), float(parts[1])
            count = int(parts[2]) if len(parts) > 2 else 0
        except (ValueError, IndexError):
            raise _wrong(f"{name}={given} is no low:high:n") from None
        if len(parts) > 3 or not (math.isfinite(low) and low < high < math.inf):
            raise _wrong(f"{name}={given} is no low:high:n with low < high")
        if log and low <= 0:
            raise _wrong(f"{name}={given} begins at {low}, which has no logarithm")
        if count < 0 or count == 1:
            raise _wrong(f"{name}={given} has {count} values")
        whole = all(_is_whole(part) for part in parts[:2])
        steps = tuple(_steps(low, high, count, log=log)) if count else ()
        values = tuple(dict.fromkeys(_text(step, whole=False) for step in steps))
        return cls(name, values, low, high, True, log, whole)

    def drawn(self, draw: random.Random) -> str:
        """A value at random: of a range evenly between its ends (of the logarithm with `log`), of a list any."""
        if not self.ranged:
            return draw.choice(self.values)
        if self.log:
            value = math.exp(draw.uniform(math.log(self.low), math.log(self.high)))
        else:
            value = draw.uniform(self.low, self.high)
        return _text(min(max(value, self.low), self.high), whole=self.whole)


def grid(varied: Sequence[Vary]) -> tuple[Point, ...]:
    """Every combination, the last name changing fastest."""
    for one in varied:
        if not one.values:
            raise _wrong(
                f"{one.name} has no number of values", "write low:high:n, or give --sample"
            )
    count = math.prod(len(one.values) for one in varied)
    _check_count(count)
    names = [one.name for one in varied]
    product = itertools.product(*(one.values for one in varied))
    return tuple(tuple(zip(names, values, strict=True)) for values in product)


def sample(varied: Sequence[Vary], count: int, seed: int) -> tuple[Point, ...]:
    """`count` draws, the same for the same seed; what is drawn twice is kept once."""
    _check_count(count)
    draw = random.Random(f"{seed}")  # noqa: S311 - a sweep, not a secret
    points = (tuple((one.name, one.drawn(draw)) for one in varied) for _ in range(count))
    return tuple(dict.fromkeys(points))


def check_names(varied: Sequence[Vary]) -> None:
    """SettingError for a name that is varied twice."""
    names = [one.name for one in varied]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _wrong(f"{twice} is varied twice", "vary it once")


def _check_count(count: int) -> None:
    if count > MOST:
        raise _wrong(f"{count} runs are more than {MOST}", "vary less, or give --sample")


def _steps(low: float, high: float, count: int, *, log: bool) -> Iterator[float]:
    for i in range(count):
        if i in (0, count - 1):
            yield high if i else low
        elif log:
            yield low * (high / low) ** (i / (count - 1))
        else:
            yield low + (high - low) * i / (count - 1)


def _text(value: float, *, whole: bool) -> str:
    """Twelve digits are kept: 0.30000000000000004 is nobody's parameter."""
    if whole:
        return str(round(value))
    rounded = float(f"{value:.12g}")
    return str(int(rounded)) if rounded.is_integer() and abs(rounded) < 1e18 else repr(rounded)


def _listed(given: str) -> tuple[str, ...]:
    return (given,) if given[0] in "{[" else tuple(part.strip() for part in given.split(","))


def _is_whole(text: str) -> bool:
    return text.strip().lstrip("+-").isdigit()


def _wrong(problem: str, remedy: str = "write low=1.2,1.3 or low=1.2:1.5:4[:log]") -> SettingError:
    return SettingError(_OPTION, problem, remedy)
