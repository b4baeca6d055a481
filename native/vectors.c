#include "kernel.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>

#include "processor.h"
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#include "rings.h"
#include "scratch.h"

/* What every processor of this kind has: SSE2, NEON, or 128 bits of WebAssembly. */
#define SET floor
#define WIDTH 4
#include "vectors-body.h"
#undef WIDTH
#undef SET

#if !defined(__x86_64__)
#define USED (&operations_floor)
uint32_t kernel_instructions(uint32_t most) { return most * 0; }

#else
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt,lzcnt")
#endif
#define SET avx2
#define WIDTH 8
#include "vectors-body.h"
#undef WIDTH
#undef SET
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target( \
  "avx2,bmi,bmi2,popcnt,lzcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vpopcntdq"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2,popcnt,lzcnt,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx512vpopcntdq")
#pragma GCC target("prefer-vector-width=512")
#endif
#define SET avx512
#define WIDTH 16
#define USE_VNNI
#include "vectors-body.h"
#undef USE_VNNI
#undef WIDTH
#undef SET
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

static const operations_t *const sets[] = {&operations_floor, &operations_avx2, &operations_avx512};
static const operations_t *used = &operations_floor;
#define USED __atomic_load_n(&used, __ATOMIC_RELAXED)

uint32_t kernel_instructions(uint32_t most) {
  uint32_t set = best_instructions();
  if (set > most) set = most;
  __atomic_store_n(&used, sets[set], __ATOMIC_RELAXED);
  return set;
}

__attribute__((constructor)) static void use_best(void) { kernel_instructions(2); }
#endif

void kernel_quantise(const float *rows, uint32_t n, uint32_t dim, int8_t *bytes, float *scales) {
  USED->kernel_quantise(rows, n, dim, bytes, scales);
}

uint32_t kernel_scan_f32(const float *query, uint32_t queries, const float *rows, uint32_t n, uint32_t dim,
                         const uint8_t *allow, uint32_t k, uint32_t *ids, float *scores) {
  return USED->kernel_scan_f32(query, queries, rows, n, dim, allow, k, ids, scores);
}

uint32_t kernel_scan_i8(const int8_t *query, const float *query_scales, uint32_t queries, const int8_t *rows,
                        const float *scales, uint32_t n, uint32_t dim, const uint8_t *allow, uint32_t k, uint32_t *ids,
                        float *found) {
  return USED->kernel_scan_i8(query, query_scales, queries, rows, scales, n, dim, allow, k, ids, found);
}

uint32_t kernel_scan_bits(const uint64_t *query, const uint64_t *rows, uint32_t n, uint32_t words, const uint8_t *allow,
                          uint32_t k, uint32_t *ids, float *scores) {
  return USED->kernel_scan_bits(query, rows, n, words, allow, k, ids, scores);
}

uint32_t kernel_rerank(const float *query, const float *rows, uint32_t dim, const uint32_t *from, uint32_t n, uint32_t k,
                       uint32_t *ids, float *scores) {
  return USED->kernel_rerank(query, rows, dim, from, n, k, ids, scores);
}

void kernel_binarise(const float *rows, uint32_t n, uint32_t dim, const float *mean, uint32_t seed, float *work,
                     uint64_t *bits) {
  USED->kernel_binarise(rows, n, dim, mean, seed, work, bits);
}

uint32_t kernel_graph_insert(kernel_graph *graph, const int8_t *rows, const float *scales, const uint32_t *nodes,
                             const uint32_t *keys, uint32_t n, void *scratch) {
  return USED->kernel_graph_insert(graph, rows, scales, nodes, keys, n, scratch);
}

uint32_t kernel_graph_remove(kernel_graph *graph, const int8_t *rows, const float *scales, const uint32_t *nodes,
                             uint32_t n, void *scratch) {
  return USED->kernel_graph_remove(graph, rows, scales, nodes, n, scratch);
}

uint32_t kernel_graph_search(const kernel_graph *graph, const int8_t *rows, const float *scales, const int8_t *query,
                             float query_scale, uint32_t k, uint32_t breadth, const uint8_t *allow, uint32_t *ids,
                             float *found, void *scratch) {
  return USED->kernel_graph_search(graph, rows, scales, query, query_scale, k, breadth, allow, ids, found, scratch);
}
