"""THE definition of the database: collections, fields, indexes.

``docs/schema.md`` says the same in prose; a test keeps the two equal. Rows are encoded and decoded in
``codec.py`` only.
"""

from __future__ import annotations

from indexer.store.grammar import Collection, Index
from indexer.store.grammar import Field as F
from indexer.store.journal import ACCOUNTS as ACCOUNTS
from indexer.store.journal import CHALLENGES as CHALLENGES
from indexer.store.journal import MEMPOOL, META, PARALLEL_READINGS, REORGS, RICHLIST, UNDO
from indexer.store.journal import SESSIONS as SESSIONS
from indexer.store.journal import WEBHOOKS as WEBHOOKS

SCHEMA_VERSION = 1

BLOCKS = Collection(
    "blocks",
    "height",
    "one row per block: the header's facts, the block's sums, and running totals up to and including it",
    "blocks, block, status, supply, charts",
    (
        F("hash", "hash", "block hash"),
        F("time", "seconds", "header time"),
        F("max_time", "seconds", "running maximum of the header times up to here: the key that selects by time"),
        F("version", "int", "header version; 100 and above is Proof of Node"),
        F("bits", "int", "compact target"),
        F("size", "size", "of the serialized block"),
        F("merkle_root", "hash", "of the header, checked against the transactions"),
        F("tx_count", "int", "transactions"),
        F("starts", "int", "START transactions"),
        F("confirms", "int", "CONFIRM transactions"),
        F("confirm_tiers", "int[3]", "CONFIRM transactions by the node's tier: Cumulus, Nimbus, Stratus"),
        F("fees", "zatoshi", "sum of the transactions' fees"),
        F("coinbase_value", "zatoshi", "sum of the coinbase's outputs; 0 in the genesis block"),
        F("producer", "outpoint?", "collateral of the node that produced a PoN block"),
        F("producer_node", "txkey?", "that node; absent for emergency and test blocks"),
        F("producer_status", "int?", "its list before the block: 1 started, 2 confirmed, 3 DoS"),
        F("txs_total", "int", "running: transactions"),
        F("issued", "zatoshi", "running: coinbase values less fees"),
        F("transparent", "zatoshi", "running: sum of the unspent outputs"),
        F("txouts", "int", "running: number of unspent outputs"),
        F("sprout", "zatoshi", "running: Sprout pool"),
        F("sapling", "zatoshi", "running: Sapling pool"),
        F("unspendable", "zatoshi", "running: value of outputs that can never be spent"),
        F("payouts_checked", "int", "running: payouts that the queue predicted"),
        F("payouts_mismatched", "int", "running: those that the coinbase did not pay"),
        F("fees_total", "zatoshi", "running: fees"),
        F("active_total", "int", "running: addresses touched, each once a day (86,400 s by the target spacing)"),
    ),
    (
        Index("hash", (("hash", 1),), "block by hash", unique=True),
        Index("producer", (("producer", 1), ("_id", -1)), "blocks of a producer", sparse=True),
    ),
)

TRANSACTIONS = Collection(
    "transactions",
    "txkey",
    "every transaction but node confirmations, inputs with what they spend: a transaction page is one read",
    "transaction, block, address history, credits, statements, rewind",
    (
        F("txid", "hash", "transaction id (node transactions: without signatures)"),
        F("kind", "int", "0 coinbase, 1 transfer, 2 node start"),
        F("version", "int", "low 31 bits of the header"),
        F("size", "size", "of the serialized transaction"),
        F("lock", "int", "lock time; absent for node transactions"),
        F("expiry", "int?", "expiry height; absent when the layout has none"),
        F("fee", "zatoshi?", "absent for coinbases and node transactions"),
        F("coinbase", "bytes?", "scriptSig of a coinbase"),
        F("in_keys", "outkey[]?", "the outputs spent, in order; absent without inputs"),
        F("in_points", "outpoint*?", "packed 36 bytes an input: the prevouts"),
        F("in_addresses", "address*?", "packed 21 bytes an input: address key or zeros"),
        F("in_values", "i64*?", "packed 8 bytes an input: zatoshi"),
        F("out_values", "i64*", "packed 8 bytes an output: zatoshi; absent for node starts"),
        F("out_addresses", "address*", "packed 21 bytes an output: address key or zeros; absent for node starts"),
        F("out_forms", "u8*?", "packed form of each output script; absent when all are exact P2PKH or P2SH"),
        F("out_scripts", "bytes?", "scripts of the other forms in order, each CompactSize length and bytes"),
        F("shielded", "int[6]?", "sprout in, sprout out, Sapling value balance, JoinSplits, spends, outputs"),
    ),
    (Index("spends", (("in_keys", 1),), "by whom an output was spent", sparse=True, late=True),),
)

TXIDS = Collection(
    "txids",
    "height",
    "hints that find a transaction by its id: verified on read",
    "transaction, search",
    (
        F("prefixes", "i32[]",
          "first four wire bytes, as little-endian i32, of each txid in block order, then of the full-bytes "
          "id of each node transaction in block order"),
    ),
    (Index("prefixes", (("prefixes", 1),), "transaction by id", late=True),),
)

NODE_STARTS = Collection(
    "node_starts",
    "txkey",
    "START transactions, decoded",
    "transaction, node",
    (
        F("node", "txkey", "the node: its first START"),
        F("outpoint", "outpoint", "collateral"),
        F("version", "int", "5 or 6"),
        F("flux_version", "int?", "nFluxTxVersion of version 6"),
        F("tier", "int", "1 Cumulus, 2 Nimbus, 3 Stratus"),
        F("value", "zatoshi", "collateral"),
        F("payee", "address", "address key that is paid"),
        F("payee_kind", "int", "1 P2PKH, 2 P2SH, 3 foundation"),
        F("pubkey", "bytes", "the node's key"),
        F("owner", "bytes", "collateral public key, or the redeem script of a P2SH node"),
        F("sig_time", "seconds", "signed at"),
        F("delegates", "document?", "using: bool, type: int, keys: bytes[]"),
        F("full_id", "hash", "sha256d over all bytes, signature included"),
    ),
    (Index("node", (("node", 1), ("_id", 1)), "STARTs of a node"),),
)

NODE_CONFIRMS = Collection(
    "node_confirms",
    "height",
    "the confirmations of a block as columns; a txid is recomputed from them",
    "transaction, block, node",
    (
        F("nodes", "txkey[]", "the nodes, in block order"),
        F("index", "u16*", "position in the block"),
        F("sig_times", "u32*", "seconds"),
        F("benchmark_times", "u32*", "seconds"),
        F("bits", "u8*", "benchmark tier (3 bits), update type (1 bit), version 6 (1 bit)"),
        F("ips", "bytes", "each CompactSize length and text"),
        F("sizes", "u32*?", "sizes of the transactions; absent when both signatures have 65 bytes everywhere"),
    ),
    (Index("nodes", (("nodes", 1), ("_id", -1)), "confirmations of a node", late=True),),
)

NODE_EVENTS = Collection(
    "node_events",
    "eventkey",
    "what befell nodes besides STARTs, updates and payouts; first confirmations of a block in queue order",
    "node, queue at a height, tiers",
    (
        F("node", "txkey", "the node"),
        F("event", "int", "2 first confirmation of a life, 3 DoS, 4 expired, 5 spent, 6 removed, 7 released, 8 new ip"),
        F("tier", "int", "1 Cumulus, 2 Nimbus, 3 Stratus"),
        F("ip", "text?", "event 2 and 8: as signed, its bytes as Latin-1; absent when empty"),
        F("former", "text?", "event 8: the ip before; absent when empty"),
    ),
    (Index("node", (("node", 1), ("_id", -1)), "events of a node"),),
)

QUEUE_SNAPSHOTS = Collection(
    "queue_snapshots",
    "height, every 1,024 blocks",
    "the node lists after the block, from which those of later heights are replayed",
    "queue at a height, tiers",
    (
        F("counts", "int[9]", "nodes confirmed, started, on the DoS list; of each Cumulus, Nimbus, Stratus"),
        F("nodes", "txkey*", "packed 8 bytes each: confirmed ones in payment order, the others by START"),
        F("since", "u32*", "height of the first confirmation; of the START where that has not come"),
        F("paid", "u32*", "height of the last payment in this life, 0 for none"),
    ),
)

PAYOUTS = Collection(
    "payouts",
    "height",
    "what the queue predicted for the block and which coinbase output satisfies it; what the rest was for",
    "block, payouts, node, address",
    (
        F("checked", "bool", "whether payments had begun at this height"),
        F("tiers", "int[]", "tiers that had a node to pay"),
        F("nodes", "txkey[]", "the node predicted for each of them"),
        F("payees", "address[]", "its address key"),
        F("amounts", "zatoshi[]", "what it is due"),
        F("vouts", "int[]", "the coinbase output that satisfies it, -1 for none"),
        F("funds", "int[]", "by vout: 0 node payout, 1 dev, 2 exchange, 3 foundation, 4 swap pool, 5 miner, 6 other"),
    ),
    (
        Index("nodes", (("nodes", 1), ("_id", -1)), "payouts of a node", late=True),
        Index("payees", (("payees", 1), ("_id", -1)), "payouts to an address", late=True),
    ),
)

NODES = Collection(
    "nodes",
    "txkey",
    "every node that was ever started, by the txkey of its first START",
    "node, address, queue state on start",
    (
        F("outpoint", "outpoint", "collateral"),
        F("status", "int", "1 started, 2 confirmed, 3 DoS, 4 expired, 5 spent, 6 removed, 7 released"),
        F("tier", "int", "1 Cumulus, 2 Nimbus, 3 Stratus"),
        F("value", "zatoshi", "collateral"),
        F("payee", "address", "address key that is paid"),
        F("payee_kind", "int", "1 P2PKH, 2 P2SH, 3 foundation"),
        F("pubkey", "bytes", "the node's key"),
        F("ip", "text", "as signed in the last confirmation, its bytes as Latin-1; empty before"),
        F("started", "int", "height of the START of the present or last life"),
        F("confirmed", "int", "height of its first confirmation, 0 for none"),
        F("last_confirmed", "int", "height of its last confirmation, 0 for none"),
        F("last_paid", "int", "height of its last payment in this life, 0 for none"),
        F("ended", "int", "height at which it left the lists, 0 while it is on one"),
        F("lives", "int", "STARTs so far"),
        F("paid_count", "int", "payments over all lives"),
        F("paid_total", "zatoshi", "payments over all lives"),
        F("delegates", "bytes[]", "stored delegate keys"),
    ),
    (
        Index("outpoint", (("outpoint", 1),), "node by collateral", unique=True),
        Index("tier", (("status", 1), ("tier", 1), ("outpoint", 1)), "nodes by status and tier, in order"),
        Index("payee", (("payee", 1),), "nodes of an address"),
        Index("ip", (("ip", 1),), "nodes of an IP"),
        Index("pubkey", (("pubkey", 1),), "nodes of a key"),
    ),
)

LEDGER = Collection(
    "ledger",
    "address key, height as big-endian u32 (25 bytes)",
    "one row per address and block that touches it: balance now, balance at any height, history",
    "address, balances, history, statements",
    (
        F("b", "zatoshi", "balance after the block"),
        F("r", "zatoshi", "received so far"),
        F("n", "int", "transactions so far"),
        F("u", "int", "unspent outputs after the block"),
        F("x", "u16*", "positions in the block of the transactions that touch the address"),
    ),
)

UTXOS = Collection(
    "utxos",
    "outpoint",
    "the unspent outputs",
    "utxos of an address, verify, the indexer's own look-ups",
    (
        F("k", "outkey", "where the output is; position 0 is a coinbase"),
        F("a", "address?", "address key; absent for none"),
        F("v", "zatoshi", "value"),
        F("f", "int?", "form of the script; absent for exact P2PKH and P2SH"),
    ),
    (Index("address", (("a", 1), ("k", 1)), "unspent outputs of an address", sparse=True),),
)

CHAIN_DERIVED = (
    BLOCKS, TRANSACTIONS, TXIDS, NODE_STARTS, NODE_CONFIRMS, NODE_EVENTS, QUEUE_SNAPSHOTS, PAYOUTS, NODES, LEDGER,
    UTXOS,
)  # fmt: skip

JOURNAL = (META, UNDO, REORGS, MEMPOOL, RICHLIST, PARALLEL_READINGS, WEBHOOKS, ACCOUNTS, CHALLENGES, SESSIONS)
COLLECTIONS = CHAIN_DERIVED + JOURNAL


def late_indexes() -> tuple[tuple[Collection, Index], ...]:
    """The indexes that are built when the first catch-up ends."""
    return tuple((c, i) for c in COLLECTIONS for i in c.indexes if i.late)
