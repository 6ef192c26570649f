"""What may be done over HTTP: nothing is written but where it belongs, and the daemon is asked its public list only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.routing import Route

from explorer.app import create_app
from explorer.daemon import ALLOWED
from indexer.config import load_config
from tests.explorer.client import Client
from tests.explorer.talking import talking
from tests.replay_daemon import ReplayDaemon

# Every command in the tables of the daemon: rpc/server.cpp, blockchain.cpp, mining.cpp, misc.cpp, net.cpp,
# rawtransaction.cpp, fluxnode.cpp, fluxbenchmark.cpp and wallet/rpcwallet.cpp, rpcdump.cpp.
COMMANDS = """
help stop getinfo getblockchaininfo getbestblockhash getblockcount getblock getblockdeltas getblockhashes getblockhash
getblockheader getchaintips getdifficulty getmempoolinfo getrawmempool gettxout gettxoutsetinfo verifychain
getspentinfo getblocksubsidy getblocktemplate getmininginfo getlocalsolps getnetworksolps getnetworkhashps
prioritisetransaction submitblock getgenerate setgenerate generate estimatefee estimatepriority invalidateblock
reconsiderblock resendwallettransactions reindex rescanblockchain createmultisig validateaddress verifymessage
signmessage z_validateaddress getaddresstxids getaddressbalance getaddressdeltas getaddressutxos getaddressmempool
setmocktime getexperimentalfeatures addnode disconnectnode getaddednodeinfo getconnectioncount getdeprecationinfo
getnettotals getnetworkinfo getpeerinfo listbanned clearbanned ping setban createrawtransaction decoderawtransaction
decodescript fundrawtransaction getrawtransaction gettxoutproof verifytxoutproof sendrawtransaction signrawtransaction
createconfirmationtransaction createfluxnodekey createzelnodekey createp2shstarttx decodefluxnodebroadcast
fluxnodecurrentwinner fluxnodedebug getdoslist getfluxnodecount getfluxnodeoutputs getfluxnodestatus getstartlist
getmigrationcount listfluxnodeconf listfluxnodes listzelnodeconf listzelnodes makeoffer relayfluxnodebroadcast
relayzelnodebroadcast rebuildfluxnodedb rebuildzelnodedb restorechain sendp2shstarttx signp2shstarttx spork
startdeterministicfluxnode startdeterministiczelnode startfluxnode startzelnode startp2shasstart
startfluxnodewithdelegates startp2shasstartwithdelegates viewdeterministicfluxnodelist viewdeterministiczelnodelist
znsync getzelnodestatus zelnodecurrentwinner getbenchmarks getbenchstatus startfluxbenchd startzelbenchd
stopfluxbenchd stopzelbenchd addmultisigaddress backupwallet dumpprivkey dumpwallet encryptwallet getaccount
getaccountaddress getaddressesbyaccount getbalance getnewaddress getrawchangeaddress getreceivedbyaccount
getreceivedbyaddress gettransaction getunconfirmedbalance getwalletinfo importaddress importprivkey importwallet
keypoolrefill listaccounts listaddressgroupings listlockunspent listreceivedbyaccount listreceivedbyaddress
listsinceblock listtransactions listunspent lockunspent move sendfrom sendmany sendtoaddress setaccount settxfee
walletconfirmbackup walletlock walletpassphrase walletpassphrasechange z_exportkey z_exportviewingkey z_exportwallet
z_getbalance z_getnewaddress z_getoperationresult z_getoperationstatus z_gettotalbalance z_importkey
z_importviewingkey z_importwallet z_listaddresses z_listoperationids z_listreceivedbyaddress z_listunspent
z_mergetoaddress z_sendmany z_shieldcoinbase zcbenchmark zcrawjoinsplit zcrawkeygen zcrawreceive zcsamplejoinsplit
""".split()
PUBLIC = {
    "getinfo", "getblockchaininfo", "getbestblockhash", "getblockcount", "getblock", "getblockdeltas", "getblockhashes",
    "getblockhash", "getblockheader", "getmempoolinfo", "getrawmempool", "gettxout", "gettxoutsetinfo", "getspentinfo",
    "getblocksubsidy", "validateaddress", "getaddresstxids", "getaddressbalance", "getaddressdeltas", "getaddressutxos",
    "getaddressmempool", "decoderawtransaction", "getrawtransaction", "sendrawtransaction", "fluxnodecurrentwinner",
    "zelnodecurrentwinner", "getdoslist", "getstartlist", "getfluxnodecount", "listfluxnodes", "listzelnodes",
    "viewdeterministicfluxnodelist", "viewdeterministiczelnodelist",
}  # fmt: skip
READ_BY_POST = {
    "/api/v1/balances", "/api/v1/credits", "/api/v1/verify", "/verify",
    *(f"{prefix}{path}" for prefix in ("/api", "/insight-api") for path in (
        "/addrs/utxo", "/addrs/txs", "/messages/verify", "/fluxnode/addrs/utxo", "/zelnode/addrs/utxo",
        *(f"/{a}node/list{b}nodes" for a in ("flux", "zel") for b in ("flux", "zel")),
    )),
}  # fmt: skip
BROADCAST = {
    "/api/v1/transactions", "/broadcast", "/api/v2/sendtx/", "/api/tx/send", "/insight-api/tx/send",
    "/daemon/sendrawtransaction", "/daemon/sendrawtransaction/{hexstring}",
}  # fmt: skip
CHOICES = {"/theme", "/language"}
OWN = ("/api/v1/account", "/api/v1/session", "/account", "/sign")  # of the account that a visitor is signed in to


@pytest.mark.parametrize("path", ["/daemon/{}", "/explorer/{}", "/api/{}"])
def test_no_command_of_the_daemon_but_the_public_ones(client: Client, path: str) -> None:
    statuses = {name: client.get(path.format(name)).status_code for name in COMMANDS}
    open_ = {name for name, status in statuses.items() if status not in (404, 405)}
    assert open_ == (PUBLIC if path == "/daemon/{}" else set())


def test_whatever_is_asked_the_daemon_hears_only_what_is_allowed(client: Client, daemon: ReplayDaemon) -> None:
    for name in COMMANDS:
        client.post(f"/daemon/{name}", json={"method": name, "params": []})
        client.get(f"/daemon/{name}/x/1")
    for body in ({"jsonrpc": "1.0", "id": 1, "method": "stop", "params": []}, [{"method": "stop", "params": []}]):
        for path in ("/", "/daemon", "/api", "/api/v1/transactions"):
            assert client.post(path, content=json.dumps(body)).status_code in (400, 404, 405)
    with talking(client) as mouth:
        for name in sorted({*COMMANDS} - {"ping"}):
            told: Any = mouth.answer(name)
            assert "is no method" in told["error"]["message"], name
    with pytest.raises(ValueError, match="not on the list"):
        client.run(client.services.daemon.call("stop"))
    assert daemon.calls.keys() <= ALLOWED


def test_what_takes_a_post_only_reads_or_is_on_the_list() -> None:
    routes = [route for route in create_app(load_config(environ={})).routes if isinstance(route, Route)]
    assert {method for route in routes for method in route.methods or ()} == {"GET", "HEAD", "OPTIONS", "POST"}
    posted = {route.path for route in routes if "POST" in (route.methods or ())}
    assert {path for path in posted - READ_BY_POST - BROADCAST - CHOICES if not path.startswith(OWN)} == set()
    assert posted >= BROADCAST
