"""A signer that somebody else runs is believed in nothing but its signature."""

from typing import Any

import pytest
from eth_account import Account

from keeper.chain.endpoint import Endpoint
from keeper.errors import EndpointError, KeystoreError, RpcError, SendError, SigningError
from keeper.execution.signers import from_private_key
from keeper.execution.signers.remote import RemoteSigner, Style, from_remote
from keeper.execution.signers.secp256k1 import ORDER
from keeper.execution.signers.transaction import sealed, unsigned
from tests.rpc_server import RpcFault, answering, rpc_server
from tests.unit.execution.signers.asked import ASKED

KEY, OTHER = "0x" + "4c" * 32, "0x" + "5d" * 32
ADDRESS = Account.from_key(KEY).address
REQUEST = {
    "from": ADDRESS,
    "to": ASKED["to"],
    "data": "0x1234",
    "chainId": "0x1",
    "nonce": "0x3",
    "value": "0x0",
    "gas": "0x5208",
    "maxFeePerGas": "0x5",
    "maxPriorityFeePerGas": "0x1",
}


class FakeRpc:
    """Answers with what it was given."""

    name = "http://signer"

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[tuple[str, list[Any]]] = []

    def call(self, method: str, params: list[Any]) -> Any:
        self.asked.append((method, params))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def raw(key: str = KEY, **change: Any) -> str:
    signed = Account.from_key(key).sign_transaction({**ASKED, **change})
    return "0x" + str(signed.raw_transaction.hex())


@pytest.mark.parametrize(
    ("style", "method"),
    [("web3signer", "eth_signTransaction"), ("clef", "account_signTransaction")],
)
@pytest.mark.parametrize("wrap", [lambda r: r, lambda r: {"raw": r, "tx": {"any": "thing"}}])
def test_the_transaction_is_asked_for_whole_and_taken_as_signed(
    style: Style, method: str, wrap: Any
) -> None:
    rpc = FakeRpc(wrap(raw()))
    signed = RemoteSigner(rpc, ADDRESS.lower(), style).sign(ASKED)
    assert signed == from_private_key(KEY, "test").sign(ASKED)
    assert rpc.asked == [(method, [REQUEST])]


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": 4},
        {"to": "0x" + "22" * 20},
        {"value": 1},
        {"data": "0x1235"},
        {"gas": 21_001},
        {"maxFeePerGas": 6},
        {"maxPriorityFeePerGas": 0},
        {"chainId": 5},
        {"accessList": [{"address": "0x" + "11" * 20, "storageKeys": []}]},
    ],
)
def test_another_transaction_than_the_one_asked_for_is_never_returned(
    change: dict[str, Any],
) -> None:
    with pytest.raises(SigningError, match="signed as"):
        RemoteSigner(FakeRpc(raw(**change)), ADDRESS, "web3signer").sign(ASKED)


def test_the_signature_of_another_account_is_refused() -> None:
    with pytest.raises(SigningError, match="not as " + ADDRESS):
        RemoteSigner(FakeRpc(raw(OTHER)), ADDRESS, "web3signer").sign(ASKED)


def test_the_same_signature_around_changed_fields_is_refused() -> None:
    """It proves the transaction asked for, so only the bytes around it can be wrong."""
    signed = bytearray(bytes.fromhex(raw()[2:]))
    signed[signed.index(bytes.fromhex("821234")) + 2] ^= 1
    with pytest.raises(SigningError, match="another transaction"):
        RemoteSigner(FakeRpc("0x" + signed.hex()), ADDRESS, "web3signer").sign(ASKED)


@pytest.mark.parametrize(
    "answer",
    [
        *(None, 7, "", "0x", "0x02", "0x02c0", "nonsense", {}, {"raw": None}, [], "0x01c0c0"),
        *(raw()[:-2], raw() + "00", "0x" + raw()[4:]),
    ],
)
def test_what_is_no_signed_transaction_is_refused(answer: Any) -> None:
    with pytest.raises(SigningError, match=r"no signed|another"):
        RemoteSigner(FakeRpc(answer), ADDRESS, "web3signer").sign(ASKED)


@pytest.mark.parametrize(
    "fault",
    [
        EndpointError("http://signer", "eth_signTransaction", "did not answer in time"),
        RpcError("http://signer", "eth_signTransaction", -32000, "account is locked"),
    ],
)
def test_an_outage_is_a_signing_error_that_says_what_to_do(fault: Exception) -> None:
    with pytest.raises(SigningError, match=r"eth_signTransaction.*check that the signer") as caught:
        RemoteSigner(FakeRpc(fault), ADDRESS, "web3signer").sign(ASKED)
    assert isinstance(caught.value, SendError)  # the tick ends as failed, the keeper goes on


def test_a_signature_in_the_upper_half_is_refused() -> None:
    """Pools refuse it; the same transaction would have two hashes."""
    asked = unsigned(ASKED, "test")
    low = bytes.fromhex(from_private_key(KEY, "test").sign(ASKED).raw[2:])
    s = int.from_bytes(low[-32:], "big")
    with pytest.raises(SigningError, match="outside of its bounds"):
        sealed(asked, 0, 5, ORDER - s, address=ADDRESS, source="test")


def test_the_one_account_of_a_signer_is_found() -> None:
    assert from_remote(FakeRpc([ADDRESS.lower()]), None, "web3signer").address == ADDRESS
    assert from_remote(FakeRpc(None), ADDRESS, "clef").address == ADDRESS


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([], "lists 0 accounts"),
        ([ADDRESS, ADDRESS], "set key.address"),
        ("x", "no list"),
        ([7], "no account"),
        (EndpointError("http://signer", "eth_accounts", "refused"), "check that the signer"),
    ],
)
def test_a_signer_whose_account_is_not_clear_is_refused_at_the_start(
    answer: Any, says: str
) -> None:
    with pytest.raises(KeystoreError, match=says):
        from_remote(FakeRpc(answer), None, "web3signer")


def test_a_real_server_signs_and_refuses() -> None:
    def answer(method: str, params: list[Any]) -> Any:
        if params[0]["nonce"] == "0x3":
            return raw()
        raise RpcFault(-32000, "nonce is not mine")

    with rpc_server(answering(answer)) as url:
        endpoint = Endpoint(url, 2.0)
        signer = from_remote(endpoint, ADDRESS, "web3signer")
        assert signer.sign(ASKED).raw == raw()
        with pytest.raises(SigningError, match="nonce is not mine"):
            signer.sign({**ASKED, "nonce": 4})
        endpoint.close()
