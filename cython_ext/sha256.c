#include "sha256.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define HAVE_INSTRUCTIONS 1
#include <cpuid.h>
#include <immintrin.h>
#endif

#define BLOCK 64
#define LENGTH_FIELD 8

/* Fold one block into each of `lanes` states. */
typedef void (*compress_one)(uint32_t state[8], const uint8_t *block);
typedef void (*compress_two)(uint32_t a[8], const uint8_t *a_block, uint32_t b[8], const uint8_t *b_block);

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

/* --- portable -------------------------------------------------------------------------------------------- */

static uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void portable_one(uint32_t state[8], const uint8_t *block)
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

static void portable_two(uint32_t a[8], const uint8_t *a_block, uint32_t b[8], const uint8_t *b_block)
{
    portable_one(a, a_block);
    portable_one(b, b_block);
}

/* --- SHA instructions ------------------------------------------------------------------------------------ */

#ifdef HAVE_INSTRUCTIONS

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define LANES_MAX 2

/* The instructions want the state as ABEF and CDGH. */
WITH_SHA static inline __attribute__((always_inline)) void
rounds(int lanes, uint32_t *const *states, const uint8_t *const *blocks)
{
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i abef[LANES_MAX], cdgh[LANES_MAX], abef_before[LANES_MAX], cdgh_before[LANES_MAX], w[LANES_MAX][4];

#pragma GCC unroll 2
    for (int l = 0; l < lanes; l++) {
        __m128i dcba = _mm_loadu_si128((const __m128i *)states[l]);
        __m128i hgfe = _mm_loadu_si128((const __m128i *)(states[l] + 4));
        __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1), efgh = _mm_shuffle_epi32(hgfe, 0x1b);
        abef[l] = abef_before[l] = _mm_alignr_epi8(cdab, efgh, 8);
        cdgh[l] = cdgh_before[l] = _mm_blend_epi16(efgh, cdab, 0xf0);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
            w[l][i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(blocks[l] + 16 * i)), swap);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        const __m128i k = _mm_load_si128((const __m128i *)(K + 4 * i));
#pragma GCC unroll 2
        for (int l = 0; l < lanes; l++) {
            __m128i *w0 = &w[l][i % 4], w1 = w[l][(i + 1) % 4], w2 = w[l][(i + 2) % 4], w3 = w[l][(i + 3) % 4];
            __m128i wk = _mm_add_epi32(*w0, k);
            cdgh[l] = _mm_sha256rnds2_epu32(cdgh[l], abef[l], wk);
            abef[l] = _mm_sha256rnds2_epu32(abef[l], cdgh[l], _mm_shuffle_epi32(wk, 0x0e));
            if (i < 12) {
                __m128i partial = _mm_add_epi32(_mm_sha256msg1_epu32(*w0, w1), _mm_alignr_epi8(w3, w2, 4));
                *w0 = _mm_sha256msg2_epu32(partial, w3);
            }
        }
    }
#pragma GCC unroll 2
    for (int l = 0; l < lanes; l++) {
        __m128i feba = _mm_shuffle_epi32(_mm_add_epi32(abef[l], abef_before[l]), 0x1b);
        __m128i dchg = _mm_shuffle_epi32(_mm_add_epi32(cdgh[l], cdgh_before[l]), 0xb1);
        _mm_storeu_si128((__m128i *)states[l], _mm_blend_epi16(feba, dchg, 0xf0));
        _mm_storeu_si128((__m128i *)(states[l] + 4), _mm_alignr_epi8(dchg, feba, 8));
    }
}

WITH_SHA static void instructions_one(uint32_t state[8], const uint8_t *block)
{
    uint32_t *const states[] = {state};
    const uint8_t *const blocks[] = {block};
    rounds(1, states, blocks);
}

WITH_SHA static void instructions_two(uint32_t a[8], const uint8_t *a_block, uint32_t b[8], const uint8_t *b_block)
{
    uint32_t *const states[] = {a, b};
    const uint8_t *const blocks[] = {a_block, b_block};
    rounds(2, states, blocks);
}

static int has_instructions(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_SSSE3) || !(ecx & bit_SSE4_1))
        return 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & 1u << 29); /* CPUID.7.0:EBX.SHA */
}

#endif

static compress_one one = portable_one;
static compress_two two = portable_two;

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

/* A message as its whole blocks, and its padded rest in one or two more. */
typedef struct {
    const uint8_t *message;
    size_t whole, blocks;
    uint32_t state[8];
    uint8_t rest[2 * BLOCK];
} Hash;

static void begin(Hash *h, const uint8_t *message, size_t size)
{
    size_t left = size % BLOCK;
    h->message = message;
    h->whole = size / BLOCK;
    h->blocks = h->whole + (left < BLOCK - LENGTH_FIELD ? 1 : 2);
    memcpy(h->state, INITIAL, sizeof INITIAL);

    uint8_t *end = h->rest + BLOCK * (h->blocks - h->whole);
    memset(h->rest, 0, sizeof h->rest);
    if (left)
        memcpy(h->rest, message + BLOCK * h->whole, left);
    h->rest[left] = 0x80;
    store_be32(end - 8, (uint32_t)((uint64_t)size >> 29));
    store_be32(end - 4, (uint32_t)(size << 3));
}

static const uint8_t *block(const Hash *h, size_t i)
{
    return i < h->whole ? h->message + BLOCK * i : h->rest + BLOCK * (i - h->whole);
}

static void digest_of(const uint32_t state[8], uint8_t digest[32])
{
    for (int i = 0; i < 8; i++)
        store_be32(digest + 4 * i, state[i]);
}

/* The one block of a message that is a digest. */
static void digest_block(const uint32_t state[8], uint8_t padded[BLOCK])
{
    static const uint8_t padding[32] = {[0] = 0x80, [30] = 0x01}; /* 256 bits */
    digest_of(state, padded);
    memcpy(padded + 32, padding, sizeof padding);
}

static void again(const uint32_t state[8], uint8_t digest[32])
{
    uint8_t padded[BLOCK];
    uint32_t second[8];
    digest_block(state, padded);
    memcpy(second, INITIAL, sizeof second);
    one(second, padded);
    digest_of(second, digest);
}

void sha256d(const uint8_t *message, size_t size, uint8_t digest[32])
{
    Hash h;
    begin(&h, message, size);
    for (size_t i = 0; i < h.blocks; i++)
        one(h.state, block(&h, i));
    again(h.state, digest);
}

void sha256d_pair(const uint8_t *a, size_t a_size, uint8_t a_digest[32],
                  const uint8_t *b, size_t b_size, uint8_t b_digest[32])
{
    Hash x, y;
    uint8_t x_padded[BLOCK], y_padded[BLOCK];
    size_t i = 0;

    begin(&x, a, a_size);
    begin(&y, b, b_size);
    for (; i < x.blocks && i < y.blocks; i++)
        two(x.state, block(&x, i), y.state, block(&y, i));
    for (size_t j = i; j < x.blocks; j++)
        one(x.state, block(&x, j));
    for (size_t j = i; j < y.blocks; j++)
        one(y.state, block(&y, j));

    digest_block(x.state, x_padded);
    digest_block(y.state, y_padded);
    memcpy(x.state, INITIAL, sizeof INITIAL);
    memcpy(y.state, INITIAL, sizeof INITIAL);
    two(x.state, x_padded, y.state, y_padded);
    digest_of(x.state, a_digest);
    digest_of(y.state, b_digest);
}
