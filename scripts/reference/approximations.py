"""Derive the constants of `contracts/libraries/{ElementaryQ80,GaussQ80,BlackScholes}.sol`.

Three functions are approximated, each in the variable that makes it smooth and with the least relative error there
(see `minimax`):

  mills   R(y) = t P(t), t = 6 / (6 + y), P of degree 19, for y in [-1/4, infinity). R is analytic at t = 0, so one
          polynomial covers the whole half-line; 6 balances its growth near y = -1/4 against its decay in the tail.
  log     2 artanh(z) / z in w = z^2, degrees (3, 2), |z| <= 0.1722, a little over (sqrt 2 - 1) / (sqrt 2 + 1).
  exp2    tanh(u ln 2 / 2) / u in w = u^2, degrees (1, 2), |u| <= 1/2; then 2^u = (1 + u T) / (1 - u T).

Fixed points: Qn means times 2^n. Horner's rule for `mills` takes two steps per shift, so its coefficients alternate
between Q160 and Q240. `python -m scripts.reference.approximations` prints every constant with the error of its fit;
`--check` compares them with the library.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, getcontext
from pathlib import Path

from scripts.reference.gaussian import mills, root_two_pi
from scripts.reference.minimax import Rational, fit

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = [
    ROOT / "contracts" / "libraries" / f"{name}.sol"
    for name in ("BlackScholes", "ElementaryQ80", "GaussQ80")
]
YEAR = 365 * 24 * 3600
WAD = 10**18
LONGEST = 10 * YEAR
SHIFT = Decimal(6)
MILLS_DEGREE = 19


@dataclass(frozen=True)
class Constant:
    """A named integer as it stands in the library: assembly takes no negative literal, so the sign is in the name."""

    name: str
    magnitude: int


def constant(name: str, value: Decimal, bits: int) -> Constant:
    """`name`, or `NEG_name` when the value is negative, in Qbits."""
    number = fixed(value, bits)
    return Constant(f"NEG_{name}" if number < 0 else name, abs(number))


def fixed(value: Decimal, bits: int) -> int:
    """Nearest integer to value x 2^bits."""
    return int((value * 2**bits).to_integral_value(ROUND_HALF_EVEN))


def fit_mills() -> Rational:
    """P of t: R(y) / t at y = 6 / t - 6."""

    def f(t: Decimal) -> Decimal:
        return mills(SHIFT / t - SHIFT) / t if t else 1 / SHIFT

    return fit(f, Decimal(0), SHIFT / (SHIFT - Decimal("0.25")), (MILLS_DEGREE, 0))


def fit_log() -> Rational:
    """2 artanh(z) / z of w = z^2."""

    def f(w: Decimal) -> Decimal:
        z = w.sqrt()
        return ((1 + z) / (1 - z)).ln() / z if w else Decimal(2)

    return fit(f, Decimal(0), Decimal("0.02965"), (3, 2))


def fit_exp2() -> Rational:
    """tanh(u ln 2 / 2) / u of w = u^2."""
    ln2 = Decimal(2).ln()

    def f(w: Decimal) -> Decimal:
        u = w.sqrt()
        power = (u * ln2).exp()
        return (power - 1) / (power + 1) / u if w else ln2 / 2

    return fit(f, Decimal(0), Decimal("0.25"), (1, 2))


def mills_constants(p: Rational) -> list[Constant]:
    """P19 in Q80, then P18 in Q160, P17 in Q240, P16 in Q160 and so on down to P0 in Q160."""
    constants = [constant("P19", p.numerator[19], 80)]
    for k in range(18, -1, -1):
        constants.append(constant(f"P{k}", p.numerator[k], 160 if k % 2 == 0 else 240))
    return constants


def log_constants(r: Rational) -> list[Constant]:
    """Both polynomials over the leading coefficient of the numerator, which becomes 1: one multiplication less."""
    n, d = ([value / r.numerator[3] for value in side] for side in (r.numerator, r.denominator))
    terms = [("LOG_N2", n[2], 80), ("LOG_N1", n[1], 160), ("LOG_N0", n[0], 240)]
    terms += [("LOG_D2", d[2], 80), ("LOG_D1", d[1], 160), ("LOG_D0", d[0], 240)]
    return [constant(*term) for term in terms]


def exp2_constants(r: Rational) -> list[Constant]:
    """Both polynomials over the leading coefficient of the denominator, which becomes 1."""
    n, d = ([value / r.denominator[2] for value in side] for side in (r.numerator, r.denominator))
    terms = [
        ("EXP_N1", n[1], 80),
        ("EXP_N0", n[0], 160),
        ("EXP_D1", d[1], 80),
        ("EXP_D0", d[0], 160),
    ]
    return [constant(*term) for term in terms]


def plain_constants() -> list[Constant]:
    """What needs no fit: logarithms, units and thresholds."""
    ln2, root2 = Decimal(2).ln(), Decimal(2).sqrt()
    year_wad = Decimal(YEAR) * WAD
    return [
        constant("INVERSE_ROOT_TWO_PI_Q100", 1 / root_two_pi(60), 100),
        constant("HALF_LOG2_E_Q76", 1 / ln2 / 2, 76),
        constant("LN2_Q80", ln2, 80),
        constant("ROOT_TWO_Q80", root2, 80),
        constant("RATE_TO_LN_Q230", 1 / year_wad, 230),
        constant("RATE_TO_LOG2_Q236", 1 / ln2 / year_wad, 236),
        constant("RATIO_LOW_Q128", 1 / root2, 128),
        constant("RATIO_SPAN_Q128", root2 - 1 / root2, 128),
        constant("TWICE_RATIO_HIGH_Q128", 2 * root2, 128),
        constant("HALF_RATIO_LOW_Q128", 1 / root2 / 2, 128),
        constant("QUARTER_RATIO_LOW_Q128", 1 / root2 / 4, 128),
        constant("QUARTER_SPAN_Q128", 4 * root2 - 1 / root2 / 4, 128),
        *root_constants(),
    ]


def root_constants() -> list[Constant]:
    """Start of `rootOfYears`: a line in T, then two steps of Newton's rule, each scaled so that its error is balanced.

    On times from 1 s to `LONGEST` s a line c (1 + T / M), M their geometric mean, is within a factor f of sqrt(T)
    either way. A step takes factors 1/f..f to 1..(f + 1/f) / 2; multiplied by the right constant that is 1/g..g again,
    with g = sqrt((f + 1/f) / 2). Both scalings are folded into the line and into what each step divides.
    """
    middle = Decimal(LONGEST).sqrt()
    year = Decimal(YEAR)
    spread = (middle.sqrt() + 1 / middle.sqrt()) / 2
    first = spread.sqrt()
    second = ((first + 1 / first) / 2).sqrt()
    third = ((second + 1 / second) / 2).sqrt()
    print(f"// rootOfYears: factors {first:.4f}, {second:.4f}, {third:.4f}, then four plain steps")
    start = (middle / year).sqrt() / first / 2
    scale_first, scale_second = 1 / second / 2, 1 / third / 2
    start *= scale_first * scale_second
    return [
        constant("ROOT_START_Q80", start, 80),
        constant("ROOT_SLOPE_Q100", start / middle, 100),
        constant("ROOT_FIRST_Q160", (scale_first * scale_second) ** 2 / year, 160),
        constant("ROOT_SECOND_Q160", scale_second**2 / year, 160),
    ]


def derive() -> tuple[list[Constant], dict[str, Rational]]:
    """Every constant, and the fits they come from."""
    getcontext().prec = 80
    fits = {"mills": fit_mills(), "log": fit_log(), "exp2": fit_exp2()}
    constants = plain_constants() + mills_constants(fits["mills"])
    return constants + log_constants(fits["log"]) + exp2_constants(fits["exp2"]), fits


def literal(value: int) -> str:
    """Hexadecimal as in the library: padded where solc would take 39 to 41 digits for an address."""
    digits = f"{value:x}"
    return "0x" + (digits.zfill(44) if 39 <= len(digits) <= 41 else digits)


def missing(constants: list[Constant], text: str) -> list[str]:
    """Names of the constants that the library does not carry with their value."""
    return [c.name for c in constants if f" {c.name} = {literal(c.magnitude)};" not in text]


def main() -> int:
    """Print the constants, or check the library; exit 1 if it differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare with the library")
    check = parser.parse_args().check
    constants, fits = derive()
    for name, r in fits.items():
        print(f"// {name}: relative error at most {r.error:.2e}")
    if check:
        absent = missing(constants, "\n".join(path.read_text() for path in LIBRARIES))
        print("differs: " + ", ".join(absent) if absent else f"{len(constants)} constants agree")
        return 1 if absent else 0
    for c in constants:
        print(f"    uint256 private constant {c.name} = {literal(c.magnitude)};")
    return 0


if __name__ == "__main__":
    sys.exit(main())
