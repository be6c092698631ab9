"""Reads pinned to one block hash: the head, and the vault through its lens."""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from eth_utils.address import to_checksum_address

from keeper.chain.decode import BadSnapshot, Origin, SnapshotCodec
from keeper.chain.desk import DeskReader
from keeper.chain.gone import is_gone
from keeper.chain.source import Call, Source
from keeper.chain.stamps import MAX_AMOUNT, quantity, stamp
from keeper.errors import (
    EndpointError,
    ReorganisedError,
    RpcError,
    WrongChainError,
    WrongVaultError,
)
from keeper.model.block import BlockStamp
from keeper.model.market import Readings

_CONTRACTS_SEE_ANOTHER_NUMBER = frozenset({42161})
"""Arbitrum: a contract sees the number of an Ethereum block, the header has the chain's own."""
_FIRST_READS = 3
"""Heads on which the first reading is tried: a node that is between two blocks may answer one of them wrongly."""
_LENS_REMEDY = "set vault and lens to the addresses of a Gimbal vault and lens on this chain"


class LensReader:
    """ChainReader over one endpoint, or several that must agree, and one VaultLens."""

    def __init__(
        self,
        endpoint: Source,
        lens_abi: list[dict[str, Any]],
        *,
        chain_id: int,
        vault: str,
        lens: str,
        keeper: str,
    ) -> None:
        self._endpoint = endpoint
        self._codec = SnapshotCodec(lens_abi)
        self._chain_id = chain_id
        self._vault = to_checksum_address(vault)
        self._lens = lens
        self._keeper = keeper
        self._call_data = self._codec.call_data(vault, keeper)
        self._desk = DeskReader(endpoint)

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._endpoint.head()

    def block(self, block_hash: str) -> BlockStamp:
        """A block by hash."""
        method = "eth_getBlockByHash"
        header = self._endpoint.call(method, [block_hash, False])
        if header is None:
            raise ReorganisedError(block_hash)
        block = stamp(header, self._endpoint.name, method)
        if block.hash != block_hash.lower():
            raise EndpointError(self._endpoint.name, method, f"answered block {block.hash}")
        return block

    def read(self, block: BlockStamp) -> Readings:
        """The vault and the keeper's balance at `block`, in one request.

        Nonsense is the endpoint's fault here: that vault and lens are right was seen at the start.
        """
        return self.readings(block, self._endpoint.agreed_batch(self.calls(block)))

    def calls(self, block: BlockStamp) -> list[Call]:
        """What to ask for the readings at `block`: for a batch together with other vaults'."""
        snapshot, *rest = self.own_calls(block)
        return [snapshot, self.balance_call(block), *rest]

    @property
    def account(self) -> str:
        """The keeper's, whose balance is part of the readings."""
        return self._keeper

    def own_calls(self, block: BlockStamp) -> list[Call]:
        """The vault through its lens, and whatever else is to be known of it; `calls` without the balance."""
        at = {"blockHash": block.hash}
        snapshot: Call = ("eth_call", [{"to": self._lens, "data": self._call_data}, at])
        return [snapshot, *self._desk.calls(block)]

    def balance_call(self, block: BlockStamp) -> Call:
        """The keeper's balance."""
        return "eth_getBalance", [self._keeper, {"blockHash": block.hash}]

    def look_up(self, series_ids: Sequence[str]) -> None:
        """From the next block on, read whether the option book knows these series."""
        self._desk.look_up(series_ids)

    def readings(self, block: BlockStamp, answers: Sequence[Any]) -> Readings:
        """What the answers to `calls` say; raises ReadError as `read`."""
        try:
            return self._readings(block, answers)
        except BadSnapshot as error:
            problem = f"answered what is no snapshot of the vault ({error})"
            raise EndpointError(self._endpoint.name, "eth_call", problem) from error

    def _readings(self, block: BlockStamp, answers: Sequence[Any]) -> Readings:
        answer, balance, *rest = answers
        for result in (answer, balance):
            if isinstance(result, RpcError):
                raise ReorganisedError(block.hash) if is_gone(result) else result
        wei = quantity(balance, self._endpoint.name, "eth_getBalance", MAX_AMOUNT)
        if not isinstance(answer, str):
            raise EndpointError(self._endpoint.name, "eth_call", "answered no bytes")
        if answer == "0x":
            raise BadSnapshot("there is no lens at this address")
        readings, origin = self._codec.decode(answer, block, self._keeper, wei)
        self._check(origin, block)
        # the address a transaction goes to is the one that was set, never one that was answered
        return self._desk.finish(replace(readings, vault=self._vault), block, rest)

    def _check(self, origin: Origin, block: BlockStamp) -> None:
        """The snapshot is of the chain, the vault and the block that were asked for."""
        if origin.chain_id != self._chain_id:
            raise WrongChainError(self._endpoint.name, self._chain_id, origin.chain_id)
        claims = [
            ("vault", origin.vault, self._vault),
            ("timestamp", origin.timestamp, block.timestamp),
        ]
        if self._chain_id not in _CONTRACTS_SEE_ANOTHER_NUMBER:
            claims.append(("block", origin.block_number, block.number))
        for what, found, asked in claims:
            if found != asked:
                problem = f"answered for {what} {found}, asked was {asked}"
                raise EndpointError(self._endpoint.name, "eth_call", problem)

    def verify(self) -> Readings:
        """Before the first tick: right chain, a lens, a vault. Returns the first readings."""
        chain, vault_code, lens_code = self._endpoint.agreed_batch(
            [
                ("eth_chainId", []),
                ("eth_getCode", [self._vault, "latest"]),
                ("eth_getCode", [self._lens, "latest"]),
            ]
        )
        for result in (chain, vault_code, lens_code):
            if isinstance(result, RpcError):
                raise result
        found = quantity(chain, self._endpoint.name, "eth_chainId")
        if found != self._chain_id:
            raise WrongChainError(self._endpoint.name, self._chain_id, found)
        for address, code, what in (
            (self._vault, vault_code, "vault"),
            (self._lens, lens_code, "lens"),
        ):
            if code == "0x":
                raise WrongVaultError(
                    address, f"no code at the {what} address on chain {found}", _LENS_REMEDY
                )
        for _ in range(_FIRST_READS - 1):
            with contextlib.suppress(EndpointError):
                return self._first_read(self._endpoint.head())
        return self._first_read(self._endpoint.head())

    def _first_read(self, block: BlockStamp) -> Readings:
        try:
            return self._readings(block, self._endpoint.agreed_batch(self.calls(block)))
        except BadSnapshot as error:
            raise WrongVaultError(self._lens, f"lens: {error}", _LENS_REMEDY) from error
        except RpcError as error:
            problem = f"the lens cannot read it ({error.message})"
            raise WrongVaultError(self._vault, problem, _LENS_REMEDY) from error
