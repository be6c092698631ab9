"""The vault as its lens shows it, judged for one keeper."""

from keeper.model.market import MarketState, Readings
from keeper.model.risk import RiskReport
from keeper.ops.doctor.line import Line, fail, ok, warn

_PROTECTION_GAS = 1_500_000
_STRESS = 10
"""Times the base fee, at which a protective transaction must still be payable."""
_FEW_PROTECTIONS = 3
_OLD_SHARE = 0.8
_NO_ACCOUNT = fail(
    "role", "no account is known: no key is named, or it cannot be read", "see the key's line"
)
"""Instead of role and balance: nobody must be told to send money to an address that stands for none."""


def vault(
    market: MarketState, risk: RiskReport, *, max_feed_age_s: int, known: bool = True
) -> list[Line]:
    """Role, state, money for gas, oracle and heart; `known` is False if the readings were made for nobody's account."""
    readings, mandate = market.readings, market.readings.mandate
    contracts = f"vault {readings.vault} and its lens answer with this version's interface"
    return [
        ok("contracts", contracts),
        *(account(readings) if known else [_NO_ACCOUNT]),
        _state(market),
        _budget(market, risk),
        _oracle(market, max_feed_age_s),
        heart(readings.block.timestamp - mandate.last_beat, mandate.terms.emergency.silence_s),
        *marks(readings, known=known),
    ]


def account(readings: Readings, which: str = "") -> list[Line]:
    """Role and gas money of the account the readings were made for; `which` goes before the names of the lines."""
    role = which + "role"
    if readings.mandate.keeper_allowed:
        line = ok(role, f"{readings.keeper} is a keeper of the vault")
    else:
        found = f"{readings.keeper} is no keeper of the vault"
        line = fail(role, found, "ask its curator to add it, or use the key of one that is")
    base_fee = readings.block.base_fee_wei
    return [
        line,
        balance(readings.keeper, readings.keeper_balance_wei, base_fee, which + "balance"),
    ]


def _state(market: MarketState) -> Line:
    readings, mandate = market.readings, market.readings.mandate
    if mandate.winding_down:
        return warn("vault", "is winding down: only reducing moves pass", "nothing, if it is meant")
    if mandate.paused:
        return warn("vault", "is paused: only reducing moves pass", "ask its guardian why")
    if readings.unhedged:
        return warn(
            "vault", "is unhedged: a venue holds less than was opened there", "see keeper status"
        )
    return ok("vault", "open")


def _budget(market: MarketState, risk: RiskReport) -> Line:
    if risk.nav is None:
        return warn("loss budget", "unknown while the NAV is", "see the oracle's line")
    mandate = market.readings.mandate
    left, capacity = (
        mandate.protective.left_down(risk.nav),
        mandate.protective.capacity_down(risk.nav),
    )
    share = left / capacity if capacity else 0.0
    found = f"{share:.0%} of the protective budget is left"
    if share < 0.1:
        return warn("loss budget", found, "find out what used it: protection will be refused soon")
    return ok("loss budget", found)


def balance(account: str, balance_wei: int, base_fee_wei: int, check: str = "balance") -> Line:
    """How many protective transactions the account can pay for in a storm."""
    one = _PROTECTION_GAS * _STRESS * max(base_fee_wei, 1)
    payable = balance_wei // one
    found = f"{account} holds {balance_wei / 1e18:.4f} ETH: {payable} protections at {_STRESS}x the base fee"
    remedy = f"send it ETH: {_FEW_PROTECTIONS} take {_FEW_PROTECTIONS * one / 1e18:.4f}"
    if balance_wei == 0:
        return fail(check, found, remedy)
    return ok(check, found) if payable >= _FEW_PROTECTIONS else warn(check, found, remedy)


def _oracle(market: MarketState, max_age_s: int) -> Line:
    price = market.readings.price
    age_s = market.readings.block.timestamp - price.base.updated_at
    if market.faults:
        found = "; ".join(market.faults)
        return fail("oracle", found, "nothing is traded until its sources agree; look at the feed")
    if age_s > _OLD_SHARE * max_age_s:
        found = f"the price is {age_s} s old, believed up to {max_age_s}"
        return warn("oracle", found, "look at the feed: it is late")
    return ok("oracle", f"the price is {age_s} s old")


def heart(silent_s: int, silence_s: int) -> Line:
    """How long ago the vault heard of a keeper."""
    found = f"last beat {silent_s} s ago; after {silence_s} s others may protect"
    if silent_s > silence_s:
        return warn("heart", found, "start the keeper; if one runs, see its log")
    return ok("heart", found)


def marks(readings: Readings, *, known: bool = True) -> list[Line]:
    """Who posts volatility marks, and how old they are; nothing of a vault that writes no options."""
    state = readings.options.state
    posting = state.volatility.posting if state else None
    if posting is None:
        return []
    age = readings.block.timestamp - posting.marked_at
    ours = known and posting.poster.lower() == readings.keeper.lower()
    who = "this keeper's account" if ours else f"{posting.poster}, not this keeper"
    found = f"posted by {who}, {age} s ago; stale after {posting.max_age_s} s"
    if posting.frozen:
        return [warn("marks", f"posting is frozen; {found}", "ask the oracle's guardian why")]
    if age > posting.max_age_s:
        remedy = (
            "name outlook.option_chain: marks are made of a market's smiles"
            if ours
            else "ask the poster; or have the curator make this keeper's account the poster"
        )
        return [warn("marks", found, remedy)]
    return [ok("marks", found)]
