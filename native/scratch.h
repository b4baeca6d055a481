/* scratch.h - what a call on a graph needs beside it: the caller's memory, from one call to the next. */
#ifndef SCRATCH_H
#define SCRATCH_H
#include "graph.h"

#define LANES 32u
#define QUERIES_MAX 64u
#define NEAR_MAX (4 * DEGREE_MAX + 1) /* The links of two nodes, and one more. */
#define NOBODY UINT32_MAX

/* A row as one side of many products: as it is, or widened, whichever the instruction set multiplies sooner. */
typedef struct {
  const void *elements;
  float scale;
  int32_t excess;
  int16_t wide[DIM_MAX];
} query_t;

typedef struct {
  const int8_t *rows;
  const float *scales;
  uint32_t stride;
} matrix_t;

typedef struct {
  best_t best;
  const uint8_t *allow;
} found_t;

typedef struct {
  uint32_t tag, capacity; /* capacity: the largest graph it was used for. */
  uint64_t pool[BREADTH_MAX + 1], near[NEAR_MAX + 1];
  uint32_t chosen[LEVEL_MAX + 1][DEGREE_MAX + 1];
  query_t self, base, candidate;
  uint16_t visited[]; /* The tag of the last walk that has seen the node. */
} scratch_t;

/* What is computed with vectors, by one instruction set. */
typedef struct {
  void (*kernel_quantise)(const float *, uint32_t, uint32_t, int8_t *, float *);
  uint32_t (*kernel_scan_f32)(const float *, uint32_t, const float *, uint32_t, uint32_t, const uint8_t *, uint32_t, uint32_t *,
                       float *);
  uint32_t (*kernel_scan_i8)(const int8_t *, const float *, uint32_t, const int8_t *, const float *, uint32_t, uint32_t,
                      const uint8_t *, uint32_t, uint32_t *, float *);
  uint32_t (*kernel_scan_bits)(const uint64_t *, const uint64_t *, uint32_t, uint32_t, const uint8_t *, uint32_t, uint32_t *,
                        float *);
  uint32_t (*kernel_rerank)(const float *, const float *, uint32_t, const uint32_t *, uint32_t, uint32_t, uint32_t *, float *);
  void (*kernel_binarise)(const float *, uint32_t, uint32_t, const float *, uint32_t, float *, uint64_t *);
  uint32_t (*kernel_graph_insert)(kernel_graph *, const int8_t *, const float *, const uint32_t *, const uint32_t *, uint32_t,
                           scratch_t *);
  uint32_t (*kernel_graph_remove)(kernel_graph *, const int8_t *, const float *, const uint32_t *, uint32_t, scratch_t *);
  uint32_t (*kernel_graph_search)(const kernel_graph *, const int8_t *, const float *, const int8_t *, float, uint32_t,
                           uint32_t, const uint8_t *, uint32_t *, float *, scratch_t *);
} operations_t;

uint64_t kernel_scratch_bytes(uint32_t capacity, uint32_t dim, uint32_t breadth_max) {
  (void)dim, (void)breadth_max;
  return whole_lines(sizeof(scratch_t) + (uint64_t)capacity * sizeof(uint16_t));
}

static void begin_walk(scratch_t *scratch, uint32_t capacity) {
  if (scratch->capacity < capacity) scratch->capacity = capacity;
  if (scratch->tag++ < UINT16_MAX) return;
  for (uint32_t node = 0; node < scratch->capacity; node++) scratch->visited[node] = 0;
  scratch->tag = 1;
}

/* False where this walk has been there. */
ALWAYS_INLINE bool visit(scratch_t *scratch, uint32_t node) {
  bool first = scratch->visited[node] != scratch->tag;
  scratch->visited[node] = (uint16_t)scratch->tag;
  return first;
}

/* Score, node and whether its links were followed, in an integer whose order is theirs: better first, then the lower
 * node. */
#define FOLLOWED UINT64_C(1)

ALWAYS_INLINE uint64_t to_entry(float score, uint32_t node) {
  uint32_t bits;
  float unsigned_zero = score + 0.0f;
  __builtin_memcpy(&bits, &unsigned_zero, sizeof bits);
  bits = bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
  return (uint64_t)bits << 32 | (uint64_t)(CAPACITY_MAX - node) << 1;
}

ALWAYS_INLINE float score_of(uint64_t entry) {
  uint32_t bits = (uint32_t)(entry >> 32);
  float score;
  bits = bits >> 31 ? bits & ~(UINT32_C(1) << 31) : ~bits;
  __builtin_memcpy(&score, &bits, sizeof score);
  return score;
}

ALWAYS_INLINE uint32_t node_of(uint64_t entry) { return CAPACITY_MAX - (uint32_t)(entry >> 1 & CAPACITY_MAX); }

ALWAYS_INLINE void prefetch(const void *from, uint32_t bytes) {
#if defined(__wasm__)
  (void)from, (void)bytes; /* It has no such instruction, and would count to the end for nothing. */
#else
  for (uint32_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)from + at);
#endif
}

/* The links of one node that are fetched ahead, and how much of each: measured on rows of 384 to 768 bytes. */
#define AHEAD 4
#define AHEAD_BYTES 768u
ALWAYS_INLINE const int8_t *row_of(const matrix_t *matrix, uint32_t node) {
  return matrix->rows + (uint64_t)node * matrix->stride;
}

ALWAYS_INLINE void prefetch_node(const matrix_t *matrix, uint32_t node) {
  prefetch(row_of(matrix, node), matrix->stride < AHEAD_BYTES ? matrix->stride : AHEAD_BYTES);
}

/* With the rows that equal it. */
static void find(found_t *found, const graph_t *graph, uint32_t node, float score) {
  if (!is_linked(graph, node)) return;
  uint32_t twin = node;
  do {
    if (graph->keys[twin] && is_allowed(found->allow, twin)) keep(&found->best, score, twin);
    twin = *next_of(graph, twin);
  } while (twin != node);
}

/* Puts an entry in its place among the best first. Returns the place. */
ALWAYS_INLINE uint32_t insert_entry(uint64_t *pool, uint32_t count, uint32_t breadth, uint64_t entry) {
  uint32_t low = 0, high = count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (pool[middle] > entry) low = middle + 1;
    else high = middle;
  }
  uint32_t moved = (count < breadth ? count : breadth - 1) - low;
  __builtin_memmove(pool + low + 1, pool + low, moved * sizeof *pool);
  pool[low] = entry;
  return low;
}

/* The links that this walk has not seen. */
ALWAYS_INLINE uint32_t unseen_of(const uint32_t *list, scratch_t *scratch, uint32_t *unseen) {
  uint32_t count = 0;
  for (uint32_t i = 1; list && i <= list[0]; i++)
    if (visit(scratch, list[i])) unseen[count++] = list[i];
  return count;
}

#endif
