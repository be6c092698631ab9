"""What is done for a vault's options beside the vault, as calls: receiver, calldata, gas and a reason for each."""

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Any

from eth_abi.abi import encode as abi_encode
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.model.decision import (
    CancelAuction,
    Chore,
    Collect,
    CreateSeries,
    Observe,
    PostMarks,
    ProvePrice,
    RecordPrice,
    ResolvePrice,
)

_STRADDLE = "(uint80,uint80)"


@dataclass(frozen=True, slots=True)
class _Call:
    """One kind of chore. Gas is a half over what the contracts' own tests measure; simulation gives the true one."""

    function: str
    types: tuple[str, ...]
    to: Callable[[Any], str]
    values: Callable[[Any], tuple[Any, ...]]
    gas: int
    reason: Callable[[Any], str]


_CALLS: dict[type, _Call] = {
    CreateSeries: _Call(
        "create",
        ("(address,address,address,uint64,bool,uint128,uint128)",),
        lambda c: c.book,
        lambda c: (astuple(c.series),),
        250_000,
        lambda c: f"series {c.series.id} is wanted and does not exist: create it",
    ),
    CancelAuction: _Call(
        "cancel",
        ("uint256",),
        lambda c: c.desk,
        lambda c: (c.auction_id,),
        250_000,
        lambda c: f"auction {c.auction_id} is over: clear it away",
    ),
    Collect: _Call(
        "collect",
        ("uint256",),
        lambda c: c.desk,
        lambda c: (int(c.series_id),),
        400_000,
        lambda c: f"series {c.series_id} is expired and has a price: collect it",
    ),
    Observe: _Call(
        "observe",
        (),
        lambda c: c.oracle,
        lambda _: (),
        250_000,
        lambda c: f"slot {c.slot} of realised volatility is not observed: observe it",
    ),
    RecordPrice: _Call(
        "record",
        ("uint64",),
        lambda c: c.oracle,
        lambda c: (c.expiry,),
        250_000,
        lambda c: f"the pool's average around {c.expiry} is not stored: record it",
    ),
    ProvePrice: _Call(
        "prove",
        ("uint64", _STRADDLE, _STRADDLE),
        lambda c: c.oracle,
        lambda c: (c.expiry, astuple(c.base_rounds), astuple(c.quote_rounds)),
        350_000,
        lambda c: f"the feeds' price at {c.expiry} is not proven: prove it",
    ),
    ResolvePrice: _Call(
        "resolve",
        ("uint64",),
        lambda c: c.oracle,
        lambda c: (c.expiry,),
        150_000,
        lambda c: f"the quarantine of {c.expiry} is over: resolve it",
    ),
    PostMarks: _Call(
        "post",
        ("(uint32,int16,uint16)[]", "uint256"),
        lambda c: c.oracle,
        lambda c: (
            [(m.level_ppm, m.skew_bps, m.convexity_bps) for m in c.marks],
            c.deadline,
        ),
        300_000,
        lambda c: f"{c.why}: post volatility marks",
    ),
}


def receiver(chore: Chore) -> str:
    """The contract that is called."""
    return _CALLS[type(chore)].to(chore)


def data(chore: Chore) -> bytes:
    """Calldata."""
    call = _CALLS[type(chore)]
    selector = function_signature_to_4byte_selector(f"{call.function}({','.join(call.types)})")
    return bytes(selector + abi_encode(call.types, call.values(chore)))


def gas(chore: Chore) -> int:
    """Estimate of gas."""
    return _CALLS[type(chore)].gas


def reason(chore: Chore) -> str:
    """Why it is due."""
    return _CALLS[type(chore)].reason(chore)
