"""The developer's local mainnet: what it says, what it writes, and that it ends."""

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

from keeper.localnet.paths.build import ScenarioSpec, build_path
from keeper.localnet.serve import ServeOptions, serve

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.chain


def test_it_says_what_stands_where_and_ends_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "localnet.json"
    stop, said = threading.Event(), []

    def look(text: str) -> None:
        said.append(text)
        described = json.loads(file.read_text())
        w3 = Web3(HTTPProvider(described["rpc_url"]))
        assert w3.eth.chain_id == described["chain_id"] == 1
        assert (
            abs(w3.eth.get_block("latest")["timestamp"] - time.time()) < 30
        )  # or no keeper believes it
        assert w3.eth.get_code(described["mandate"]) != w3.eth.get_code(described["manager"]) != b""
        assert len(w3.eth.get_code(described["vault"])) > 0
        assert len(w3.eth.get_code(described["lens"])) > 0
        for account in described["accounts"].values():
            assert w3.eth.account.from_key(account["private_key"]).address == account["address"]
            assert w3.eth.get_balance(account["address"]) > 10**18
        stop.set()

    serve(ROOT, options=ServeOptions(port=None, file=file), out=look, stop=stop)

    text = said[0]
    for wanted in ("RPC", "health 1.600", "keys are public", "vault_owner", "Ctrl-C"):
        assert wanted in text
    assert not file.exists()


def test_a_market_along_a_path_moves_by_the_wall_clock_and_then_stays(tmp_path: Path) -> None:
    """At a health that the usual mandate does not allow, with nothing idle."""
    whole = build_path(ScenarioSpec("gap", 1, {}))
    path = replace(
        whole,
        times=whole.times[:4],
        market_price=whole.market_price[:4],
        oracle_online=whole.oracle_online[:4],
        base_fee_wei=whole.base_fee_wei[:4],
    )
    stop, said = threading.Event(), []

    def hear(text: str) -> None:
        said.append(text)
        if "at its end" in text:
            stop.set()

    options = ServeOptions(
        *(2_000.0, 500_000, 0, 1.2),
        block_time_s=0.1,
        port=None,
        file=tmp_path / "localnet.json",
        path=path,
    )
    serve(ROOT, options=options, out=hear, stop=stop)

    assert "health 1.2" in said[0]
    assert "4 blocks, one every 0.1 s" in said[1]
    assert "(4 of 4): market" in said[-2]
