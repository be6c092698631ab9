"""What the configured strategy needs beyond the vault's readings, and which of it is there."""

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from keeper.config.settings import Settings
    from keeper.model.market import Readings
    from keeper.model.outlook import Outlook
    from keeper.ops.doctor import Line

CHECK = "strategy"
MOST_LOOKS = 1_000


def needed(settings: "Settings") -> "list[Line]":
    """A line for the strategy, and one for each thing it needs; what is missing says what to do."""
    from keeper.config.strategy import is_foreign, load_strategy
    from keeper.ops.doctor.line import ok
    from strategies.parts.needs import needs_of

    name, parameters = settings.strategy.name, settings.strategy.parameters
    if is_foreign(name, parameters):
        return [ok(CHECK, f"{name} comes from another package and runs in a process of its own")]
    strategy = load_strategy(name, parameters)
    needs = needs_of(strategy)
    if not needs:
        return [ok(CHECK, f"{name} needs nothing beyond the vault's readings")]
    outlook, problems = _looked(settings)
    found = [ok(CHECK, f"{name} needs: {', '.join(needs)}")]
    return found + judged(needs, outlook, problems)


def judged(needs: "tuple[Any, ...]", outlook: "Outlook", problems: tuple[str, ...]) -> "list[Line]":
    """One line for each need."""
    from keeper.ops.doctor.line import ok, warn
    from strategies.parts.needs import REMEDY, Need

    lines = []
    why = f": {'; '.join(problems)}" if problems else ""
    for need in needs:
        check, there = f"{CHECK} {need}", _there(Need(need), outlook)
        if there:
            lines.append(ok(check, there))
        else:
            because = why if need in (Need.FORECAST, Need.SMILES) else ""
            found = f"is not there, the strategy holds still where it needs it{because}"
            lines.append(warn(check, found, REMEDY[Need(need)]))
    return lines


def _there(need: Any, outlook: "Outlook") -> str:
    from strategies.parts.needs import Need

    if need is Need.FORECAST and outlook.volatility is not None:
        low, high = outlook.volatility_low, outlook.volatility_high
        span = f", four in five from {low:.1%} to {high:.1%}" if low and high else ""
        regime = f", {outlook.regime}" if outlook.regime else ""
        return f"volatility {outlook.volatility:.1%} a year{span}{regime}"
    if need is Need.SMILES and outlook.smiles:
        return f"smiles of {len(outlook.smiles)} expiries"
    if need is Need.FUNDING and outlook.funding:
        return f"funding at {', '.join(one.venue for one in outlook.funding)}"
    if need is Need.DRAWDOWN and outlook.drawdown is not None:
        return f"{outlook.drawdown:.2%} under the highest share value known"
    if need is Need.SECOND_LENDER and len({one.venue for one in outlook.lending}) > 1:
        return "rates of two lenders or more"
    return ""


def _looked(settings: "Settings") -> "tuple[Outlook, tuple[str, ...]]":
    """As a live keeper would see it, waited for."""
    from keeper.app import NOBODY, first_readings
    from keeper.app.build import outlook_terms
    from keeper.app.outlook import LiveSurroundings
    from keeper.config.endpoints import pool_of
    from keeper.config.key import load_address

    readings = first_readings(settings, load_address(settings.key) or NOBODY)
    pool = pool_of(settings)
    try:
        surroundings = LiveSurroundings(outlook_terms(settings), pool, run=_at_once)
        surroundings.look(readings)
        for later in range(1, MOST_LOOKS):
            if not surroundings.reading or surroundings.blocked:
                break
            surroundings.look(_later(readings, later))
        outlook = surroundings.look(readings)[0]
        return outlook, surroundings.problems
    finally:
        pool.close()


def _later(readings: "Readings", seconds: int) -> "Readings":
    """The same a moment later: the past is read a little at a time."""
    from dataclasses import replace

    block = replace(readings.block, timestamp=readings.block.timestamp + seconds)
    return replace(readings, block=block)


def _at_once(job: "Callable[[], None]") -> "Future[None]":
    done: Future[None] = Future()
    job()
    done.set_result(None)
    return done
