"""What a target wants written, as series and sizes of this vault."""

from dataclasses import replace

from keeper.model.decision import OptionTarget, Target
from keeper.model.desk import DeskState
from keeper.model.market import Readings
from keeper.model.series import Series


def net_options(target: Target) -> tuple[OptionTarget, ...]:
    """Every series wanted, once: what several strategies want of it added up, long against short."""
    sums: dict[tuple[bool, int, int, int], OptionTarget] = {}
    for option in target.options or ():
        terms = (option.is_call, option.strike_wad, option.second_strike_wad, option.expiry)
        before = sums[terms].quantity if terms in sums else 0
        sums[terms] = replace(option, quantity=before + option.quantity)
    return tuple(option for option in sums.values() if option.quantity)


def wanted_written(target: Target) -> tuple[OptionTarget, ...]:
    """The series that are to be short; long ones are bought elsewhere, by orders."""
    return tuple(option for option in net_options(target) if option.quantity < 0)


def series_of(option: OptionTarget, readings: Readings, state: DeskState) -> Series:
    """The series of the vault's own pair and settlement oracle."""
    return Series(
        base=readings.base.address,
        quote=readings.asset.address,
        oracle=state.settlement_oracle,
        expiry=option.expiry,
        is_call=option.is_call,
        strike_wad=option.strike_wad,
        second_strike_wad=option.second_strike_wad,
    )


def wanted_by_series(
    target: Target, readings: Readings, state: DeskState
) -> dict[str, tuple[Series, int]]:
    """By id: the series and the base units wanted short."""
    wanted: dict[str, tuple[Series, int]] = {}
    for option in wanted_written(target):
        series = series_of(option, readings, state)
        if series.well_formed:
            wanted[series.id] = (series, -option.quantity)
    return wanted


def unseen_series(readings: Readings, target: Target) -> tuple[str, ...]:
    """Ids of the series that are wanted and not held: whether the book knows them must be read."""
    state = readings.options.state
    if state is None:
        return ()
    held = {p.series_id for p in readings.options.positions}
    return tuple(i for i in wanted_by_series(target, readings, state) if i not in held)
