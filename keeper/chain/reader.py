"""Reads pinned to one block hash: the head, and the vault through its lens."""

from typing import Any

from keeper.chain.decode import BadSnapshot, SnapshotCodec
from keeper.chain.endpoint import Endpoint, quantity
from keeper.errors import (
    EndpointError,
    ReorganisedError,
    RpcError,
    WrongChainError,
    WrongVaultError,
)
from keeper.model.block import BlockStamp
from keeper.model.market import Readings

_GONE = ("not found", "unknown block", "header not", "not canonical", "missing block")
_LENS_REMEDY = "set vault and lens to the addresses of a Gimbal vault and lens on this chain"


def is_gone(error: RpcError) -> bool:
    """True if the endpoint says it does not know the pinned block."""
    if error.code == 3:  # a revert speaks for the contract, not for the block
        return False
    text = error.message.lower()
    return any(word in text for word in _GONE)


def stamp(header: Any, endpoint: str, method: str) -> BlockStamp:
    """A BlockStamp from a JSON-RPC header."""
    if not isinstance(header, dict):
        raise EndpointError(endpoint, method, "answered no block")
    block_hash, parent = header.get("hash"), header.get("parentHash")
    if not isinstance(block_hash, str) or not isinstance(parent, str):
        raise EndpointError(endpoint, method, "answered a block without a hash")
    return BlockStamp(
        number=quantity(header.get("number"), endpoint, method),
        hash=block_hash,
        parent_hash=parent,
        timestamp=quantity(header.get("timestamp"), endpoint, method),
        base_fee_wei=quantity(header.get("baseFeePerGas", "0x0"), endpoint, method),
    )


class LensReader:
    """ChainReader over one endpoint and one VaultLens."""

    def __init__(
        self,
        endpoint: Endpoint,
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
        self._vault = vault
        self._lens = lens
        self._keeper = keeper
        self._call_data = self._codec.call_data(vault, keeper)

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._block("eth_getBlockByNumber", "latest")

    def block(self, block_hash: str) -> BlockStamp:
        """A block by hash."""
        return self._block("eth_getBlockByHash", block_hash)

    def _block(self, method: str, which: str) -> BlockStamp:
        header = self._endpoint.call(method, [which, False])
        if header is None and method == "eth_getBlockByHash":
            raise ReorganisedError(which)
        return stamp(header, self._endpoint.name, method)

    def read(self, block: BlockStamp) -> Readings:
        """The vault and the keeper's balance at `block`, in one request."""
        at = {"blockHash": block.hash}
        answer, balance = self._endpoint.batch(
            [
                ("eth_call", [{"to": self._lens, "data": self._call_data}, at]),
                ("eth_getBalance", [self._keeper, at]),
            ]
        )
        for result in (answer, balance):
            if isinstance(result, RpcError):
                raise ReorganisedError(block.hash) if is_gone(result) else result
        wei = quantity(balance, self._endpoint.name, "eth_getBalance")
        return self._decode(answer, block, wei)

    def _decode(self, answer: Any, block: BlockStamp, balance_wei: int) -> Readings:
        if answer == "0x":
            raise WrongVaultError(self._lens, "there is no lens at this address", _LENS_REMEDY)
        if not isinstance(answer, str):
            raise EndpointError(self._endpoint.name, "eth_call", "answered no bytes")
        try:
            readings = self._codec.decode(answer, block, self._keeper, balance_wei)
        except BadSnapshot as error:
            raise WrongVaultError(self._lens, f"lens: {error}", _LENS_REMEDY) from error
        if readings.chain_id != self._chain_id:
            raise WrongChainError(self._endpoint.name, self._chain_id, readings.chain_id)
        return readings

    def verify(self) -> Readings:
        """Before the first tick: right chain, a lens, a vault. Returns the first readings."""
        chain, vault_code, lens_code, header = self._endpoint.batch(
            [
                ("eth_chainId", []),
                ("eth_getCode", [self._vault, "latest"]),
                ("eth_getCode", [self._lens, "latest"]),
                ("eth_getBlockByNumber", ["latest", False]),
            ]
        )
        for result in (chain, vault_code, lens_code, header):
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
        return self._first_read(stamp(header, self._endpoint.name, "eth_getBlockByNumber"))

    def _first_read(self, block: BlockStamp) -> Readings:
        try:
            return self.read(block)
        except RpcError as error:
            problem = f"the lens cannot read it ({error.message})"
            raise WrongVaultError(self._vault, problem, _LENS_REMEDY) from error
