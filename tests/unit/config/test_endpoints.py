"""Endpoints are named in a list, or one in a line; a mistake is named by its field, no key is shown."""

from pathlib import Path

import pytest

from keeper.chain.standing import Role
from keeper.cli.logs import secrets_of
from keeper.config.endpoints import feeds_of, pool_of
from keeper.config.load import survey
from keeper.config.show import rows
from tests.unit.config.test_load import GOOD, mistake, settings

REST = GOOD.replace('rpc_url = "http://127.0.0.1:8545"', "")
THREE = """
[[endpoints]]
url = "https://one.example/v3/SECRETKEY1"
name = "one"
ws_url = "wss://one.example/v3/SECRETKEY2"
weight = 2.0
requests_per_second = 25
requests_per_day = 100000

[[endpoints]]
url = "wss://two.example/SECRETKEY3"
role = "read"

[[endpoints]]
url = "/run/node.ipc"
"""


def test_one_address_is_a_list_of_one(tmp_path: Path) -> None:
    loaded = settings(tmp_path, 'ws_url = "ws://127.0.0.1:8546"').settings
    pool = pool_of(loaded)
    assert (pool.n, pool.k) == (1, 1)
    assert [(f.name, f.url) for f in feeds_of(loaded)] == [
        ("http://127.0.0.1:8545", "ws://127.0.0.1:8546")
    ]
    assert [s.name for s in pool.states()] == ["http://127.0.0.1:8545"]
    pool.close()


def test_of_several_endpoints_the_majority_must_agree(tmp_path: Path) -> None:
    loaded = settings(tmp_path, THREE, REST).settings
    pool = pool_of(loaded)
    assert (pool.n, pool.k) == (3, 2)
    assert [(s.name, s.role, s.weight) for s in pool.states()] == [
        ("one", Role.BOTH, 2.0),
        ("wss://two.example", Role.READ, 1.0),
        ("ipc:/run/node.ipc", Role.BOTH, 1.0),
    ]
    assert [f.name for f in feeds_of(loaded)] == [s.name for s in pool.states()]
    pool.close()


def test_how_many_must_agree_is_a_setting(tmp_path: Path) -> None:
    pool = pool_of(settings(tmp_path, THREE + "[agreement]\nk = 3", REST).settings)
    assert pool.k == 3
    pool.close()


def test_endpoints_come_from_the_environment_too(tmp_path: Path) -> None:
    listed = '[{"url": "http://a.example"}, {"url": "http://b.example"}]'
    loaded = settings(tmp_path, "", REST, GIMBAL_ENDPOINTS=listed).settings
    assert [node.url for node in loaded.nodes()] == ["http://a.example", "http://b.example"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("", "rpc_url: is missing"),
        ('[[endpoints]]\nurl = "ftp://x"', "endpoints.0.url: must start with http://"),
        ('[[endpoints]]\nurl = "http://x"\nweigth = 1', "weigth"),
        ('[[endpoints]]\nurl = "http://x"\nrole = "none"', "endpoints.0.role"),
        ('[[endpoints]]\nurl = "http://x"\nrequests_per_second = 0', "requests_per_second"),
        ('[[endpoints]]\nurl = "http://x/a"\n[[endpoints]]\nurl = "http://x/b"', "different names"),
        ('[[endpoints]]\nurl = "http://x"\nrole = "write"', "must have one that reads"),
        ('[[endpoints]]\nurl = "http://x"\nrole = "read"', "must have one that writes"),
        (THREE + "[agreement]\nk = 4", "k must be at most the number of endpoints that read, 3"),
        ("[agreement]\nk = 0\n" + THREE, "agreement.k"),
        ("[agreement]\nreorganisation_depth = 0\n" + THREE, "agreement.reorganisation_depth"),
        ("[rpc_timeouts_s]\neth_call = 0\n" + THREE, "from 0 to 600 s"),
        (f'[[endpoints]]\nurl = "http://x"\nname = "{"ab" * 32}"', "looks like a secret"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, more: str, says: str) -> None:
    assert says in mistake(tmp_path, more, REST)


def test_one_address_beside_a_list_is_a_mistake(tmp_path: Path) -> None:
    assert "must not be set beside [[endpoints]]" in mistake(tmp_path, THREE)


def test_no_key_in_an_address_is_shown_and_every_one_is_blotted_out(tmp_path: Path) -> None:
    """K-09."""
    loaded = settings(tmp_path, THREE, REST)
    shown = next(row for row in rows(loaded) if row.name == "endpoints").value
    assert "url https://one.example/***" in shown
    assert "url ipc:/run/node.ipc" in shown
    assert "SECRETKEY" not in shown
    found = secrets_of(loaded.settings, {})
    assert {"SECRETKEY1", "SECRETKEY2", "SECRETKEY3"} <= found


def test_a_mistake_in_one_entry_marks_the_list(tmp_path: Path) -> None:
    file = tmp_path / "keeper.toml"
    file.write_text(REST + '[[endpoints]]\nurl = "ftp://SECRETKEY1"')
    loaded, faults = survey(file, {})
    assert any(f.field == "endpoints.0.url" for f in faults)
    shown = next(row for row in rows(loaded, faults) if row.name == "endpoints")
    assert "must start with" in shown.fault
    assert "SECRETKEY" not in str(list(rows(loaded, faults))) + str(faults)
