"""Integer units and the only places where they are converted; rounding direction is in the name."""

from typing import NewType

Wei = NewType("Wei", int)
"""Native currency, 1e-18."""
Wad = NewType("Wad", int)
"""Fixed point with 18 decimals: ratios, prices."""
Bps = NewType("Bps", int)
"""1e-4."""
Raw = NewType("Raw", int)
"""Token units: 1e-decimals of a token."""

WAD = 10**18
BPS = 10_000
MAX_UINT256 = 2**256 - 1
INFINITE_HEALTH = Wad(MAX_UINT256)
_POWERS = tuple(10**n for n in range(78))


def ten_to(decimals: int) -> int:
    """10 ** decimals; of a token's decimals it is looked up and not computed."""
    return _POWERS[decimals] if 0 <= decimals < 78 else int(10**decimals)


def mul_div_down(a: int, b: int, denominator: int) -> int:
    """a x b / denominator rounded towards zero, for non-negative integers."""
    if a < 0 or b < 0 or denominator <= 0:
        raise ValueError(
            f"mul_div_down needs a, b >= 0 and denominator > 0: {a}, {b}, {denominator}"
        )
    return a * b // denominator


def mul_div_up(a: int, b: int, denominator: int) -> int:
    """a x b / denominator rounded away from zero, for non-negative integers."""
    if a < 0 or b < 0 or denominator <= 0:
        raise ValueError(f"mul_div_up needs a, b >= 0 and denominator > 0: {a}, {b}, {denominator}")
    return -(-a * b // denominator)


def wad_down(value: float) -> Wad:
    """A float estimate as WAD, rounded down to the nearest 1e-18 it can represent."""
    return Wad(int(value * WAD))


def wad_float(value: int) -> float:
    """A WAD as a float, for estimates and display only; infinite health becomes inf."""
    return float("inf") if value >= MAX_UINT256 else value / WAD


def base_to_quote_down(
    base_raw: int, price_wad: int, base_decimals: int, quote_decimals: int
) -> Raw:
    """Value in quote units of an amount of base, rounded down."""
    return Raw(base_raw * price_wad * 10**quote_decimals // (WAD * 10**base_decimals))


def base_to_quote_up(base_raw: int, price_wad: int, base_decimals: int, quote_decimals: int) -> Raw:
    """Value in quote units of an amount of base, rounded up."""
    return Raw(-(-base_raw * price_wad * 10**quote_decimals // (WAD * 10**base_decimals)))


def quote_to_base_down(
    quote_raw: int, price_wad: int, base_decimals: int, quote_decimals: int
) -> Raw:
    """Amount of base worth a quote amount, rounded down."""
    return Raw(quote_raw * WAD * 10**base_decimals // (price_wad * 10**quote_decimals))


def quote_to_base_up(
    quote_raw: int, price_wad: int, base_decimals: int, quote_decimals: int
) -> Raw:
    """Amount of base worth a quote amount, rounded up."""
    return Raw(-(-quote_raw * WAD * 10**base_decimals // (price_wad * 10**quote_decimals)))
