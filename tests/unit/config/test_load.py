"""Settings come from file and environment; every mistake is named by its field, no secret is quoted."""

from decimal import Decimal
from pathlib import Path

import pytest

from keeper.config.load import Loaded, load, survey
from keeper.errors import SettingError

VAULT = "0x39dD11C243Ac4Ac250980FA3AEa016f73C509f37"
LENS = "0x37cA242a94945CdC3d3F155452a82Af6374bebD7"
SECRET = "ab" * 32
GOOD = f"""
chain_id = 1
rpc_url = "http://127.0.0.1:8545"
vault = "{VAULT}"
lens = "{LENS}"
"""


def settings(tmp_path: Path, more: str = "", text: str = GOOD, **env: str) -> Loaded:
    file = tmp_path / "keeper.toml"
    file.write_text(text + more)
    return load(file, env)


def mistake(tmp_path: Path, more: str = "", text: str = GOOD, **env: str) -> str:
    with pytest.raises(SettingError) as caught:
        settings(tmp_path, more, text, **env)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_four_settings_are_enough(tmp_path: Path) -> None:
    loaded = settings(tmp_path).settings
    assert (loaded.vault, loaded.tick.deadline_s) == (VAULT, 120)


def test_the_environment_overrides_the_file_at_any_depth(tmp_path: Path) -> None:
    loaded = settings(
        tmp_path,
        "[tick]\ndeadline_s = 60\ncooldown_blocks = 1",
        GIMBAL_TICK__DEADLINE_S="90",
        GIMBAL_GAS__MAX_FEE_GWEI="12.5",
        GIMBAL_STRATEGY__PARAMETERS__LOW="1.3",
    )
    found = loaded.settings
    assert (found.tick.deadline_s, found.tick.cooldown_blocks) == (90, 1)
    assert found.gas.max_fee_gwei == Decimal("12.5")
    assert found.strategy.parameters == {"low": "1.3"}
    assert loaded.source("tick.deadline_s") == "environment"
    assert loaded.source("tick.cooldown_blocks") == "file"
    assert loaded.source("tick.max_reverts") == "default"


def test_the_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = {
        "GIMBAL_CHAIN_ID": "1",
        "GIMBAL_RPC_URL": "https://x",
        "GIMBAL_VAULT": VAULT,
        "GIMBAL_LENS": LENS,
    }
    assert load(None, env).settings.chain_id == 1


def test_the_file_may_be_named_by_the_environment_or_lie_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(tmp_path)
    assert load(None, {"GIMBAL_CONFIG": str(tmp_path / "keeper.toml")}).settings.chain_id == 1
    monkeypatch.chdir(tmp_path)
    assert load(None, {}).settings.chain_id == 1


def test_paths_in_the_file_are_meant_from_the_file(tmp_path: Path) -> None:
    found = settings(tmp_path, '[key]\nkeystore = "k.json"\npassword_file = "/abs/p"').settings
    assert found.key.keystore == tmp_path / "k.json"
    assert found.key.password_file == Path("/abs/p")
    assert found.journal.path == tmp_path / "keeper-journal.sqlite"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            "[tick]\ndeadline_s = 5",
            "setting tick.deadline_s: input should be greater than or equal to 12",
        ),
        ('[tick]\ndeadline_s = "soon"', "setting tick.deadline_s: input should be a valid integer"),
        (
            "[tick]\ndeadlines = 5",
            "tick.deadlines: is not a setting (did you mean tick.deadline_s?)",
        ),
        ("[ticks]\ndeadline_s = 5", "setting ticks: is not a setting"),
        ("tick = 5", "setting tick: input should be"),
        ('[log]\nformat = "xml"', "setting log.format"),
        (
            "[gas]\nbump_bps = 100",
            "setting gas.bump_bps: input should be greater than or equal to 1250",
        ),
        ("[planning]\nmin_trade = -1", "setting planning.min_trade"),
        ("[market]\nmax_deviation_bps = 99999", "setting market.max_deviation_bps"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, more: str, says: str) -> None:
    assert says in mistake(tmp_path, more)


@pytest.mark.parametrize(
    ("replaced", "by", "says"),
    [
        ("chain_id = 1", "", "setting chain_id: is missing"),
        ("chain_id = 1", "chain_id = 424242", "chain_id: 424242 is unknown"),
        ("chain_id = 1", "chain_id = 0", "setting chain_id"),
        (VAULT, "0x12", "setting vault: is not an address"),
        (VAULT, VAULT.replace("9f37", "9F37"), "setting vault: has a wrong checksum"),
        (VAULT, "0x" + "0" * 40, "setting vault: is the zero address"),
        (VAULT, "0x" + "zz" * 20, "setting vault: is not an address"),
        ("http://", "ftp://", "setting rpc_url: must start with http://"),
        ("chain_id = 1", "chain_id = ", "is not TOML"),
    ],
)
def test_a_wrong_required_setting_is_named(
    tmp_path: Path, replaced: str, by: str, says: str
) -> None:
    assert says in mistake(tmp_path, text=GOOD.replace(replaced, by))


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    said = mistake(tmp_path, "[tick]\ndeadline_s = 5", text="chain_id = 1\n")
    for part in ("rpc_url: is missing", "vault: is missing", "lens: is missing", "tick.deadline_s"):
        assert part in said


def test_a_survey_finds_every_kind_of_fault_and_keeps_what_is_right(tmp_path: Path) -> None:
    file = tmp_path / "keeper.toml"
    file.write_text(
        f'chain_id = 424242\nvault = "{VAULT}"\n[tick]\ndeadline_s = 5\nmax_reverts = 7\n'
        '[key]\nprivate_key = "hunter2"'
    )
    loaded, faults = survey(file, {"GIMBAL_GAS": "x", "GIMBAL_NONE": "x", "GIMBAL_LENS": "0x12"})
    assert {f.field for f in faults} == {
        *(
            "chain_id",
            "rpc_url",
            "lens",
            "tick.deadline_s",
            "key.private_key",
            "gas",
            "$GIMBAL_NONE",
        ),
    }
    assert (loaded.settings.vault, loaded.settings.tick.max_reverts) == (VAULT, 7)
    assert loaded.source("lens") == "environment"
    assert "hunter2" not in str(faults)


def test_a_sound_file_has_no_faults(tmp_path: Path) -> None:
    settings(tmp_path)
    assert survey(tmp_path / "keeper.toml", {})[1] == ()


def test_an_unknown_chain_may_be_allowed(tmp_path: Path) -> None:
    text = GOOD.replace("chain_id = 1", "chain_id = 424242\nallow_unknown_chain = true")
    assert settings(tmp_path, text=text).settings.chain_id == 424242


def test_lower_case_addresses_are_accepted(tmp_path: Path) -> None:
    assert settings(tmp_path, text=GOOD.replace(VAULT, VAULT.lower())).settings.vault == VAULT


@pytest.mark.parametrize(
    "more",
    [
        f'[key]\nprivate_key = "{SECRET}"',
        f'[key]\nprivate_key_env = "0x{SECRET}"',
        f'[strategy.parameters]\nx = "{SECRET}"',
        '[key]\npassword = "hunter2"',
        '[key]\nmnemonic = "test test test junk"',
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_quoted(tmp_path: Path, more: str) -> None:
    said = mistake(tmp_path, more)
    assert "looks like a secret" in said
    for secret in (SECRET, "hunter2", "junk"):
        assert secret not in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("GIMBAL_CHAINID", "$GIMBAL_CHAINID: is not a setting (did you mean chain_id?)"),
        ("GIMBAL_TICKS__DEADLINE_S", "did you mean tick?"),
        (
            "GIMBAL_TICK__DEADLINE",
            "tick.deadline: is not a setting (did you mean tick.deadline_s?)",
        ),
        ("GIMBAL_TICK", "setting tick: cannot be read from the environment"),
        ("GIMBAL_CHAIN_ID", "setting chain_id: input should be a valid integer"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, says: str) -> None:
    assert says in mistake(tmp_path, **{name: "x"})


def test_variables_that_hold_secrets_are_no_unknown_settings(tmp_path: Path) -> None:
    settings(tmp_path, GIMBAL_PRIVATE_KEY="x", GIMBAL_KEYSTORE_PASSWORD="x", OTHER="x")
    settings(tmp_path, '[key]\nprivate_key_env = "GIMBAL_MY_KEY"', GIMBAL_MY_KEY="x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no settings file"):
        load(tmp_path / "none.toml", {})


def test_settings_cannot_be_changed_after_loading(tmp_path: Path) -> None:
    loaded = settings(tmp_path).settings
    with pytest.raises(ValueError, match="frozen"):
        loaded.chain_id = 5
    with pytest.raises(ValueError, match="frozen"):
        loaded.tick.deadline_s = 5


@pytest.mark.parametrize("name", ["GIMBAL_MARKET_DATA", "GIMBAL_CACHE_DIR"])
def test_where_files_of_other_commands_are_is_no_mistake(tmp_path: Path, name: str) -> None:
    plain = settings(tmp_path).settings.model_dump()
    assert settings(tmp_path, **{name: "/somewhere"}).settings.model_dump() == plain
