"""What the keeper learns beyond its vault's readings, for strategies that need a forecast or smiles."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


def _setting(default: Any, meaning: str, *, unit: str = "", **bounds: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **bounds)


class OutlookSettings(BaseModel):
    """Where forecasts and implied volatilities come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = _setting(
        90,
        "of the price feed's past, read back for the volatility forecast; 0: only risk.volatility",
        unit="days",
        ge=0,
        le=730,
    )
    most_rounds: int = _setting(
        12_000, "of the feed read back, at most", unit="rounds", ge=0, le=200_000
    )
    refresh_s: int = _setting(
        3_600,
        "from one forecast, and one look at option_chain, to the next",
        unit="s",
        ge=60,
        le=86_400,
    )
    option_chain: Path | None = _setting(
        None,
        "book summary of an option exchange, as `keeper data fetch chain` writes it: smiles; without it those of the "
        "vault's volatility oracle",
        unit="path",
    )
    option_chain_max_age_h: float = _setting(
        24.0, "age from which that file is not used any more", unit="hours", gt=0, le=720
    )
