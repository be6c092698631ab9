"""How the constants of keeper/quant/normal.py and implied_terms.py were found.

`python -m scripts.reference.quant_fits` prints each set of coefficients, in rising powers, with the largest relative
error of the fit before rounding to doubles. (The Bachelier fit in use stood on another grid; its guess needs 1e-3.)

Rational fits: linearised least squares, reweighted by the denominator before (Sanathanan and Koerner) and by the error
before (Lawson) until the error is level. Polynomials: interpolation in Chebyshev's nodes, near enough to minimax.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath as mp  # type: ignore[import-untyped]

Function = Callable[[mp.mpf], mp.mpf]


def mills(a: mp.mpf) -> mp.mpf:
    """sqrt(pi / 2) erfcx(a / sqrt 2)."""
    if a > 60:
        tail = mp.mpf(0)
        for k in range(200, 0, -1):
            tail = k / (a + tail)
        return 1 / (a + tail)
    return mp.sqrt(mp.pi / 2) * mp.erfc(a / mp.sqrt(2)) * mp.exp(a * a / 2)


def half_line(count: int) -> list[mp.mpf]:
    """0 and Chebyshev's nodes carried to the half line by a = 2.5 (1 + u) / (1 - u)."""
    nodes = [-mp.cos(mp.pi * (i + mp.mpf(1) / 2) / count) for i in range(count)]
    return [mp.mpf(0), *(mp.mpf(5) / 2 * (1 + u) / (1 - u) for u in nodes)]


def rational(
    places: Sequence[mp.mpf], values: Sequence[mp.mpf], top: int, bottom: int, rounds: int
) -> tuple[mp.mpf, list[mp.mpf], list[mp.mpf]]:
    """(largest relative error, numerator, denominator) of the best round; denominator(0) = 1."""
    size, weights = len(places), [mp.mpf(1)] * len(places)
    before = [(1 + x) ** bottom for x in places]
    best: tuple[mp.mpf, list[mp.mpf], list[mp.mpf]] | None = None
    for _ in range(rounds):
        matrix, right = mp.matrix(size, top + bottom + 1), mp.matrix(size, 1)
        for i, (x, f) in enumerate(zip(places, values, strict=True)):
            scale = mp.sqrt(weights[i]) / (f * before[i])
            for j in range(top + 1):
                matrix[i, j] = x**j * scale
            for j in range(1, bottom + 1):
                matrix[i, top + j] = -f * x**j * scale
            right[i] = f * scale
        p, q = _solved(matrix, right, top)
        before = [abs(mp.polyval(q[::-1], x)) for x in places]
        errors = [
            abs(mp.polyval(p[::-1], x) / (b * f) - 1)
            for x, b, f in zip(places, before, values, strict=True)
        ]
        if best is None or max(errors) < best[0]:
            best = max(errors), p, q
        total = sum(w * e for w, e in zip(weights, errors, strict=True)) / size
        weights = [w * e / total + mp.mpf("1e-12") for w, e in zip(weights, errors, strict=True)]
    if best is None:
        raise ValueError("rounds must be 1 or more")
    return best


def _solved(matrix: mp.matrix, right: mp.matrix, top: int) -> tuple[list[mp.mpf], list[mp.mpf]]:
    rows, columns = matrix.rows, matrix.cols
    scales = [mp.sqrt(sum(matrix[i, j] ** 2 for i in range(rows))) for j in range(columns)]
    for j in range(columns):
        for i in range(rows):
            matrix[i, j] /= scales[j]
    found = mp.lu_solve(matrix.T * matrix, matrix.T * right)
    c = [found[j] / scales[j] for j in range(columns)]
    return c[: top + 1], [mp.mpf(1), *c[top + 1 :]]


def polynomial(f: Function, low: mp.mpf, high: mp.mpf, degree: int) -> list[mp.mpf]:
    """Through Chebyshev's nodes of [low, high]."""
    count = degree + 1
    nodes = [
        (low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count))
        for i in range(count)
    ]
    matrix = mp.matrix(count, count)
    for i, x in enumerate(nodes):
        for j in range(count):
            matrix[i, j] = x**j
    return list(mp.lu_solve(matrix, mp.matrix([f(x) for x in nodes])))


def bachelier() -> tuple[list[mp.mpf], list[mp.mpf]]:
    """Places sqrt(w) and values a / w of `normal_moneyness`, w = log(1 + 1 / r), r = pdf(a) / a - cdf(-a)."""
    places, values = [], []
    for i in range(240):
        a = mp.mpf(10) ** (mp.mpf(i) / 34 - 5)
        r = mp.npdf(a) / a - mp.erfc(a / mp.sqrt(2)) / 2
        w = mp.log(1 + 1 / r)
        places.append(mp.sqrt(w))
        values.append(a / w)
    return places, values


def show(name: str, error: mp.mpf | None, *coefficients: list[mp.mpf]) -> None:
    """One set."""
    print(name, "" if error is None else f"largest relative error {mp.nstr(error, 3)}")
    for row in coefficients:
        print("  ", [repr(float(c)) for c in row])


def main() -> None:
    """All sets."""
    mp.mp.dps = 60
    places = half_line(88)
    show("mills (10, 11)", *rational(places, [mills(a) for a in places], 10, 11, 15))
    half_step = mp.log(2) / 2 * mp.mpf("1.001")
    series = [1 / mp.factorial(k + 2) for k in range(45)]
    show(
        "exp: (exp(r) - 1 - r) / r^2",
        None,
        polynomial(lambda r: mp.polyval(series[::-1], r), -half_step, half_step, 9),
    )
    widest = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mp.mpf("1.002")
    odd = [mp.mpf(2) / (2 * k + 3) for k in range(60)]
    show(
        "log: (2 artanh(y) - 2 y) / y^3 in y^2",
        None,
        polynomial(lambda z: mp.polyval(odd[::-1], z), mp.mpf(0), widest, 6),
    )
    show("Bachelier's moneyness (3, 4)", *rational(*bachelier(), 3, 4, 40))


if __name__ == "__main__":
    main()
