"""A receipt for one decision: what was seen, wanted, planned, allowed, sent, and what it cost in the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keeper.model.attempt import Attempt
from keeper.model.decision import Intent, Plan, Rebalance, Target, Verdict
from keeper.model.intent_state import IntentRecord
from keeper.model.market import MarketState, OptionPosition, Readings
from keeper.model.outcome import AttemptResult, TickOutcome
from keeper.model.risk import RiskReport
from keeper.model.units import Raw, wad_float


@dataclass(frozen=True, slots=True)
class Tried:
    """One signed transaction and its end."""

    attempt: Attempt
    result: AttemptResult
    problem: str


@dataclass(frozen=True, slots=True)
class Passed:
    """One state an intent came to."""

    recorded_ms: int
    state: str
    note: str


_ASSET_UNITS = "asset units"


@dataclass(frozen=True, slots=True)
class Paid:
    """One cost, as it really was."""

    tx_hash: str
    kind: str
    amount: int
    unit: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """Everything the journal knows of one decision."""

    decision_id: int
    recorded_ms: int
    software: str
    strategy: str
    market: MarketState
    risk: RiskReport
    target: Target
    plan: Plan
    verdict: Verdict
    outcome: TickOutcome | None
    intent: Intent | None
    record: IntentRecord | None
    history: Sequence[Passed]
    tried: Sequence[Tried]
    paid: Sequence[Paid]


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """For programs: amounts as decimal strings in whole units; None is not known."""
    seen = receipt.market.readings
    return {
        "decision": receipt.decision_id,
        "recorded_ms": receipt.recorded_ms,
        "software": receipt.software,
        "strategy": receipt.strategy,
        "block": {
            "number": seen.block.number,
            "hash": seen.block.hash,
            "timestamp": seen.block.timestamp,
            "base_fee_wei": str(seen.block.base_fee_wei),
        },
        "chain_id": seen.chain_id,
        "vault": seen.vault,
        "price": _units(seen.price.price_wad, 18),
        "price_age_s": seen.block.timestamp - seen.price.base.updated_at,
        "price_faults": list(receipt.market.faults),
        "risk": _risk(receipt.risk, seen),
        "target": {
            "lane": receipt.target.lane.value,
            "hold": receipt.target.hold,
            "health": _health(receipt.target.health_wad),
            "net_delta": _units(receipt.target.net_delta, seen.base.decimals),
            "reason": receipt.target.reason,
        },
        "plan": _plan(receipt.plan, seen),
        "verdict": {
            "passed": receipt.verdict.passed,
            "refusals": [{"rule": r.rule, "message": r.message} for r in receipt.verdict.refusals],
        },
        "outcome": _outcome(receipt.outcome),
        "intent": _intent(receipt),
        "costs": _costs(receipt),
    }


def _risk(risk: RiskReport, seen: Readings) -> dict[str, Any]:
    value = seen.options.value
    return {
        "nav": _units(risk.nav, seen.asset.decimals),
        "health": _health(risk.health_wad),
        "leverage": risk.leverage if abs(risk.leverage) < 1e9 else None,
        "liquidation_price": _units(risk.liquidation_price_wad, 18),
        "fall_to_liquidation": risk.fall_to_liquidation,
        "rise_to_liquidation": risk.rise_to_liquidation,
        "delta": _units(risk.net_delta, seen.base.decimals),
        "gamma": _gamma(seen.options.positions, seen.base.decimals),
        "vega": _units(value.vega if value else None, seen.asset.decimals),
    }


def _gamma(positions: Sequence[OptionPosition], decimals: int) -> str:
    """Change of delta for one asset of spot, base tokens, of all options sold."""
    return _units(sum(p.gamma_base for p in positions), decimals + 18) or "0"


def _plan(plan: Plan, seen: Readings) -> dict[str, Any]:
    asset = seen.asset.decimals
    return {
        "lane": plan.lane.value,
        "reason": plan.reason,
        "moves": [
            {
                "kind": move.kind.name.lower(),
                "adapter": move.adapter,
                "token": move.token,
                "amount": str(move.amount),
                "limit": str(move.limit),
                "target": str(move.target),
            }
            for move in plan.moves
        ],
        "expected_health": None if plan.empty else _health(plan.expected_health_wad),
        "expected_net_delta": None
        if plan.empty
        else _units(plan.expected_net_delta, seen.base.decimals),
        "expected_loss": _units(plan.expected_loss, asset),
        "max_loss": _units(plan.max_loss, asset),
        "gas_limit_estimate": plan.gas_limit_estimate,
        "costs": None
        if plan.costs is None
        else {
            name: _units(getattr(plan.costs, name), asset)
            for name in ("gas", "fee", "impact", "waiting")
        },
        "orders": [
            {
                "venue": order.venue,
                "instrument": order.instrument,
                "quantity": str(order.quantity),
                "limit_price_wad": str(order.limit_price_wad),
            }
            for order in plan.orders
        ],
    }


def _outcome(outcome: TickOutcome | None) -> dict[str, Any] | None:
    if outcome is None:
        return None
    return {
        "status": outcome.status.value,
        "reason": outcome.reason,
        "tx_hash": outcome.tx_hash,
    }


def _intent(receipt: Receipt) -> dict[str, Any] | None:
    intent, record = receipt.intent, receipt.record
    if intent is None:
        return None
    return {
        "id": intent.id,
        "kind": type(intent.payload).__name__.lower(),
        "to": intent.to,
        "lane": intent.lane.value,
        "deadline": intent.deadline,
        "reason": intent.reason,
        "max_loss": _units(intent.payload.max_loss, receipt.market.readings.asset.decimals)
        if isinstance(intent.payload, Rebalance)
        else None,
        "state": record.state.value if record else None,
        "account": record.account if record else None,
        "fence": record.fence if record else None,
        "included_block": record.block_number if record else None,
        "history": [
            {"recorded_ms": p.recorded_ms, "state": p.state, "note": p.note}
            for p in receipt.history
        ],
        "attempts": [_tried(t) for t in receipt.tried],
    }


def _tried(tried: Tried) -> dict[str, Any]:
    attempt, result = tried.attempt, tried.result
    return {
        "tx_hash": attempt.tx_hash,
        "account": attempt.account,
        "nonce": attempt.nonce,
        "gas_limit": attempt.gas_limit,
        "max_fee_wei": str(attempt.max_fee_wei),
        "tip_wei": str(attempt.tip_wei),
        "signed_block": attempt.signed_block,
        "status": result.status.value,
        "block": result.block_number,
        "gas_used": result.gas_used,
        "gas_price_wei": str(result.gas_price_wei),
        "problem": tried.problem,
    }


def _costs(receipt: Receipt) -> dict[str, Any]:
    """Expected when it was decided, and real; gas at the base fee of the decision's block."""
    seen = receipt.market.readings
    gas = receipt.intent.gas_limit_estimate if receipt.intent else 0
    return {
        "expected_loss": _units(receipt.plan.expected_loss, seen.asset.decimals),
        "expected_gas_wei": str(gas * seen.block.base_fee_wei),
        "real": [
            {
                "tx_hash": p.tx_hash,
                "kind": p.kind,
                "amount": str(p.amount),
                "unit": p.unit,
                "in_asset": _units(p.amount, seen.asset.decimals)
                if p.unit == _ASSET_UNITS
                else None,
            }
            for p in receipt.paid
        ],
        "real_wei": str(sum(p.amount for p in receipt.paid if p.unit == "wei")),
    }


def _health(wad: int | None) -> float | None:
    """None for no debt at all."""
    if wad is None:
        return None
    health = wad_float(wad)
    return round(health, 6) if health < 1e9 else None


def _units(raw: Raw | int | None, decimals: int) -> str | None:
    """Exact decimal text."""
    if raw is None:
        return None
    sign, digits = ("-" if raw < 0 else ""), str(abs(raw)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    whole, part = digits[:-decimals], digits[-decimals:].rstrip("0")
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"
