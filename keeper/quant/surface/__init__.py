"""Volatility surfaces: eSSVI fitted to a whole chain at once, free of arbitrage at every strike and time.

`fit_surface(Quotes.of(...))` gives a `Fit`: the `Surface`, what was dropped and why; `fit_report` says how
good it is.
`MarkSurface` reads the marks of the on-chain volatility oracle as the contract does; `marks_of` makes such marks.
"""

from keeper.quant.surface.fit import Ending, Fit, FitSettings, fit_surface, tally
from keeper.quant.surface.marks import Mark, MarkSurface, marks_of
from keeper.quant.surface.quotes import Fate, Quotes
from keeper.quant.surface.report import ExpiryReport, Report, fit_report, residuals
from keeper.quant.surface.surface import Local, Surface

__all__ = [
    "Ending",
    "ExpiryReport",
    "Fate",
    "Fit",
    "FitSettings",
    "Local",
    "Mark",
    "MarkSurface",
    "Quotes",
    "Report",
    "Surface",
    "fit_report",
    "fit_surface",
    "marks_of",
    "residuals",
    "tally",
]
