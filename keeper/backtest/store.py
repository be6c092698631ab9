"""A result on disk: parquet tables for programs, one JSON summary for people and programs."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from keeper.backtest.record import COLUMNS
from keeper.backtest.result import BacktestResult
from keeper.errors import SettingError


def write(result: BacktestResult, folder: Path) -> list[Path]:
    """`steps`, `entries`, `transactions`, `swaps`, `orders`, `fills`, `liquidations`, `decisions` and, of a composite,
    `strategies` as parquet, and `summary.json`; returns the files. SettingError if the folder cannot be written."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = []
        for name, table in tables(result).items():
            file = folder / f"{name}.parquet"
            pq.write_table(pa.table(table), file)
            made.append(file)
        summary = folder / "summary.json"
        summary.write_text(json.dumps(result.summary(), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        problem = f"{folder} cannot be written: {error.strerror or error}"
        raise SettingError("--out", problem, "choose another folder") from None
    return [*made, summary]


def tables(result: BacktestResult) -> dict[str, dict[str, Sequence[Any] | Any]]:
    """Columns by table. Amounts are whole numbers of token units; where 64 bits may not hold them they are text."""
    steps: dict[str, Any] = {name: result.steps[name] for name, _ in COLUMNS}
    steps |= {"equity": result.equity, "drawdown": result.drawdown}
    transactions = [
        {
            "time": t.time,
            "sent_at": t.sent_at,
            "kind": t.kind,
            "lane": str(t.lane),
            "intent": t.intent_id,
            "reverted": t.reverted,
            "gas": t.gas,
            "gas_cost": t.gas_cost,
            "nav_before": t.effect.nav_before if t.effect else None,
            "nav_after": t.effect.nav_after if t.effect else None,
            "reason": t.reason,
        }
        for t in result.transactions
    ]
    orders = [
        {
            "time": o.time,
            "venue": o.order.venue,
            "instrument": o.order.instrument,
            "quantity": str(o.order.quantity),
            "refused": o.refused,
            "reason": o.order.reason,
        }
        for o in result.orders
    ]
    decisions = [
        {
            "time": d.time,
            "lane": str(d.target.lane),
            "target": d.target.reason,
            "plan": d.plan.reason,
            "moves": len(d.plan.moves),
            "refused": "; ".join(f"{r.rule}: {r.message}" for r in d.verdict.refusals),
            "intent": d.intent_id or "",
        }
        for d in result.decisions
    ]
    return {
        "steps": steps,
        "entries": _columns(asdict(e) | {"cause": str(e.cause)} for e in result.entries),
        "transactions": _columns(transactions),
        "swaps": _columns(_texts(asdict(s), "amount_in", "received") for s in result.swaps),
        "orders": _columns(orders),
        "fills": _columns(_texts(asdict(f), "quantity", "price_wad") for f in result.fills),
        "liquidations": _columns(
            {"time": done.time, "venue": done.venue, "loss": done.loss}
            for done in result.liquidations
        ),
        "decisions": _columns(decisions),
        "strategies": _columns(_strategies(result)),
    }


def _strategies(result: BacktestResult) -> list[dict[str, Any]]:
    """A row for each strategy of a composite and cause, gas among them; none for one that stands alone."""
    a = result.attribution
    return [
        {"strategy": who, "cause": cause, "amount": amount}
        for who, causes in a.by_strategy.items()
        for cause, amount in (*causes.items(), ("gas", -a.gas_by_strategy.get(who, 0)))
    ]


def _texts(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return row | {name: str(row[name]) for name in names}


def _columns(rows: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns; a table without rows has no columns either."""
    listed = list(rows)
    if not listed:
        return {}
    return {name: [row[name] for row in listed] for name in listed[0]}
