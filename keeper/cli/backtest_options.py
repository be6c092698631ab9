"""Options of `keeper backtest` and `keeper sweep`: what they are called, and their values: times, `key=value` pairs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from keeper.errors import SettingError

File = Path | None
Help = typer.Option

Strategy = Annotated[str, Help("--strategy", help="Name of a registered strategy.")]
Data = Annotated[
    Path, Help("--data", help="Prices: bars (t, open, high, low, close), ticks, or rounds.")
]
Start = Annotated[str | None, Help("--from", help="First day or time, UTC, ISO 8601.")]
End = Annotated[str | None, Help("--to", help="Where it ends, not included.")]
Settings = Annotated[
    list[str] | None, Help("--set", help="A parameter of the strategy: key=value.")
]
WorldParts = Annotated[
    list[str] | None,
    Help("--world", help="A part of the simulated world: pool.depth=..., chain.latency_blocks=4."),
]
Deposit = Annotated[float, Help(min=1, help="Assets the vault starts with.")]
Health = Annotated[float | None, Help(min=1.01, help="Start levered long in base, at this health.")]
BaseShare = Annotated[
    float, Help(min=0, max=1, help="Part of the deposit that starts as idle base.")
]
Rounds = Annotated[File, Help(help="The oracle's own rounds.")]
FundingRates = Annotated[File, Help(help="Funding rates of the perpetual.")]
FundingVenue = Annotated[str | None, Help(help="Whose, in a file of several.")]
Volatility = Annotated[File, Help(help="An index of implied volatility.")]
Chain = Annotated[File, Help(help="A book summary of options.")]
Gas = Annotated[File, Help(help="Gas prices.")]
MaxMissing = Annotated[int, Help(min=0, help="Largest gap accepted, in steps.")]
ZeroVolume = Annotated[bool, Help(help="Take bars in which nothing traded.")]
Inside = Annotated[bool, Help(help="Play the inside of bars: low and high.")]
TicksInside = Annotated[
    bool, Help(help="With --inside: the keeper ticks there too; for protection only.")
]


def moment(option: str, text: str | None) -> int | None:
    """Unix seconds of a day or time in UTC; SettingError for what is none."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(option, f"{text!r} is no date", "write 2020-03-12 or a time") from None
    return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def pairs(option: str, texts: list[str]) -> dict[str, Any]:
    """`key=value`, each key once."""
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise SettingError(option, f"{text!r} is no key=value", "write low=1.3")
        if key.strip() in found:
            raise SettingError(option, f"{key.strip()} is given twice", "give it once")
        found[key.strip()] = value.strip()
    return found
