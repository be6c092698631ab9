"""The normal distribution to as many digits as the decimal context carries. Standard library only.

Two independent ways meet here: Maclaurin's series (all terms of one sign, summed with guard digits) and Laplace's
continued fraction for the far tail. `self_check` compares them where both converge; what uses them calls it first.
"""

from __future__ import annotations

from decimal import Decimal, getcontext, localcontext
from functools import cache

LN10 = Decimal(10).ln()
TAIL = Decimal(7)  # beyond it the continued fraction needs fewer terms than the series


@cache
def root_two_pi(digits: int) -> Decimal:
    """sqrt(2 pi), by Machin's formula for pi."""
    with localcontext() as context:
        context.prec = digits + 10
        pi = 4 * (4 * _arctan_inverse(5) - _arctan_inverse(239))
        return (2 * pi).sqrt()


def _arctan_inverse(n: int) -> Decimal:
    """arctan(1 / n)."""
    power = total = Decimal(1) / n
    k = 1
    while abs(power) > Decimal(10) ** (-getcontext().prec - 5):
        power /= -n * n
        k += 2
        total += power / k
    return total


def density(x: Decimal) -> Decimal:
    """exp(-x^2 / 2) / sqrt(2 pi)."""
    return (-x * x / 2).exp() / root_two_pi(getcontext().prec)


def mills(y: Decimal) -> Decimal:
    """Mills' ratio (1 - Phi(y)) / phi(y), for any y; full relative accuracy."""
    if y > TAIL:
        return _mills_by_fraction(y)
    return _mills_by_series(y)


def _mills_by_series(y: Decimal) -> Decimal:
    """1 / (2 phi(y)) - sum of y^(2k+1) / (2k+1)!!: for y > 0 they nearly cancel, so guard digits follow y^2 / 2."""
    wanted = getcontext().prec
    with localcontext() as context:
        context.prec = wanted + 10 + int(y * y / 2 / LN10)
        term = total = y
        square, k = y * y, 1
        small = Decimal(10) ** -context.prec
        while abs(term) > small:
            k += 2
            term *= square / k
            total += term
        half = (square / 2).exp() * root_two_pi(context.prec) / 2
        answer = half - total
    return +answer


def _mills_by_fraction(y: Decimal) -> Decimal:
    """1 / (y + 1 / (y + 2 / (y + 3 / ...))), from the tail; its length follows from the digits wanted."""
    wanted = getcontext().prec
    with localcontext() as context:
        context.prec = wanted + 10
        # The k-th convergent is off by about exp(-2 y sqrt(k)), relatively.
        length = int((Decimal(wanted + 15) * LN10 / (2 * y)) ** 2 * 2) + 20
        value = y
        for k in range(length, 0, -1):
            value = y + k / value
        answer = 1 / value
    return +answer


def cumulative(x: Decimal) -> Decimal:
    """Phi(x), full relative accuracy in the left tail."""
    return 1 - density(x) * mills(x) if x > 0 else density(x) * mills(-x)


def self_check() -> None:
    """Raise if the two ways differ in the last digits, or Phi(x) + Phi(-x) from 1."""
    unit = Decimal(10) ** (8 - getcontext().prec)
    for tenth in range(30, 121, 7):
        y = Decimal(tenth) / 10
        series, fraction = _mills_by_series(y), _mills_by_fraction(y)
        if abs(series / fraction - 1) > unit:
            raise ArithmeticError(
                f"Mills' ratio at {y}: {series} by series, {fraction} by fraction"
            )
        if abs(density(y) * mills(-y) + cumulative(-y) - 1) > unit:
            raise ArithmeticError(f"Phi({y}) + Phi(-{y}) is not 1")
