"""A switch that is set is told where a person looks: in the log, once, and first of all in the status."""

from pathlib import Path

import pytest
from rich.console import Console
from structlog.testing import capture_logs

from keeper.cli.operate import Operation
from keeper.cli.status import View, facts, screen
from keeper.config.load import load
from keeper.market import build_market
from keeper.risk import assess
from tests.builders import make_readings, market_policy

VAULT = "0x" + "11" * 20


def operation_at(folder: Path) -> Operation:
    settings = load(
        environment={
            "GIMBAL_CHAIN_ID": "1",
            "GIMBAL_RPC_URL": "http://127.0.0.1:1",
            "GIMBAL_VAULT": VAULT,
            "GIMBAL_LENS": VAULT,
            "GIMBAL_OPS__CONTROL": str(folder),
        }
    ).settings
    return Operation(settings, dry_run=True)


def test_the_log_says_each_change_of_a_switch_once(tmp_path: Path) -> None:
    operation = operation_at(tmp_path)
    with capture_logs() as said:
        operation.say_switches()
        operation.switches.kill("drill")
        operation.switches.pause(VAULT, "audit")
        operation.say_switches()
        operation.say_switches()
        operation.switches.revive()
        operation.say_switches()
    assert sorted((line["event"], line["log_level"], line.get("reason")) for line in said) == [
        ("kill switch is released", "info", None),
        ("kill switch is set", "warning", "drill"),
        (f"pause of {VAULT} is set", "warning", "audit"),
    ]


def shown(view: View) -> str:
    console = Console(width=120)
    with console.capture() as said:
        console.print(screen(view))
    return said.get()


@pytest.mark.parametrize(("kill", "pause"), [(None, None), ("drill", None), (None, "audit")])
def test_the_status_says_a_switch_that_is_set_and_no_other(
    kill: str | None, pause: str | None
) -> None:
    market = build_market(make_readings(), market_policy())
    view = View(market, assess(market), (), (), kill_switch=kill, pause=pause)
    assert ("KILLED" in shown(view), "PAUSED" in shown(view)) == (
        kill is not None,
        pause is not None,
    )
    assert (facts(view)["kill_switch"], facts(view)["keeper_pause"]) == (kill, pause)


def test_the_status_shows_no_account_where_none_is_known() -> None:
    market = build_market(make_readings(), market_policy())
    view = View(market, assess(market), (), (), account_known=False)
    assert market.readings.keeper not in shown(view)
    assert facts(view)["keeper"] is None


def test_a_vault_that_owes_nothing_has_no_number_for_its_health() -> None:
    readings = make_readings(supplied_base=0, debt_asset=0, idle_asset=1_000)
    market = build_market(readings, market_policy())
    view = View(market, assess(market), (), ())
    assert facts(view)["health"] is None
    assert "nothing is owed" in shown(view)
