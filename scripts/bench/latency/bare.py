"""The least that sends: web3.py signs a fixed transaction and hands it in. It reads, checks and keeps nothing."""

from __future__ import annotations

import json

from eth_account import Account
from web3 import HTTPProvider, Web3
from web3.types import Nonce
from websockets.sync.client import connect

from scripts.bench.latency.turns import given, ready


def main() -> None:
    """Send at every head of our turn, until the node goes away."""
    task = given()
    w3 = Web3(HTTPProvider(task.http_url))
    account = Account.from_key(task.private_key)
    nonce = w3.eth.get_transaction_count(account.address)
    chain_id = w3.eth.chain_id
    with connect(task.ws_url, proxy=None) as socket:
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]}
        socket.send(json.dumps(request))
        socket.recv()
        ready()
        for message in socket:
            header = json.loads(message)["params"]["result"]
            if not task.acts_on(int(header["number"], 16)):
                continue
            signed = account.sign_transaction(
                {
                    "chainId": chain_id,
                    "nonce": nonce,
                    "to": account.address,
                    "value": 0,
                    "gas": 21_000,
                    "maxFeePerGas": 2 * int(header["baseFeePerGas"], 16) + 10**9,
                    "maxPriorityFeePerGas": 10**9,
                }
            )
            w3.eth.send_raw_transaction(signed.raw_transaction)
            nonce = Nonce(nonce + 1)


if __name__ == "__main__":
    main()
