"""Every setting is shown with unit, default, source and meaning; secrets are masked."""

import tomllib
from pathlib import Path

import pytest

from keeper.config.load import load, names
from keeper.config.settings import Settings
from keeper.config.show import Row, example, masked_url, rows
from tests.unit.config.test_load import GOOD, LENS, VAULT, settings


def shown(tmp_path: Path, more: str = "", **env: str) -> dict[str, Row]:
    return {row.name: row for row in rows(settings(tmp_path, more, **env))}


def test_every_setting_has_a_row_with_a_meaning(tmp_path: Path) -> None:
    found = shown(tmp_path)
    assert set(found) == set(names(Settings))
    assert all(row.meaning for row in found.values())


def test_every_number_has_a_unit(tmp_path: Path) -> None:
    for row in shown(tmp_path).values():
        if row.default.replace(".", "").isdigit():
            assert row.unit, row.name


def test_value_default_and_source_are_told_apart(tmp_path: Path) -> None:
    row = shown(tmp_path, "[tick]\ndeadline_s = 60")["tick.deadline_s"]
    assert (row.value, row.unit, row.default, row.source) == ("60", "s", "120", "file")


def test_secrets_in_endpoints_are_masked(tmp_path: Path) -> None:
    found = shown(tmp_path, 'ws_url = "wss://u:p@node.example/v3/key0123"')
    assert found["ws_url"].value == "wss://node.example/***"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("https://node.example/v3/key0123", "https://node.example/***"),
        ("https://node.example/?key=0123", "https://node.example/***"),
        ("https://me:secret@node.example", "https://node.example/***"),
        ("http://u:secret@exa\u2100mple/", "?://?/***"),
        ("http://u:secret/x@127.0.0.1:9/", "?://?/***"),
        ("http://node.example/v3@secret", "?://?/***"),
        ("http://node.example:secret/", "http://node.example/***"),
    ],
)
def test_masked_url(url: str, masked: str) -> None:
    assert masked_url(url) == masked


def test_no_key_is_ever_among_the_rows(tmp_path: Path) -> None:
    key = "0x" + "5e" * 32
    found = shown(tmp_path, GIMBAL_PRIVATE_KEY=key, GIMBAL_KEYSTORE_PASSWORD="hunter2")
    assert key not in str(found)
    assert "hunter2" not in str(found)


def test_the_example_with_its_blanks_filled_in_loads_as_the_defaults(tmp_path: Path) -> None:
    text = example().replace('vault = "0x..."', f'vault = "{VAULT}"')
    text = text.replace('lens = "0x..."', f'lens = "{LENS}"')
    file = tmp_path / "keeper.toml"
    file.write_text(text)
    assert load(file, {}).settings.model_dump() == settings(tmp_path).settings.model_dump()


def test_every_line_of_the_example_is_right_when_uncommented(tmp_path: Path) -> None:
    """What the comments offer is accepted as it stands."""
    lines = [
        line.removeprefix("# ") if " = " in line and not line.endswith(' = ""') else line
        for line in example().splitlines()
    ]
    content = tomllib.loads("\n".join(lines))
    assert content["tick"]["deadline_s"] == 120
    text = "\n".join(lines).replace('"0x..."', f'"{VAULT}"')
    file = tmp_path / "keeper.toml"
    file.write_text(text)
    assert load(file, {}).settings.tick == settings(tmp_path, text=GOOD).settings.tick
