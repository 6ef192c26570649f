# cython: language_level=3
"""Bounds-checked little-endian reads: the only place that touches raw bytes.

The twin of ``indexer/parse/cursor.py``. An item that cannot be read leaves its name, its offset and the reason
in the cursor and moves it to the end, so that nothing can be read after it; reads give 0 from then on, and the
first reason stays. Loops and those who follow an offset ask ``sound``.
"""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset


cdef extern from *:
    """
    #define MAX_COMPACT_SIZE 0x02000000 /* serialize.h: MAX_SIZE */

    static const char OUT_OF_MEMORY[] = "out of memory";
    static const char TOO_SHORT[] = "{0} bytes are needed, {1} are left";
    static const char TOO_MANY[] = "{0} elements need {1} bytes, {2} are left";
    static const char NOT_SHORTEST[] = "a CompactSize is not in its shortest form";
    static const char TOO_LARGE[] = "a CompactSize is above {0}";
    """
    const size_t MAX_COMPACT_SIZE
    const char *OUT_OF_MEMORY
    const char *TOO_SHORT
    const char *TOO_MANY
    const char *NOT_SHORTEST
    const char *TOO_LARGE


cdef struct Cursor:
    const uint8_t *raw
    size_t size
    size_t at
    const char *reason  # NULL while all is well; a template of the three numbers
    const char *item
    size_t offset
    int64_t numbers[3]


cdef struct Span:
    size_t start
    size_t size


cdef inline void open_cursor(Cursor *c, const uint8_t *raw, size_t size) noexcept nogil:
    memset(c, 0, sizeof(Cursor))
    c.raw = raw
    c.size = size


cdef inline bint sound(const Cursor *c) noexcept nogil:
    return c.reason == NULL


cdef inline size_t left(const Cursor *c) noexcept nogil:
    return c.size - c.at


cdef inline void refuse(
    Cursor *c, const char *reason, const char *item, size_t offset, int64_t x, int64_t y, int64_t z
) noexcept nogil:
    if c.reason == NULL:
        c.reason = reason
        c.item = item
        c.offset = offset
        c.numbers[0] = x
        c.numbers[1] = y
        c.numbers[2] = z
    c.at = c.size


cdef inline bint has_since(Cursor *c, size_t size, const char *item, size_t since) noexcept nogil:
    if size <= c.size - c.at:
        return True
    refuse(c, TOO_SHORT, item, since, <int64_t>size, <int64_t>(c.size - c.at), 0)
    return False


cdef inline Span take(Cursor *c, size_t size, const char *item) noexcept nogil:
    cdef Span span
    span.start = c.at
    span.size = 0
    if has_since(c, size, item, c.at):
        span.size = size
        c.at += size
    return span


cdef inline uint32_t load32(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[0] | <uint32_t>p[1] << 8 | <uint32_t>p[2] << 16 | <uint32_t>p[3] << 24


cdef inline uint32_t u32(Cursor *c, const char *item) noexcept nogil:
    if not has_since(c, 4, item, c.at):
        return 0
    c.at += 4
    return load32(c.raw + c.at - 4)


cdef inline int64_t i64(Cursor *c, const char *item) noexcept nogil:
    if not has_since(c, 8, item, c.at):
        return 0
    c.at += 8
    return <int64_t>(load32(c.raw + c.at - 8) | <uint64_t>load32(c.raw + c.at - 4) << 32)


cdef inline uint8_t u8(Cursor *c, const char *item) noexcept nogil:
    if not has_since(c, 1, item, c.at):
        return 0
    c.at += 1
    return c.raw[c.at - 1]


cdef inline int8_t i8(Cursor *c, const char *item) noexcept nogil:
    return <int8_t>u8(c, item)


cdef inline size_t compact_size(Cursor *c, const char *item) noexcept nogil:
    """A CompactSize in its shortest form and not above MAX_COMPACT_SIZE."""
    cdef size_t start = c.at, width
    cdef uint8_t first = u8(c, item)
    cdef uint64_t size, smallest
    if first < 0xfd:
        return first
    width = 2 if first == 0xfd else 4 if first == 0xfe else 8
    smallest = 0xfd if first == 0xfd else 1 << 16 if first == 0xfe else <uint64_t>1 << 32
    if not has_since(c, width, item, start):
        return 0
    size = <uint64_t>c.raw[c.at] | <uint64_t>c.raw[c.at + 1] << 8
    if width >= 4:
        size = load32(c.raw + c.at)
    if width == 8:
        size |= <uint64_t>load32(c.raw + c.at + 4) << 32
    c.at += width
    if size < smallest:
        refuse(c, NOT_SHORTEST, item, start, 0, 0, 0)
        return 0
    if size > MAX_COMPACT_SIZE:
        refuse(c, TOO_LARGE, item, start, MAX_COMPACT_SIZE, 0, 0)
        return 0
    return <size_t>size


cdef inline Span var_bytes(Cursor *c, const char *item) noexcept nogil:
    """A CompactSize and that many bytes."""
    cdef size_t start = c.at
    cdef Span span
    span.size = compact_size(c, item)
    span.start = c.at
    if has_since(c, span.size, item, start):
        c.at += span.size
    else:
        span.size = 0
    return span


cdef inline size_t count(Cursor *c, const char *item, size_t least) noexcept nogil:
    """How many elements of at least ``least`` bytes follow; refused when they cannot fit into what is left."""
    cdef size_t start = c.at
    cdef size_t n = compact_size(c, item)
    if n * least > left(c):
        refuse(c, TOO_MANY, item, start, <int64_t>n, <int64_t>(n * least), <int64_t>left(c))
        return 0
    return n


# --- bytes that were taken before ---------------------------------------------------------------------------


cdef inline bint inside(const Cursor *c, size_t start, size_t size) noexcept nogil:
    return start <= c.size and size <= c.size - start


cdef inline const uint8_t *bytes_at(const Cursor *c, size_t start, size_t size) noexcept nogil:
    """The ``size`` bytes at ``start``, for hashing; NULL when they are not inside."""
    return c.raw + start if inside(c, start, size) else NULL


cdef inline void copy_bytes(const Cursor *c, uint8_t *to, size_t start, size_t size) noexcept nogil:
    if inside(c, start, size):
        memcpy(to, c.raw + start, size)


cdef inline void copy_outpoint(const Cursor *c, uint8_t *to, size_t start) noexcept nogil:
    """The outpoint at ``start``, its index turned from little- to big-endian."""
    if inside(c, start, 36):
        memcpy(to, c.raw + start, 32)
        to[32] = c.raw[start + 35]
        to[33] = c.raw[start + 34]
        to[34] = c.raw[start + 33]
        to[35] = c.raw[start + 32]


cdef inline bint equal_at(const Cursor *c, size_t start, const void *to, size_t size) noexcept nogil:
    return inside(c, start, size) and memcmp(c.raw + start, to, size) == 0


cdef inline uint8_t byte_at(const Cursor *c, size_t start) noexcept nogil:
    return c.raw[start] if start < c.size else 0


cdef inline Cursor within(const Cursor *c, Span span) noexcept nogil:
    """A cursor over a part, whose offsets count from the part's beginning."""
    cdef Cursor part
    open_cursor(&part, c.raw, 0)
    if inside(c, span.start, span.size):
        open_cursor(&part, c.raw + span.start, span.size)
    return part
