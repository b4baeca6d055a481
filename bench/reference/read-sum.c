/* read-sum.c - how fast one thread of this machine reads memory: every word once, added, and nothing else. From four
 * places at once, as what the processor reads ahead by itself ends with each page: one place alone is slower. */
#include <stdint.h>

uint64_t read_sum(const uint64_t *words, uint64_t count) {
  uint64_t a = 0, b = 0, c = 0, d = 0, part = count / 4;
  for (uint64_t i = 0; i < part; i++) {
    a += words[i];
    b += words[i + part];
    c += words[i + 2 * part];
    d += words[i + 3 * part];
  }
  return a + b + c + d;
}
