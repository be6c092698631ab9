"""What machines are shown: liveness, readiness and metrics, over a real socket on loopback."""

import http.client
import json
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import replace

import pytest

from keeper.errors import SettingError
from keeper.market import build_market
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome, TickStatus
from keeper.ops.health import Health
from keeper.ops.metrics import Metrics
from keeper.ops.server import serving
from keeper.risk import assess
from tests.builders import make_readings, market_policy

READINGS = make_readings()
BLOCK = READINGS.block
INTENT = "0x" + "ab" * 32


class Clocks:
    def __init__(self) -> None:
        self.wall, self.steady = float(BLOCK.timestamp), 0.0


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def forbidden() -> list[str]:
    return []


@pytest.fixture
def health(clocks: Clocks, forbidden: list[str]) -> Health:
    return Health(
        lambda: clocks.wall,
        lambda: clocks.steady,
        max_head_age_s=60,
        max_silence_s=120,
        forbidden=lambda: tuple(forbidden),
    )


def test_a_loop_that_goes_round_is_alive_and_one_that_hangs_is_not(
    health: Health, clocks: Clocks
) -> None:
    clocks.steady = 120
    assert health.live().good
    clocks.steady = 121
    assert health.live().reasons == ("the loop has done nothing for 121 s",)
    health.mark()
    assert health.live().good


def test_a_keeper_is_ready_after_a_tick_on_a_fresh_head(health: Health, clocks: Clocks) -> None:
    assert health.ready().reasons == ("no tick has been done yet",)
    health.ticked(BLOCK)
    assert health.ready().good
    clocks.wall += 61
    assert health.ready().reasons == ("the newest head is 61 s old",)


def test_every_reason_against_readiness_is_given(
    health: Health, clocks: Clocks, forbidden: list[str]
) -> None:
    forbidden.append("kill switch: drill")
    health.ticked(BLOCK, "endpoint gone")
    clocks.steady += 121
    assert len(health.ready().reasons) == 3
    health.ticked(None)
    assert health.ready().reasons == ("kill switch: drill",)


def asked(address: str, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_pages_say_what_is_known(health: Health, clocks: Clocks) -> None:
    metrics = Metrics(lambda: clocks.wall)
    with serving("127.0.0.1:0", health, metrics.text) as address:
        assert asked(address, "/live")[0] == 200
        code, body = asked(address, "/ready")
        assert (code, json.loads(body)["ok"]) == (503, False)
        health.ticked(BLOCK)
        assert asked(address, "/ready") == (200, '{"ok": true, "reasons": []}')
        assert "gimbal_head_age_seconds NaN" in asked(address, "/metrics")[1]
        assert asked(address, "/secrets")[0] == 404
        with pytest.raises(SettingError, match=r"ops\.listen"):
            serving(address, health, metrics.text).__enter__()


def test_a_page_of_somebody_elses_name_is_not_shown(health: Health, clocks: Clocks) -> None:
    """A browser on this machine can be led here by any name (DNS rebinding)."""
    metrics = Metrics(lambda: clocks.wall)
    with serving("127.0.0.1:0", health, metrics.text) as address:
        port = address.rpartition(":")[2]
        for name, code in (
            ("evil.example", 421), (f"evil.example:{port}", 421), ("127.0.0.1.evil.example", 421),
            (f"localhost:{port}", 200), ("127.0.0.1", 200), (f"[::1]:{port}", 200),
        ):  # fmt: skip
            line = http.client.HTTPConnection("127.0.0.1", int(port), timeout=5)
            line.request("GET", "/live", headers={"Host": name})
            assert line.getresponse().status == code, name
            line.close()


def test_clients_that_say_nothing_take_no_more_than_their_places(
    health: Health, clocks: Clocks
) -> None:
    """Each connection is a thread and a file: without a bound anybody here ends the keeper's own."""
    metrics = Metrics(lambda: clocks.wall)
    with serving("127.0.0.1:0", health, metrics.text) as address, ExitStack() as held:
        place = ("127.0.0.1", int(address.rpartition(":")[2]))
        lines = [held.enter_context(socket.create_connection(place, 5)) for _ in range(40)]
        assert lines[39].recv(1) == b"", "the last is turned away at once"
        for line in lines[:32]:
            line.close()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_a_tick_is_counted_and_the_vaults_figures_are_shown(clocks: Clocks) -> None:
    metrics = Metrics(lambda: clocks.wall + 7)
    market = build_market(READINGS, market_policy())
    risk = assess(market)
    held = TickOutcome(BLOCK.number, TickStatus.HELD, "in band")
    metrics.ticked(held, BLOCK, vault="one", market=market, risk=risk)
    assert value(metrics, "gimbal_ticks_total", status="held", vault="one") == 1
    assert value(metrics, "gimbal_head_age_seconds") == 7
    assert value(metrics, "gimbal_head_block") == BLOCK.number
    assert value(metrics, "gimbal_health", vault="one") == pytest.approx(risk.health_wad / 1e18)
    assert (
        value(metrics, "gimbal_keeper_balance_eth", vault="one")
        == READINGS.keeper_balance_wei / 1e18
    )
    left = value(metrics, "gimbal_loss_budget_left", lane="protective", vault="one")
    assert risk.nav is not None
    assert left == READINGS.mandate.protective.left_down(risk.nav) / 10**READINGS.asset.decimals


def test_a_tick_that_saw_nothing_keeps_the_last_figures(clocks: Clocks) -> None:
    metrics = Metrics(lambda: clocks.wall)
    market = build_market(READINGS, market_policy())
    metrics.ticked(
        TickOutcome(1, TickStatus.HELD, ""), BLOCK, vault="one", market=market, risk=assess(market)
    )
    before = value(metrics, "gimbal_health", vault="one")
    metrics.ticked(TickOutcome(0, TickStatus.SKIPPED, "no endpoint"), None, vault="one")
    assert before is not None
    assert value(metrics, "gimbal_health", vault="one") == before
    assert value(metrics, "gimbal_ticks_total", status="skipped", vault="one") == 1


def test_inclusion_is_counted_from_the_decision_to_the_block_of_the_receipt(
    clocks: Clocks,
) -> None:
    metrics = Metrics(lambda: clocks.wall)
    sent = TickOutcome(100, TickStatus.SENT, "", INTENT, "0x1")
    mined = AttemptResult(INTENT, "0x2", AttemptStatus.MINED, 103, 21_000, 1)
    metrics.ticked(sent, BLOCK, vault="one")
    metrics.ticked(
        replace(sent, block_number=101), BLOCK, vault="one"
    )  # sent again: the first one counts
    metrics.ticked(TickOutcome(103, TickStatus.HELD, ""), BLOCK, vault="one", settled=(mined,))
    assert value(metrics, "gimbal_inclusion_blocks_sum") == 3
    assert value(metrics, "gimbal_inclusion_blocks_count") == 1
    reverted = replace(mined, status=AttemptStatus.REVERTED)
    metrics.ticked(TickOutcome(104, TickStatus.HELD, ""), BLOCK, vault="one", settled=(reverted,))
    assert value(metrics, "gimbal_reverts_total", vault="one") == 1
    assert value(metrics, "gimbal_inclusion_blocks_count") == 1  # sent by an earlier process


def test_gauges_of_means_carry_their_labels(clocks: Clocks) -> None:
    metrics = Metrics(lambda: clocks.wall)
    metrics.payable("0xaa", 12)
    metrics.burned(10**18, 5 * 10**17)
    metrics.in_flight(1)
    metrics.endpoint("http://a", up=False, lag_blocks=4, errors=2)
    metrics.live("gimbal_leading", "x", lambda: True)
    assert value(metrics, "gimbal_payable_protections", account="0xaa") == 12
    assert value(metrics, "gimbal_gas_day_eth", kind="reverted") == 1
    assert value(metrics, "gimbal_gas_day_eth", kind="protective") == 0.5
    assert value(metrics, "gimbal_in_flight") == 1
    assert value(metrics, "gimbal_endpoint_up", endpoint="http://a") == 0
    assert value(metrics, "gimbal_endpoint_lag_blocks", endpoint="http://a") == 4
    assert value(metrics, "gimbal_leading") == 1


def test_each_vault_has_figures_of_its_own(clocks: Clocks) -> None:
    metrics = Metrics(lambda: clocks.wall)
    market = build_market(READINGS, market_policy())
    held = TickOutcome(1, TickStatus.HELD, "")
    metrics.ticked(held, BLOCK, vault="one", market=market, risk=assess(market))
    metrics.ticked(TickOutcome(1, TickStatus.SKIPPED, ""), BLOCK, vault="two")
    metrics.live("gimbal_paused", "x", lambda: True, "one")
    metrics.live("gimbal_paused", "x", lambda: False, "two")
    assert value(metrics, "gimbal_vault_block", vault="one") == BLOCK.number
    assert value(metrics, "gimbal_vault_block", vault="two") is None
    assert value(metrics, "gimbal_ticks_total", status="skipped", vault="one") is None
    paused = [value(metrics, "gimbal_paused", vault=v) for v in ("one", "two")]
    assert paused == [1, 0]


def test_it_is_not_ready_while_one_of_several_vaults_is_not_kept(clocks: Clocks) -> None:
    health = Health(
        lambda: float(BLOCK.timestamp), lambda: 0.0, max_head_age_s=60, max_silence_s=60
    )
    health.ticked(BLOCK, "", "one")
    health.ticked(BLOCK, "the lens reverts", "two")
    assert health.ready().reasons == ("the last tick of two was not done: the lens reverts",)
    health.ticked(BLOCK, "", "two")
    assert health.ready().good
