/* Prints a hash of every result of the kernel on the same numbers, for comparison between compilers and processors. The
 * argument is the most that kernel_instructions may use; what is used is printed to the standard error. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#define ROWS 300u
#define QUERIES 5u
#define BEST 12u

static uint32_t state = 1;

static uint32_t next(void) {
  state = state * 1664525u + 1013904223u;
  return state;
}

static float number(void) { return (float)(next() >> 8) / 16777216.0f - 0.5f; }

static void *room(uint64_t bytes) {
  void *block = calloc(1, bytes + 64);
  if (!block) abort();
  return block;
}

static void tell(const char *what, uint32_t dim, const void *bytes, uint64_t count) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (uint64_t i = 0; i < count; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
  printf("%s %u %016llx\n", what, dim, (unsigned long long)hash);
}

typedef struct {
  float *floats, *scales;
  int8_t *bytes;
  uint8_t *allow;
  uint32_t dim;
} rows_t;

static rows_t make(uint32_t dim) {
  rows_t rows = {room(4ull * ROWS * dim), room(4 * ROWS), room((uint64_t)ROWS * KERNEL_STRIDE(dim)), room(40), dim};
  /* Every third row is one before it. */
  for (uint32_t row = 0; row < ROWS; row++)
    for (uint32_t i = 0; i < dim; i++)
      rows.floats[row * dim + i] = row % 3 == 2 ? rows.floats[row / 2 * dim + i] : number();
  for (uint32_t row = 0; row < ROWS; row++)
    if (next() >> 30) rows.allow[row / 8] |= (uint8_t)(1u << row % 8);
  kernel_quantise(rows.floats, ROWS, dim, rows.bytes, rows.scales);
  tell("bytes", dim, rows.bytes, (uint64_t)ROWS * KERNEL_STRIDE(dim));
  tell("scales", dim, rows.scales, 4 * ROWS);
  return rows;
}

static void scan(const rows_t *rows) {
  uint32_t dim = rows->dim, words = KERNEL_WORDS(dim), ids[QUERIES * BEST] = {0};
  float scores[QUERIES * BEST] = {0}, *work = room(256 * words);
  uint64_t *bits = room(8ull * ROWS * words);
  for (uint32_t filtered = 0; filtered < 2; filtered++) {
    const uint8_t *allow = filtered ? rows->allow : NULL;
    kernel_scan_f32(rows->floats, QUERIES, rows->floats, ROWS, dim, allow, BEST, ids, scores);
    tell("f32 ids", dim, ids, sizeof ids);
    tell("f32 scores", dim, scores, sizeof scores);
    kernel_scan_i8(rows->bytes, rows->scales, QUERIES, rows->bytes, rows->scales, ROWS, dim, allow, BEST, ids, scores);
    tell("i8 ids", dim, ids, sizeof ids);
    tell("i8 scores", dim, scores, sizeof scores);
    kernel_binarise(rows->floats, ROWS, dim, filtered ? rows->floats : NULL, 7, work, bits);
    kernel_scan_bits(bits + words, bits, ROWS, words, allow, BEST, ids, scores);
    tell("bits", dim, bits, 8ull * ROWS * words);
    tell("bits ids", dim, ids, 4 * BEST);
  }
  kernel_rerank(rows->floats, rows->floats, dim, ids, BEST, 5, ids + BEST, scores);
  tell("rerank", dim, scores, 4 * 5);
}

static void link(const rows_t *rows) {
  uint32_t dim = rows->dim, nodes[ROWS], keys[ROWS], ids[BEST] = {0};
  float scores[BEST] = {0};
  uint64_t bytes = kernel_graph_bytes(ROWS, 8);
  kernel_graph *graph = room(bytes);
  void *scratch = room(kernel_scratch_bytes(ROWS, dim, 4096));
  for (uint32_t i = 0; i < ROWS; i++) nodes[i] = i, keys[i] = i + 1;
  kernel_graph_init(graph, ROWS, dim, 8, 40, 3);
  kernel_graph_insert(graph, rows->bytes, rows->scales, nodes, keys, ROWS, scratch);
  tell("graph", dim, graph, bytes);
  kernel_graph_remove(graph, rows->bytes, rows->scales, nodes + 50, 150, scratch);
  kernel_graph_insert(graph, rows->bytes, rows->scales, nodes + 100, keys, 50, scratch);
  tell("changed graph", dim, graph, bytes);
  for (uint32_t filtered = 0; filtered < 2; filtered++)
    for (uint32_t query = 0; query < 25; query++) {
      const int8_t *row = rows->bytes + (uint64_t)query * KERNEL_STRIDE(dim);
      kernel_graph_search(graph, rows->bytes, rows->scales, row, rows->scales[query], BEST, 20,
                          filtered ? rows->allow : NULL, ids, scores, scratch);
      tell("search", dim, ids, sizeof ids);
      tell("search scores", dim, scores, sizeof scores);
    }
}

static void others(void) {
  const char *text = "a few words of a text, and a few more of another";
  uint32_t offsets[3] = {0, 23, (uint32_t)strlen(text)}, common[1] = {12345};
  int32_t work[100];
  float rows[200];
  kernel_embed((const uint8_t *)text, offsets, 2, 100, common, 1, work, rows);
  tell("embedding", 100, rows, sizeof rows);
  kernel_row records[100];
  uint8_t owners[4] = {0x5a, 0xff, 0, 1}, allow[16];
  for (uint32_t i = 0; i < 100; i++)
    records[i] = (kernel_row){next() >> 30, next() >> 27, next() >> 31, next(), 0, (uint8_t)(next() >> 28), 0, {0}};
  kernel_filter(records, 100, owners, 32, 1, 0x0fff, 1u << 28, 3u << 30, allow);
  tell("filter", 0, allow, sizeof allow);
  uint64_t sum = 1;
  kernel_digest((const uint8_t *)records, 100, sizeof *records, 5, &sum);
  tell("digest", 0, &sum, sizeof sum);
}

int main(int count, char **words) {
  const uint32_t dims[] = {1, 31, 33, 64, 100, 384};
  fprintf(stderr, "%u\n", kernel_instructions(count > 1 ? (uint32_t)atoi(words[1]) : 2));
  for (uint32_t i = 0; i < sizeof dims / sizeof *dims; i++) {
    rows_t rows = make(dims[i]);
    scan(&rows);
    link(&rows);
  }
  others();
  return 0;
}
