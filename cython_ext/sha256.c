#include "sha256.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_INSTRUCTIONS 1
#include <cpuid.h>
#include <immintrin.h>
#endif

#define BLOCK 64
#define LENGTH_FIELD 8

/* A message as its whole blocks, and its padded rest in one or two more. */
typedef struct {
    const uint8_t *message, *rest;
    size_t whole, blocks;
    uint8_t padded[2 * BLOCK];
} Message;

/* The digest of the digest of one message, or of two side by side. */
typedef void (*double_one)(const Message *x, uint8_t *x_digest);
typedef void (*double_two)(const Message *x, uint8_t *x_digest, const Message *y, uint8_t *y_digest);

static const uint32_t INITIAL[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t K[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t load_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void store_be32(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}


static const uint8_t *block(const Message *m, size_t i)
{
    return i < m->whole ? m->message + BLOCK * i : m->rest + BLOCK * (i - m->whole);
}

/* --- portable -------------------------------------------------------------------------------------------- */

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64], a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    for (int i = 0; i < 16; i++)
        w[i] = load_be32(block + 4 * i);
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void portable_one(const Message *x, uint8_t *x_digest)
{
    uint8_t padded[BLOCK] = {[32] = 0x80, [62] = 0x01}; /* a digest of 256 bits */
    uint32_t state[8];

    memcpy(state, INITIAL, sizeof INITIAL);
    for (size_t i = 0; i < x->blocks; i++)
        compress(state, block(x, i));
    for (int i = 0; i < 8; i++)
        store_be32(padded + 4 * i, state[i]);
    memcpy(state, INITIAL, sizeof INITIAL);
    compress(state, padded);
    for (int i = 0; i < 8; i++)
        store_be32(x_digest + 4 * i, state[i]);
}

static void portable_two(const Message *x, uint8_t *x_digest, const Message *y, uint8_t *y_digest)
{
    portable_one(x, x_digest);
    portable_one(y, y_digest);
}

/* --- SHA instructions ------------------------------------------------------------------------------------ */

#ifdef HAVE_INSTRUCTIONS

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE_WITH_SHA WITH_SHA static inline __attribute__((always_inline))

/* The state in the order that the instructions want. */
typedef struct {
    __m128i abef, cdgh;
} State;

/* Sixteen words of a block. */
typedef struct {
    __m128i w[4];
} Words;

INLINE_WITH_SHA State initial(void)
{
    State s = {
        _mm_setr_epi32((int)INITIAL[5], (int)INITIAL[4], (int)INITIAL[1], (int)INITIAL[0]),
        _mm_setr_epi32((int)INITIAL[7], (int)INITIAL[6], (int)INITIAL[3], (int)INITIAL[2]),
    };
    return s;
}

INLINE_WITH_SHA __m128i swap_bytes(__m128i x)
{
    return _mm_shuffle_epi8(x, _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL));
}

INLINE_WITH_SHA Words load(const uint8_t *p)
{
    Words words;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        words.w[i] = swap_bytes(_mm_loadu_si128((const __m128i *)(p + 16 * i)));
    return words;
}

/* The digest as words, padded to a block. */
INLINE_WITH_SHA Words digest_words(State s)
{
    __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b), dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);
    Words words = {{
        _mm_blend_epi16(feba, dchg, 0xf0),
        _mm_alignr_epi8(dchg, feba, 8),
        _mm_setr_epi32((int)0x80000000, 0, 0, 0),
        _mm_setr_epi32(0, 0, 0, 256),
    }};
    return words;
}

INLINE_WITH_SHA void store(State s, uint8_t *digest)
{
    Words words = digest_words(s);
    _mm_storeu_si128((__m128i *)digest, swap_bytes(words.w[0]));
    _mm_storeu_si128((__m128i *)(digest + 16), swap_bytes(words.w[1]));
}

/* Fold one block into each of `lanes` states. */
INLINE_WITH_SHA void compress_lanes(int lanes, State *s, Words *m)
{
    State before[2];
#pragma GCC unroll 2
    for (int l = 0; l < lanes; l++)
        before[l] = s[l];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        const __m128i k = _mm_load_si128((const __m128i *)(K + 4 * i));
#pragma GCC unroll 2
        for (int l = 0; l < lanes; l++) {
            __m128i *w = m[l].w, now = w[i % 4], last = w[(i + 3) % 4];
            __m128i wk = _mm_add_epi32(now, k);
            s[l].cdgh = _mm_sha256rnds2_epu32(s[l].cdgh, s[l].abef, wk);
            s[l].abef = _mm_sha256rnds2_epu32(s[l].abef, s[l].cdgh, _mm_shuffle_epi32(wk, 0x0e));
            if (i < 12) {
                __m128i partial = _mm_sha256msg1_epu32(now, w[(i + 1) % 4]);
                partial = _mm_add_epi32(partial, _mm_alignr_epi8(last, w[(i + 2) % 4], 4));
                w[i % 4] = _mm_sha256msg2_epu32(partial, last);
            }
        }
    }
#pragma GCC unroll 2
    for (int l = 0; l < lanes; l++) {
        s[l].abef = _mm_add_epi32(s[l].abef, before[l].abef);
        s[l].cdgh = _mm_add_epi32(s[l].cdgh, before[l].cdgh);
    }
}

INLINE_WITH_SHA void fold(State *s, const Message *m, size_t from)
{
    for (size_t i = from; i < m->blocks; i++) {
        Words words = load(block(m, i));
        compress_lanes(1, s, &words);
    }
}

WITH_SHA static void instructions_one(const Message *x, uint8_t *x_digest)
{
    State s = initial();
    fold(&s, x, 0);
    Words words = digest_words(s);
    s = initial();
    compress_lanes(1, &s, &words);
    store(s, x_digest);
}

WITH_SHA static void instructions_two(const Message *x, uint8_t *x_digest, const Message *y, uint8_t *y_digest)
{
    State s[2] = {initial(), initial()};
    Words words[2];
    size_t both = x->blocks < y->blocks ? x->blocks : y->blocks;

    for (size_t i = 0; i < both; i++) {
        words[0] = load(block(x, i));
        words[1] = load(block(y, i));
        compress_lanes(2, s, words);
    }
    fold(&s[0], x, both);
    fold(&s[1], y, both);

    words[0] = digest_words(s[0]);
    words[1] = digest_words(s[1]);
    s[0] = s[1] = initial();
    compress_lanes(2, s, words);
    store(s[0], x_digest);
    store(s[1], y_digest);
}

static int has_instructions(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_SSSE3) || !(ecx & bit_SSE4_1))
        return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & 1u << 29); /* CPUID.7.0:EBX.SHA */
}

#endif

static double_one one = portable_one;
static double_two two = portable_two;

int sha256_choose(int with_instructions)
{
    one = portable_one, two = portable_two;
#ifdef HAVE_INSTRUCTIONS
    if (with_instructions && has_instructions()) {
        one = instructions_one, two = instructions_two;
        return 1;
    }
#endif
    (void)with_instructions;
    return 0;
}

/* --- messages -------------------------------------------------------------------------------------------- */

static const uint8_t AFTER_64[BLOCK] = {[0] = 0x80, [62] = 0x02}; /* merkle nodes have 512 bits */

static void begin(Message *m, const uint8_t *message, size_t size)
{
    size_t left = size % BLOCK, padded = left < BLOCK - LENGTH_FIELD ? BLOCK : 2 * BLOCK;
    m->message = message;
    m->whole = size / BLOCK;
    m->blocks = m->whole + padded / BLOCK;
    m->rest = m->padded;
    if (size == BLOCK) {
        m->rest = AFTER_64;
        return;
    }
    if (left)
        memcpy(m->padded, message + BLOCK * m->whole, left);
    memset(m->padded + left, 0, padded - left);
    m->padded[left] = 0x80;
    store_be32(m->padded + padded - 8, (uint32_t)((uint64_t)size >> 29));
    store_be32(m->padded + padded - 4, (uint32_t)(size << 3));
}

void sha256d(const uint8_t *message, size_t size, uint8_t digest[32])
{
    Message m;
    begin(&m, message, size);
    one(&m, digest);
}

void sha256d_pair(const uint8_t *a, size_t a_size, uint8_t a_digest[32],
                  const uint8_t *b, size_t b_size, uint8_t b_digest[32])
{
    Message x, y;
    begin(&x, a, a_size);
    begin(&y, b, b_size);
    two(&x, a_digest, &y, b_digest);
}
