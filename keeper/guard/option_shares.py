"""The mandate's caps on options mirrored: collateral over gross assets, notional and vega over NAV."""

from keeper.guard.rehearsal import Rehearsal
from keeper.model.decision import Refusal
from keeper.model.ledger import Ledger
from keeper.model.market import Readings
from keeper.model.units import BPS


def option_shares(readings: Readings, rehearsal: Rehearsal) -> list[Refusal]:
    """Every cap that what is written would break; what did not grow is not held against it."""
    measure, limits = readings.measure, readings.mandate.terms.options
    if measure is None:
        return []
    after = rehearsal.after
    nav = max(0, after.nav_down())
    cases = (
        ("notional", rehearsal.notional, int(measure.notional), limits.max_notional_bps),
        ("vega", rehearsal.vega, int(measure.vega), limits.max_vega_bps),
    )
    found = [
        Refusal(
            f"option-{name}",
            f"{name} of options would be {before + more} asset units, NAV of {nav} allows {most} bps",
        )
        for name, more, before, most in cases
        if more > 0 and (before + more) * BPS > nav * most
    ]
    share = readings.mandate.terms.caps.max_option_bps
    held, gross = collateral_scaled(after), after.gross_scaled()
    if held > collateral_scaled(rehearsal.before) and held * BPS > gross * share:
        used = -(-held * BPS // gross) if gross else BPS
        message = f"{used} bps of gross assets would back options, at most {share} may"
        found.append(Refusal("option-collateral", message))
    return found


def collateral_scaled(ledger: Ledger) -> int:
    """Value of what backs options, in the ledger's scale."""
    book = ledger.book
    return book.collateral_asset * ledger.asset_scale + book.collateral_base * ledger.base_scale
