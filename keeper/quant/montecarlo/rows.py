"""Where each quantity of a block of paths lies in its workspace: offsets of rows of `LANES` numbers.

One flat array with constant offsets, so that the compiler sees that rows do not overlap and makes vector code.
"""

from __future__ import annotations

from keeper.quant.montecarlo.random import LANES

# The market.
LOG = 0 * LANES  # ln(spot / first spot)
SPOT = 1 * LANES
BEFORE = 2 * LANES  # spot one step ago
VARIANCE = 3 * LANES  # instantaneous, a year
PLACE = 4 * LANES  # where in the history of returns a bootstrapped path is
# Random numbers of the step.
NORMAL_A = 5 * LANES
NORMAL_B = 6 * LANES
JUMP_NORMAL = 7 * LANES
JUMP_SPARE = 8 * LANES
UNIT_A = 9 * LANES
UNIT_B = 10 * LANES
# The position.
DELTA = 11 * LANES  # of the options
GAMMA = 12 * LANES
HEDGE = 13 * LANES  # units of the perpetual held against the options
BASE = 14 * LANES  # units of the perpetual held anyway; 0 once liquidated
ALIVE = 15 * LANES  # 1 until the perpetual is liquidated
OPTIONS = 16 * LANES  # cash from options that expired
HEDGE_GAIN = 17 * LANES
BASE_GAIN = 18 * LANES
COSTS = 19 * LANES
FUNDING = 20 * LANES  # received
COLLATERAL = 21 * LANES  # units of the underlying lent
DEBT = 22 * LANES
SEIZED = 23 * LANES  # value lost to liquidators' bonuses
LENDING_HIT = 24 * LANES  # 1 if ever liquidated
TRADES = 25 * LANES

COUNT = 26
