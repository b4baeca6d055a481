/* heap.h - the best of what a scan sees: a heap whose root is the worst that is kept, in two arrays of the caller. */
#ifndef HEAP_H
#define HEAP_H
#include <stdbool.h>
#include <stdint.h>

#if defined(__wasm__)
/* Bytes count more there: the compiler puts in what gets smaller by it. */
#define ALWAYS_INLINE static
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif

typedef struct {
  uint32_t *ids;
  float *scores;
  uint32_t count, room;
} best_t;

ALWAYS_INLINE bool is_worse(float a, uint32_t a_id, float b, uint32_t b_id) { return a < b || (a == b && a_id > b_id); }

ALWAYS_INLINE void place(best_t *best, uint32_t at, float score, uint32_t id) {
  best->scores[at] = score;
  best->ids[at] = id;
}

/* Puts an entry at the root and lets it sink to its place within the first `count`. */
static void sink(best_t *best, uint32_t count, float score, uint32_t id) {
  uint32_t at = 0;
  for (uint32_t child = 1; child < count; child = 2 * at + 1) {
    if (child + 1 < count &&
        is_worse(best->scores[child + 1], best->ids[child + 1], best->scores[child], best->ids[child]))
      child++;
    if (!is_worse(best->scores[child], best->ids[child], score, id)) break;
    place(best, at, best->scores[child], best->ids[child]);
    at = child;
  }
  place(best, at, score, id);
}

static void keep(best_t *best, float score, uint32_t id) {
  if (best->count == best->room) {
    if (is_worse(best->scores[0], best->ids[0], score, id)) sink(best, best->count, score, id);
    return;
  }
  uint32_t at = best->count++;
  while (at > 0) {
    uint32_t parent = (at - 1) / 2;
    if (!is_worse(score, id, best->scores[parent], best->ids[parent])) break;
    place(best, at, best->scores[parent], best->ids[parent]);
    at = parent;
  }
  place(best, at, score, id);
}

/* Best first. Returns how many there are. */
static uint32_t sort_best(best_t *best) {
  for (uint32_t last = best->count; last > 1;) {
    float score = best->scores[--last];
    uint32_t id = best->ids[last];
    place(best, last, best->scores[0], best->ids[0]);
    sink(best, last, score, id);
  }
  return best->count;
}

/* The score that a row must not stay under to be kept: a NaN, to which nothing compares, until there are enough. */
ALWAYS_INLINE float floor_of(const best_t *best) {
  return best->count == best->room ? best->scores[0] : __builtin_nanf("");
}

/* The finaliser "lowbias32" of Wellons, https://nullprogram.com/blog/2018/07/31/ */
ALWAYS_INLINE uint32_t mix32(uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  return x ^ x >> 16;
}

/* 64 bits of a bitmap from row `first` (a multiple of 64) on, none of them for rows from `n` on. */
ALWAYS_INLINE uint64_t allowed_word(const uint8_t *allow, uint32_t first, uint32_t n) {
  uint64_t word = ~UINT64_C(0);
  if (allow) __builtin_memcpy(&word, allow + first / 8, sizeof word);
  return n - first < 64 ? word & ((UINT64_C(1) << (n - first)) - 1) : word;
}

ALWAYS_INLINE bool is_allowed(const uint8_t *allow, uint32_t row) { return !allow || allow[row / 8] >> row % 8 & 1; }

#endif
