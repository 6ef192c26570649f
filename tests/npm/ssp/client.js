// The calls that SSP wallet makes for the chain "flux", with the libraries that it makes them with, driven line by line:
// a command is {"id", "call", "args"} as JSON on stdin, its answer {"id", "result"} or {"id", "error"} on stdout. What is
// read of an answer is what the wallet reads, and as it reads it: a field that is absent ends here as it would there.
"use strict";

const readline = require("node:readline");
const axios = require("axios");
const utxolib = require("@runonflux/utxo-lib");

const site = process.argv[2];
const http = axios.create({ baseURL: site, proxy: false, timeout: 20000 });
const COIN = 100000000;
const EXPIRY_BLOCKS = 30;
const VERSION = 4;
const VERSION_GROUP = 0x892f2085;
const EXPORTED = 50;

async function get(path) {
  return (await http.get(path)).data;
}

async function post(path, body) {
  return (await http.post(path, body)).data;
}

// An amount in FLUX as whole zatoshi; a number that is none exactly, such as 0.30000000000000004, is an error.
function zatoshi(amount) {
  const [whole, rest = ""] = (typeof amount === "number" ? amount.toFixed(8) : amount).split(".");
  if (!/^\d+$/.test(whole) || !/^\d{0,8}$/.test(rest) || Number(`${whole}.${rest}`) !== Number(amount)) {
    throw new Error(`${amount} is no exact amount`);
  }
  return BigInt(whole) * BigInt(COIN) + BigInt(rest.padEnd(8, "0"));
}

// One row of the wallet's list of transactions.
function row(tx, address) {
  let amount = 0n;
  let receiver = "";
  let message = "";
  for (let n = 0; n < tx.vin.length; n += 1) {
    if (tx.vin[n].addr === address) {
      amount -= zatoshi(tx.vin[n].value);
    }
  }
  for (let n = 0; n < tx.vout.length; n += 1) {
    const { scriptPubKey, value } = tx.vout[n];
    if (scriptPubKey.addresses && scriptPubKey.addresses[0] === address) {
      amount += zatoshi(value);
    }
    if (scriptPubKey.asm.startsWith("OP_RETURN ")) {
      message = Buffer.from(scriptPubKey.asm.split(" ")[1], "hex").toString("utf8");
    }
  }
  for (let n = tx.vout.length - 1; n >= 0 && !receiver; n -= 1) {
    const [owner] = tx.vout[n].scriptPubKey.addresses || [];
    if (owner && owner !== address) {
      receiver = owner;
    }
  }
  const pending = !tx.blockheight || tx.blockheight <= 0;
  return {
    txid: tx.txid,
    fee: (tx.fees === undefined && tx.vin[0].coinbase ? 0n : zatoshi(tx.fees)).toString(),
    height: pending ? null : tx.blockheight,
    time: tx.time || 0,
    size: tx.size,
    amount: amount.toString(),
    receiver,
    message,
    spends: pending ? tx.vin.map((input, n) => [input.txid, input.vout ?? n]) : [],
  };
}

// The parameters of the network of a site, whose addresses begin with other bytes.
function networkOf(prefixes) {
  return { ...utxolib.networks.flux, pubKeyHash: prefixes.pubkey, scriptHash: prefixes.script };
}

function keyOf(number, network) {
  return utxolib.ECPair.makeRandom({ network, rng: (size) => Buffer.alloc(size, number) });
}

// The script of two keys out of two: that of every address of the wallet.
function redeemScript(keys) {
  const sorted = keys.map((key) => key.getPublicKeyBuffer()).sort(Buffer.compare);
  return utxolib.script.multisig.output.encode(2, sorted);
}

const calls = {
  async balance(address) {
    const told = await get(`/api/addr/${address}?noTxList=1`);
    return {
      confirmed: told.balanceSat.toString(),
      unconfirmed: told.unconfirmedBalanceSat.toString(),
      address: told.addrStr,
      transactions: told.txApperances,
    };
  },

  async height() {
    return (await get("/api/status?getinfo")).info.blocks;
  },

  async transactions(address, from, to) {
    const { items } = await get(`/api/addrs/${address}/txs?from=${from}&to=${to}`);
    return items.map((tx) => row(tx, address));
  },

  // The export asks page by page until one is not full.
  async everyTransaction(address) {
    const found = [];
    for (let from = 0; ; from += EXPORTED) {
      const page = await calls.transactions(address, from, from + EXPORTED);
      found.push(...page);
      if (page.length < EXPORTED) {
        return found;
      }
    }
  },

  async coins(address, mode) {
    const told = await get(`/api/addrs/${address}/${mode}`);
    return told
      .filter((utxo) => utxo.confirmations > 0)
      .map((utxo) => ({
        txid: utxo.txid,
        vout: utxo.vout,
        script: utxo.scriptPubKey,
        satoshis: utxo.satoshis.toString(),
        confirmations: utxo.confirmations,
        coinbase: utxo.coinbase || false,
      }));
  },

  async allCoins(address) {
    return (await get(`/api/addrs/${address}/utxo`)).map((utxo) => [utxo.txid, utxo.vout, utxo.confirmations]);
  },

  address(prefixes) {
    const network = networkOf(prefixes);
    const script = redeemScript([keyOf(7, network), keyOf(11, network)]);
    const output = utxolib.script.scriptHash.output.encode(utxolib.crypto.hash160(script));
    return utxolib.address.fromOutputScript(output, network);
  },

  // A payment from the wallet's own address, signed with both keys: the hex of the transaction.
  async pay(prefixes, receiver, amount, fee, message) {
    const network = networkOf(prefixes);
    const keys = [keyOf(7, network), keyOf(11, network)];
    const script = redeemScript(keys);
    const own = calls.address(prefixes);
    const coins = (await calls.coins(own, "unspent")).filter((coin) => !coin.coinbase || coin.confirmations >= 100);
    const builder = new utxolib.TransactionBuilder(network, fee);
    builder.setVersion(VERSION);
    builder.setVersionGroupId(VERSION_GROUP);
    builder.setExpiryHeight((await calls.height()) + EXPIRY_BLOCKS);
    coins.forEach((coin) => builder.addInput(coin.txid, coin.vout));
    const total = coins.reduce((sum, coin) => sum + Number(coin.satoshis), 0);
    builder.addOutput(receiver, amount);
    builder.addOutput(own, total - amount - fee);
    builder.addOutput(utxolib.script.nullData.output.encode(Buffer.from(message, "utf8")), 0);
    coins.forEach((coin, n) => {
      keys.forEach((key) => builder.sign(n, key, script, utxolib.Transaction.SIGHASH_ALL, Number(coin.satoshis)));
    });
    return builder.build().toHex();
  },

  async send(rawtx) {
    return (await post("/api/tx/send", { rawtx })).txid;
  },

  // What the wallet says of each collateral of an address, from the lists of the site or of a node's daemon.
  async nodes(address, lists) {
    const collaterals = await get(`/api/fluxnode/addrs/${address}/utxo`);
    const { result } = await post("/api/fluxnode/listfluxnodes", { filter: address });
    const [dos, started] = await Promise.all(lists.map(get));
    const entries = (list) => list.result || list.data;
    return collaterals.map((utxo) => {
      const node = result.find((one) => one.txhash === utxo.txid && +one.outidx === +utxo.vout);
      const point = `COutPoint(${utxo.txid}, ${utxo.vout})`;
      const listed = (list) => entries(list).some((one) => one.collateral === point);
      const status = node ? "confirmed" : listed(dos) ? "dos" : listed(started) ? "started" : "offline";
      return { point: `${utxo.txid}:${utxo.vout}`, satoshis: utxo.satoshis, status, ip: node ? node.ip : "", node };
    });
  },
};

function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

async function obey({ id, call, args }) {
  try {
    say({ id, result: (await calls[call](...args)) ?? null });
  } catch (error) {
    const told = error.response && error.response.data;
    say({ id, error: told ? (typeof told === "string" ? told : JSON.stringify(told)) : String(error.message) });
  }
}

const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => obey(JSON.parse(line)));
lines.on("close", () => process.exit(0));
