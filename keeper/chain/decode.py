"""From the lens's ABI-encoded answer to Readings, by the names in the ABI."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.abi import (
    collapse_if_tuple,
    function_signature_to_4byte_selector,
)

from keeper.chain import decode_state
from keeper.chain.addresses import address
from keeper.chain.words import plan
from keeper.model.block import BlockStamp
from keeper.model.market import (
    FeedReading,
    PoolState,
    PriceFault,
    PriceReading,
    Readings,
    SequencerReading,
    Token,
    TokenPosition,
    VenueAccount,
)
from keeper.model.units import Bps, Raw, Wad, Wei

SNAPSHOT_VERSION = 2
MAX_DECIMALS = 36
"""Of a token; beyond it amounts no longer fit the numbers that estimates are made with."""


class BadSnapshot(ValueError):  # noqa: N818 - a fact about bytes, renamed at the edge that knows the address
    """The bytes are not a snapshot of the version this keeper knows."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a snapshot says it is a snapshot of."""

    vault: str
    chain_id: int
    block_number: int
    timestamp: int


class SnapshotCodec:
    """Encodes `VaultLens.snapshot(vault, keeper)` and decodes its answer."""

    def __init__(self, lens_abi: list[dict[str, Any]]) -> None:
        entry = next(e for e in lens_abi if e.get("name") == "snapshot")
        inputs = [collapse_if_tuple(i) for i in entry["inputs"]]
        self._decode = plan(entry["outputs"])
        self._selector = function_signature_to_4byte_selector(f"snapshot({','.join(inputs)})")
        self._inputs = inputs

    def call_data(self, vault: str, keeper: str) -> str:
        """Calldata, 0x-prefixed."""
        return "0x" + (self._selector + abi_encode(self._inputs, [vault, keeper])).hex()

    def decode(
        self, answer: str, block: BlockStamp, keeper: str, keeper_balance_wei: int
    ) -> tuple[Readings, Origin]:
        """Readings, and what they claim to be readings of; BadSnapshot when the bytes do not fit."""
        try:
            snap = self._named(answer)
            readings = _readings(snap, block, keeper, keeper_balance_wei)
        except (ValueError, OverflowError) as error:
            if isinstance(error, BadSnapshot):
                raise
            raise BadSnapshot("answer does not decode as a snapshot") from error
        if max(readings.asset.decimals, readings.base.decimals) > MAX_DECIMALS:
            raise BadSnapshot(f"a token has more than {MAX_DECIMALS} decimals")
        origin = Origin(readings.vault, snap["chainId"], snap["blockNumber"], snap["timestamp"])
        return readings, origin

    def _named(self, answer: str) -> dict[str, Any]:
        """The snapshot's fields by name."""
        snap: dict[str, Any] = self._decode(bytes.fromhex(answer.removeprefix("0x")))[0]
        if snap["version"] != SNAPSHOT_VERSION:
            raise BadSnapshot(
                f"snapshot version {snap['version']}, this keeper knows {SNAPSHOT_VERSION}"
            )
        return snap


def _readings(s: dict[str, Any], block: BlockStamp, keeper: str, balance: int) -> Readings:
    asset = Token(address(s["asset"]), s["assetDecimals"])
    base = Token(address(s["base"]), s["baseDecimals"])
    state, venues = s["state"], s["venues"]
    positions = {address(p["token"]): _position(p) for p in venues["positions"]}
    return Readings(
        block=block,
        chain_id=s["chainId"],
        vault=address(s["vault"]),
        asset=asset,
        base=base,
        total_shares=state["totalShares"],
        nav_valid=state["navValid"],
        nav=Raw(state["nav"]),
        idle_asset=Raw(state["idleAsset"]),
        idle_base=Raw(state["idleBase"]),
        unhedged=state["unhedged"],
        mandate=decode_state.mandate(s["mandate"]),
        depositors=decode_state.depositors(state),
        measure=decode_state.measure(state["measure"]) if state["measureValid"] else None,
        options=decode_state.options(s["options"]),
        venue_readable=venues["lendingReadable"],
        lending_adapter=address(venues["lendingAdapter"]),
        account=VenueAccount(
            collateral_base=venues["account"]["collateralBase"],
            debt_base=venues["account"]["debtBase"],
            health_wad=Wad(venues["account"]["healthWad"]),
        ),
        asset_position=positions.get(asset.address, _no_position(asset.address)),
        base_position=positions.get(base.address, _no_position(base.address)),
        pool_readable=venues["poolReadable"],
        swap_adapter=address(venues["swapAdapter"]),
        pool=_pool(venues["pool"]),
        price=_price(s["price"]),
        keeper=keeper,
        keeper_balance_wei=Wei(balance),
    )


def _position(p: dict[str, Any]) -> TokenPosition:
    return TokenPosition(
        token=address(p["token"]),
        supplied=Raw(p["supplied"]),
        debt=Raw(p["debt"]),
        ltv_bps=Bps(p["ltvBps"]),
        liquidation_threshold_bps=Bps(p["liquidationThresholdBps"]),
        liquidation_bonus_bps=Bps(p["liquidationBonusBps"]),
        supply_rate_ray=p["supplyRateRay"],
        borrow_rate_ray=p["borrowRateRay"],
        available=Raw(p["available"]),
        frozen_or_paused=p["frozenOrPaused"],
    )


def _no_position(token: str) -> TokenPosition:
    """An unreadable venue lists nothing; frozen, so that nobody plans on it."""
    zero = Raw(0)
    return TokenPosition(token, zero, zero, Bps(0), Bps(0), Bps(0), 0, 0, zero, True)


def _pool(p: dict[str, Any]) -> PoolState:
    return PoolState(
        pool=address(p["pool"]),
        fee_pips=p["feePips"],
        tick=p["tick"],
        sqrt_price_x96=p["sqrtPriceX96"],
        liquidity=p["liquidity"],
        base_is_token0=p["baseIsToken0"],
    )


def _price(p: dict[str, Any]) -> PriceReading:
    return PriceReading(
        price_wad=Wad(p["priceWad"]),
        twap_wad=Wad(p["twapWad"]),
        deviation_bps=Bps(p["deviationBps"]),
        max_deviation_bps=Bps(p["maxDeviationBps"]),
        twap_window_s=p["twapWindow"],
        fault=PriceFault(p["fault"]),
        base=_feed(p["base"]),
        quote=_feed(p["quote"]),
        sequencer=SequencerReading(
            feed=address(p["sequencer"]["feed"]),
            up=p["sequencer"]["up"],
            since=p["sequencer"]["since"],
            grace_s=p["sequencer"]["graceSeconds"],
            fault=PriceFault(p["sequencer"]["fault"]),
        ),
    )


def _feed(f: dict[str, Any]) -> FeedReading:
    return FeedReading(
        feed=address(f["feed"]),
        description=f["description"],
        decimals=f["decimals"],
        round_id=f["roundId"],
        answered_in_round=f["answeredInRound"],
        answer=f["answer"],
        updated_at=f["updatedAt"],
        max_age_s=f["maxAge"],
        fault=PriceFault(f["fault"]),
        min_answer=f["minAnswer"],
        max_answer=f["maxAnswer"],
    )
