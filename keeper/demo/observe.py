"""What the chain says after a block: both vaults through the lens, and every transaction that matters.

Nothing here is assumed from what was sent: liquidations, keeper transactions and oracle updates are
read from the block's receipts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from keeper import abi
from keeper.chain.decode import SnapshotCodec
from keeper.chain.endpoint import Endpoint
from keeper.chain.stamps import stamp
from keeper.errors import RpcError
from keeper.execution.simulate import ErrorBook
from keeper.localnet.vaults import VaultDeployment
from keeper.localnet.world import World
from keeper.market.spot import spot_price_wad
from keeper.model.block import BlockStamp
from keeper.model.ledger import Ledger
from keeper.model.market import PriceFault, Readings
from keeper.model.units import WAD, Raw
from keeper.report.format import amount
from keeper.report.story import BlockSample, Mark, MarkKind, Twin, TwinSample

LIQUIDATION_TOPIC = (
    "0x"
    + keccak(text="LiquidationCall(address,address,address,uint256,uint256,address,bool)").hex()
)
CHARGED_TOPIC = "0x" + keccak(text="Charged(uint8,uint256,uint256)").hex()
ANSWER_TOPIC = "0x" + keccak(text="AnswerUpdated(int256,uint256,uint256)").hex()
_ERROR_ABIS = ("Vault", "Mandate", "AaveV3Adapter", "UniswapV3Adapter", "PriceOracle")
_BUCKETS = ("routine", "protective")
"""IMandate.Bucket, in its order."""
_VENUE_UNIT = 10**8
_WORD = 64


@dataclass(frozen=True, slots=True)
class KeeperAction:
    """What the keeper said it sent, by transaction hash: the block has the gas, this has the reason."""

    kind: MarkKind
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One block: the sample, and the transactions worth a mark."""

    sample: BlockSample
    marks: tuple[Mark, ...]


class Observer:
    """Samples two vaults block by block; counts liquidations as it goes."""

    def __init__(
        self,
        world: World,
        vaults: Mapping[Twin, VaultDeployment],
        keeper: str,
        action_of: Callable[[str], KeeperAction | None],
    ) -> None:
        self._endpoint = Endpoint(world.http_url, timeout_s=30.0)
        self._codec = SnapshotCodec(abi.load("VaultLens"))
        self._errors = ErrorBook(*(abi.load(name) for name in _ERROR_ABIS))
        self._keeper = keeper.lower()
        self._addresses = world.addresses
        self._action_of = action_of
        self._begin: int | None = None
        self._liquidations = dict.fromkeys(Twin, 0)
        self._twin_of = {d.lending.lower(): twin for twin, d in vaults.items()}
        self._mandate_of = {d.mandate.lower(): twin for twin, d in vaults.items()}
        self._charged = {twin: [0] * len(_BUCKETS) for twin in Twin}
        self._calls = {
            twin: {"to": d.lens, "data": self._codec.call_data(d.vault, keeper)}
            for twin, d in vaults.items()
        }

    def close(self) -> None:
        """Close the connection."""
        self._endpoint.close()

    def head(self) -> BlockStamp:
        """The newest block."""
        header = self._endpoint.call("eth_getBlockByNumber", ["latest", False])
        return stamp(header, self._endpoint.name, "eth_getBlockByNumber")

    def observe(self, block: BlockStamp, market_price: float) -> Observation:
        """The block's sample and marks; call once for each block, in order."""
        if self._begin is None:
            self._begin = block.timestamp
        elapsed = block.timestamp - self._begin
        at = {"blockHash": block.hash}
        answers = self._endpoint.batch(
            [
                ("eth_getBlockReceipts", [hex(block.number)]),
                *(("eth_call", [call, at]) for call in self._calls.values()),
            ]
        )
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        receipts, *snapshots = answers
        marks = tuple(
            mark for receipt in receipts for mark in self._marks(receipt, block.number, elapsed)
        )
        for mark in marks:
            if mark.kind is MarkKind.LIQUIDATION and mark.twin is not None:
                self._liquidations[mark.twin] += 1
        readings = {
            twin: self._codec.decode(snapshot, block, self._keeper, 0)[0]
            for twin, snapshot in zip(self._calls, snapshots, strict=True)
        }
        return Observation(self._sample(block, elapsed, market_price, readings), marks)

    def _sample(
        self,
        block: BlockStamp,
        elapsed: int,
        market_price: float,
        readings: Mapping[Twin, Readings],
    ) -> BlockSample:
        any_vault = readings[Twin.PROTECTED]
        fault = any_vault.price.fault
        twins = {
            twin: _twin(r, self._liquidations[twin], self._charged[twin])
            for twin, r in readings.items()
        }
        return BlockSample(
            block=block.number,
            timestamp=block.timestamp,
            elapsed_s=elapsed,
            market_price=market_price,
            oracle_price=any_vault.price.price_wad / WAD,
            pool_price=spot_price_wad(any_vault) / WAD,
            base_fee_wei=block.base_fee_wei,
            price_fault="" if fault is PriceFault.NONE else fault.name.lower(),
            protected=twins[Twin.PROTECTED],
            unprotected=twins[Twin.UNPROTECTED],
        )

    def _marks(self, receipt: dict[str, Any], block: int, elapsed: int) -> list[Mark]:
        def mark(kind: MarkKind, twin: Twin | None, who: str, what: str, why: str) -> Mark:
            return Mark(
                kind=kind,
                twin=twin,
                block=block,
                elapsed_s=elapsed,
                who=who,
                what=what,
                why=why,
                gas_used=int(receipt["gasUsed"], 16),
                gas_price_wei=int(receipt["effectiveGasPrice"], 16),
                tx_hash=receipt["transactionHash"],
            )

        found: list[Mark] = []
        if receipt["from"].lower() == self._keeper:
            found.append(mark(*self._keeper_mark(receipt)))
        for log in receipt["logs"]:
            topics = [t.lower() for t in log["topics"]]
            self._count_charge(log, topics)
            if topics[:1] == [LIQUIDATION_TOPIC]:
                twin = self._twin_of.get("0x" + topics[3][-40:])
                if twin is not None and _same(log["address"], self._addresses.aave_pool):
                    what = self._liquidation_text(topics, log["data"])
                    found.append(
                        mark(MarkKind.LIQUIDATION, twin, "liquidator", what, "health was below 1")
                    )
            elif topics[:1] == [ANSWER_TOPIC] and _same(
                log["address"], self._addresses.eth_usd_aggregator
            ):
                text = f"ETH / USD {int(topics[1], 16) / _VENUE_UNIT:,.2f}"
                found.append(mark(MarkKind.ORACLE, None, "oracle", text, ""))
        return found

    def _count_charge(self, log: dict[str, Any], topics: list[str]) -> None:
        """Adds what a mandate charged to one of its buckets."""
        twin = self._mandate_of.get(log["address"].lower())
        if twin is not None and topics[:1] == [CHARGED_TOPIC]:
            loss = int(log["data"].removeprefix("0x")[:_WORD], 16)
            self._charged[twin][int(topics[1], 16)] += loss

    def _keeper_mark(self, receipt: dict[str, Any]) -> tuple[MarkKind, Twin, str, str, str]:
        action = self._action_of(receipt["transactionHash"])
        what = action.what if action else "a transaction of the keeper's account"
        why = action.why if action else ""
        if int(receipt["status"], 16) != 1:
            why = f"{why}; {self._revert_reason(receipt['transactionHash'])}"
            return MarkKind.FAILED, Twin.PROTECTED, "keeper", f"reverted: {what}", why
        kind = MarkKind.DELEVERAGE if action is None else action.kind
        return kind, Twin.PROTECTED, "keeper", what, why

    def _revert_reason(self, tx_hash: str) -> str:
        tracer = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
        try:
            trace = self._endpoint.call("debug_traceTransaction", [tx_hash, tracer])
        except RpcError as error:
            return f"reason unknown ({error.message})"
        name, method = self._endpoint.name, "debug_traceTransaction"
        data = str(trace.get("output", "")) if isinstance(trace, dict) else ""
        return self._errors.explain(RpcError(name, method, 3, "reverted without a reason", data))

    def _liquidation_text(self, topics: list[str], data: str) -> str:
        words = data.removeprefix("0x")
        repaid, taken = (int(words[i * _WORD : (i + 1) * _WORD], 16) for i in range(2))
        return (
            f"took {self._token_amount(topics[1], taken)} for "
            f"{self._token_amount(topics[2], repaid)} of debt"
        )

    def _token_amount(self, topic: str, raw: int) -> str:
        if _same("0x" + topic[-40:], self._addresses.usdc):
            return f"{amount(raw, 6)} USDC"
        return f"{amount(raw, 18, 4)} WETH"


def _twin(readings: Readings, liquidations: int, charged: Sequence[int]) -> TwinSample:
    # The venue counts in dollars of 8 decimals; one asset is taken for one dollar, for display.
    per_dollar = 10**readings.asset.decimals
    return TwinSample(
        health_wad=readings.account.health_wad,
        net_delta=Ledger.of(readings).net_delta(),
        nav=readings.nav if readings.nav_valid else None,
        collateral=Raw(readings.account.collateral_base * per_dollar // _VENUE_UNIT),
        debt=Raw(readings.account.debt_base * per_dollar // _VENUE_UNIT),
        liquidations=liquidations,
        routine_loss_wad=charged[_BUCKETS.index("routine")],
        protective_loss_wad=charged[_BUCKETS.index("protective")],
    )


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
