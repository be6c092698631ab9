"""How bad it gets, and whether such a figure was right.

Losses are positive numbers in any unit; estimates come back in the same unit with intervals and a status, and a
figure that may not be used is NaN. Tests of past estimates say how likely their record is if they were right.
"""

from keeper.quant.tails.cornish_fisher import cornish_fisher, in_domain, standard_tail
from keeper.quant.tails.coverage import (
    Coverage,
    RatioTest,
    TrafficLight,
    Zone,
    christoffersen,
    coverage_tests,
    exceptions,
    kupiec,
    quantile_score,
    time_to_first,
    traffic_light,
)
from keeper.quant.tails.estimate import Tail, TailStatus
from keeper.quant.tails.historical import Filter, filtered_historical, filtered_paths, historical
from keeper.quant.tails.pareto import (
    ParetoFit,
    choose_threshold,
    fit_pareto,
    pareto_tail,
    peaks_over_threshold,
)
from keeper.quant.tails.ranges import Ahead, filter_ranges
from keeper.quant.tails.rolling import (
    Rolling,
    filter_volatility,
    rolling_filtered,
    rolling_historical,
    rolling_pareto,
)
from keeper.quant.tails.shortfall import (
    AcerbiSzekely,
    ShortfallTest,
    acerbi_szekely,
    location_scale,
)

__all__ = [
    "AcerbiSzekely",
    "Ahead",
    "Coverage",
    "Filter",
    "ParetoFit",
    "RatioTest",
    "Rolling",
    "ShortfallTest",
    "Tail",
    "TailStatus",
    "TrafficLight",
    "Zone",
    "acerbi_szekely",
    "choose_threshold",
    "christoffersen",
    "cornish_fisher",
    "coverage_tests",
    "exceptions",
    "filter_ranges",
    "filter_volatility",
    "filtered_historical",
    "filtered_paths",
    "fit_pareto",
    "historical",
    "in_domain",
    "kupiec",
    "location_scale",
    "pareto_tail",
    "peaks_over_threshold",
    "quantile_score",
    "rolling_filtered",
    "rolling_historical",
    "rolling_pareto",
    "standard_tail",
    "time_to_first",
    "traffic_light",
]
