"""Volatility that was and volatility to come: estimators, filters, forecasts with bounds, and their comparison."""

from keeper.quant.volatility.compare import (
    Comparison,
    Method,
    Past,
    Score,
    compare,
    diebold_mariano,
    qlike,
    standard_methods,
)
from keeper.quant.volatility.estimators import (
    close_to_close,
    garman_klass,
    parkinson,
    yang_zhang,
)
from keeper.quant.volatility.ewma import decay_of, ewma_variances
from keeper.quant.volatility.forecast import (
    Forecast,
    forecast_by_past,
    forecast_garch,
    forecast_har,
)
from keeper.quant.volatility.garch import Garch, fit_garch
from keeper.quant.volatility.har import Har, fit_har
from keeper.quant.volatility.regime import Regime, Thresholds, regimes, volatility_ratio
from keeper.quant.volatility.ticks import optimal_bandwidth, realised_kernel

__all__ = [
    "Comparison",
    "Forecast",
    "Garch",
    "Har",
    "Method",
    "Past",
    "Regime",
    "Score",
    "Thresholds",
    "close_to_close",
    "compare",
    "decay_of",
    "diebold_mariano",
    "ewma_variances",
    "fit_garch",
    "fit_har",
    "forecast_by_past",
    "forecast_garch",
    "forecast_har",
    "garman_klass",
    "optimal_bandwidth",
    "parkinson",
    "qlike",
    "realised_kernel",
    "regimes",
    "standard_methods",
    "volatility_ratio",
    "yang_zhang",
]
