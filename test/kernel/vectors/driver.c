/* Calls every entry point of the vectors' kernel with shapes and contents from bytes: those of a fuzzer, or of a generator
 * of random numbers. Every buffer is a block of exactly the size that the contract asks for, so that the sanitizers see
 * the first byte beyond. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"

typedef struct {
  const uint8_t *bytes;
  size_t left;
} input_t;

static uint32_t take(input_t *input, uint32_t least, uint32_t most) {
  uint32_t value = 0;
  for (uint32_t i = 0; i < 4 && input->left > 0; i++, input->left--) value = value << 8 | *input->bytes++;
  return least + value % (most - least + 1);
}

static void *make(uint64_t bytes) {
  /* Not zero: nothing may depend on what a buffer had. */
  void *block = malloc(bytes ? bytes : 1);
  if (!block) abort();
  memset(block, 0xa5, bytes);
  return block;
}

static void fill(input_t *input, void *to, uint64_t bytes) {
  uint32_t state = take(input, 0, UINT32_MAX - 1);
  for (uint64_t i = 0; i < bytes; i++) {
    state = state * 1664525 + 1013904223;
    ((uint8_t *)to)[i] = input->left > 0 && state >> 31 ? (input->left--, *input->bytes++) : (uint8_t)(state >> 24);
  }
}

/* Finite and not so large that a sum of products is infinite, as the callers see to. */
static float *make_floats(input_t *input, uint64_t count) {
  float *values = make(count * sizeof *values);
  fill(input, values, count * sizeof *values);
  uint32_t kind = take(input, 0, 3);
  for (uint64_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, values + i, sizeof bits);
    if (kind == 0) values[i] = (float)(bits % 5) - 2;
    else if (kind == 1) values[i] = (float)(int32_t)bits / 2147483648.0f;
    else if (!(fabsf(values[i]) <= 1e17f)) values[i] = 0;
  }
  return values;
}

static uint8_t *make_bitmap(input_t *input, uint32_t n) {
  if (take(input, 0, 2) == 0) return NULL;
  uint64_t bytes = ((uint64_t)n + 63) / 64 * 8;
  uint8_t *allow = make(bytes);
  fill(input, allow, bytes);
  for (uint64_t row = n; row < bytes * 8; row++) allow[row / 8] &= (uint8_t)~(1u << row % 8);
  return allow;
}

static uint32_t take_dim(input_t *input) {
  uint32_t kind = take(input, 0, 7);
  return kind == 0 ? take(input, 1, 4096) : take(input, 1, 100);
}

static void require(int condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "not so: %s\n", what);
  abort();
}

static void check_found(uint32_t found, uint32_t k, uint32_t n, const uint32_t *ids, const float *scores,
                        const uint8_t *allow) {
  require(found <= k && found <= n, "no more is found than there is");
  for (uint32_t i = 0; i < found; i++) {
    require(ids[i] < n, "a found row is there");
    require(!allow || (allow[ids[i] / 8] >> ids[i] % 8 & 1), "a found row is allowed");
    require(i == 0 || scores[i - 1] > scores[i] || (scores[i - 1] == scores[i] && ids[i - 1] < ids[i]), "sorted");
  }
}

typedef struct {
  uint32_t n, dim;
  float *floats, *scales;
  int8_t *bytes;
} matrix_t;

static matrix_t make_matrix(input_t *input, uint32_t n, uint32_t dim) {
  matrix_t matrix = {.n = n, .dim = dim, .floats = make_floats(input, (uint64_t)n * dim)};
  matrix.bytes = make((uint64_t)n * KERNEL_STRIDE(dim));
  matrix.scales = make(n * sizeof *matrix.scales);
  kernel_quantise(matrix.floats, n, dim, matrix.bytes, matrix.scales);
  return matrix;
}

static void drop(matrix_t matrix) {
  free(matrix.floats);
  free(matrix.bytes);
  free(matrix.scales);
}

static void exercise_scans(input_t *input) {
  uint32_t dim = take_dim(input), n = take(input, 0, dim > 500 ? 8 : 200), queries = take(input, 1, 4);
  uint32_t k = take(input, 1, take(input, 0, 3) ? 20 : 400);
  matrix_t rows = make_matrix(input, n, dim), wanted = make_matrix(input, queries, dim);
  uint8_t *allow = make_bitmap(input, n);
  uint32_t *ids = make((uint64_t)queries * k * sizeof *ids);
  float *scores = make((uint64_t)queries * k * sizeof *scores);
  uint32_t found = kernel_scan_f32(wanted.floats, queries, rows.floats, n, dim, allow, k, ids, scores);
  for (uint32_t i = 0; i < queries; i++) check_found(found, k, n, ids + i * k, scores + i * k, allow);
  uint32_t same = kernel_scan_i8(wanted.bytes, wanted.scales, queries, rows.bytes, rows.scales, n, dim, allow, k, ids, scores);
  require(same == found, "both scans find as many");
  for (uint32_t i = 0; i < queries; i++) check_found(found, k, n, ids + i * k, scores + i * k, allow);
  uint32_t *from = make((uint64_t)n * sizeof *from);
  for (uint32_t i = 0; i < n; i++) from[i] = n - 1 - i;
  check_found(kernel_rerank(wanted.floats, rows.floats, dim, from, n, k, ids, scores), k, n, ids, scores, NULL);
  uint32_t words = KERNEL_WORDS(dim);
  float *work = make((uint64_t)words * 64 * sizeof *work);
  uint64_t *bits = make((uint64_t)n * words * sizeof *bits), *query = make(words * sizeof *query);
  kernel_binarise(rows.floats, n, dim, take(input, 0, 1) ? wanted.floats : NULL, take(input, 0, 9), work, bits);
  kernel_binarise(wanted.floats, 1, dim, NULL, 7, work, query);
  check_found(kernel_scan_bits(query, bits, n, words, allow, k, ids, scores), k, n, ids, scores, allow);
  free(work), free(bits), free(query), free(from), free(ids), free(scores), free(allow);
  drop(rows), drop(wanted);
}

static void exercise_rows(input_t *input) {
  uint32_t n = take(input, 0, 300), owner_bytes = take(input, 0, 5);
  kernel_row *rows = make(n * sizeof *rows);
  fill(input, rows, n * sizeof *rows);
  for (uint32_t i = 0; i < n; i++)
    if (i % 4) rows[i].owner %= 50, rows[i].kind %= 34;
  uint8_t *owners = make(owner_bytes), *allow = make(((uint64_t)n + 63) / 64 * 8);
  fill(input, owners, owner_bytes);
  uint32_t count = kernel_filter(rows, n, owners, owner_bytes * 8, take(input, 0, 1), take(input, 0, UINT32_MAX - 1),
                                 take(input, 0, 9), take(input, 0, UINT32_MAX - 1), allow);
  for (uint32_t row = 0; row < (n + 63) / 64 * 64; row++) count -= allow[row / 8] >> row % 8 & 1;
  require(count == 0, "as many bits as were counted");
  uint32_t bytes = take(input, 1, 40), records = n ? n * (uint32_t)sizeof *rows / bytes : 0;
  uint8_t *copy = make((uint64_t)records * bytes);
  memcpy(copy, rows, (uint64_t)records * bytes);
  uint64_t sum = 0, parts = 0;
  kernel_digest(copy, records, bytes, 5, &sum);
  for (uint32_t i = 0; i < records; i++) kernel_digest(copy + (uint64_t)i * bytes, 1, bytes, 5 + i, &parts);
  require(sum == parts, "a digest is the sum of its records'");
  free(rows), free(owners), free(allow), free(copy);
}

static void exercise_embed(input_t *input) {
  uint32_t n = take(input, 0, 4), dim = take_dim(input), common_count = take(input, 0, 3);
  uint32_t *offsets = make((n + 1) * sizeof *offsets), *common = make(common_count * sizeof *common);
  offsets[0] = 0;
  for (uint32_t i = 0; i < n; i++) offsets[i + 1] = offsets[i] + take(input, 0, 80);
  for (uint32_t i = 0; i < common_count; i++) common[i] = i * 0x40000000u + take(input, 0, 0x3fffffff);
  uint8_t *text = make(offsets[n]);
  fill(input, text, offsets[n]);
  for (uint32_t i = 0; i < offsets[n] && i % 3; i++) text[i] = "abc xyz\xc3\xa9 9"[text[i] % 11];
  int32_t *work = make(dim * sizeof *work);
  float *rows = make((uint64_t)n * dim * sizeof *rows);
  kernel_embed(text, offsets, n, dim, common, common_count, work, rows);
  for (uint32_t i = 0; i < n; i++) {
    double length = 0;
    for (uint32_t j = 0; j < dim; j++) length += (double)rows[(uint64_t)i * dim + j] * rows[(uint64_t)i * dim + j];
    require(length == 0 || fabs(length - 1) < 1e-3, "a row has length 1 or 0");
  }
  free(offsets), free(common), free(text), free(work), free(rows);
}

typedef struct {
  matrix_t rows;
  kernel_graph *graph;
  uint64_t bytes;
  void *scratch;
} graph_case;

/* Some rows of a matrix in a graph. */
static graph_case make_graph(input_t *input) {
  uint32_t dim = take(input, 1, 40), capacity = take(input, 1, 150), degree = take(input, 2, take(input, 0, 3) ? 6 : 64);
  uint32_t breadth = take(input, 1, 40);
  graph_case made = {.rows = make_matrix(input, capacity, dim), .bytes = kernel_graph_bytes(capacity, degree)};
  made.graph = make(made.bytes);
  kernel_graph_init(made.graph, capacity, dim, degree, breadth, take(input, 0, 9));
  uint64_t scratch = kernel_scratch_bytes(capacity, dim, 64);
  made.scratch = make(scratch);
  memset(made.scratch, 0, scratch);
  uint32_t n = take(input, 0, capacity), *nodes = make((n + 1) * sizeof *nodes), *keys = make((n + 1) * sizeof *keys);
  for (uint32_t i = 0; i < n; i++) nodes[i] = capacity - 1 - i, keys[i] = i + 1;
  nodes[n] = capacity, keys[n] = 1;
  require(kernel_graph_insert(made.graph, made.rows.bytes, made.rows.scales, nodes, keys, n + 1, made.scratch) == n, "linked");
  free(nodes), free(keys);
  return made;
}

static void drop_graph(graph_case made) {
  drop(made.rows);
  free(made.graph), free(made.scratch);
}

static void search(input_t *input, graph_case made) {
  uint32_t k = take(input, 1, 20), breadth = take(input, k, 64), n = made.rows.n;
  matrix_t query = make_matrix(input, 1, made.rows.dim);
  uint8_t *allow = make_bitmap(input, n);
  uint32_t *ids = make(k * sizeof *ids);
  float *scores = make(k * sizeof *scores);
  uint32_t found = kernel_graph_search(made.graph, made.rows.bytes, made.rows.scales, query.bytes, query.scales[0], k,
                                       breadth, allow, ids, scores, made.scratch);
  check_found(found, k, n, ids, scores, allow);
  for (uint32_t i = 0; i < found; i++)
    for (uint32_t j = 0; j < i; j++) require(ids[i] != ids[j], "no row is found twice");
  drop(query);
  free(allow), free(ids), free(scores);
}

static void exercise_graph(input_t *input) {
  graph_case made = make_graph(input);
  uint32_t dim = made.rows.dim, capacity = made.rows.n, live = made.graph->live;
  require(kernel_graph_check(made.graph, made.bytes, dim) == 0, "a graph is whole");
  search(input, made);
  uint32_t n = take(input, 0, capacity), *nodes = make(n * sizeof *nodes), *keys = make(n * sizeof *keys);
  for (uint32_t i = 0; i < n; i++) nodes[i] = i, keys[i] = i + 1;
  uint32_t removed = kernel_graph_remove(made.graph, made.rows.bytes, made.rows.scales, nodes, n, made.scratch);
  require(made.graph->live == live - removed, "what was removed is gone");
  require(kernel_graph_check(made.graph, made.bytes, dim) == 0, "a graph is whole after removal");
  search(input, made);
  kernel_graph_insert(made.graph, made.rows.bytes, made.rows.scales, nodes, keys, n, made.scratch);
  require(kernel_graph_check(made.graph, made.bytes, dim) == 0, "a graph is whole after its nodes came back");
  search(input, made);
  uint32_t room = take(input, 1, 200), degree = made.graph->degree;
  graph_case copy = {.rows = made.rows, .bytes = kernel_graph_bytes(room, degree), .scratch = made.scratch};
  copy.graph = make(copy.bytes);
  kernel_graph_init(copy.graph, room, dim, degree, 10, 3);
  if (kernel_graph_copy(made.graph, NULL, copy.graph) == 0) {
    require(kernel_graph_check(copy.graph, copy.bytes, dim) == 0, "a copy is whole");
    require(copy.graph->live == made.graph->live, "a copy is complete");
    if (room <= capacity) search(input, copy);
  }
  free(copy.graph), free(nodes), free(keys);
  drop_graph(made);
}

/* One number of a graph becomes another: of its header, its levels, a list, or anything. */
static void damage(input_t *input, graph_case made) {
  kernel_graph *head = made.graph;
  uint8_t *bytes = (uint8_t *)head;
  uint32_t capacity = made.rows.n, node = take(input, 0, capacity - 1), kind = take(input, 0, 7);
  const uint32_t values[] = {0, 1, head->count - 1, head->count, head->count + 1, capacity, UINT32_MAX, node};
  uint32_t value = take(input, 0, 2) ? values[take(input, 0, 7)] : take(input, 0, UINT32_MAX - 1);
  uint32_t list_words = 2 * head->degree + 3;
  uint64_t at = take(input, 0, (uint32_t)made.bytes / 4 - 1) * UINT64_C(4);
  if (kind == 0) at = take(input, 0, 25) * UINT64_C(4);
  if (kind == 1) {
    bytes[head->levels + node] = (uint8_t)value;
    return;
  }
  if (kind == 2) at = head->upper_at + node * UINT64_C(4);
  if (kind == 3 || kind == 4) at = head->base + ((uint64_t)node * list_words + take(input, 0, list_words - 1)) * 4;
  if (kind == 5) at = head->upper + take(input, 0, (head->degree + 1) * 8) * UINT64_C(4);
  if (kind == 6) at = head->keys + node * UINT64_C(4);
  memcpy(bytes + at, &value, sizeof value);
}

/* A file may hold anything. What passes the check must not lead out of its block. */
static void exercise_hostile(input_t *input) {
  graph_case made = make_graph(input);
  uint32_t dim = made.rows.dim, capacity = made.rows.n;
  kernel_graph before = *made.graph;
  for (uint32_t changes = take(input, 0, 3) ? 1 : 4; changes > 0; changes--) {
    damage(input, made);
    if (memcmp(&before, made.graph, sizeof before) != 0) break; /* Where things are is known no more. */
  }
  /* The rows that the caller has are as many as it has always had. */
  int32_t wrong = kernel_graph_check(made.graph, made.bytes, dim);
  if (wrong == 0 && made.graph->capacity <= capacity && made.graph->breadth <= 64) {
    search(input, made);
    uint32_t nodes[3] = {take(input, 0, capacity), take(input, 0, capacity), 0}, keys[3] = {7, 8, 9};
    kernel_graph_remove(made.graph, made.rows.bytes, made.rows.scales, nodes, 3, made.scratch);
    for (uint32_t i = 0; i < 2; i++)
      if (nodes[i] != nodes[1 - i] || i == 0)
        kernel_graph_insert(made.graph, made.rows.bytes, made.rows.scales, nodes + i, keys + i, 1, made.scratch);
    search(input, made);
    graph_case copy = {.bytes = made.bytes, .graph = make(made.bytes)};
    kernel_graph_init(copy.graph, made.graph->capacity, dim, made.graph->degree, 10, 3);
    kernel_graph_copy(made.graph, NULL, copy.graph);
    free(copy.graph);
  }
  drop_graph(made);
}

static void exercise_noise(input_t *input) {
  uint64_t bytes = take(input, 0, 4000);
  uint8_t *noise = make(bytes);
  fill(input, noise, bytes);
  uint32_t magic = KERNEL_GRAPH_MAGIC;
  if (bytes >= 4 && take(input, 0, 3)) memcpy(noise, &magic, sizeof magic);
  kernel_graph_check((const kernel_graph *)(const void *)noise, bytes, take(input, 1, 4));
  free(noise);
}

typedef void exercise_fn(input_t *input);
/* Hostile ones have the most to find. */
static exercise_fn *const exercises[] = {exercise_scans, exercise_rows,    exercise_embed,
                                         exercise_graph, exercise_hostile, exercise_noise, exercise_hostile};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  input_t input = {bytes, size};
  kernel_instructions(take(&input, 0, 2));
  exercises[take(&input, 0, sizeof exercises / sizeof *exercises - 1)](&input);
  return 0;
}

#ifndef FUZZER
/* The number of rounds, and where its random numbers begin. Prints how many were run. */
int main(int count, char **words) {
  uint32_t rounds = count > 1 ? (uint32_t)atoi(words[1]) : 100, state = count > 2 ? (uint32_t)atoi(words[2]) : 1;
  static uint8_t bytes[512];
  for (uint32_t round = 0; round < rounds; round++) {
    for (uint32_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)((state = state * 1664525 + 1013904223) >> 24);
    LLVMFuzzerTestOneInput(bytes, sizeof bytes);
  }
  printf("%u rounds\n", rounds);
  return 0;
}
#endif
