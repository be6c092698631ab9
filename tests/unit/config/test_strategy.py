"""Strategies by entry point; a wrong parameter is named."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

from keeper.config import strategy as module
from keeper.config.strategy import load_strategy
from keeper.errors import SettingError
from keeper.model.decision import Lane, Target
from keeper.model.units import Bps, Wad

_MARGIN = Bps(5)


@dataclass(frozen=True, slots=True)
class Sample:
    """Takes every kind of parameter."""

    health: Wad
    margin: Bps = _MARGIN
    factor: float = 1.5
    eager: bool = False
    label: str = "x"

    def __post_init__(self) -> None:
        if self.health < 10**18:
            raise ValueError("health must be over 1")

    def __call__(self, market: object, risk: object) -> Target:
        return Target(Lane.ROUTINE, None, None, self.label)


@pytest.fixture(autouse=True)
def _only_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    here = EntryPoint("sample", f"{__name__}:Sample", module.GROUP)
    gone = EntryPoint("gone", "nowhere_at_all:Gone", module.GROUP)
    monkeypatch.setattr(module, "entry_points", lambda group: [here, gone])
    monkeypatch.setattr(EntryPoint, "load", lambda self: _load(self.name))


def _load(name: str) -> object:
    if name == "gone":
        raise ImportError("no module nowhere_at_all")
    return Sample


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"health": 1.5}, Sample(Wad(15 * 10**17))),
        ({"health": "1.5"}, Sample(Wad(15 * 10**17))),  # as the environment gives it
        ({"health": 2}, Sample(Wad(2 * 10**18))),
        ({"health": 1_500_000_000_000_000_000}, Sample(Wad(15 * 10**17))),
        ({"health": 2, "margin": "7"}, Sample(Wad(2 * 10**18), Bps(7))),
        ({"health": 2, "factor": "2.5"}, Sample(Wad(2 * 10**18), factor=2.5)),
        ({"health": 2, "factor": 2}, Sample(Wad(2 * 10**18), factor=2.0)),
        ({"health": 2, "eager": True}, Sample(Wad(2 * 10**18), eager=True)),
        ({"health": 2, "eager": "false"}, Sample(Wad(2 * 10**18), eager=False)),
        ({"health": 2, "label": "a"}, Sample(Wad(2 * 10**18), label="a")),
    ],
)
def test_parameters_get_their_declared_types(given: dict[str, object], expected: Sample) -> None:
    assert load_strategy("sample", given) == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "strategy.parameters.health: is missing"),
        ({"health": 2, "helth": 1}, "strategy.parameters.helth: sample has no such parameter"),
        ({"health": "high"}, "strategy.parameters.health: must be a decimal number"),
        ({"health": True}, "strategy.parameters.health: must be a decimal number"),
        ({"health": "nan"}, "strategy.parameters.health"),
        ({"health": 2, "margin": 1.5}, "strategy.parameters.margin: must be a whole number"),
        ({"health": 2, "margin": "x"}, "strategy.parameters.margin: must be a number"),
        ({"health": 2, "factor": "x"}, "strategy.parameters.factor: must be a number"),
        ({"health": 2, "eager": "perhaps"}, "strategy.parameters.eager: must be bool"),
        ({"health": 2, "label": 7}, "strategy.parameters.label: must be str"),
        ({"health": 0.5}, "health must be over 1"),
    ],
)
def test_a_wrong_parameter_is_named(given: dict[str, object], says: str) -> None:
    with pytest.raises(SettingError) as caught:
        load_strategy("sample", given)
    assert says in str(caught.value)


def test_an_unknown_strategy_is_told_the_known_ones() -> None:
    with pytest.raises(SettingError, match="no strategy 'sampel'; known are gone, sample"):
        load_strategy("sampel", {})


def test_a_strategy_that_cannot_be_imported_is_named() -> None:
    with pytest.raises(SettingError, match="gone cannot be loaded"):
        load_strategy("gone", {})
