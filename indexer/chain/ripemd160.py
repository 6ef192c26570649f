"""RIPEMD-160 in plain Python, for Pythons whose OpenSSL leaves it out.

Source: Dobbertin, Bosselaers, Preneel, "RIPEMD-160: A Strengthened Version of RIPEMD" (1996).
"""

from __future__ import annotations

import struct

_MASK = 0xFFFFFFFF

# Message word of each step: the first round in order, each next one a permutation of the one before.
_RHO = (7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8)
_PI = tuple((9 * i + 5) % 16 for i in range(16))

# Rotation of the message word w in round r.
_SHIFTS = (
    (11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8),
    (12, 13, 11, 15, 6, 9, 9, 7, 12, 15, 11, 13, 7, 8, 7, 7),
    (13, 15, 14, 11, 7, 7, 6, 8, 13, 14, 13, 12, 5, 5, 6, 9),
    (14, 11, 12, 14, 8, 6, 5, 5, 15, 12, 15, 14, 9, 9, 8, 6),
    (15, 12, 13, 13, 9, 5, 8, 6, 14, 11, 12, 11, 8, 6, 5, 5),
)
_LEFT_CONSTANTS = (0, 0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xA953FD4E)
_RIGHT_CONSTANTS = (0x50A28BE6, 0x5C4DD124, 0x6D703EF3, 0x7A6D76E9, 0)
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0)


def _word_orders(first: tuple[int, ...]) -> list[tuple[int, ...]]:
    orders = [first]
    while len(orders) < 5:
        orders.append(tuple(_RHO[i] for i in orders[-1]))
    return orders


_LEFT_WORDS = _word_orders(tuple(range(16)))
_RIGHT_WORDS = _word_orders(_PI)


def _rotate(x: int, n: int) -> int:
    return (x << n | x >> (32 - n)) & _MASK


def _mix(function: int, x: int, y: int, z: int) -> int:
    if function == 0:
        return x ^ y ^ z
    if function == 1:
        return x & y | ~x & z
    if function == 2:
        return (x | ~y) ^ z
    if function == 3:
        return x & z | y & ~z
    return x ^ (y | ~z)


def _line(state: tuple[int, ...], words: tuple[int, ...], right: bool) -> tuple[int, ...]:
    orders, constants = (_RIGHT_WORDS, _RIGHT_CONSTANTS) if right else (_LEFT_WORDS, _LEFT_CONSTANTS)
    a, b, c, d, e = state
    for turn in range(5):
        function = 4 - turn if right else turn
        for word in orders[turn]:
            total = (a + _mix(function, b, c, d) + words[word] + constants[turn]) & _MASK
            a, b, c, d, e = e, (_rotate(total, _SHIFTS[turn][word]) + e) & _MASK, b, _rotate(c, 10), d
    return a, b, c, d, e


def ripemd160(message: bytes) -> bytes:
    """RIPEMD-160 of a message, 20 bytes."""
    padding = b"\x80" + bytes((55 - len(message)) % 64)
    padded = message + padding + struct.pack("<Q", 8 * len(message))
    state: tuple[int, ...] = _START
    for at in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[at : at + 64])
        left = _line(state, words, False)
        right = _line(state, words, True)
        state = tuple((state[(i + 1) % 5] + left[(i + 2) % 5] + right[(i + 3) % 5]) & _MASK for i in range(5))
    return struct.pack("<5I", *state)
