"""The record of a deployment: exact, never overwritten, enough to go on with."""

import json

import pytest

from keeper.deployment.record import (
    Contract,
    Done,
    Pending,
    Record,
    VaultRecord,
    begin,
    parse_record,
)
from keeper.errors import DeploymentError

ME, OTHER = f"0x{1:040x}", f"0x{2:040x}"
VAULT = Contract(
    address=f"0x{3:040x}",
    arguments=({"cap": 2**128}, 7),
    transaction="0xaa",
    block=5,
    code_hash="0xbb",
)
WAITING = Pending(step="Vault", nonce=9, transaction="0xdd", address=VAULT.address)


def begun() -> VaultRecord:
    entry, continues = begin(Record(chain_id=1), "a", "0xdigest", ME, 4)
    assert not continues
    return entry


def test_what_was_written_is_read_again() -> None:
    entry = (
        begun().with_contract("Vault", VAULT).with_call("finish", Done(transaction="0xcc", block=6))
    )
    record = Record(chain_id=1).with_vault("a", entry.with_pending(WAITING))
    again = parse_record(record.render(), 1, "f")
    assert again.vaults["a"].pending == WAITING
    assert again.vaults["a"].addresses == {"Vault": VAULT.address}
    assert again.render() == record.render()


def test_integers_that_other_readers_would_round_are_text() -> None:
    rendered = json.loads(
        Record(chain_id=1).with_vault("a", begun().with_contract("Vault", VAULT)).render()
    )
    arguments = rendered["vaults"]["a"]["contracts"]["Vault"]["arguments"]
    assert arguments == [{"cap": str(2**128)}, 7]


def test_what_was_done_is_no_longer_pending() -> None:
    waiting = begun().with_pending(WAITING)
    assert waiting.pending is not None
    assert waiting.with_contract("Vault", VAULT).pending is None
    assert waiting.with_call("x", Done(transaction="0x", block=1)).pending is None
    assert waiting.without_pending().pending is None
    assert waiting.completed().pending is None


def test_a_complete_vault_is_never_touched_again() -> None:
    record = Record(chain_id=1).with_vault("a", begun().with_contract("Vault", VAULT).completed())
    with pytest.raises(DeploymentError, match=f"is already deployed, at {VAULT.address}"):
        begin(record, "a", "0xdigest", ME, 9)


def test_an_interrupted_deployment_goes_on_only_as_it_was_begun() -> None:
    record = Record(chain_id=1).with_vault("a", begun().with_contract("Vault", VAULT))
    entry, continues = begin(record, "a", "0xdigest", ME.upper().replace("X", "x"), 9)
    assert continues
    assert entry.first_block == 4
    with pytest.raises(DeploymentError, match="begun with other parameters"):
        begin(record, "a", "0xother", ME, 9)
    with pytest.raises(DeploymentError, match=f"begun by {ME}"):
        begin(record, "a", "0xdigest", OTHER, 9)


def test_other_vaults_stay_as_they_are() -> None:
    first = Record(chain_id=1).with_vault("a", begun().completed())
    both = first.with_vault("b", begun())
    assert both.vaults["a"] == first.vaults["a"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "restore it from version control"),
        ('{"chain_id": 1, "vaults": {"a": {}}}', "vaults.a."),
        ('{"chain_id": 1, "surprise": 1}', "surprise: "),
        ('{"chain_id": 5}', "is of chain id 5, not 1"),
    ],
)
def test_a_record_that_cannot_be_trusted_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        parse_record(text, 1, "1.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_vault_is_found_by_its_address_in_any_case() -> None:
    address = "0xABCDEF" + "0" * 34
    entry = begun().with_contract("Vault", VAULT.model_copy(update={"address": address}))
    record = Record(chain_id=1).with_vault("a", entry)
    assert record.find(address.lower()) == entry
    assert record.find(OTHER) is None
