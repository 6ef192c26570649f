/* SHA-256 twice, as the chain hashes. FIPS 180-4; with the processor's SHA instructions where it has them.
 *
 * Two messages at a time keep the SHA unit busy: its rounds take longer than it needs to begin the next one.
 */
#ifndef FLUX_SHA256_H
#define FLUX_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* Choose the kernel: 1 the SHA instructions if the processor has them, 0 portable C. Gives what was chosen. */
int sha256_choose(int with_instructions);

/* The digest of the digest of `size` bytes. */
void sha256d(const uint8_t *message, size_t size, uint8_t digest[32]);

/* The same for two messages side by side. */
void sha256d_pair(const uint8_t *a, size_t a_size, uint8_t a_digest[32],
                  const uint8_t *b, size_t b_size, uint8_t b_digest[32]);

#endif
