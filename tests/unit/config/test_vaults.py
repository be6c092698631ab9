"""Several vaults in one settings file: each by itself as if it were the only one, and every mistake named."""

from decimal import Decimal
from pathlib import Path

import pytest

from keeper.cli.logs import secrets_of
from keeper.config.load import load
from keeper.config.policies import policies
from keeper.config.settings import Settings
from keeper.config.show import example, rows
from tests.unit.config.test_load import LENS, VAULT, mistake, settings

OTHER = "0x1111111111111111111111111111111111111111"
SHARED = 'chain_id = 1\nrpc_url = "http://127.0.0.1:8545"\n'
WITH_LENS = SHARED + f'lens = "{LENS}"\n'
ENTRIES = f"""
[planning]
slippage_bps = 40
min_trade = 7
[[vaults]]
name = "dollars"
vault = "{VAULT}"
[[vaults]]
name = "other-2"
vault = "{OTHER}"
lens = "{VAULT}"
[vaults.strategy]
name = "delta_band"
parameters = {{ band = 2 }}
[vaults.planning]
slippage_bps = 90
[vaults.guard]
max_loss_bps = 33
[vaults.key]
keystore = "keys/other.json"
password_env = "OTHER_PASSWORD"
"""


def entry(name: str = "one", vault: str = VAULT, more: str = "") -> str:
    return f'[[vaults]]\nname = "{name}"\nvault = "{vault}"\n{more}'


def each(tmp_path: Path) -> tuple[Settings, ...]:
    return settings(tmp_path, ENTRIES, WITH_LENS, GIMBAL_GAS__TIP_GWEI="3").settings.each()


def test_an_entry_overrides_what_it_says_and_shares_the_rest(tmp_path: Path) -> None:
    one, two = each(tmp_path)
    assert (one.label, one.vault, one.lens, one.strategy.name) == (
        "dollars", VAULT, LENS, "collateral_guard",
    )  # fmt: skip
    assert (two.label, two.vault, two.lens, two.strategy.name) == (
        "other-2", OTHER, VAULT, "delta_band",
    )  # fmt: skip
    assert (one.planning.slippage_bps, two.planning.slippage_bps) == (40, 90)
    assert one.planning.min_trade == two.planning.min_trade == Decimal(7)
    assert (policies(one, 6).guard.max_loss_bps, policies(two, 6).guard.max_loss_bps) == (100, 33)
    assert one.gas.tip_gwei == two.gas.tip_gwei == Decimal(3)
    assert two.key.keystore == tmp_path / "keys/other.json"
    assert one.key.keystore is None
    assert (one.vaults, two.vaults) == ((), ())


def test_the_single_vault_is_the_short_form_of_one(tmp_path: Path) -> None:
    (only,) = settings(tmp_path, 'name = "mine"').settings.each()
    assert (only.vault, only.lens, only.label) == (VAULT, LENS, "mine")
    (nameless,) = settings(tmp_path).settings.each()
    assert nameless.label == VAULT


@pytest.mark.parametrize(
    ("text", "more", "words"),
    [
        (WITH_LENS, entry() + entry("two"), f"vaults: must have different addresses: {VAULT} is"),
        (WITH_LENS, entry() + entry("two", VAULT.lower()), f"different addresses: {VAULT} is"),
        (WITH_LENS, entry() + entry("one", OTHER), "vaults: must have different names: one is"),
        (SHARED, entry(), "lens: is missing, and [[vaults]] one has none of its own"),
        (WITH_LENS, entry("One"), "vaults.0.name: must be up to 32 small letters"),
        (WITH_LENS, entry(vault="0x12"), "vaults.0.vault"),
        (WITH_LENS, f'[[vaults]]\nvault = "{VAULT}"', "vaults.0.name: is missing"),
        (WITH_LENS, entry(more="[vaults.planning]\nslippage_bps = 9999"), "vaults.0.planning.slippage_bps"),
        (WITH_LENS, entry(more="[vaults.gas]\ntip_gwei = 1"), "vaults.0.gas"),
        (WITH_LENS + f'vault = "{OTHER}"\n', entry(), "vault: must not be set beside [[vaults]]"),
        (WITH_LENS + 'name = "x"\n', entry(), "name: must not be set beside [[vaults]]"),
        (WITH_LENS, "", "vault: is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_by_its_field(tmp_path: Path, text: str, more: str, words: str) -> None:
    assert words in mistake(tmp_path, more, text)


def test_an_entrys_key_is_as_secret_as_the_shared_one(tmp_path: Path) -> None:
    env = {"OTHER_PASSWORD": "correct horse", "GIMBAL_OTHER_KEY": "0x" + "cd" * 32}
    more = ENTRIES.replace(
        '"OTHER_PASSWORD"', '"OTHER_PASSWORD"\nprivate_key_env = "GIMBAL_OTHER_KEY"'
    )
    loaded = settings(tmp_path, more, WITH_LENS, **env)
    assert {"correct horse", env["GIMBAL_OTHER_KEY"]} <= secrets_of(loaded.settings, env)
    shown = next(row for row in rows(loaded, environment=env) if row.name == "vaults")
    assert "correct horse" not in shown.value
    assert "name dollars" in shown.value
    assert "password_env OTHER_PASSWORD" in shown.value
    nowhere = settings(tmp_path, more.replace('"OTHER_PASSWORD"', '"HUNTER2"'), WITH_LENS, **env)
    assert "HUNTER2" not in str(list(rows(nowhere, environment=env)))


def test_a_secret_in_an_entry_is_refused(tmp_path: Path) -> None:
    words = mistake(tmp_path, entry(more=f'[vaults.key]\nkms_key_id = "{"ab" * 32}"'), WITH_LENS)
    assert "looks like a secret" in words
    assert "ab" * 32 not in words


def test_the_example_still_loads_when_it_is_filled_in(tmp_path: Path) -> None:
    text = example().replace('vault = "0x..."', f'vault = "{VAULT}"')
    file = tmp_path / "keeper.toml"
    file.write_text(text.replace('lens = "0x..."', f'lens = "{LENS}"'))
    assert load(file, {}).settings.vault == VAULT
