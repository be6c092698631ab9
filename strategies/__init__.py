"""Strategies: pure functions (MarketState, RiskReport) -> Target. One file each."""
