"""The examples of ``docs/api.md`` are asked, with the names of the recorded chain in place of the main net's."""

from __future__ import annotations

import re
import shlex

import pytest

from tests import recorded
from tests.explorer.client import Client
from tests.explorer.test_routes import NODE
from tests.generated_docs import DOCS

TEXT = (DOCS / "api.md").read_text()
EXAMPLES = re.findall(r"^curl .*$", TEXT, re.MULTILINE)
VARIABLES = {
    "HEIGHT": "1850",
    "TXID": recorded.blocks()[319]["block"]["tx"][1]["txid"],
    "ADDRESS": "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH",
    "NODE": NODE,
    "SIGNER": "tmQeKW1jmhF1WiTUrErNTViu2RE6DdPcd6F",
    "SIGNATURE": "IG4MfNO88DYfeX96fNXUo40DnW3lqJiREaDq97UtqEBfDyyrioPU4PT5iu7z8dGkYvr7rYoTCDhneK4f3JF0BSM=",
    "SITE": "",
    "TOKEN": "",
}

PARALLEL = ("/supply/parallel/eth", "/parallel-mining", "/snapshots")  # the recorded chain has no parallel chains


def test_the_variables_are_those_that_the_page_sets() -> None:
    assert set(re.findall(r"^([A-Z]+)=", TEXT, re.MULTILINE)) == set(VARIABLES)


def asked(line: str) -> tuple[str, str, bytes]:
    """Method, path and body of an example, as a shell would read it."""
    for name, value in VARIABLES.items():
        line = re.sub(rf"\${name}\b", value, line)
    words = shlex.split(line)
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    body = words[words.index("-d") + 1] if "-d" in words else ""
    return method, words[-1], body.encode()


def signed_in(client: Client) -> dict[str, str]:
    """The header of somebody whose watch list has the address of the examples."""
    address, accounts = VARIABLES["ADDRESS"], client.services.accounts
    client.run(accounts.delete(address))
    client.run(accounts.book.admit(address))
    client.run(accounts.book.watch(address, "address", address, ""))
    token = client.run(accounts.sessions.begin(address, "program", "explorer"))
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_answered(client: Client, line: str) -> None:
    method, path, body = asked(line)
    response = client.request(method, path, content=body, headers=signed_in(client) if "$TOKEN" in line else {})
    if "…" in line or "webhooks/change" in line or "challenges" in line:
        # A signature is nobody's, and so is the webhook; the recorded address is that of a script, which cannot sign.
        assert response.status_code in (400, 404), response.text
    elif "hex" in line:  # its bytes are left out: the example itself is no transaction
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "bad_request"
    elif any(part in line for part in PARALLEL):
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")
    else:
        assert response.status_code == 200, response.text
