#include "kernel.h"

#include <stdbool.h>

/* Every condition is evaluated: what passes one of them is no better guess for the next than a coin. */
static uint64_t is_wanted(const kernel_row *row, const uint8_t *owners, uint32_t owner_bits, uint32_t session,
                          uint32_t kinds, uint32_t after_s, uint32_t before_s) {
  if (row->owner >= owner_bits) return 0;
  bool owned = owners[row->owner / 8] >> row->owner % 8 & 1;
  bool in_session = (session == 0) | (row->session == session);
  bool of_kind = (row->kind < 32) & (kinds >> row->kind % 32 & 1);
  bool in_time = (row->created_s >= after_s) & (row->created_s < before_s);
  return owned & in_session & of_kind & in_time & (row->id != 0);
}

uint32_t kernel_filter(const kernel_row *rows, uint32_t n, const uint8_t *owners, uint32_t owner_bits, uint32_t session,
                       uint32_t kinds, uint32_t after_s, uint32_t before_s, uint8_t *allow) {
  uint32_t count = 0;
  for (uint32_t first = 0; first < n; first += n - first < 64 ? n - first : 64) {
    uint32_t end = n - first < 64 ? n - first : 64;
    uint64_t word = 0;
    for (uint32_t i = 0; i < end; i++)
      word |= is_wanted(rows + first + i, owners, owner_bits, session, kinds, after_s, before_s) << i;
    __builtin_memcpy(allow + first / 8, &word, sizeof word);
    count += (uint32_t)__builtin_popcountll(word);
  }
  return count;
}

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t mix64(uint64_t x) {
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

void kernel_digest(const uint8_t *records, uint32_t n, uint32_t bytes, uint32_t first, uint64_t *sum) {
  for (uint32_t i = 0; i < n; i++, records += bytes) {
    uint64_t hash = mix64((uint64_t)first + i + 1);
    for (uint32_t at = 0; at < bytes; at += 8) {
      uint64_t word = 0;
      if (bytes - at >= 8) __builtin_memcpy(&word, records + at, 8);
      else
        for (uint32_t byte = 0; byte < bytes - at; byte++) word |= (uint64_t)records[at + byte] << 8 * byte;
      hash = mix64(hash ^ word);
    }
    *sum += hash;
  }
}
