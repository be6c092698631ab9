"""keeper status: the vault, its danger and the keeper's means, on one screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from keeper.cli.run import Config, settings_of

if TYPE_CHECKING:
    from keeper.config.settings import Settings
    from keeper.model.mandate import Budget
    from keeper.model.market import MarketState, Readings
    from keeper.model.outcome import AttemptResult, TickOutcome
    from keeper.model.risk import RiskReport


@dataclass(frozen=True, slots=True)
class View:
    """What one screen shows."""

    market: "MarketState"
    risk: "RiskReport"
    outcomes: "tuple[TickOutcome, ...]"
    actions: "tuple[AttemptResult, ...]"
    names: tuple[str, str] = ("asset", "base")
    """Of asset and base."""
    label: str = ""
    """What the vault is called; empty where it has no name."""
    account_known: bool = True
    """False: no key is named or readable, and the readings were made for nobody's account."""
    kill_switch: str | None = None
    """Why nothing is signed; None while the switch is not set."""
    pause: str | None = None
    """Why there is no routine work, by `keeper pause`; None while there is none."""


def status(
    vault: Annotated[
        str | None, typer.Argument(help="The vault's name or address (default: every one).")
    ] = None,
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Each vault now: NAV, health, delta, liquidation price, oracle; last actions; keeper's balance.

    Exit code 1 if one of several cannot be read.
    """
    settings = settings_of(config).settings
    if vault is None and settings.vaults:
        _every(settings, json=json)
        return
    from keeper.cli.vaults import chosen

    view = _look(chosen(settings, vault))
    if json:
        from json import dumps

        typer.echo(dumps(facts(view), indent=2))
        return
    from rich.console import Console

    Console().print(screen(view))


def _every(settings: "Settings", *, json: bool) -> None:
    """All vaults, one after the other; one that cannot be read does not hide the others."""
    from json import dumps

    from rich.console import Console

    from keeper.errors import GimbalError

    found: list[dict[str, Any]] = []
    failed = False
    for one in settings.each():
        try:
            view = _look(one)
        except GimbalError as error:
            failed = True
            found.append({"name": one.name, "vault": one.vault, "problem": str(error)})
            if not json:
                typer.echo(f"{one.name}: {error}", err=True)
            continue
        found.append({"name": one.name, **facts(view)})
        if not json:
            Console().print(screen(view))
    if json:
        typer.echo(dumps(found, indent=2))
    if failed:
        raise typer.Exit(1)


def _look(settings: "Settings") -> View:
    from keeper.app import NOBODY, first_readings
    from keeper.cli.operate import switches_of
    from keeper.cli.tokens import symbols
    from keeper.config.key import load_address
    from keeper.config.policies import policies
    from keeper.market import build_market
    from keeper.risk import assess

    own = load_address(settings.key)
    readings = first_readings(settings, own or NOBODY)
    market = build_market(readings, policies(settings, readings.asset.decimals).market)
    outcomes, actions = _history(settings)
    switches = switches_of(settings)
    killed, paused = switches.killed(), switches.paused(settings.vault)
    return View(
        market,
        assess(market),
        outcomes,
        actions,
        symbols(settings, readings),
        settings.name,
        own is not None,
        killed.reason if killed else None,
        paused.reason if paused else None,
    )


def _history(settings: "Settings") -> "tuple[tuple[TickOutcome, ...], tuple[AttemptResult, ...]]":
    from keeper.app import journal_path
    from keeper.journal.store import open_journal

    place = journal_path(settings)
    if isinstance(place, Path) and not place.is_file():
        return (), ()
    journal = open_journal(place, exclusive=False)
    try:
        return journal.outcomes(3, settings.vault), journal.actions(5, settings.vault)
    finally:
        journal.close()


def facts(view: View) -> dict[str, Any]:
    """The screen as plain values, amounts as decimal strings in whole units."""
    readings, risk = view.market.readings, view.risk
    price, mandate, depositors = readings.price, readings.mandate, readings.depositors
    return {
        "block": readings.block.number,
        "timestamp": readings.block.timestamp,
        "chain_id": readings.chain_id,
        "vault": readings.vault,
        "asset": view.names[0],
        "base": view.names[1],
        "paused": mandate.paused,
        "nav": _units(risk.nav, readings.asset.decimals),
        "health": _health(risk.health_wad),
        "min_health": _health(readings.limits.min_health_wad),
        "net_delta": _units(risk.net_delta, readings.base.decimals),
        "leverage": round(risk.leverage, 4) if abs(risk.leverage) < 1e9 else None,
        "liquidation_price": _units(risk.liquidation_price_wad, 18),
        "fall_to_liquidation": risk.fall_to_liquidation,
        "rise_to_liquidation": risk.rise_to_liquidation,
        "collateral": _units(risk.gross_collateral, readings.asset.decimals),
        "debt": _units(risk.debt, readings.asset.decimals),
        "idle": _units(readings.idle_asset, readings.asset.decimals),
        "loss_budgets": {
            "routine": _budget(mandate.routine, risk, readings),
            "protective": _budget(mandate.protective, risk, readings),
            "turnover": _budget(mandate.turnover, risk, readings),
        },
        "unhedged": readings.unhedged,
        "winding_down": mandate.winding_down,
        "last_beat_age_s": readings.block.timestamp - mandate.last_beat,
        "silence_s": mandate.terms.emergency.silence_s,
        "epoch": {
            "number": depositors.epoch,
            "due_in_s": max(0, depositors.due_at - readings.block.timestamp),
            "pending_deposits": _units(depositors.pending_deposits, readings.asset.decimals),
            "pending_redemptions": str(depositors.pending_redemptions),
            "reserved": _units(depositors.reserved, readings.asset.decimals),
            "deposits_halted": depositors.halted,
        },
        "price": _units(price.price_wad, 18),
        "price_age_s": readings.block.timestamp - price.base.updated_at,
        "price_deviation_bps": int(price.deviation_bps),
        "price_faults": list(view.market.faults),
        "keeper": readings.keeper if view.account_known else None,
        "keeper_allowed": mandate.keeper_allowed,
        "keeper_balance": _units(readings.keeper_balance_wei, 18) if view.account_known else None,
        "kill_switch": view.kill_switch,
        "keeper_pause": view.pause,
        "last_ticks": [
            {"block": o.block_number, "status": str(o.status), "reason": o.reason}
            for o in view.outcomes
        ],
        "last_actions": [
            {"tx_hash": a.tx_hash, "status": str(a.status), "block": a.block_number}
            for a in view.actions
        ],
    }


def screen(view: View) -> Any:
    """One rich table."""
    from rich.table import Table

    shown = facts(view)
    readings = view.market.readings
    name = f"{view.label}: " if view.label else ""
    title = f"{name}Vault {shown['vault']} at block {shown['block']} of chain {shown['chain_id']}"
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in (*_switches(view), *_lines(shown, readings)):
        table.add_row(name, value)
    for action in shown["last_actions"]:
        where = f" in block {action['block']}" if action["block"] else ""
        table.add_row("action", f"{action['tx_hash']} {action['status']}{where}")
    for tick in shown["last_ticks"]:
        table.add_row("tick", f"{tick['block']}: {tick['status']}: {tick['reason']}")
    return table


def _switches(view: View) -> list[tuple[str, str]]:
    """First of all, since a keeper that must not act looks like one that need not."""
    set_ = (
        ("KILLED", view.kill_switch, "nothing is signed; `keeper revive` releases it"),
        ("PAUSED", view.pause, "no routine work; `keeper resume` ends it"),
    )
    return [(name, f"{why}: {what}") for name, why, what in set_ if why is not None]


def _lines(f: dict[str, Any], readings: "Readings") -> list[tuple[str, str]]:
    faults = "; ".join(f["price_faults"]) or "usable"
    allowed = "accepted by the vault" if f["keeper_allowed"] else "NOT a keeper of the vault"
    keeper = f"{f['keeper']} {allowed}, {_money(f['keeper_balance'], 4)} ETH"
    return [
        ("NAV", f"{_money(f['nav'])} {f['asset']} ({_state(f)})"),
        ("health", f"{f['health'] or 'nothing is owed'} (mandate's minimum {f['min_health']})"),
        ("net delta", f"{_money(f['net_delta'], 4)} {f['base']}, leverage {f['leverage']}"),
        (
            "liquidation price",
            f"{_money(f['liquidation_price'])} {f['asset']} per {f['base']}{_distance(f)}",
        ),
        (
            "collateral, debt, idle",
            " / ".join(_money(f[k]) for k in ("collateral", "debt", "idle")) + f" {f['asset']}",
        ),
        (
            "left of losses a day",
            ", ".join(
                f"{name} {_money(f['loss_budgets'][name]['left'])} of "
                f"{_money(f['loss_budgets'][name]['capacity'])} {f['asset']}"
                for name in ("routine", "protective")
            ),
        ),
        (
            "heart",
            f"beat {f['last_beat_age_s']} s ago; after {f['silence_s']} s of silence others may protect",
        ),
        (
            "requests",
            f"{_money(f['epoch']['pending_deposits'])} {f['asset']} and "
            f"{f['epoch']['pending_redemptions']} share units wait, epoch {f['epoch']['number']} ends in "
            f"{f['epoch']['due_in_s']} s",
        ),
        (
            "oracle",
            f"{_money(f['price'])}, {f['price_age_s']} s old, {f['price_deviation_bps']} bps from "
            f"its {readings.price.twap_window_s} s average: {faults}",
        ),
        ("keeper", keeper if f["keeper"] else "no account: no key is named, or it cannot be read"),
    ]


def _state(f: dict[str, Any]) -> str:
    flags = (("paused", "paused"), ("winding_down", "winding down"), ("unhedged", "UNHEDGED"))
    return ", ".join(text for name, text in flags if f[name]) or "open"


def _budget(budget: "Budget", risk: "RiskReport", readings: "Readings") -> dict[str, str | None]:
    """Amounts at the present NAV; unknown while that is."""
    decimals, nav = readings.asset.decimals, risk.nav
    return {
        "left": None if nav is None else _units(budget.left_down(nav), decimals),
        "capacity": None if nav is None else _units(budget.capacity_down(nav), decimals),
    }


def _distance(f: dict[str, Any]) -> str:
    if f["fall_to_liquidation"] is not None:
        return f" (a fall of {f['fall_to_liquidation']:.1%})"
    if f["rise_to_liquidation"] is not None:
        return f" (a rise of {f['rise_to_liquidation']:.1%})"
    return ""


def _units(raw: int | None, decimals: int) -> str | None:
    """Exact decimal text."""
    if raw is None:
        return None
    sign, digits = ("-" if raw < 0 else ""), str(abs(raw)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def _money(text: str | None, places: int = 2) -> str:
    return "unknown" if text is None else f"{float(text):,.{places}f}"


def _health(wad: int) -> str | None:
    """None where nothing is owed: no number is its health then."""
    from keeper.model.units import INFINITE_HEALTH, wad_float

    if wad >= INFINITE_HEALTH:
        return None
    return f"{wad_float(wad):.4f}"
