"""What a keeper shows to Prometheus. Every name is documented in docs/operations.md. Labels are never free text."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from keeper.clock import Clock
from keeper.model.block import BlockStamp
from keeper.model.market import MarketState
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome
from keeper.model.risk import RiskReport

if TYPE_CHECKING:
    from prometheus_client import Gauge

_INCLUSION_BUCKETS = (1, 2, 3, 5, 8, 13, 21, 34)
_REMEMBERED = 256
"""Intents whose first sending is remembered until they are mined."""


class Metrics:
    """One registry; set from the loop, read by the server's threads."""

    def __init__(self, clock: Clock) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self.registry: CollectorRegistry = CollectorRegistry()
        self._clock = clock
        self._head: BlockStamp | None = None
        self._sent: dict[str, int] = {}
        self._ticks = Counter(
            "gimbal_ticks", "ticks by how they ended", ["vault", "status"], registry=self.registry
        )
        self._inclusion = Histogram(
            "gimbal_inclusion_blocks",
            "blocks from the decision to the block that holds its transaction",
            buckets=_INCLUSION_BUCKETS,
            registry=self.registry,
        )
        self._reverts = Counter(
            "gimbal_reverts", "mined reverts", ["vault"], registry=self.registry
        )
        self._gauges: dict[str, Gauge] = {}
        self.live("gimbal_head_age_seconds", "age of the newest decided head", self._head_age_s)

    def _gauge(self, name: str, meaning: str, *labels: str) -> "Gauge":
        from prometheus_client import Gauge

        if name not in self._gauges:
            self._gauges[name] = Gauge(name, meaning, labels, registry=self.registry)
        return self._gauges[name]

    def live(self, name: str, meaning: str, read: Callable[[], float], vault: str = "") -> None:
        """A gauge that is asked when it is read, of a vault if one is named; NaN while it is unknown."""
        gauge = (
            self._gauge(name, meaning, "vault").labels(vault)
            if vault
            else self._gauge(name, meaning)
        )
        gauge.set_function(read)

    def ticked(
        self,
        outcome: TickOutcome,
        block: BlockStamp | None,
        *,
        vault: str,
        settled: Iterable[AttemptResult] = (),
        market: MarketState | None = None,
        risk: RiskReport | None = None,
        decided: bool | None = None,
    ) -> None:
        """One tick's figures; parts that it did not reach keep their last value. `vault`: what it is called.
        decided: False if its strategy, or a part of it, could not."""
        self._ticks.labels(vault, str(outcome.status)).inc()
        if block is not None:
            self._head = block
            self._gauge("gimbal_head_block", "number of the newest decided head").set(block.number)
        if outcome.intent_id and outcome.tx_hash and outcome.intent_id not in self._sent:
            self._sent[outcome.intent_id] = outcome.block_number
            while len(self._sent) > _REMEMBERED:
                del self._sent[next(iter(self._sent))]
        for result in settled:
            self._settled(result, vault)
        if decided is not None:
            meaning = "1 if the strategy decided, 0 if it, or a part of it, could not"
            self._gauge("gimbal_strategy_decides", meaning, "vault").labels(vault).set(decided)
        if market is not None and risk is not None:
            self._vault(vault, market, risk)

    def _settled(self, result: AttemptResult, vault: str) -> None:
        sent = self._sent.pop(result.intent_id, None)
        if result.status is AttemptStatus.REVERTED:
            self._reverts.labels(vault).inc()
        if sent is not None and result.block_number is not None:
            self._inclusion.observe(max(0, result.block_number - sent))

    def _vault(self, vault: str, market: MarketState, risk: RiskReport) -> None:
        readings = market.readings
        asset = 10**readings.asset.decimals

        def show(name: str, meaning: str, value: float) -> None:
            self._gauge(name, meaning, "vault").labels(vault).set(value)

        show("gimbal_vault_block", "newest block the vault was read at", readings.block.number)
        if risk.has_position:
            show("gimbal_health", "health of the vault, 1 is liquidation", risk.health_wad / 1e18)
        held = readings.keeper_balance_wei / 1e18
        show("gimbal_keeper_balance_eth", "what the account of its keeper holds", held)
        age_s = readings.block.timestamp - readings.price.base.updated_at
        show("gimbal_oracle_age_seconds", "age of the oracle's answer", age_s)
        if risk.nav is None:
            return
        show("gimbal_nav", "net asset value, units of the asset", risk.nav / asset)
        meaning = "losses a lane may still make"
        left = self._gauge("gimbal_loss_budget_left", meaning, "vault", "lane")
        mandate = readings.mandate
        left.labels(vault, "routine").set(mandate.routine.left_down(risk.nav) / asset)
        left.labels(vault, "protective").set(mandate.protective.left_down(risk.nav) / asset)

    def payable(self, account: str, protections: int) -> None:
        """How many protective transactions an account could pay at ten times the base fee."""
        meaning = "protective transactions that could be paid at 10x the base fee"
        self._gauge("gimbal_payable_protections", meaning, "account").labels(account).set(
            protections
        )

    def burned(self, reverted_wei: int, protective_wei: int) -> None:
        """What gas cost in the last day's blocks."""
        gauge = self._gauge("gimbal_gas_day_eth", "gas of a day, ETH, by what it went for", "kind")
        gauge.labels("reverted").set(reverted_wei / 1e18)
        gauge.labels("protective").set(protective_wei / 1e18)

    def in_flight(self, intents: int) -> None:
        """Intents that are signed and not over."""
        self._gauge("gimbal_in_flight", "intents signed and not over").set(intents)

    def endpoint(self, name: str, *, up: bool, lag_blocks: int, errors: int) -> None:
        """One endpoint's state; `name` is what may be shown of its address."""
        self._gauge("gimbal_endpoint_up", "1 while the endpoint is used", "endpoint").labels(
            name
        ).set(up)
        self._gauge("gimbal_endpoint_lag_blocks", "behind the best", "endpoint").labels(name).set(
            lag_blocks
        )
        self._gauge("gimbal_endpoint_errors", "errors of late", "endpoint").labels(name).set(errors)

    def text(self) -> bytes:
        """Everything in the exposition format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)

    def _head_age_s(self) -> float:
        return self._clock() - self._head.timestamp if self._head else float("nan")
