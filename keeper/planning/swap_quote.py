"""What a swap in the one pool is expected to give, and the least the plan accepts.

Within the range of its liquidity L a Uniswap v3 pool moves its square-root price linearly:

    selling token0:  sqrtP' = L sqrtP / (L + in sqrtP)      out = L (sqrtP - sqrtP')
    selling token1:  sqrtP' = sqrtP + in / L                out = L (1/sqrtP - 1/sqrtP')

Liquidity beyond the current range is not known here; sizes are bounded by the expected loss, so a plan that
would leave a realistic range is cut before it does.
"""

from dataclasses import dataclass, replace

from keeper.model.ledger import Holding, Ledger
from keeper.model.market import PoolState
from keeper.model.units import BPS

Q96 = 2**96
PIPS = 1_000_000


@dataclass(frozen=True, slots=True)
class SwapTerms:
    """What bounds any swap of a plan."""

    max_loss_bps: int
    """The mandate's bound of output against the oracle."""
    slippage_bps: int
    """Accepted on top of fee and impact."""


@dataclass(frozen=True, slots=True)
class SwapQuote:
    """One exact-input swap; amounts in token units, values in asset units."""

    sold: Holding
    amount_in: int
    expected_out: int
    mandate_out: int
    """Least output the mandate allows, rounded up."""
    min_out: int
    value: int
    """Oracle value of what is sold, rounded up."""
    expected_loss: int
    """Oracle value in less expected oracle value out, rounded up; negative when the pool pays more."""
    pool_after: PoolState


def quote_swap(
    ledger: Ledger, pool: PoolState, terms: SwapTerms, sold: Holding, amount_in: int
) -> SwapQuote:
    """Quote selling `amount_in` of `sold` for the other token."""
    bought = ledger.base if sold.token == ledger.asset.token else ledger.asset
    out, pool_after = simulate(pool, sold.token == ledger.base.token, amount_in)
    oracle_out = amount_in * ledger.scale(sold) // ledger.scale(bought)
    # One unit is added because the vault may round its own bound up where we round down.
    mandate_out = -(-oracle_out * (BPS - terms.max_loss_bps) // BPS) + 1
    at_spot = _at_spot(pool, sold.token == ledger.base.token, amount_in)
    # The oracle's output less the share that fee and impact take at the pool's own price.
    impacted = oracle_out * out // at_spot if at_spot > 0 else 0
    wanted = min(out, impacted) * (BPS - terms.slippage_bps) // BPS
    value_scaled = amount_in * ledger.scale(sold)
    return SwapQuote(
        sold=sold,
        amount_in=amount_in,
        expected_out=out,
        mandate_out=mandate_out,
        min_out=max(wanted, mandate_out),
        value=ledger.value_up(sold, amount_in),
        expected_loss=-(-(value_scaled - out * ledger.scale(bought)) // ledger.asset_scale),
        pool_after=pool_after,
    )


def simulate(pool: PoolState, sells_base: bool, amount_in: int) -> tuple[int, PoolState]:
    """Output (rounded down) and the pool after an exact-input swap inside the current range."""
    liquidity, root = pool.liquidity, pool.sqrt_price_x96
    if liquidity <= 0 or root <= 0 or amount_in <= 0:
        return 0, pool
    net_in = amount_in * (PIPS - pool.fee_pips) // PIPS
    if sells_base == pool.base_is_token0:
        scaled = liquidity * Q96
        root_after = -(-scaled * root // (scaled + net_in * root))
        out = liquidity * (root - root_after) // Q96
    else:
        root_after = root + net_in * Q96 // liquidity
        out = liquidity * Q96 * (root_after - root) // (root_after * root)
    return out, replace(pool, sqrt_price_x96=root_after)


def _at_spot(pool: PoolState, sells_base: bool, amount_in: int) -> int:
    """Output at the pool's current price, without fee and impact, rounded down."""
    square, unit = pool.sqrt_price_x96**2, Q96**2
    if sells_base == pool.base_is_token0:
        return amount_in * square // unit
    return amount_in * unit // max(square, 1)
