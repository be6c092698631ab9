"""Rational minimax approximation in decimal arithmetic: how the constants of `BlackScholes.sol` were found.

`fit` runs Remez' exchange for N(x) / D(x) close to f(x) in relative error. With the error level E of the last round in
hand, N(x_i) - (1 + s_i E) f(x_i) D(x_i) = 0 is linear in all coefficients but for the product E x D; that product uses
the D of the round before, and the rounds converge together with the exchange. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from operator import mul

Function = Callable[[Decimal], Decimal]


@dataclass(frozen=True)
class Rational:
    """N(x) / D(x), coefficients in rising powers, D(0) = 1; `error` is the largest relative error seen."""

    numerator: tuple[Decimal, ...]
    denominator: tuple[Decimal, ...]
    error: Decimal

    def __call__(self, x: Decimal) -> Decimal:
        """The value of the approximation at x."""
        return polynomial(self.numerator, x) / polynomial(self.denominator, x)


def polynomial(coefficients: Sequence[Decimal], x: Decimal) -> Decimal:
    """Horner's rule, coefficients in rising powers."""
    total = Decimal(0)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def solve(matrix: list[list[Decimal]], right: list[Decimal]) -> list[Decimal]:
    """Gaussian elimination with partial pivoting; the arguments are consumed."""
    size = len(right)
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda i: abs(rows[i][k]))
        rows[k], rows[pivot] = rows[pivot], rows[k]
        for i in range(k + 1, size):
            factor = rows[i][k] / rows[k][k]
            if factor:
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
    answer = [Decimal(0)] * size
    for k in reversed(range(size)):
        known = sum((rows[k][j] * answer[j] for j in range(k + 1, size)), Decimal(0))
        answer[k] = (rows[k][size] - known) / rows[k][k]
    return answer


def fit(
    f: Function, low: Decimal, high: Decimal, degrees: tuple[int, int], grid: int = 600
) -> Rational:
    """The rational function of `degrees` (numerator, denominator) with least relative error on [low, high]."""
    above, below = degrees
    count = above + below + 2
    xs = [_node(low, high, i, grid) for i in range(grid + 1)]
    values = [f(x) for x in xs]
    picks = [round(i * grid / (count - 1)) for i in range(count)]
    previous = Rational((Decimal(1),), (Decimal(1),) + (Decimal(0),) * below, Decimal(0))
    for _ in range(60):
        points = [(xs[i], values[i]) for i in picks]
        for _inner in range(4):
            previous = _level(points, degrees, previous)
        errors = [previous(x) / v - 1 for x, v in zip(xs, values, strict=True)]
        picks = _extrema(errors, count)
        worst = max(abs(e) for e in errors)
        levelled = worst / min(abs(errors[i]) for i in picks)
        previous = Rational(previous.numerator, previous.denominator, worst)
        if levelled < Decimal("1.01"):
            break
    return previous


def _node(low: Decimal, high: Decimal, i: int, grid: int) -> Decimal:
    """Chebyshev-like spacing: dense at both ends, where the extrema crowd."""
    x = Decimal(2 * i) / grid - 1
    # sin(pi x / 2) to the accuracy a grid needs: 1.5 x - 0.5 x^3 has the same quadratic approach to both ends.
    bent = (3 * x - x**3) / 2
    return low + (high - low) * (bent + 1) / 2


def _level(
    points: list[tuple[Decimal, Decimal]], degrees: tuple[int, int], previous: Rational
) -> Rational:
    above, below = degrees
    matrix, right = [], []
    for i, (x, v) in enumerate(points):
        sign = 1 if i % 2 == 0 else -1
        powers = list(accumulate([Decimal(1)] + [x] * max(above, below), mul))
        row = powers[: above + 1] + [-v * p for p in powers[1 : below + 1]]
        row.append(-sign * v * polynomial(previous.denominator, x))
        matrix.append(row)
        right.append(v)
    answer = solve(matrix, right)
    numerator = tuple(answer[: above + 1])
    denominator = (Decimal(1), *answer[above + 1 : above + below + 1])
    return Rational(numerator, denominator, abs(answer[-1]))


def _extrema(errors: list[Decimal], count: int) -> list[int]:
    """Indices of the largest alternating extrema, `count` of them."""
    peaks: list[int] = []
    for i, error in enumerate(errors):
        if peaks and (errors[peaks[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > count:
        if len(peaks) == count + 1:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        else:
            weakest = min(range(len(peaks) - 1), key=lambda k: _pair(errors, peaks, k))
            del peaks[weakest : weakest + 2]
    if len(peaks) < count:
        raise ArithmeticError(f"only {len(peaks)} of {count} alternations")
    return peaks


def _pair(errors: list[Decimal], peaks: list[int], k: int) -> Decimal:
    return max(abs(errors[peaks[k]]), abs(errors[peaks[k + 1]]))
