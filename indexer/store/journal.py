"""The collections beside the chain, defined: they are not rewound, and tell of the index itself."""

from __future__ import annotations

from indexer.store.grammar import Collection, Index
from indexer.store.grammar import Field as F

META = Collection(
    "meta",
    "name",
    "tip, schema, writer, indexes, source, checks, mempool: one document each",
    "everybody",
    (
        F("height", "int", "tip: height, -1 before the first block"),
        F("hash", "hash", "tip: block hash"),
        F("time", "seconds", "tip: block time"),
        F("epoch", "int", "tip: how often rows were removed; every cache is void when it changes"),
        F("dirty", "bool", "tip: mutable rows may be ahead of it"),
        F("reorgs", "int", "tip: reorganisations so far"),
        F("version", "int", "schema: version"),
        F("network", "text", "schema: name of the network"),
        F("params", "document", "schema: the network's parameters, flattened"),
        F("owner", "text", "writer: who"),
        F("beat", "int", "writer: rises while it lives"),
        F("ready", "text[]", "indexes: late ones that are built"),
        F("building", "document", "indexes: percent by name"),
        F("daemon", "document", "source: height, headers, hash, version, connections, reachable, problem …"),
        F("rates", "document", "source: blocks_per_second, eta_seconds, state, updated_at, started_at, version"),
        F(
            "checks",
            "document",
            "checks: last comparisons with the daemon, named queue_ and supply_: matches_daemon, checked_height, "
            "checked_hash, checked_at, difference_count, differences (the first), unchecked (why none is made)",
        ),
        F("revision", "int", "mempool: rises with every change of the set"),
        F("parts", "u32*", "mempool: revision of the last change of each of its 64 parts; a transaction is in those of "
          "its txid, of the addresses it touches, of the txids whose outputs it spends (CRC-32 of the key modulo 64)"),
        F("count", "int", "mempool: transactions"),
        F("bytes", "size", "mempool: sum of their sizes"),
        F("kinds", "int[3]", "mempool: transfers, node starts, node confirmations"),
        F("left_out", "int", "mempool: transactions of the daemon that are not kept"),
        F("block", "document", "mempool: height and epoch of the tip at or below which none of them is mined"),
        F("updated_at", "seconds", "mempool: when the set was last compared with the daemon's"),
        F("stale_since", "seconds?", "mempool: since when it cannot be compared; null while it can"),
        F(
            "verify",
            "document",
            "checks: last verify: height, hash, verdict (true: nothing found), findings, supply (true: nothing found "
            "in running totals and coins), at",
        ),
    ),
)

UNDO = Collection(
    "undo",
    "first height of the batch << 16 | part",
    "what a batch touched; complete when part 0, written last, is present",
    "rewind",
    (
        F("to", "int", "part 0: last height of the batch"),
        F("parts", "int", "part 0: how many parts follow"),
        F("tip", "document", "part 0: height, hash, time of the tip before the batch"),
        F("ledger", "bytes", "packed 25 bytes each: ledger rows made"),
        F("made", "outpoint*", "packed 36 bytes each: unspent outputs made and not spent in the batch"),
        F("spent", "document[]", "unspent outputs that existed before the batch and were spent in it"),
        F("nodes", "document[]", "nodes as they were before"),
        F("made_nodes", "txkey[]", "nodes that did not exist before"),
    ),
)

REORGS = Collection(
    "reorgs",
    "number of the reorganisation << 16 | ordinal",
    "ordinal 0: a reorganisation; the others: the blocks it orphaned, highest first",
    "reorgs, block, credits",
    (
        F("fork", "int", "ordinal 0: height of the last common block"),
        F("old_tip", "document", "ordinal 0: height, hash, time"),
        F("cause", "text", "ordinal 0: reorg or operator"),
        F("seen", "seconds", "ordinal 0: when"),
        F("height", "int", "orphaned block: height"),
        F("hash", "hash", "orphaned block: hash"),
        F("block", "document", "orphaned block: its row of blocks"),
        F("payouts", "document", "orphaned block: its row of payouts"),
        F("credits", "document[]", "orphaned block: outpoint, address key, outkey, value of its outputs"),
    ),
    (Index("hash", (("hash", 1),), "orphaned block by hash", sparse=True),),
)

MEMPOOL = Collection(
    "mempool",
    "txid",
    "the unconfirmed transactions, as the daemon had them when it was last asked",
    "mempool, transaction, address, utxos of an address, search",
    (
        F("n", "int", "rises with every transaction that comes"),
        F("seen", "seconds", "when it was first seen, by the daemon or by this index"),
        F("kind", "int", "1 transfer, 2 node start, 3 node confirmation"),
        F("version", "int", "low 31 bits of the header"),
        F("size", "size", "of the serialized transaction"),
        F("lock", "int", "lock time; absent for node transactions"),
        F("expiry", "int?", "expiry height; absent when the layout has none"),
        F("fee", "zatoshi?", "absent for node transactions"),
        F("spends", "outpoint[]?", "the outputs spent, in order; absent without inputs"),
        F("in_addresses", "address*?", "packed 21 bytes an input: address key or zeros"),
        F("in_values", "i64*?", "packed 8 bytes an input: zatoshi"),
        F("out_values", "i64*", "packed 8 bytes an output: zatoshi; absent for node transactions"),
        F("out_addresses", "address*", "packed 21 bytes an output: address key or zeros; absent for node transactions"),
        F("out_forms", "u8*?", "packed form of each output script; absent when all are exact P2PKH or P2SH"),
        F("out_scripts", "bytes?", "scripts of the other forms in order, each CompactSize length and bytes"),
        F("shielded", "int[6]?", "sprout in, sprout out, Sapling value balance, JoinSplits, spends, outputs"),
        F("touches", "address[]?", "address keys of the inputs and outputs, each once"),
        F("node", "document?", "node transaction: outpoint, tier, payee, payee_kind, sig_time; delegates of a start; "
          "benchmark_time, benchmark_tier, update, ip of a confirmation"),
    ),
    (
        Index("arrival", (("n", -1),), "mempool, newest first"),
        Index("touches", (("touches", 1),), "unconfirmed transactions of an address", sparse=True),
        Index("spends", (("spends", 1),), "by which unconfirmed transaction an output is spent", sparse=True),
    ),
)  # fmt: skip

RICHLIST = Collection(
    "richlist",
    "height",
    "the addresses with the most coins after a block, and how the coins are distributed; the last few lists are kept",
    "rich list, distribution",
    (
        F("hash", "hash", "the block: a list of an orphaned block is void"),
        F("addresses", "address*", "packed 21 bytes each: the richest first, at equal balances by their bytes"),
        F("balances", "i64*", "packed 8 bytes each: their balances in zatoshi"),
        F("without", "zatoshi", "sum of the unspent outputs that show no address"),
        F("powers", "i64*", "packed 8 bytes each: 1 and the powers of ten in zatoshi that some balance reaches"),
        F("counts", "u32*", "for each power the addresses with a balance from there to the next power"),
        F("sums", "i64*", "for each power the sum of their balances in zatoshi"),
    ),
)

PARALLEL_READINGS = Collection(
    "parallel_readings",
    "state, or the Unix time at which an hour begins",
    "state: what is known of the parallel chains and who asks them; an hour: what circulated on them when it ended",
    "supply, parallel, status",
    (
        F("revision", "int", "state: rises when what is shown changes"),
        F("due", "int", "state: Unix time in milliseconds from which the next round of readings may begin"),
        F("owner", "text?", "state: who is reading; absent between rounds"),
        F("chains", "document", "state: by key of the chain: of (which contract and issuers), minted, held, time, "
          "block, state, reason, due, failures (in a row), failed (in all), rests (endpoints to be left alone)"),
        F("cut", "document?", "state: height, hash, time and outstanding of the last readings that held together"),
        F("cut_stale", "bool?", "state: the cut is too old to count"),
        F("time", "seconds", "hour: when it was last written"),
        F("height", "int", "hour: height of the tip, of the cut where there was one"),
        F("outstanding", "document", "hour: zatoshi by key of the chain, of the fresh readings"),
        F("total", "zatoshi?", "hour: of all parallel chains together; absent without a cut"),
    ),
)  # fmt: skip

WEBHOOKS = Collection(
    "webhooks",
    "name of the webhook; of an account's: 16 hex digits",
    "how far each webhook is, and what is being delivered to it; those of accounts whole",
    "the notifier, account pages",
    (
        F("owner", "text?", "which notifier delivers; absent when none does"),
        F("until", "int", "Unix time in milliseconds from which another may take over"),
        F("credit", "text", "place in the feed of credits up to which everything was delivered"),
        F("life", "text", "position up to which the events of its nodes were delivered"),
        F("pending", "document?", "what is being delivered: seq, body, after (the field of its feed), place (then)"),
        F("due", "int", "Unix time in milliseconds of the next attempt"),
        F("attempts", "int", "attempts at what is being delivered"),
        F("delivered", "int", "delivered so far"),
        F("failed", "int", "attempts that failed so far"),
        F("problem", "text?", "why the last attempt failed; absent after one that did not"),
        F("account", "text?", "webhook of an account: the address that it belongs to; absent of the operator's"),
        F("hook", "document?", "webhook of an account: note, url, secret, addresses, nodes, events, min_confirmations"),
        F("created", "seconds?", "webhook of an account: when it was made"),
        F("paused", "bool?", "webhook of an account: nothing is delivered for now"),
        F("asked", "text?", "webhook of an account: the last test that was asked for"),
        F("tested", "text?", "webhook of an account: the last test that was delivered"),
        F("log", "document[]?", "webhook of an account: last attempts: at (seconds), event, seq, problem (null: none)"),
    ),
    (Index("account", (("account", 1),), "webhooks of an account", sparse=True),),
)

ACCOUNTS = Collection(
    "accounts",
    "address whose key signs in",
    "what visitors who signed in keep here, all of it but their webhooks; nothing else is known of them",
    "account pages, the account's part of the API, accounts",
    (
        F("created", "seconds", "first time that the address signed in"),
        F("seen", "seconds", "last time that it did"),
        F("blocked", "bool?", "the operator keeps it out"),
        F("feed", "hash?", "SHA-256 of the secret in the address of its calendar and CSV; absent when it has none"),
        F("watches", "document[]", "watch list: kind (address, node, payee), entry, note, added (seconds)"),
    ),
    (Index("feed", (("feed", 1),), "account by the secret of its feed", unique=True, sparse=True),),
)

CHALLENGES = Collection(
    "challenges",
    "nonce, 32 hex digits",
    "texts that wait to be signed; one is removed when it is answered, rightly or not",
    "sign-in",
    (
        F("purpose", "text", "site: a browser signs in; program: a token for a program"),
        F("account", "text", "address that asked"),
        F("site", "text", "host that the text names"),
        F("message", "text", "the text"),
        F("until", "int", "Unix time in milliseconds at which it expires"),
    ),
    (Index("until", (("until", 1),), "expired ones"),),
)

SESSIONS = Collection(
    "sessions",
    "SHA-256 of the token",
    "who is signed in; the token itself is kept by the visitor only",
    "account pages, the account's part of the API",
    (
        F("account", "text", "address that signed in"),
        F("purpose", "text", "site: the token is a cookie; program: it comes in the header Authorization"),
        F("site", "text", "host at which it is good"),
        F("begun", "int", "Unix time in milliseconds of the sign-in"),
        F("until", "int", "Unix time in milliseconds at which it ends unless it is used before"),
    ),
    (
        Index("account", (("account", 1), ("begun", 1)), "sessions of an account"),
        Index("until", (("until", 1),), "ended ones"),
    ),
)
