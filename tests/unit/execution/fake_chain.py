"""A chain of one account in memory: counts nonces, pools and mines raw transactions, fails on request."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from keeper.errors import EndpointError, RpcError
from keeper.model.block import BlockStamp

GWEI = 10**9


class Killed(BaseException):
    """The process died here."""


@dataclass
class FakeChain:
    """`refuse_send` and `refuse_call` are errors to answer with; `deaf` loses what is sent, silently.

    `lies`: what it refuses is pooled all the same. `fee_cap_wei`: refuses transactions that may cost more.
    `answers`: what is answered to a method instead of the truth.
    """

    name: str = "http://fake"
    number: int = 100
    timestamp: int = 1_700_000_000
    base_fee_wei: int = 10 * GWEI
    balance_wei: int = 10**18
    mined: int = 0
    foreign_pending: int = 0
    gas: int = 400_000
    refuse_send: BaseException | None = None
    refuse_call: RpcError | None = None
    deaf: bool = False
    lies: bool = False
    fee_cap_wei: int | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    pool: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def block(self) -> BlockStamp:
        """The head."""
        block_hash, parent = f"0x{self.number:064x}", f"0x{self.number - 1:064x}"
        return BlockStamp(self.number, block_hash, parent, self.timestamp, self.base_fee_wei)

    def advance(self, blocks: int = 1) -> BlockStamp:
        """Empty blocks."""
        self.number += blocks
        self.timestamp += 12 * blocks
        return self.block

    def mine(self, tx_hash: str, *, status: int = 1, receipt: bool = True) -> BlockStamp:
        """One block with one transaction of the pool; others of its nonce leave it."""
        self.advance()
        mined = self.pool[tx_hash]
        nonce = mined["nonce"]
        self.pool = {h: t for h, t in self.pool.items() if t["nonce"] != nonce}
        self.mined = nonce + 1
        if receipt:
            self.receipts[tx_hash] = {
                "transactionHash": tx_hash,
                "blockNumber": hex(self.number),
                "status": hex(status),
                "gasUsed": hex(min(321_000, mined["gas"])),
                "effectiveGasPrice": hex(min(self.base_fee_wei + GWEI, mined["cap"])),
            }
        return self.block

    def call(self, method: str, params: list[Any]) -> Any:
        """As Rpc."""
        answer = self._answer(method, params)
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def agreed_batch(
        self,
        calls: Sequence[tuple[str, list[Any]]],
        hints: Sequence[tuple[str, list[Any]]] = (),
        *,
        upto: int | None = None,
    ) -> list[Any]:
        """As Rpc, of one endpoint."""
        agreed = [self._answer(method, params) for method, params in calls]
        return agreed + [(self._answer(method, params),) for method, params in hints]

    def _answer(self, method: str, params: list[Any]) -> Any:
        self.asked.append((method, params))
        if method in self.answers:
            return self.answers[method]
        if method == "eth_sendRawTransaction":
            return self._send(params[0])
        if method in ("eth_call", "eth_estimateGas"):
            return self.refuse_call or self._executed(method, params[0])
        if method in ("eth_getBlockByHash", "eth_getBlockByNumber"):
            return self._header()
        if method == "eth_getTransactionReceipt":
            return self.receipts.get(params[0])
        count = method == "eth_getTransactionCount"
        return hex(self._count(params[1]) if count else self.balance_wei)

    def _header(self) -> dict[str, str]:
        return {
            "number": hex(self.number),
            "hash": self.block.hash,
            "parentHash": self.block.parent_hash,
            "timestamp": hex(self.timestamp),
            "baseFeePerGas": hex(self.base_fee_wei),
        }

    def _executed(self, method: str, call: dict[str, str]) -> Any:
        if method == "eth_estimateGas":
            return hex(self.gas if "data" in call else 21_000)
        enough = int(call["gas"], 16) >= self.gas
        return "0x" if enough else RpcError(self.name, method, 3, "execution reverted")

    def _count(self, at: Any) -> int:
        pending = self.foreign_pending + len({t["nonce"] for t in self.pool.values()})
        return self.mined + (pending if at == "pending" else 0)

    def _send(self, raw: str) -> Any:
        self.sent.append(raw)
        if isinstance(self.refuse_send, EndpointError | Killed):
            raise self.refuse_send
        if self.refuse_send is not None:
            if self.lies:
                self.pool[hash_of(raw)] = fields_of(raw)
            return self.refuse_send
        tx_hash, transaction = hash_of(raw), fields_of(raw)
        if self.deaf:
            return tx_hash
        if tx_hash in self.pool:
            return RpcError(self.name, "eth_sendRawTransaction", -32000, "already known")
        cost = transaction["gas"] * transaction["cap"]
        if self.fee_cap_wei is not None and cost > self.fee_cap_wei:
            shown, cap = cost / 10**18, self.fee_cap_wei / 10**18
            words = f"tx fee ({shown:.2f} ether) exceeds the configured cap ({cap:.2f} ether)"
            return RpcError(self.name, "eth_sendRawTransaction", -32000, words)
        if transaction["nonce"] < self.mined:
            return RpcError(self.name, "eth_sendRawTransaction", -32000, "nonce too low")
        self.pool[tx_hash] = transaction
        return tx_hash


def hash_of(raw: str) -> str:
    """Hash of a raw transaction."""
    return "0x" + keccak(hexstr=raw).hex()


def fields_of(raw: str) -> dict[str, Any]:
    """Of a type 2 transaction: nonce, tip, cap, gas limit, sender."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return {
        "nonce": int(fields["nonce"]),
        "tip": int(fields["maxPriorityFeePerGas"]),
        "cap": int(fields["maxFeePerGas"]),
        "gas": int(fields["gas"]),
        "sender": Account.recover_transaction(raw),
    }
