"""Reads a block for the actors: everything they look at in one request."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from keeper.chain.endpoint import Endpoint
from keeper.errors import LocalnetError
from keeper.localnet.actors.calldata import call_data
from keeper.localnet.actors.values import Debtor, Holdings, Round, Sight
from keeper.localnet.world import Addresses
from keeper.model.units import Raw, Wad, Wei

BORROW_TOPIC = (
    "0x" + keccak(text="Borrow(address,address,address,uint256,uint8,uint256,uint16)").hex()
)
READ_GAS = 400_000_000
_ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
_SLOT0 = ("uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
_ACCOUNT = ("uint256",) * 6
_RESERVE = (*("uint256",) * 7, "uint40", "bool")

Call = tuple[str, str]
"""Address and calldata."""
Receipt = dict[str, Any]


@dataclass(slots=True)
class Sighting:
    """Sees the newest block for some accounts; remembers who has borrowed, as the venue's logs tell it."""

    endpoint: Endpoint
    addresses: Addresses
    accounts: Sequence[str]
    borrowers: dict[str, None] = field(default_factory=dict)
    _scanned_to: int = -1

    def head_hash(self) -> str:
        """Hash of the newest block."""
        return str(self.endpoint.call("eth_getBlockByNumber", ["latest", False])["hash"])

    def look(self) -> tuple[Sight, list[Receipt]]:
        """The newest block and its receipts. Nothing may be mined meanwhile."""
        head = self.endpoint.call("eth_getBlockByNumber", ["latest", False])
        number = int(head["number"], 16)
        self._find_borrowers(number)
        known = tuple(self.borrowers)
        answers = self.endpoint.batch(
            [
                ("eth_call", [self._reads(known), "latest"]),
                ("eth_getBlockReceipts", [head["number"]]),
                *(("eth_getTransactionCount", [account, "latest"]) for account in self.accounts),
            ]
        )
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        state, receipts, *nonces = answers
        words = [bytes(data) for _, data in decode(["(bool,bytes)[]"], _bytes(state))[0]]
        return self._sight(head, words, known, nonces), receipts

    def _find_borrowers(self, number: int) -> None:
        if number < self._scanned_to:
            self._scanned_to = -1  # the chain was rolled back
            self.borrowers.clear()
        if number == self._scanned_to:
            return
        logs = self.endpoint.call(
            "eth_getLogs",
            [
                {
                    "fromBlock": hex(self._scanned_to + 1),
                    "toBlock": hex(number),
                    "address": self.addresses.aave_pool,
                    "topics": [BORROW_TOPIC],
                }
            ],
        )
        for log in logs:
            self.borrowers[to_checksum_address("0x" + log["topics"][2][-40:])] = None
        self._scanned_to = number

    def _reads(self, borrowers: Iterable[str]) -> dict[str, Any]:
        a = self.addresses
        newest = call_data("latestRoundData()")
        calls: list[Call] = [
            (a.uniswap_pool, call_data("slot0()")),
            (a.eth_usd_aggregator, newest),
            (a.usdc_usd_aggregator, newest),
        ]
        for account in self.accounts:
            calls += [
                (token, call_data("balanceOf(address)", account)) for token in (a.weth, a.usdc)
            ]
        for account in borrowers:
            calls.append((a.aave_pool, call_data("getUserAccountData(address)", account)))
            calls += [
                (
                    a.aave_data_provider,
                    call_data("getUserReserveData(address,address)", token, account),
                )
                for token in (a.weth, a.usdc)
            ]
        packed = [(to, False, _bytes(data)) for to, data in calls]
        data = call_data("aggregate3((address,bool,bytes)[])", packed)
        return {"to": a.multicall3, "data": data, "gas": hex(READ_GAS)}

    def _sight(
        self,
        head: dict[str, Any],
        words: list[bytes],
        borrowers: Sequence[str],
        nonces: Sequence[str],
    ) -> Sight:
        begin = 3 + 2 * len(self.accounts)
        if len(words) != begin + 3 * len(borrowers):
            raise LocalnetError(
                "reading a block", f"{len(words)} answers came", "see the node's log"
            )
        holdings = {
            account: Holdings(_amount(words[3 + 2 * i]), _amount(words[4 + 2 * i]))
            for i, account in enumerate(self.accounts)
        }
        debtors = (
            _debtor(account, words[begin + 3 * i : begin + 3 * i + 3])
            for i, account in enumerate(borrowers)
        )
        return Sight(
            number=int(head["number"], 16),
            block_hash=head["hash"],
            timestamp=int(head["timestamp"], 16),
            base_fee_wei=Wei(int(head["baseFeePerGas"], 16)),
            pool_sqrt_price_x96=decode(_SLOT0, words[0])[0],
            eth_usd=_round(words[1]),
            usdc_usd=_round(words[2]),
            holdings=holdings,
            debtors=tuple(debtor for debtor in debtors if debtor is not None),
            nonces={
                account: int(nonce, 16)
                for account, nonce in zip(self.accounts, nonces, strict=True)
            },
        )


def _bytes(data: str) -> bytes:
    return bytes.fromhex(data[2:])


def _amount(word: bytes) -> Raw:
    return Raw(int.from_bytes(word, "big"))


def _round(words: bytes) -> Round:
    number, answer, _, updated_at, _ = decode(_ROUND, words)
    return Round(number, answer, updated_at)


def _debtor(account: str, words: Sequence[bytes]) -> Debtor | None:
    """None for an account that owes nothing any more."""
    _, debt, _, threshold, _, health = decode(_ACCOUNT, words[0])
    if debt == 0:
        return None
    weth, usdc = (decode(_RESERVE, word) for word in words[1:])
    return Debtor(
        account=account,
        health_wad=Wad(health),
        threshold_bps=threshold,
        supplied=Holdings(Raw(weth[0]), Raw(usdc[0])),
        owed=Holdings(Raw(weth[1] + weth[2]), Raw(usdc[1] + usdc[2])),
    )
