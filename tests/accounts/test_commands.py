"""What the operator does with accounts at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from explorer.accounts.hooks import Wish
from indexer.cli import main
from tests import recorded
from tests.accounts.visiting import ALICE, BOB, Browser

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    recorded_index: tuple[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs ``flux-explorer accounts``: exit code, output, errors."""
    uri, name = recorded_index
    monkeypatch.setenv("FLUX_DATABASE_URI", uri)
    monkeypatch.setenv("FLUX_DATABASE_NAME", name)
    monkeypatch.setenv("FLUX_NETWORK_PARAMS_FILE", str(recorded.NETWORK_FILE))

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["accounts", *words])
        return code, *capsys.readouterr()

    return run


def test_the_operator_sees_blocks_and_removes(browser: Browser, command: Command) -> None:
    browser.sign_in(ALICE)
    accounts, client = browser.client.services.accounts, browser.client
    browser.post("/account/watches", {"kind": "address", "entry": ALICE.address, "note": "secret note"})
    asked = Wish("https://shop.example/", "", [ALICE.address], [], None, 1)
    hook, _ = client.run(accounts.hooks.make(ALICE.address, asked))
    code, told, _ = command("list")
    assert code == 0 and "secret note" not in told
    assert [line for line in told.splitlines() if line.startswith(ALICE.address)][0].endswith("1 watched, 1 webhooks")
    assert json.loads(command("export", ALICE.address)[1])["account"]["watches"][0]["note"] == "secret note"

    assert command("block", ALICE.address)[0] == 0
    assert client.run(accounts.hooks.one(ALICE.address, hook.id)).paused
    assert "Who are you?" in browser.page("/account").one("main").text
    nonce, message = browser.challenge(ALICE)
    assert browser.answer(ALICE, nonce, ALICE.sign(message)).status_code == 403
    assert f"{ALICE.address}  seen" in command("list")[1] and "blocked" in command("list")[1]
    assert command("unblock", ALICE.address)[0] == 0
    assert command("unblock", ALICE.address)[0] == 1
    browser.sign_in(ALICE)

    assert command("delete", ALICE.address)[0] == 0
    assert [command(action, ALICE.address)[0] for action in ("delete", "export")] == [1, 1]
    assert "Who are you?" in browser.page("/account").one("main").text


def test_what_is_missing_is_said(command: Command) -> None:
    assert "needs the address" in command("delete")[2]
    assert command("block", "nonsense")[0] == 2
    assert command("block", BOB.address)[0] == 0
    assert command("delete", BOB.address)[0] == 0
