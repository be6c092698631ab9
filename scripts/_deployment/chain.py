"""Reading one chain through Ape's provider, and trying a whole deployment on it without sending anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_signature_to_4byte_selector
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint

from keeper.errors import EndpointError

PANIC, ERROR = bytes.fromhex("4e487b71"), bytes.fromhex("08c379a0")
DELEGATED = bytes.fromhex("ef0100")
"""What the code of an ordinary account begins with that has delegated itself (EIP-7702)."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """To be sent by the deployer; `to` None creates a contract."""

    to: str | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Tried:
    """What a transaction would do."""

    ok: bool
    gas: int
    output: bytes


class Chain:
    """One endpoint."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3

    @property
    def chain_id(self) -> int:
        """As the endpoint says."""
        return self.w3.eth.chain_id

    def code(self, address: str) -> bytes:
        """Runtime code."""
        return bytes(self.w3.eth.get_code(to_checksum_address(address)))

    def is_contract(self, address: str) -> bool:
        """Code, and not only a delegation of an ordinary account."""
        code = self.code(address)
        return len(code) > 0 and not code.startswith(DELEGATED)

    def view(self, address: str, signature: str, returns: Sequence[str], *arguments: Any) -> Any:
        """A view by its signature; None if nothing sensible answers. One value, or a tuple of several."""
        output = self.raw(address, signature, *arguments)
        if output is None:
            return None
        try:
            values = strictly(returns, output)
        except (DecodingError, OverflowError, UnicodeDecodeError):
            return None
        return values[0] if len(returns) == 1 else values

    def raw(self, address: str, signature: str, *arguments: Any) -> bytes | None:
        """What a view returns, undecoded; None if it reverts."""
        types = signature[signature.index("(") + 1 : -1]
        data = function_signature_to_4byte_selector(signature)
        data += encode(split_types(types), arguments)
        try:
            output = self.w3.eth.call({"to": to_checksum_address(address), "data": data})
        except (Web3Exception, ValueError):
            return None
        return bytes(output)

    def logs(self, address: str, first: int, last: int) -> Iterator[Any]:
        """Every event of a contract; a range the endpoint refuses is halved."""
        if first > last:
            return
        try:
            found = self.w3.eth.get_logs(
                {"address": to_checksum_address(address), "fromBlock": first, "toBlock": last}
            )
        except (Web3Exception, ValueError) as error:
            if first == last:
                raise EndpointError("of the network", "eth_getLogs", f"failed: {error}") from error
            middle = (first + last) // 2
            yield from self.logs(address, first, middle)
            yield from self.logs(address, middle + 1, last)
            return
        yield from found

    def simulate(self, deployer: str, transactions: Sequence[Transaction]) -> list[Tried] | None:
        """Every transaction tried after the ones before it, up to the first that fails; None if the node cannot.

        Nothing is signed: the deployer's account gets code for the trial that creates or calls what it is told, so
        that addresses follow from its nonce as they will, and everybody sees it as the caller.
        """
        overrides = {to_checksum_address(deployer): {"code": "0x" + ACTOR.hex()}}
        blocks: list[dict[str, Any]] = [
            {"calls": [{"from": TRIER, "to": deployer, "input": _told(transaction)}]}
            for transaction in transactions
        ]
        if not blocks:
            return []
        blocks[0]["stateOverrides"] = overrides
        reply = self.w3.provider.make_request(
            RPCEndpoint("eth_simulateV1"), [{"blockStateCalls": blocks}, "latest"]
        )
        if "result" not in reply:
            return None
        return _to_first_failure([_tried(block["calls"][0]) for block in reply["result"]])


TRIER = f"0x{0x7E57:040x}"
"""Sends the trial: any account but the deployer, whose nonce must move by creations alone."""
ACTOR = bytes.fromhex(
    "6020360380602060003760003580601d575060006000f0603857602d565b6000"
    "60008360006000855af16038575b3d600060003e3d6000fd5b00"
)
"""Calldata is a word and a payload. Word 0: create(payload); else call the address it is with the payload. Reverts with
the reason it got. (calldatacopy; calldataload 0; jumpi; create | call; on failure returndatacopy, revert.)"""


def _told(transaction: Transaction) -> str:
    """What the actor is told."""
    to = bytes.fromhex((transaction.to or "0x").removeprefix("0x"))
    return "0x" + (to.rjust(32, b"\0") + transaction.data).hex()


def _tried(call: Mapping[str, Any]) -> Tried:
    error = call.get("error") or {}
    return Tried(
        ok=int(call["status"], 16) == 1,
        gas=int(call["gasUsed"], 16),
        output=_bytes(error.get("data") or call.get("returnData") or "0x"),
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _to_first_failure(results: list[Tried]) -> list[Tried]:
    """What comes after a failure fails because of it."""
    failed = next((i for i, result in enumerate(results) if not result.ok), len(results))
    return results[: failed + 1]


def create_address(sender: str, nonce: int) -> str:
    """The address a contract gets that `sender` creates with `nonce` (RLP of both, hashed)."""
    number = b"" if nonce == 0 else nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    short = (
        number if len(number) == 1 and number[0] < 0x80 else bytes([0x80 + len(number)]) + number
    )
    payload = b"\x94" + bytes.fromhex(sender.removeprefix("0x")) + short
    return to_checksum_address(keccak(bytes([0xC0 + len(payload)]) + payload)[12:])


# ---------------------------------------------------------------- encoding


def strictly(types: Sequence[str], data: bytes) -> tuple[Any, ...]:
    """Decoded; DecodingError for what is too short, which a decoder that Ape has been at takes for zeros."""
    if len(data) < 32 * len(types):
        raise DecodingError(f"{len(data)} bytes for {len(types)} values")
    values: tuple[Any, ...] = decode(types, data)
    return values


def split_types(types: str) -> list[str]:
    """`address,(uint256,bytes)[]` -> its parts."""
    parts, depth = [""], 0
    for char in types:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part for part in parts if part]


def type_of(component: Mapping[str, Any]) -> str:
    """An ABI entry's type, tuples written out."""
    kind = str(component["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(type_of(part) for part in component["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def ordered(component: Mapping[str, Any], value: Any) -> Any:
    """A value in the ABI's order: mappings become tuples, and must have exactly the struct's fields."""
    kind = str(component["type"])
    if kind.endswith("]"):
        inner = {**component, "type": kind[: kind.rindex("[")]}
        return [ordered(inner, part) for part in value]
    if kind != "tuple":
        return value
    names = [part["name"] for part in component["components"]]
    if set(names) != set(value):
        odd = sorted(set(names) ^ set(value))
        raise ValueError(f"struct {component.get('name')}: fields differ in {', '.join(odd)}")
    return tuple(ordered(part, value[part["name"]]) for part in component["components"])


def encoded(inputs: Sequence[Mapping[str, Any]], arguments: Sequence[Any]) -> bytes:
    """Arguments as calldata without a selector."""
    values = [ordered(part, value) for part, value in zip(inputs, arguments, strict=True)]
    return encode([type_of(part) for part in inputs], values)


def selector(entry: Mapping[str, Any]) -> bytes:
    """Of a function or an error of an ABI."""
    inputs = ",".join(type_of(part) for part in entry["inputs"])
    return function_signature_to_4byte_selector(f"{entry['name']}({inputs})")


def explain(output: bytes, errors: Mapping[bytes, Mapping[str, Any]]) -> str:
    """A revert in words."""
    if len(output) < 4:
        return "reverted without a reason"
    head, rest = output[:4], output[4:]
    try:
        if head == ERROR:
            return f"reverted: {strictly(['string'], rest)[0]}"
        if head == PANIC:
            return f"panicked with code {strictly(['uint256'], rest)[0]}"
        if head in errors:
            entry = errors[head]
            values = strictly([type_of(part) for part in entry["inputs"]], rest)
            named = zip((part["name"] for part in entry["inputs"]), values, strict=True)
            return f"{entry['name']}({', '.join(f'{name}: {value}' for name, value in named)})"
    except (DecodingError, OverflowError, UnicodeDecodeError):
        pass
    return f"reverted with 0x{output[:36].hex()}"
