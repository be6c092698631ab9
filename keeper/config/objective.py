"""What the vault is for, stated: a goal and its constraints, for the allocator."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from keeper.quant.allocation import Objective


def _setting(default: Any, meaning: str, *, unit: str = "", **bounds: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **bounds)


def _bands(value: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    for name, (least, most) in value.items():
        if not least <= most:
            raise ValueError(f"{name} must be [least, most], found [{least}, {most}]")
    return value


Bands = Annotated[dict[str, tuple[float, float]], AfterValidator(_bands)]


class ObjectiveSettings(BaseModel):
    """Delta-neutral yield with a 99 % one-day ES of at most 3 % of NAV, health of at least 1.6 and at most 40 % per
    venue is: goal = "return", es_limit = 0.03, least_health = 1.6, most_per_venue = 0.4, bands = { delta = [-0.02,
    0.02] }."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    goal: Literal["return", "risk"] = _setting(
        "return", "what is made best: expected return, or least expected shortfall"
    )
    es_limit: float | None = _setting(
        None, "expected shortfall of the whole, at most", unit="of NAV", ge=0, le=1
    )
    es_confidence: float = _setting(0.99, "of the expected shortfall", unit="fraction", gt=0, lt=1)
    least_return: float | None = _setting(None, "expected return, at least", unit="a year")
    least_health: float | None = _setting(
        None, "collateral x threshold / debt at every venue, at least", unit="ratio", ge=1, le=100
    )
    most_per_venue: float | None = _setting(
        None, "at any one venue, at most", unit="of NAV", ge=0, le=1
    )
    reserve: float = _setting(0.0, "left idle", unit="of NAV", ge=0, le=1)
    bands: Bands = _setting({}, "exposures of the whole by name: [least, most]", unit="of NAV")
    most_turnover: float | None = _setting(
        None, "sum of all changes of weight, at most", unit="of NAV", ge=0
    )
    most_chosen: int | None = _setting(
        None, "strategies chosen, at most", unit="count", ge=0, le=1_000
    )
    least_weight: float = _setting(
        0.0, "of a strategy that is chosen at all", unit="of NAV", ge=0, le=1
    )

    def stated(self) -> "Objective":
        """As the allocator takes it."""
        from keeper.quant.allocation import Goal, Objective  # scipy: only for who allocates

        return Objective(
            goal=Goal(self.goal),
            es_limit=self.es_limit,
            es_confidence=self.es_confidence,
            least_return=self.least_return,
            least_health=self.least_health,
            most_per_venue=self.most_per_venue,
            reserve=self.reserve,
            bands=tuple((name, least, most) for name, (least, most) in self.bands.items()),
            most_turnover=self.most_turnover,
            most_chosen=self.most_chosen,
            least_weight=self.least_weight,
        )
