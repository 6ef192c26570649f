# cython: language_level=3
"""The compiled parser: blocks and single transactions into columns, without the GIL.

The twin of ``indexer/parse/pure.py`` and ``transactions.py``, where the layouts are explained; functions have
the same names in both. Rows grow C buffers; Python objects are made at the end, one per column, and one per START.
All reads of raw bytes go through ``cursor.pxd``.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from cython_ext.cursor cimport (
    OUT_OF_MEMORY, Cursor, Span, byte_at, bytes_at, copy_bytes, copy_outpoint, count, equal_at, i8, i64,
    left, open_cursor, refuse, sound, take, u8, u32, var_bytes, within,
)


cdef extern from "Python.h":
    int PyObject_GenericSetAttr(object instance, object name, object value) except -1


cdef extern from "sha256.h" nogil:
    int sha256_choose(int with_instructions) noexcept
    void sha256d(const uint8_t *message, size_t size, uint8_t *digest) noexcept
    void sha256d_pair(
        const uint8_t *a, size_t a_size, uint8_t *a_digest, const uint8_t *b, size_t b_size, uint8_t *b_digest
    ) noexcept


cdef extern from *:
    """
    static const char UNKNOWN_VERSION[] = "version {0} is unknown or has another group's id";
    static const char BAD_BALANCE[] = "{0} is outside -{1} to {1}";
    static const char BAD_AMOUNT[] = "{0} is outside 0 to {1}";
    static const char BAD_SUM[] = "the sum {0} is above {1}";
    static const char BAD_TYPE[] = "type {0} is neither START nor CONFIRM";
    static const char NO_BODY[] = "a START of flags {0} has no body";
    static const char ABOVE[] = "{0} is above {1}";
    static const char BYTES_ABOVE[] = "{0} bytes are above {1}";
    static const char BAD_COUNT[] = "{0} is outside 1 to {1}";
    static const char BAD_COINBASE[] = "the first transaction, and only it, must be a coinbase";
    static const char LEFT_OVER[] = "{0} bytes are left over";

    #ifndef EXACT_COPY /* set for sanitizers: a bytes object has one byte more than its length */
    #define EXACT_COPY 0
    #endif
    """
    const bint EXACT_COPY
    const char *UNKNOWN_VERSION
    const char *BAD_BALANCE
    const char *BAD_AMOUNT
    const char *BAD_SUM
    const char *BAD_TYPE
    const char *NO_BODY
    const char *ABOVE
    const char *BYTES_ABOVE
    const char *BAD_COUNT
    const char *BAD_COINBASE
    const char *LEFT_OVER


cdef enum:
    MAX_BLOCK_SIZE = 2000000
    FIRST_PON_VERSION = 100
    PON_HASHED_HEADER = 144
    MIN_TRANSACTION_SIZE = 10
    MAX_TRANSACTIONS = 65536
    MAX_DELEGATE_KEYS = 4
    SPEND_SIZE = 384
    OUTPUT_SIZE = 948
    PHGR13_JOINSPLIT_SIZE = 1802
    GROTH16_JOINSPLIT_SIZE = 1698

cdef int64_t MAX_MONEY = 440000000 * <int64_t>100000000
cdef uint32_t OVERWINTERED = <uint32_t>1 << 31

cdef enum:  # kinds, as indexer/parse/columns.py
    COINBASE, TRANSFER, NODE_START, NODE_CONFIRM

cdef enum:  # forms, as indexer/parse/columns.py
    EXACT_P2PKH, EXACT_P2SH, PUSHDATA_P2PKH, P2PK, P2PK_BAD_KEY, MULTISIG, NULLDATA, NONSTANDARD

cdef enum:  # kinds of address keys, as indexer/chain/keys.py
    KEY_P2PKH = 1
    KEY_P2SH = 2

cdef enum:  # nType, and the bits of nFluxTxVersion
    START = 2
    CONFIRM = 4
    NORMAL_NODE = 0x01
    P2SH_NODE = 0x02
    HAS_DELEGATES = 0x0100
    DELEGATES_VERSION = 1
    DELEGATES_UPDATE = 1

cdef enum:
    OP_PUSHDATA1 = 0x4c
    OP_PUSHDATA4 = 0x4e
    OP_1 = 0x51
    OP_16 = 0x60
    OP_RETURN = 0x6a
    OP_DUP = 0x76
    OP_EQUALVERIFY = 0x88
    OP_HASH160 = 0xa9
    OP_CHECKSIG = 0xac
    OP_CHECKMULTISIG = 0xae
    MAX_NULLDATA = 80
    MAX_TEMPLATE = 19

cdef enum:  # columns: first those of ParsedBlock, one entry per transaction …
    TXIDS, KINDS, TX_START, HEADERS, LOCK_TIMES, EXPIRY_HEIGHTS, VALUE_BALANCES, SPROUT_IN, SPROUT_OUT, JOINSPLITS
    SHIELDED_SPENDS, SHIELDED_OUTPUTS, INPUT_START, OUTPUT_START
    # … then those that grow …
    PREVOUTS, VALUES, FORMS, ADDRESSES, SCRIPT_START, SCRIPT_SIZE
    CONFIRM_INDEX, CONFIRM_OUTPOINTS, CONFIRM_SIG_TIMES, CONFIRM_BENCHMARK_TIMES, CONFIRM_TIERS, CONFIRM_UPDATES
    CONFIRM_IP_START, CONFIRM_IPS, FULL_IDS
    # … and what is needed on the way.
    BLOCK_HASH, STARTS, HASHES, KEYS, JOINT, LEVEL, COLUMN_COUNT


cdef struct Column:
    uint8_t *data
    size_t size
    size_t capacity


cdef struct Hash:  # bytes of raw whose digest belongs into a column
    Span bytes
    int column
    size_t offset


cdef struct Key:  # a public key of an output, whose hash160 belongs into ADDRESSES
    Span bytes
    size_t offset


cdef struct Start:
    uint32_t index
    uint32_t version
    int32_t flags
    size_t outpoint
    Span collateral_pubkey
    Span pubkey
    Span redeem_script
    uint32_t sig_time
    Span sig
    bint has_delegates
    bint using
    int8_t delegates_version
    int8_t delegates_type
    size_t key_count
    Span keys[MAX_DELEGATE_KEYS]


cdef struct Flow:  # value that enters or leaves the transparent pool of one transaction
    int64_t sum


cdef struct Header:
    int32_t version
    bint pon
    uint32_t time
    uint32_t bits
    Span proof


cdef struct Parse:
    Cursor c
    bint full_ids
    size_t index  # of the transaction being read
    size_t inputs  # so far
    size_t outputs
    Span coinbase_script
    Header header
    Column columns[COLUMN_COUNT]


# --- columns ------------------------------------------------------------------------------------------------


cdef uint8_t *grow(Parse *p, Column *column, size_t more) noexcept nogil:
    cdef size_t capacity = column.capacity * 2
    cdef uint8_t *grown
    if capacity < column.size + more:
        capacity = column.size + more + 256
    grown = <uint8_t *>realloc(column.data, capacity)
    if grown == NULL:
        refuse(&p.c, OUT_OF_MEMORY, OUT_OF_MEMORY, 0, 0, 0, 0)
        return NULL
    column.data = grown
    column.capacity = capacity
    column.size += more
    return grown + column.size - more


cdef inline uint8_t *room(Parse *p, int name, size_t more) noexcept nogil:
    """Room for ``more`` bytes at the end of a column; NULL without memory."""
    cdef Column *column = &p.columns[name]
    if column.capacity - column.size < more:
        return grow(p, column, more)
    column.size += more
    return column.data + column.size - more


cdef inline void store32(uint8_t *to, uint32_t x) noexcept nogil:
    to[0] = <uint8_t>x
    to[1] = <uint8_t>(x >> 8)
    to[2] = <uint8_t>(x >> 16)
    to[3] = <uint8_t>(x >> 24)


cdef inline void store64(uint8_t *to, int64_t x) noexcept nogil:
    store32(to, <uint32_t>x)
    store32(to + 4, <uint32_t>(<uint64_t>x >> 32))


cdef inline void put8(Parse *p, int name, uint8_t x) noexcept nogil:
    cdef uint8_t *to = room(p, name, 1)
    if to != NULL:
        to[0] = x


cdef inline void put32(Parse *p, int name, size_t x) noexcept nogil:
    cdef uint8_t *to = room(p, name, 4)
    if to != NULL:
        store32(to, <uint32_t>x)


cdef inline void put64(Parse *p, int name, int64_t x) noexcept nogil:
    cdef uint8_t *to = room(p, name, 8)
    if to != NULL:
        store64(to, x)


cdef inline void put_outpoint(Parse *p, int name, size_t start) noexcept nogil:
    cdef uint8_t *to = room(p, name, 36)
    if to != NULL:
        copy_outpoint(&p.c, to, start)


cdef inline void put_bytes(Parse *p, int name, Span span) noexcept nogil:
    cdef uint8_t *to = room(p, name, span.size)
    if to != NULL:
        copy_bytes(&p.c, to, span.start, span.size)


cdef void set_rows(Parse *p, int name, size_t count, size_t width) noexcept nogil:
    cdef uint8_t *to = room(p, name, count * width)
    if to != NULL:
        memset(to, 0, count * width)


cdef void begin_rows(Parse *p, size_t n) noexcept nogil:
    """The columns of ``n`` transactions, zeros; their entries are then set in place."""
    cdef int name
    set_rows(p, TXIDS, n, 32)
    set_rows(p, KINDS, n, 1)
    for name in range(HEADERS, INPUT_START):
        set_rows(p, name, n, 8 if VALUE_BALANCES <= name <= SPROUT_OUT else 4)
    set_rows(p, TX_START, n + 1, 4)
    set_rows(p, INPUT_START, n + 1, 4)
    set_rows(p, OUTPUT_START, n + 1, 4)


cdef inline void set32(Parse *p, int name, size_t x) noexcept nogil:
    store32(p.columns[name].data + 4 * p.index, <uint32_t>x)


cdef inline void set64(Parse *p, int name, int64_t x) noexcept nogil:
    store64(p.columns[name].data + 8 * p.index, x)


cdef inline void set_kind(Parse *p, uint8_t kind) noexcept nogil:
    p.columns[KINDS].data[p.index] = kind


# --- hashes -------------------------------------------------------------------------------------------------


cdef inline void hash_later(Parse *p, size_t start, size_t end, int column, size_t offset) noexcept nogil:
    cdef Hash *h = <Hash *>room(p, HASHES, sizeof(Hash))
    if h != NULL:
        h.bytes.start = start
        h.bytes.size = end - start
        h.column = column
        h.offset = offset


cdef inline void hash_txid(Parse *p, size_t start, size_t end) noexcept nogil:
    hash_later(p, start, end, TXIDS, 32 * p.index)


cdef void hash_pieces(Parse *p, size_t start, size_t middle, size_t rest, size_t end) noexcept nogil:
    """The txid of a transaction that leaves out what lies between ``middle`` and ``rest``."""
    cdef Span kept
    p.columns[JOINT].size = 0
    kept.start, kept.size = start, middle - start
    put_bytes(p, JOINT, kept)
    kept.start, kept.size = rest, end - rest
    put_bytes(p, JOINT, kept)
    if sound(&p.c):
        sha256d(p.columns[JOINT].data, p.columns[JOINT].size, p.columns[TXIDS].data + 32 * p.index)


cdef void hash_all(Parse *p) noexcept nogil:
    """Fill in what ``hash_later`` noted, two by two."""
    cdef Hash *h = <Hash *>p.columns[HASHES].data
    cdef size_t n = p.columns[HASHES].size // sizeof(Hash), i = 0
    while i + 1 < n:
        sha256d_pair(
            bytes_at(&p.c, h[i].bytes.start, h[i].bytes.size), h[i].bytes.size,
            p.columns[h[i].column].data + h[i].offset,
            bytes_at(&p.c, h[i + 1].bytes.start, h[i + 1].bytes.size), h[i + 1].bytes.size,
            p.columns[h[i + 1].column].data + h[i + 1].offset,
        )
        i += 2
    if i < n:
        sha256d(
            bytes_at(&p.c, h[i].bytes.start, h[i].bytes.size), h[i].bytes.size,
            p.columns[h[i].column].data + h[i].offset,
        )


cdef bint merkle_root(Parse *p) noexcept nogil:
    """Leave the root at the beginning of LEVEL; false when a level repeats a pair (CVE-2012-2459)."""
    cdef size_t n = p.columns[TXIDS].size // 32, i
    cdef uint8_t *level = room(p, LEVEL, 32 * (n + 1))
    if level == NULL:
        return False
    memcpy(level, p.columns[TXIDS].data, 32 * n)
    while n > 1:
        for i in range(0, n - 1, 2):
            if memcmp(level + 32 * i, level + 32 * (i + 1), 32) == 0:
                return False
        if n % 2:
            memcpy(level + 32 * n, level + 32 * (n - 1), 32)
            n += 1
        n //= 2
        for i in range(0, n - 1, 2):
            sha256d_pair(level + 64 * i, 64, level + 32 * i, level + 64 * (i + 1), 64, level + 32 * (i + 1))
        if n % 2:
            sha256d(level + 64 * (n - 1), 64, level + 32 * (n - 1))
    return True


# --- output scripts -----------------------------------------------------------------------------------------


cdef struct Op:
    uint8_t opcode
    Span pushed


cdef inline bint next_op(Cursor *script, Op *op) noexcept nogil:
    cdef size_t size = 0
    op.opcode = u8(script, "")
    if op.opcode < OP_PUSHDATA1:
        size = op.opcode
    elif op.opcode == OP_PUSHDATA1:
        size = u8(script, "")
    elif op.opcode < OP_PUSHDATA4:
        size = u8(script, "")
        size |= <size_t>u8(script, "") << 8
    elif op.opcode == OP_PUSHDATA4:
        size = u32(script, "")
    op.pushed = take(script, size, "")
    return sound(script)


cdef inline bint is_key_push(const Op *op) noexcept nogil:
    return 33 <= op.pushed.size <= 65


cdef inline bint is_good_key(const Cursor *script, const Op *op) noexcept nogil:
    cdef uint8_t first = byte_at(script, op.pushed.start)
    if op.pushed.size == 33:
        return first == 2 or first == 3
    return op.pushed.size == 65 and (first == 4 or first == 6 or first == 7)


cdef inline int small_integer(const Op *op) noexcept nogil:
    return op.opcode - OP_1 + 1 if OP_1 <= op.opcode <= OP_16 else 0


cdef bint is_multisig(const Op *ops, int n) noexcept nogil:
    cdef int i
    if n < 4 or ops[n - 1].opcode != OP_CHECKMULTISIG or small_integer(&ops[n - 2]) != n - 3:
        return False
    for i in range(1, n - 2):
        if not is_key_push(&ops[i]):
            return False
    return 1 <= small_integer(&ops[0]) <= n - 3


cdef int by_template(const Cursor *script, const Op *ops, int n) noexcept nogil:
    if n == 2 and ops[1].opcode == OP_CHECKSIG and is_key_push(&ops[0]):
        return P2PK if is_good_key(script, &ops[0]) else P2PK_BAD_KEY
    if (
        n == 5 and ops[0].opcode == OP_DUP and ops[1].opcode == OP_HASH160 and ops[2].pushed.size == 20
        and ops[3].opcode == OP_EQUALVERIFY and ops[4].opcode == OP_CHECKSIG
    ):
        return PUSHDATA_P2PKH
    if is_multisig(ops, n):
        return MULTISIG
    if n >= 1 and ops[0].opcode == OP_RETURN and (n == 1 or n == 2 and ops[1].pushed.size <= MAX_NULLDATA):
        return NULLDATA
    return NONSTANDARD


cdef int classify_odd(Parse *p, Span span, uint8_t *address) noexcept nogil:
    cdef Cursor script = within(&p.c, span)
    cdef Op ops[MAX_TEMPLATE]
    cdef int n = 0, form
    cdef Key *key
    while left(&script):
        if n == MAX_TEMPLATE or not next_op(&script, &ops[n]):
            return NONSTANDARD
        n += 1
    form = by_template(&script, ops, n)
    if form == PUSHDATA_P2PKH:
        address[0] = KEY_P2PKH
        copy_bytes(&script, address + 1, ops[2].pushed.start, 20)
    elif form == P2PK:
        address[0] = KEY_P2PKH
        key = <Key *>room(p, KEYS, sizeof(Key))
        if key != NULL:
            key.bytes.start = span.start + ops[0].pushed.start
            key.bytes.size = ops[0].pushed.size
            key.offset = p.columns[ADDRESSES].size - 20
    return form


cdef inline void classify(Parse *p, Span script) noexcept nogil:
    """Put the form of an output script and the address key that it pays."""
    cdef uint8_t *address = room(p, ADDRESSES, 21)
    cdef uint8_t form
    if address == NULL:
        return
    if (
        script.size == 25 and equal_at(&p.c, script.start, "\x76\xa9\x14", 3)
        and equal_at(&p.c, script.start + 23, "\x88\xac", 2)
    ):
        form = EXACT_P2PKH
        address[0] = KEY_P2PKH
        copy_bytes(&p.c, address + 1, script.start + 3, 20)
    elif (
        script.size == 23 and equal_at(&p.c, script.start, "\xa9\x14", 2)
        and equal_at(&p.c, script.start + 22, "\x87", 1)
    ):
        form = EXACT_P2SH
        address[0] = KEY_P2SH
        copy_bytes(&p.c, address + 1, script.start + 2, 20)
    else:
        memset(address, 0, 21)
        form = <uint8_t>classify_odd(p, script, address)
    put8(p, FORMS, form)


# --- ordinary transactions ----------------------------------------------------------------------------------


cdef inline void add(Parse *p, Flow *flow, int64_t value, size_t offset, const char *item) noexcept nogil:
    if value < 0 or value > MAX_MONEY:
        refuse(&p.c, BAD_AMOUNT, item, offset, value, MAX_MONEY, 0)
        return
    flow.sum += value
    if flow.sum > MAX_MONEY:
        refuse(&p.c, BAD_SUM, item, offset, flow.sum, MAX_MONEY, 0)
        flow.sum = 0


cdef void read_inputs(Parse *p) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t n = count(c, "input count", 41)
    cdef Span prevout, script
    for _ in range(n):
        prevout = take(c, 36, "prevout")
        script = var_bytes(c, "input script")
        take(c, 4, "sequence")
        if not sound(c):
            return
        if n == 1 and equal_at(
            c, prevout.start,
            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff", 36,
        ):
            set_kind(p, COINBASE)
            p.coinbase_script = script
        else:
            put_outpoint(p, PREVOUTS, prevout.start)
            p.inputs += 1


cdef void read_outputs(Parse *p, Flow *made) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t n = count(c, "output count", 9), start
    cdef int64_t value
    cdef Span script
    p.outputs += n
    for _ in range(n):
        start = c.at
        value = i64(c, "output value")
        add(p, made, value, start, "output value")
        script = var_bytes(c, "output script")
        if not sound(c):
            return
        put64(p, VALUES, value)
        put32(p, SCRIPT_START, script.start)
        put32(p, SCRIPT_SIZE, script.size)
        classify(p, script)


cdef size_t read_sapling(Parse *p, Flow *made, Flow *used) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t start = c.at, spends, outputs
    cdef int64_t balance = i64(c, "value balance")
    if balance < -MAX_MONEY or balance > MAX_MONEY:
        refuse(c, BAD_BALANCE, "value balance", start, balance, MAX_MONEY, 0)
    elif balance > 0:
        add(p, used, balance, start, "value balance")
    else:
        add(p, made, -balance, start, "value balance")
    set64(p, VALUE_BALANCES, balance)
    spends = count(c, "shielded spend count", SPEND_SIZE)
    take(c, spends * SPEND_SIZE, "shielded spends")
    set32(p, SHIELDED_SPENDS, spends)
    outputs = count(c, "shielded output count", OUTPUT_SIZE)
    take(c, outputs * OUTPUT_SIZE, "shielded outputs")
    set32(p, SHIELDED_OUTPUTS, outputs)
    return spends + outputs


cdef void read_joinsplits(Parse *p, size_t size, Flow *made, Flow *used) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t n = count(c, "JoinSplit count", size), start
    cdef int64_t vpub_old, vpub_new, sprout_in = 0, sprout_out = 0
    if n == 0:
        return
    for _ in range(n):
        start = c.at
        vpub_old = i64(c, "vpub_old")
        vpub_new = i64(c, "vpub_new")
        add(p, made, vpub_old, start, "vpub_old")
        add(p, used, vpub_new, start + 8, "vpub_new")
        take(c, size - 16, "JoinSplit")
        if not sound(c):
            return
        sprout_in += vpub_old
        sprout_out += vpub_new
    set32(p, JOINSPLITS, n)
    set64(p, SPROUT_IN, sprout_in)
    set64(p, SPROUT_OUT, sprout_out)
    take(c, 32, "joinSplitPubKey")
    take(c, 64, "joinSplitSig")


cdef void read_ordinary(Parse *p, size_t start, uint32_t version, bint overwintered) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef Flow made, used
    cdef bint sapling = overwintered and version == 4
    cdef size_t shielded = 0
    made.sum = used.sum = 0
    set_kind(p, TRANSFER)
    read_inputs(p)
    read_outputs(p, &made)
    set32(p, LOCK_TIMES, u32(c, "lock time"))
    if overwintered:
        set32(p, EXPIRY_HEIGHTS, u32(c, "expiry height"))
    if sapling:
        shielded = read_sapling(p, &made, &used)
    if version >= 2:
        read_joinsplits(p, GROTH16_JOINSPLIT_SIZE if sapling else PHGR13_JOINSPLIT_SIZE, &made, &used)
    if shielded:
        take(c, 64, "bindingSig")
    hash_txid(p, start, c.at)


# --- node transactions --------------------------------------------------------------------------------------


cdef void read_delegates(Parse *p, Start *s) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t start, i
    s.using = i8(c, "fUsingDelegates") != 0
    if not s.using:
        return
    s.delegates_version = i8(c, "nDelegateVersion")
    s.delegates_type = i8(c, "delegates type")
    if s.delegates_version != DELEGATES_VERSION or s.delegates_type != DELEGATES_UPDATE:
        return
    start = c.at
    s.key_count = count(c, "delegate key count", 1)
    if s.key_count > MAX_DELEGATE_KEYS:
        refuse(c, ABOVE, "delegate key count", start, <int64_t>s.key_count, MAX_DELEGATE_KEYS, 0)
        s.key_count = 0
    for i in range(s.key_count):
        s.keys[i] = var_bytes(c, "delegate key")


cdef void read_start(Parse *p, size_t tx_start, uint32_t version) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef Start s
    cdef Start *to
    cdef size_t sig_start, sig_end, flags_start = c.at
    memset(&s, 0, sizeof(Start))
    set_kind(p, NODE_START)
    s.index = <uint32_t>p.index
    s.version = version
    if version == 6:
        s.flags = <int32_t>u32(c, "nFluxTxVersion")
        if not s.flags & (NORMAL_NODE | P2SH_NODE):
            refuse(c, NO_BODY, "nFluxTxVersion", flags_start, s.flags, 0, 0)
    s.outpoint = take(c, 36, "collateral").start
    if not s.flags & P2SH_NODE:
        s.collateral_pubkey = var_bytes(c, "collateralPubkey")
    s.pubkey = var_bytes(c, "pubKey")
    if s.flags & P2SH_NODE:
        s.redeem_script = var_bytes(c, "redeemScript")
    s.sig_time = u32(c, "sigTime")
    sig_start = c.at
    s.sig = var_bytes(c, "sig")
    sig_end = c.at
    s.has_delegates = s.flags & HAS_DELEGATES != 0
    if s.has_delegates:
        read_delegates(p, &s)
    if not sound(c):
        return
    to = <Start *>room(p, STARTS, sizeof(Start))
    if to != NULL:
        to[0] = s
    if sig_end == c.at:
        hash_txid(p, tx_start, sig_start)
    else:
        hash_pieces(p, tx_start, sig_start, sig_end, c.at)


cdef void read_confirm(Parse *p, size_t tx_start) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t outpoint = take(c, 36, "collateral").start
    cdef uint32_t sig_time = u32(c, "sigTime")
    cdef int8_t tier = i8(c, "benchmarkTier")
    cdef uint32_t benchmark_time = u32(c, "benchmarkSigTime")
    cdef int8_t update = i8(c, "nUpdateType")
    cdef Span ip = var_bytes(c, "ip")
    cdef size_t end = c.at
    var_bytes(c, "sig")
    var_bytes(c, "benchmarkSig")
    if not sound(c):
        return
    set_kind(p, NODE_CONFIRM)
    hash_txid(p, tx_start, end)
    put32(p, CONFIRM_INDEX, p.index)
    put_outpoint(p, CONFIRM_OUTPOINTS, outpoint)
    put32(p, CONFIRM_SIG_TIMES, sig_time)
    put32(p, CONFIRM_BENCHMARK_TIMES, benchmark_time)
    put8(p, CONFIRM_TIERS, <uint8_t>tier)
    put8(p, CONFIRM_UPDATES, <uint8_t>update)
    put32(p, CONFIRM_IP_START, p.columns[CONFIRM_IPS].size)
    put_bytes(p, CONFIRM_IPS, ip)


cdef void read_node(Parse *p, size_t start, uint32_t version) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t at = c.at
    cdef int8_t kind = i8(c, "node transaction type")
    if kind == START:
        read_start(p, start, version)
    elif kind == CONFIRM:
        read_confirm(p, start)
    else:
        refuse(c, BAD_TYPE, "node transaction type", at, kind, 0, 0)
    if p.full_ids and sound(c) and room(p, FULL_IDS, 32) != NULL:
        hash_later(p, start, c.at, FULL_IDS, p.columns[FULL_IDS].size - 32)


cdef void read_transaction(Parse *p) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t start = c.at
    cdef uint32_t header = u32(c, "transaction version"), group
    cdef uint32_t version = header & ~OVERWINTERED
    set32(p, TX_START, start)
    set32(p, HEADERS, header)
    set32(p, INPUT_START, p.inputs)
    set32(p, OUTPUT_START, p.outputs)
    if header & OVERWINTERED:
        group = u32(c, "version group id")
        if not (version == 3 and group == <uint32_t>0x03C48270 or version == 4 and group == <uint32_t>0x892F2085):
            refuse(c, UNKNOWN_VERSION, "transaction version", start, version, 0, 0)
    if not sound(c):
        return
    if version == 5 or version == 6:
        read_node(p, start, version)
    else:
        read_ordinary(p, start, version, header & OVERWINTERED != 0)


cdef void end_rows(Parse *p, const char *item) noexcept nogil:
    cdef Cursor *c = &p.c
    if left(c):
        refuse(c, LEFT_OVER, item, c.at, <int64_t>left(c), 0, 0)
    set32(p, TX_START, c.at)
    set32(p, INPUT_START, p.inputs)
    set32(p, OUTPUT_START, p.outputs)
    put32(p, CONFIRM_IP_START, p.columns[CONFIRM_IPS].size)
    if sound(c):
        hash_all(p)


# --- blocks -------------------------------------------------------------------------------------------------


cdef void read_header(Parse *p, bint pon) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef Header *h = &p.header
    h.version = <int32_t>u32(c, "block version")
    h.pon = pon and h.version >= FIRST_PON_VERSION
    take(c, 32, "previous block hash")
    take(c, 32, "merkle root")
    take(c, 32, "final Sapling root")
    h.time = u32(c, "block time")
    h.bits = u32(c, "bits")
    if h.pon:
        take(c, 36, "producer")
        h.proof = var_bytes(c, "block signature")
    else:
        take(c, 32, "nonce")
        h.proof = var_bytes(c, "solution")
    if room(p, BLOCK_HASH, 32) != NULL:
        hash_later(p, 0, PON_HASHED_HEADER if h.pon else c.at, BLOCK_HASH, 0)


cdef void read_transactions(Parse *p) noexcept nogil:
    cdef Cursor *c = &p.c
    cdef size_t start = c.at, n = count(c, "transaction count", MIN_TRANSACTION_SIZE), i
    if n == 0 or n > MAX_TRANSACTIONS:
        refuse(c, BAD_COUNT, "transaction count", start, <int64_t>n, MAX_TRANSACTIONS, 0)
    if not sound(c):
        return
    begin_rows(p, n)
    for i in range(n):
        if not sound(c):
            return
        p.index = i
        start = c.at
        read_transaction(p)
        if sound(c) and (p.columns[KINDS].data[i] == COINBASE) != (i == 0):
            refuse(c, BAD_COINBASE, "coinbase", start, 0, 0, 0)
    p.index = n
    end_rows(p, "end of block")


cdef class Buffers:
    """The memory of a parse, kept for the next one."""

    cdef Parse parse
    cdef uint8_t *exact

    def __dealloc__(self):
        cdef int name
        free(self.exact)
        for name in range(COLUMN_COUNT):
            free(self.parse.columns[name].data)

    cdef Parse *begin(self, bytes raw, bint full_ids, const char *item) except NULL:
        cdef Parse *p = &self.parse
        cdef int name
        open_cursor(&p.c, raw, len(raw))
        if EXACT_COPY:
            free(self.exact)
            self.exact = <uint8_t *>malloc(p.c.size)
            if self.exact == NULL and p.c.size:
                raise MemoryError("no memory for a copy of a block")
            memcpy(self.exact, <const char *>raw, p.c.size)
            p.c.raw = self.exact
        p.full_ids = full_ids
        p.index = p.inputs = p.outputs = 0
        p.coinbase_script.start = p.coinbase_script.size = 0
        for name in range(COLUMN_COUNT):
            p.columns[name].size = 0
        if p.c.size > MAX_BLOCK_SIZE:
            refuse(&p.c, BYTES_ABOVE, item, 0, <int64_t>p.c.size, MAX_BLOCK_SIZE, 0)
        return p

    cdef size_t capacity(self):
        cdef size_t total = 0
        cdef int name
        for name in range(COLUMN_COUNT):
            total += self.parse.columns[name].capacity
        return total


cdef enum:
    SPARE_BUFFERS = 4
    SPARE_CAPACITY = 4000000  # bytes; those of an unusually large block are not kept

cdef list _spare = []


cdef Buffers borrow():
    return <Buffers>_spare.pop() if _spare else Buffers()


cdef void give_back(Buffers buffers):
    if len(_spare) < SPARE_BUFFERS and buffers.capacity() <= SPARE_CAPACITY:
        _spare.append(buffers)


# --- objects ------------------------------------------------------------------------------------------------


class Malformed(Exception):
    """Bytes that cannot be parsed; args are (template, item, offset, three numbers for the template)."""


cdef int check(Parse *p) except -1:
    if p.c.reason == NULL:
        return 0
    if p.c.reason == OUT_OF_MEMORY:
        raise MemoryError("no memory for the columns of a block")
    raise Malformed(p.c.reason.decode(), p.c.item.decode(), p.c.offset, tuple(p.c.numbers))


cdef bytes column(Parse *p, int name):
    return PyBytes_FromStringAndSize(<const char *>p.columns[name].data, <Py_ssize_t>p.columns[name].size)


cdef bytes piece(Parse *p, size_t start, size_t size):
    cdef const uint8_t *at = bytes_at(&p.c, start, size)
    if at == NULL:
        raise IndexError(f"{size} bytes at {start} are outside of {p.c.size}")
    return PyBytes_FromStringAndSize(<const char *>at, <Py_ssize_t>size)


cdef bytes part(Parse *p, Span span):
    return piece(p, span.start, span.size)


cdef bytes outpoint(Parse *p, size_t start):
    cdef uint8_t to[36]
    memset(to, 0, 36)
    copy_outpoint(&p.c, to, start)
    return PyBytes_FromStringAndSize(<const char *>to, 36)


cdef object delegates(Parse *p, const Start *s):
    cdef size_t i
    if not s.has_delegates:
        return None
    keys = tuple([part(p, s.keys[i]) for i in range(s.key_count)])
    return (bool(s.using), s.delegates_version, s.delegates_type, keys)


cdef tuple starts(Parse *p):
    """Lists in the order of NodeStart's fields."""
    cdef size_t i
    cdef const Start *s = <const Start *>p.columns[STARTS].data
    if p.columns[STARTS].size == 0:
        return ()
    return tuple([
        [
            s[i].index, s[i].version, s[i].flags, outpoint(p, s[i].outpoint), part(p, s[i].collateral_pubkey),
            part(p, s[i].pubkey), part(p, s[i].redeem_script), s[i].sig_time, part(p, s[i].sig),
            delegates(p, &s[i]),
        ]
        for i in range(p.columns[STARTS].size // sizeof(Start))
    ])


cdef int hash_keys(Parse *p, object hash160) except -1:
    """Fill in the addresses of outputs that pay to a public key; they are few."""
    cdef size_t i
    cdef const Key *key = <const Key *>p.columns[KEYS].data
    cdef bytes digest
    for i in range(p.columns[KEYS].size // sizeof(Key)):
        digest = hash160(part(p, key[i].bytes))
        memcpy(p.columns[ADDRESSES].data + key[i].offset, <const char *>digest, 20)
    return 0


cdef list header_fields(Parse *p, bytes raw):
    cdef Header *h = &p.header
    return [
        raw, h.version, column(p, BLOCK_HASH), piece(p, 4, 32), piece(p, 36, 32), piece(p, 68, 32),
        h.time, h.bits, bool(h.pon),
        outpoint(p, 108) if h.pon else b"",
        b"" if h.pon else piece(p, 108, 32),
        part(p, h.proof),
    ]


cdef list with_columns(list fields, Parse *p):
    """The fields of ParsedBlock in order."""
    cdef int name
    for name in range(TXIDS, PREVOUTS + 1):
        fields.append(column(p, name))
    fields.append(part(p, p.coinbase_script))
    for name in range(VALUES, SCRIPT_SIZE + 1):
        fields.append(column(p, name))
    fields.append(starts(p))
    for name in range(CONFIRM_INDEX, FULL_IDS + 1):
        fields.append(column(p, name))
    return fields


def parse_block(bytes raw not None, bint pon, bint full_ids, hash160):
    cdef Buffers buffers = borrow()
    cdef Parse *p = buffers.begin(raw, full_ids, "block")
    cdef bytes root = b""
    cdef bint proves = False
    with nogil:
        read_header(p, pon)
        if sound(&p.c):
            read_transactions(p)
        if sound(&p.c):
            proves = merkle_root(p)
    try:
        check(p)
        if proves:
            root = PyBytes_FromStringAndSize(<const char *>p.columns[LEVEL].data, 32)
        hash_keys(p, hash160)
        return with_columns(header_fields(p, raw), p), root
    finally:
        give_back(buffers)


def parse_transaction(bytes raw not None, hash160):
    cdef Buffers buffers = borrow()
    cdef Parse *p = buffers.begin(raw, True, "transaction")
    with nogil:
        begin_rows(p, 1)
        if sound(&p.c):
            read_transaction(p)
            p.index = 1
            end_rows(p, "end of transaction")
    try:
        check(p)
        hash_keys(p, hash160)
        return with_columns([raw, 0, b"", b"", b"", b"", 0, 0, False, b"", b"", b""], p)
    finally:
        give_back(buffers)


def fill(instance, tuple names not None, list values not None):
    cdef Py_ssize_t i
    if len(names) != len(values):
        raise ValueError(f"{len(values)} values for {len(names)} names")
    for i in range(len(names)):
        PyObject_GenericSetAttr(instance, names[i], values[i])
    return instance


def choose_kernel(bint with_instructions):
    return "instructions" if sha256_choose(with_instructions) else "portable"


def digest(bytes message not None):
    cdef uint8_t out[32]
    sha256d(<const uint8_t *><const char *>message, len(message), out)
    return PyBytes_FromStringAndSize(<const char *>out, 32)


def digest_pair(bytes a not None, bytes b not None):
    cdef uint8_t x[32]
    cdef uint8_t y[32]
    sha256d_pair(
        <const uint8_t *><const char *>a, len(a), x, <const uint8_t *><const char *>b, len(b), y
    )
    return PyBytes_FromStringAndSize(<const char *>x, 32), PyBytes_FromStringAndSize(<const char *>y, 32)


sha256_choose(1)
