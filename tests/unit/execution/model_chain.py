"""A chain in memory that forks: blocks, a pool with replacement rules, receipts, reorganisations, faults."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from keeper.errors import EndpointError, RpcError
from keeper.model.block import BlockStamp
from tests.unit.execution.fake_chain import GWEI, fields_of, hash_of

SEND = "eth_sendRawTransaction"
FINAL_DEPTH = 12


@dataclass(frozen=True)
class Mined:
    """A transaction in a block."""

    tx_hash: str
    sender: str
    nonce: int
    data: str
    raw: str


@dataclass(frozen=True)
class ModelBlock:
    """One block."""

    stamp: BlockStamp
    mined: tuple[Mined, ...] = ()


@lru_cache(maxsize=100_000)
def parsed(raw: str) -> Mined:
    """What the model needs of a raw transaction."""
    found = fields_of(raw)
    data = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["data"]
    return Mined(hash_of(raw), found["sender"], found["nonce"], "0x" + bytes(data).hex(), raw)


@dataclass
class ModelChain:
    """`says`: error words instead of taking a send. `silent`: takes it and does not answer. `hides`: receipts.

    `refuses_calls`: they revert.
    """

    name: str = "http://model"
    says: str = ""
    silent: bool = False
    hides: bool = False
    refuses_calls: bool = False
    balance_wei: int = 10**19
    blocks: list[ModelBlock] = field(default_factory=list)
    pool: dict[str, Mined] = field(default_factory=dict)
    salt: int = 0

    def __post_init__(self) -> None:
        stamp = BlockStamp(100, f"0x{0:064x}", f"0x{1:064x}", 1_700_000_000, 10 * GWEI)
        self.blocks.append(ModelBlock(stamp))

    @property
    def head(self) -> BlockStamp:
        return self.blocks[-1].stamp

    def mine(self, *, takes: bool = True) -> BlockStamp:
        """One block, with all that can be executed or with nothing."""
        taken: list[Mined] = []
        if takes:
            for transaction in sorted(self.pool.values(), key=lambda m: m.nonce):
                if transaction.nonce == self._count(transaction.sender, taken):
                    taken.append(transaction)
        self.salt += 1
        parent = self.head
        stamp = BlockStamp(
            parent.number + 1,
            f"0x{self.salt:064x}",
            parent.hash,
            parent.timestamp + 12,
            parent.base_fee_wei,
        )
        self.blocks.append(ModelBlock(stamp, tuple(taken)))
        self.pool = {h: m for h, m in self.pool.items() if m.nonce >= self._count(m.sender, [])}
        return stamp

    def reorganise(self, depth: int, *, forgets: bool = False) -> BlockStamp:
        """The last blocks are replaced by one more without transactions; these wait again, unless forgotten."""
        depth = min(depth, len(self.blocks) - 1)
        if depth == 0:
            return self.head
        dropped = self.blocks[-depth:]
        del self.blocks[-depth:]
        if not forgets:
            for transaction in (m for block in dropped for m in block.mined):
                self._pool(transaction)
        for _ in range(depth + 1):
            self.mine(takes=False)
        return self.head

    def effects(self, data: str) -> int:
        """How often a call is in the chain."""
        return sum(m.data == data for block in self.blocks for m in block.mined)

    def nonce_of(self, sender: str) -> int:
        return self._count(sender, [])

    def _count(self, sender: str, more: list[Mined], until: int | None = None) -> int:
        last = self.head.number if until is None else until
        mined = [m for b in self.blocks if b.stamp.number <= last for m in b.mined] + more
        return sum(m.sender == sender for m in mined)

    def _pool(self, transaction: Mined) -> str:
        for tx_hash, other in self.pool.items():
            if (other.sender, other.nonce) != (transaction.sender, transaction.nonce):
                continue
            if tx_hash == transaction.tx_hash:
                return "already known"
            old, new = fields_of(other.raw), fields_of(transaction.raw)
            if any(new[fee] * 10 < old[fee] * 11 for fee in ("tip", "cap")):
                return "replacement transaction underpriced"
            del self.pool[tx_hash]
            break
        self.pool[transaction.tx_hash] = transaction
        return ""

    def call(self, method: str, params: list[Any]) -> Any:
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
        known: dict[str, Callable[[], Any]] = {
            SEND: lambda: self._send(params[0]),
            "eth_getTransactionCount": lambda: self._transaction_count(params[0], params[1]),
            "eth_getTransactionReceipt": lambda: self._receipt(params[0]),
            "eth_getBlockByNumber": lambda: self._by_number(params[0]),
            "eth_getBlockByHash": lambda: self._by_hash(params[0]),
            "eth_getBalance": lambda: hex(self.balance_wei),
            "eth_estimateGas": lambda: hex(21_000),
            "eth_call": self._call,
        }
        unknown = RpcError(self.name, method, -32601, "method not found")
        return known[method]() if method in known else unknown

    def _call(self) -> Any:
        return RpcError(self.name, "eth_call", 3, "reverted") if self.refuses_calls else "0x"

    def _by_number(self, which: str) -> Any:
        number = self.head.number - (FINAL_DEPTH if which == "finalized" else 0)
        found = [b.stamp for b in self.blocks if b.stamp.number <= number]
        return _header(found[-1]) if found else None

    def _by_hash(self, block_hash: str) -> Any:
        found = [b.stamp for b in self.blocks if b.stamp.hash == block_hash]
        return _header(found[0]) if found else None

    def _transaction_count(self, account: str, at: Any) -> Any:
        if isinstance(at, dict):
            found = [b.stamp.number for b in self.blocks if b.stamp.hash == at["blockHash"]]
            if not found:
                return RpcError(self.name, "eth_getTransactionCount", -32000, "header not found")
            return hex(self._count(account, [], found[0]))
        mined = self._count(account, [])
        held = {m.nonce for m in self.pool.values() if m.sender == account}
        while at == "pending" and mined in held:
            mined += 1
        return hex(mined)

    def _receipt(self, tx_hash: str) -> Any:
        for block in self.blocks:
            for transaction in block.mined:
                if transaction.tx_hash == tx_hash and not self.hides:
                    return {
                        "transactionHash": tx_hash,
                        "blockNumber": hex(block.stamp.number),
                        "blockHash": block.stamp.hash,
                        "status": "0x1",
                        "gasUsed": hex(21_000),
                        "effectiveGasPrice": hex(GWEI),
                    }
        return None

    def _send(self, raw: str) -> Any:
        if self.says:
            return RpcError(self.name, SEND, -32000, self.says)
        transaction = parsed(raw)
        if transaction.nonce < self._count(transaction.sender, []):
            return RpcError(self.name, SEND, -32000, "nonce too low")
        words = self._pool(transaction)
        if self.silent:
            raise EndpointError(self.name, SEND, "did not answer within 1 s")
        return RpcError(self.name, SEND, -32000, words) if words else transaction.tx_hash


def _header(stamp: BlockStamp) -> dict[str, str]:
    return {
        "number": hex(stamp.number),
        "hash": stamp.hash,
        "parentHash": stamp.parent_hash,
        "timestamp": hex(stamp.timestamp),
        "baseFeePerGas": hex(stamp.base_fee_wei),
    }
