"""A receipt in words, for people: lines of a label and what there is to say."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from keeper.report.format import gwei, short_hash, span
from keeper.report.moves import TokenName, moves_text
from keeper.report.receipt import Receipt, Tried, receipt_json

Line = tuple[str, str]


def receipt_lines(receipt: Receipt, names: tuple[str, str] = ("asset", "base")) -> Iterator[Line]:
    """Top to bottom in the order in which it happened; `names` are those of asset and base."""
    told = receipt_json(receipt)
    yield from _seen(receipt, told, names)
    yield from _decided(receipt, told, names)
    if told["intent"] is not None:
        yield from _sent(receipt, told)
    yield from _paid(receipt, told, names)
    outcome = told["outcome"]
    ended = f"{outcome['status']}: {outcome['reason']}" if outcome else "nothing is recorded"
    yield "outcome", ended


def _seen(receipt: Receipt, told: Mapping[str, Any], names: tuple[str, str]) -> Iterator[Line]:
    asset, base = names
    block, risk = told["block"], told["risk"]
    yield "decision", f"{told['decision']} by {told['strategy']} (keeper {told['software']})"
    when = _time(block["timestamp"])
    yield "block", f"{block['number']} of chain {told['chain_id']}, {when}, {block['hash']}"
    yield "vault", str(told["vault"])
    faults = "; ".join(told["price_faults"]) or "usable"
    yield (
        "price",
        f"{_number(told['price'], 2)} {asset} per {base}, {told['price_age_s']} s old: {faults}",
    )
    health = "no debt" if risk["health"] is None else f"{risk['health']:.4f}"
    yield "NAV", f"{_number(risk['nav'], 2)} {asset}"
    yield "health", health + _distance(risk)
    yield (
        "Greeks",
        f"delta {_number(risk['delta'], 4)} {base}, gamma {_number(risk['gamma'], 8)} {base} per "
        f"{asset}, vega {_number(risk['vega'], 2)} {asset} per 1.00 of volatility",
    )
    del receipt


def _distance(risk: Mapping[str, Any]) -> str:
    if risk["fall_to_liquidation"] is not None:
        return f"; a fall of {risk['fall_to_liquidation']:.1%} liquidates"
    if risk["rise_to_liquidation"] is not None:
        return f"; a rise of {risk['rise_to_liquidation']:.1%} liquidates"
    return ""


def _decided(receipt: Receipt, told: Mapping[str, Any], names: tuple[str, str]) -> Iterator[Line]:
    seen, plan = receipt.market.readings, told["plan"]
    yield "target", f"{'hold' if told['target']['hold'] else 'act'}: {told['target']['reason']}"
    tokens = {
        seen.asset.address: TokenName(names[0], seen.asset.decimals, is_asset=True),
        seen.base.address: TokenName(names[1], seen.base.decimals, is_asset=False),
    }
    if receipt.plan.empty:
        yield "plan", "nothing to do" + (f": {plan['reason']}" if plan["reason"] else "")
    else:
        yield (
            "plan",
            f"{moves_text(receipt.plan.moves, tokens)} ({plan['lane']} lane: {plan['reason']})",
        )
        reached = "no debt" if plan["expected_health"] is None else f"{plan['expected_health']:.4f}"
        yield (
            "expected",
            f"health {reached}, delta {_number(plan['expected_net_delta'], 4)} {names[1]}, loss "
            f"{_number(plan['expected_loss'], 2)} of at most {_number(plan['max_loss'], 2)} {names[0]}",
        )
    if plan["costs"] is not None:
        items = ", ".join(f"{name} {_number(v, 2)}" for name, v in plan["costs"].items())
        yield "costs", f"{items} {names[0]}"
    for order in receipt.plan.orders:
        yield "order", f"{order.quantity:+} of {order.instrument} at {order.venue}"
    if receipt.verdict.passed:
        yield "verdict", "passed"
    for refusal in receipt.verdict.refusals:
        yield "refused", f"{refusal.rule}: {refusal.message}"


def _sent(receipt: Receipt, told: Mapping[str, Any]) -> Iterator[Line]:
    intent = told["intent"]
    block_time = told["block"]["timestamp"]
    life = span(max(0, intent["deadline"] - block_time))
    yield "intent", f"{intent['id']} ({intent['kind']}, {intent['lane']} lane, lives {life})"
    yield (
        "state",
        f"{intent['state']}"
        + (f", included in block {intent['included_block']}" if intent["included_block"] else ""),
    )
    for passed in receipt.history:
        note = f": {passed.note}" if passed.note else ""
        yield "", f"{_time(passed.recorded_ms / 1000)} {passed.state}{note}"
    yield "simulation", _simulated(receipt)
    if not receipt.tried:
        yield "transaction", "none was signed"
    for tried in receipt.tried:
        yield "transaction", _transaction(tried)


def _simulated(receipt: Receipt) -> str:
    """What the journal knows of the rehearsal at the decision's block."""
    reason = receipt.outcome.reason if receipt.outcome else ""
    if reason.startswith("simulation reverted"):
        return reason
    states = {passed.state for passed in receipt.history}
    if states & {"simulated", "signed", "attempted", "included", "confirmed", "finalised"}:
        return "the contracts would take it"
    return "not recorded"


def _transaction(tried: Tried) -> str:
    attempt, result = tried.attempt, tried.result
    fees = f"max fee {gwei(attempt.max_fee_wei)} gwei, tip {gwei(attempt.tip_wei)}"
    line = f"{attempt.tx_hash}, nonce {attempt.nonce}, {fees}, {result.status.value}"
    if result.block_number is not None:
        line += f" in block {result.block_number}, gas {result.gas_used:,}"
    return line + (f": {tried.problem}" if tried.problem else "")


def _paid(receipt: Receipt, told: Mapping[str, Any], names: tuple[str, str]) -> Iterator[Line]:
    costs = told["costs"]
    if receipt.intent is not None:
        expected = int(costs["expected_gas_wei"])
        yield (
            "cost expected",
            f"gas about {_ether(expected)} ETH, loss {_number(costs['expected_loss'], 2)} {names[0]}",
        )
    for paid, real in zip(receipt.paid, costs["real"], strict=True):
        if paid.unit == "wei":
            amount = f"{_ether(paid.amount)} ETH"
        elif real["in_asset"] is not None:
            amount = f"{_number(real['in_asset'], 2)} {names[0]}"
        else:
            amount = f"{paid.amount} {paid.unit}"
        yield "cost real", f"{paid.kind} {amount} ({short_hash(paid.tx_hash)})"


def _ether(wei: int) -> str:
    return f"{wei / 1e18:.6f}"


def _number(text: str | None, places: int) -> str:
    return "unknown" if text is None else f"{float(text):,.{places}f}"


def _time(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"time {seconds:.0f}"
