"""The rules of the Flux chain: pure, integers only, no input or output.

Every rule stands here exactly once. Amounts are zatoshi (1 FLUX = 10^8), heights and durations blocks,
times Unix seconds. ``bytes`` are in wire order, ``str`` hashes in display order (byte-reversed hex).
"""
