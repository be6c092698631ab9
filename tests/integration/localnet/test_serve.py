"""The developer's local mainnet: what it says, what it writes, and that it ends."""

import json
import threading
from pathlib import Path

import pytest
from web3 import HTTPProvider, Web3

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
