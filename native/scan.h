/* scan.h - what reads every row. Included once for each instruction set. */

#ifndef SCAN_H
#define SCAN_H
/* Rows that one query after the other is compared with while they are in the cache nearest to memory: a quarter of the
 * 1 to 2 MiB that processors have of it. */
#define BLOCK_BYTES 262144u
/* Among 64 rows: leaving out so many costs more than scoring them (measured: 4 times at a half). */
#define DENSE 15

typedef struct {
  const void *query, *rows;
  const float *scales;
  uint32_t dim; /* Or bytes, or words, of a row. */
  uint32_t row_bytes;
  bool cached; /* The query before this one has just read the rows. */
} scan_t;

/* How far ahead of the row that is scored memory is asked for. Without it a scan waits: on a Xeon of 2023 that reads
 * 11 GB/s, int8 rows of 384 came at .91 (AVX-512), .72 (AVX2) and .62 (SSE2) of that, with it at 1.0, .99 and .88. */
#define SCAN_AHEAD 4096u

/* Rows of which all have their scores before the best are kept, read from so many places at once: what a processor reads
 * ahead by itself it does for each place, and ends with each page. On that Xeon, where a plain read from four places makes
 * 12.5 GB/s, floats come at .82 of it and int8 at .89; from one place at .73 and .70. */
#define SCAN_BLOCK 4096u
#define SCAN_PLACES 4u
#define SCAN_BLOCK_AHEAD 2048u

typedef float score_fn(const scan_t *scan, uint32_t row);

ALWAYS_INLINE const char *bytes_of(const scan_t *scan, uint32_t row) {
  return (const char *)scan->rows + (uint64_t)row * scan->row_bytes;
}

ALWAYS_INLINE uint32_t rows_of_block(uint64_t row_bytes, uint32_t queries, uint32_t n) {
  if (queries == 1) return n;
  uint32_t rows = (uint32_t)(BLOCK_BYTES / row_bytes) & ~63u;
  return rows ? rows : 64;
}
#endif

ALWAYS_INLINE float score_floats(const scan_t *scan, uint32_t row) {
  return dot_f32(scan->query, (const float *)scan->rows + (uint64_t)row * scan->dim, scan->dim);
}

ALWAYS_INLINE float score_bytes(const scan_t *scan, uint32_t row) {
  return score_i8(scan->query, (const int8_t *)scan->rows + (uint64_t)row * scan->dim, scan->scales[row], scan->dim);
}

ALWAYS_INLINE float score_bits(const scan_t *scan, uint32_t row) {
  /* Negated while it is an integer: gcc 12 makes -0 of `0 - (float)0`. */
  return (float)-(int32_t)differing(scan->query, (const uint64_t *)scan->rows + (uint64_t)row * scan->dim, scan->dim);
}

#ifndef __wasm__
/* Whether all SCAN_BLOCK rows from `first` on are worth a score. */
ALWAYS_INLINE bool is_dense(const uint8_t *allow, uint32_t first) {
  uint32_t count = 0;
  if (!allow) return true;
  for (uint32_t at = 0; at < SCAN_BLOCK; at += 64)
    count += (uint32_t)__builtin_popcountll(allowed_word(allow, first + at, first + SCAN_BLOCK));
  return count > SCAN_BLOCK / 64 * DENSE;
}

/* SCAN_BLOCK rows from `first` on. They are kept in their order, so that of two equals the lower row is. */
ALWAYS_INLINE void scan_block(const scan_t *scan, uint32_t first, const uint8_t *allow, best_t *best, score_fn *score) {
  float found[SCAN_BLOCK], floor = floor_of(best);
  for (uint32_t i = 0; i < SCAN_BLOCK / SCAN_PLACES; i++)
    for (uint32_t at = i; at < SCAN_BLOCK; at += SCAN_BLOCK / SCAN_PLACES) {
      prefetch(bytes_of(scan, first + at) + SCAN_BLOCK_AHEAD, scan->row_bytes);
      found[at] = score(scan, first + at);
    }
  for (uint32_t at = 0; at < SCAN_BLOCK; at++) {
    uint32_t row = first + at;
    if (found[at] <= floor || !is_allowed(allow, row)) continue;
    keep(best, found[at], row);
    floor = floor_of(best);
  }
}
#endif

/* Rows from `first`, a multiple of 64, to `last`. `score` is known to the compiler wherever this is put in. */
ALWAYS_INLINE void scan_rows(const scan_t *scan, uint32_t first, uint32_t last, const uint8_t *allow, best_t *best,
                             score_fn *score) {
  float floor = floor_of(best);
  while (first < last) {
#ifndef __wasm__
    if (last - first >= SCAN_BLOCK && first % SCAN_BLOCK == 0 && !scan->cached && is_dense(allow, first)) {
      scan_block(scan, first, allow, best, score);
      floor = floor_of(best);
      first += SCAN_BLOCK;
      continue;
    }
#endif
    uint32_t end = last - first < 64 ? last : first + 64;
    uint64_t word = allowed_word(allow, first, last);
    if (!allow || __builtin_popcountll(word) > DENSE) {
      for (uint32_t row = first; row < end; row++, word >>= 1) {
        if (!scan->cached) prefetch(bytes_of(scan, row) + SCAN_AHEAD, scan->row_bytes);
        float found = score(scan, row);
        if (found <= floor || !(word & 1)) continue;
        keep(best, found, row);
        floor = floor_of(best);
      }
    } else {
      for (uint64_t rest = word; rest; rest &= rest - 1)
        prefetch(bytes_of(scan, first + (uint32_t)__builtin_ctzll(rest)), scan->row_bytes);
      for (; word; word &= word - 1) {
        uint32_t row = first + (uint32_t)__builtin_ctzll(word);
        float found = score(scan, row);
        if (found <= floor) continue;
        keep(best, found, row);
        floor = floor_of(best);
      }
    }
    first = end;
  }
}

static uint32_t scan_f32(const float *query, uint32_t queries, const float *rows, uint32_t n, uint32_t dim,
                         const uint8_t *allow, uint32_t k, uint32_t *ids, float *scores) {
  uint32_t block = rows_of_block(dim * 4, queries, n), counts[QUERIES_MAX] = {0};
  for (uint32_t first = 0, last; first < n; first = last) {
    last = n - first < block ? n : first + block;
    for (uint32_t i = 0; i < queries; i++) {
      best_t best = {ids + (uint64_t)i * k, scores + (uint64_t)i * k, counts[i], k};
      scan_t scan = {query + (uint64_t)i * dim, rows, NULL, dim, 4 * dim, i > 0};
      scan_rows(&scan, first, last, allow, &best, score_floats);
      counts[i] = last == n ? sort_best(&best) : best.count;
    }
  }
  return counts[0];
}

static uint32_t scan_i8(const int8_t *query, const float *query_scales, uint32_t queries, const int8_t *rows,
                        const float *scales, uint32_t n, uint32_t dim, const uint8_t *allow, uint32_t k, uint32_t *ids,
                        float *scores) {
  uint32_t stride = KERNEL_STRIDE(dim), block = rows_of_block(stride, queries, n), counts[QUERIES_MAX] = {0};
  for (uint32_t first = 0, last; first < n; first = last) {
    last = n - first < block ? n : first + block;
    for (uint32_t i = 0; i < queries; i++) {
      best_t best = {ids + (uint64_t)i * k, scores + (uint64_t)i * k, counts[i], k};
      query_t prepared;
      prepare(&prepared, query + (uint64_t)i * stride, query_scales[i], stride);
      scan_t scan = {&prepared, rows, scales, stride, stride, i > 0};
      scan_rows(&scan, first, last, allow, &best, score_bytes);
      counts[i] = last == n ? sort_best(&best) : best.count;
    }
  }
  return counts[0];
}

static uint32_t scan_bits(const uint64_t *query, const uint64_t *rows, uint32_t n, uint32_t words, const uint8_t *allow,
                          uint32_t k, uint32_t *ids, float *scores) {
  best_t best = {ids, scores, 0, k};
  scan_t scan = {query, rows, NULL, words, 8 * words, false};
  scan_rows(&scan, 0, n, allow, &best, score_bits);
  return sort_best(&best);
}

static uint32_t rerank(const float *query, const float *rows, uint32_t dim, const uint32_t *from, uint32_t n, uint32_t k,
                       uint32_t *ids, float *scores) {
  best_t best = {ids, scores, 0, k};
  scan_t scan = {query, rows, NULL, dim, 4 * dim, false};
  for (uint32_t i = 0; i < n; i++) {
    if (i + AHEAD < n) prefetch(bytes_of(&scan, from[i + AHEAD]), 4 * dim < AHEAD_BYTES ? 4 * dim : AHEAD_BYTES);
    keep(&best, score_floats(&scan, from[i]), from[i]);
  }
  return sort_best(&best);
}

/* The largest is the same in any order, so 16 at a time make the same bytes. As WebAssembly, one at a time makes less code. */
#if defined(__wasm__)
#define MAXIMA 1u
#else
#define MAXIMA 16u
#endif
static float largest_of(const float *row, uint32_t dim) {
  float lanes[MAXIMA] = {0}, largest = 0;
  uint32_t i = 0;
  for (; i + MAXIMA <= dim; i += MAXIMA)
    for (uint32_t lane = 0; lane < MAXIMA; lane++) {
      float size = __builtin_fabsf(row[i + lane]);
      lanes[lane] = size > lanes[lane] ? size : lanes[lane];
    }
  for (uint32_t lane = 0; i < dim; i++, lane++) {
    float size = __builtin_fabsf(row[i]);
    lanes[lane] = size > lanes[lane] ? size : lanes[lane];
  }
  for (uint32_t lane = 0; lane < MAXIMA; lane++) largest = lanes[lane] > largest ? lanes[lane] : largest;
  return largest;
}
#undef MAXIMA

static void quantise(const float *rows, uint32_t n, uint32_t dim, int8_t *bytes, float *scales) {
  uint32_t stride = KERNEL_STRIDE(dim);
  for (uint32_t row = 0; row < n; row++, rows += dim, bytes += stride) {
    float largest = largest_of(rows, dim), scale = largest / 127;
    /* A row with a smaller scale would have an infinite inverse, and is zero. */
    bool tiny = scale < 0x1p-126f;
    float inverse = tiny ? 0 : 127 / largest;
    scales[row] = tiny ? 0 : scale;
    for (uint32_t i = 0; i < dim; i++) {
      float x = rows[i] * inverse;
      bytes[i] = (int8_t)(int32_t)(x + (x < 0 ? -0.5f : 0.5f));
    }
    for (uint32_t i = dim; i < stride; i++) bytes[i] = 0;
  }
}

static void binarise(const float *rows, uint32_t n, uint32_t dim, const float *mean, uint32_t seed, float *work,
                     uint64_t *bits) {
  uint32_t words = KERNEL_WORDS(dim), length = 64 * words;
  for (uint32_t row = 0; row < n; row++, rows += dim, bits += words) {
    for (uint32_t i = 0; i < dim; i++) {
      float x = rows[i] - (mean ? mean[i] : 0);
      work[i] = mix32(seed + i * 0x9e3779b9u) & 1 ? -x : x;
    }
    for (uint32_t i = dim; i < length; i++) work[i] = 0;
    for (uint32_t width = 1; width < length; width *= 2)
      for (uint32_t i = 0; i < length; i += 2 * width)
        for (float *a = work + i, *b = a + width, *end = b; a < end; a++, b++) {
          float sum = *a + *b, rest = *a - *b;
          *a = sum;
          *b = rest;
        }
    for (uint32_t word = 0; word < words; word++) {
      uint64_t ones = 0;
      for (uint32_t i = 0; i < 64; i++) ones |= (uint64_t)(work[64 * word + i] > 0) << i;
      bits[word] = ones;
    }
  }
}
