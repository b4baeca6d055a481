/* graph.h - where the parts of a graph are, and what needs no vectors: its layout, its check, its copy.
 *
 * Rows with equal bytes and scales are twins: one of them is in the graph, and the others stand in a ring with it. As
 * nodes of their own they would fill each other's links, and thousands of them would have no link to anything else. */
#ifndef GRAPH_H
#define GRAPH_H
#include <stddef.h>

#include "heap.h"
#include "kernel.h"

#define GRAPH_VERSION 1u
#define LEVEL_MAX 15u
#define LEVEL_NONE 0xffu /* Never in the graph. A node keeps its level, and so its lists, for its next time. */
#define LEVEL_BITS 0x0fu
#define TWIN 0x40u /* In the ring of another node, and without links. */
#define DEGREE_MAX 64u
#define BREADTH_MAX 4096u
#define DIM_MAX 4096u
#define CAPACITY_MAX 0x7fffffffu /* An entry of the pool has 31 bits for a node. */

/* A list of links is their number and then they. That of the lowest level has twice as many, and after them the
 * neighbours in the ring. */
typedef struct {
  kernel_graph *head;
  uint32_t *keys, *base, *upper_at, *upper;
  uint8_t *levels;
  uint32_t base_words, upper_words, links_max; /* links_max: of the lowest level. */
} graph_t;

ALWAYS_INLINE graph_t graph_of(const kernel_graph *graph) {
  uint8_t *bytes = (uint8_t *)(uintptr_t)graph;
  return (graph_t){
    .head = (kernel_graph *)(void *)bytes,
    .keys = (uint32_t *)(void *)(bytes + graph->keys),
    .base = (uint32_t *)(void *)(bytes + graph->base),
    .upper_at = (uint32_t *)(void *)(bytes + graph->upper_at),
    .upper = (uint32_t *)(void *)(bytes + graph->upper),
    .levels = bytes + graph->levels,
    .base_words = 2 * graph->degree + 3,
    .upper_words = graph->degree + 1,
    .links_max = 2 * graph->degree,
  };
}

ALWAYS_INLINE uint32_t *base_of(const graph_t *graph, uint32_t node) {
  return graph->base + (uint64_t)node * graph->base_words;
}
ALWAYS_INLINE uint32_t *previous_of(const graph_t *graph, uint32_t node) {
  return base_of(graph, node) + graph->links_max + 1;
}
ALWAYS_INLINE uint32_t *next_of(const graph_t *graph, uint32_t node) {
  return base_of(graph, node) + graph->links_max + 2;
}
ALWAYS_INLINE uint32_t level_of(const graph_t *graph, uint32_t node) { return graph->levels[node] & LEVEL_BITS; }
ALWAYS_INLINE bool is_linked(const graph_t *graph, uint32_t node) {
  return graph->keys[node] != 0 && !(graph->levels[node] & TWIN);
}

/* NULL where the node does not reach that level, which no link of a whole graph leads to, but one of a torn file may. */
ALWAYS_INLINE uint32_t *links_of(const graph_t *graph, uint32_t node, uint32_t level) {
  if (level == 0) return base_of(graph, node);
  if (level > level_of(graph, node)) return NULL;
  return graph->upper + (uint64_t)(graph->upper_at[node] + level - 1) * graph->upper_words;
}
ALWAYS_INLINE uint32_t links_max(const graph_t *graph, uint32_t level) {
  return level == 0 ? graph->links_max : graph->head->degree;
}

ALWAYS_INLINE uint64_t whole_lines(uint64_t bytes) { return (bytes + 63) & ~UINT64_C(63); }

/* A node is on each level above the lowest with a chance of 1 / degree; a quarter more room than expected, after which
 * nodes stay on the lowest level. */
static void lay_out(kernel_graph *graph, uint32_t capacity, uint32_t degree) {
  uint64_t lists = UINT64_C(5) * capacity / (4 * (uint64_t)(degree - 1)) + 64;
  graph->capacity = capacity;
  graph->degree = degree;
  graph->upper_capacity = lists > UINT32_MAX ? UINT32_MAX : (uint32_t)lists;
  graph->keys = whole_lines(sizeof *graph);
  graph->levels = whole_lines(graph->keys + (uint64_t)capacity * 4);
  graph->base = whole_lines(graph->levels + capacity);
  graph->upper_at = whole_lines(graph->base + (uint64_t)capacity * (2 * degree + 3) * 4);
  graph->upper = whole_lines(graph->upper_at + (uint64_t)capacity * 4);
  graph->bytes = whole_lines(graph->upper + (uint64_t)graph->upper_capacity * (degree + 1) * 4);
}

uint64_t kernel_graph_bytes(uint32_t capacity, uint32_t degree) {
  kernel_graph graph;
  lay_out(&graph, capacity, degree);
  return graph.bytes;
}

void kernel_graph_init(kernel_graph *graph, uint32_t capacity, uint32_t dim, uint32_t degree, uint32_t breadth,
                       uint32_t seed) {
  *graph = (kernel_graph){
    .magic = KERNEL_GRAPH_MAGIC,
    .version = GRAPH_VERSION,
    .dim = dim,
    .breadth = breadth,
    .seed = seed,
  };
  lay_out(graph, capacity, degree);
}

/* Makes nodes up to this one known. */
static void reach(const graph_t *graph, uint32_t node) {
  for (; graph->head->count <= node; graph->head->count++) {
    uint32_t added = graph->head->count;
    graph->keys[added] = 0;
    graph->levels[added] = LEVEL_NONE;
    graph->upper_at[added] = 0;
    base_of(graph, added)[0] = 0;
    *previous_of(graph, added) = *next_of(graph, added) = added;
  }
}

/* Gives a node its level and empty lists. */
static void raise_to(const graph_t *graph, uint32_t node, uint32_t level) {
  kernel_graph *head = graph->head;
  if (level > head->upper_capacity - head->upper_used) level = 0;
  graph->levels[node] = (uint8_t)level;
  graph->upper_at[node] = head->upper_used;
  head->upper_used += level;
}

/* The highest of what is linked; with nothing linked, node 0. */
static void choose_entry(const graph_t *graph) {
  kernel_graph *head = graph->head;
  head->entry = head->top = 0;
  bool found = false;
  for (uint32_t node = 0; node < head->count; node++) {
    if (!is_linked(graph, node) || (found && level_of(graph, node) <= head->top)) continue;
    head->entry = node;
    head->top = level_of(graph, node);
    found = true;
  }
}

#if defined(__wasm__)
#define REQUIRE(condition) \
  if (!(condition)) return 1
#else
#define REQUIRE(condition) \
  if (!(condition)) return __LINE__
#endif

static int32_t check_list(const graph_t *graph, const uint32_t *list, uint32_t level) {
  REQUIRE(list[0] <= links_max(graph, level));
  for (uint32_t i = 1; i <= list[0]; i++) {
    REQUIRE(list[i] < graph->head->count);
    REQUIRE(graph->levels[list[i]] != LEVEL_NONE);
    REQUIRE(level <= level_of(graph, list[i]));
  }
  return 0;
}

static int32_t check_node(const graph_t *graph, uint32_t node) {
  const kernel_graph *head = graph->head;
  uint32_t level = graph->levels[node], next = *next_of(graph, node), previous = *previous_of(graph, node);
  REQUIRE(next < head->count && previous < head->count);
  /* So that whoever follows a ring comes back to where he began. */
  REQUIRE(*previous_of(graph, next) == node && *next_of(graph, previous) == node);
  if (level == LEVEL_NONE) {
    REQUIRE(graph->keys[node] == 0 && base_of(graph, node)[0] == 0 && next == node);
    return 0;
  }
  REQUIRE((level & ~(LEVEL_BITS | TWIN)) == 0);
  REQUIRE(graph->keys[node] != 0 || ((level & TWIN) == 0 && next == node));
  level &= LEVEL_BITS;
  REQUIRE(graph->upper_at[node] <= head->upper_used && level <= head->upper_used - graph->upper_at[node]);
  for (uint32_t i = 0; i <= level; i++) {
    int32_t wrong = check_list(graph, links_of(graph, node, i), i);
    if (wrong) return wrong;
  }
  return 0;
}

int32_t kernel_graph_check(const kernel_graph *head, uint64_t bytes, uint32_t dim) {
  REQUIRE(bytes >= sizeof *head);
  REQUIRE(head->magic == KERNEL_GRAPH_MAGIC && head->version == GRAPH_VERSION);
  REQUIRE(head->dim == dim && head->capacity <= CAPACITY_MAX);
  REQUIRE(head->degree >= 2 && head->degree <= DEGREE_MAX && head->breadth >= 1 && head->breadth <= BREADTH_MAX);
  kernel_graph same = *head;
  lay_out(&same, head->capacity, head->degree);
  REQUIRE(head->keys == same.keys && head->levels == same.levels && head->base == same.base);
  REQUIRE(head->upper_at == same.upper_at && head->upper == same.upper && head->bytes == same.bytes);
  REQUIRE(head->upper_capacity == same.upper_capacity && head->bytes <= bytes);
  REQUIRE(head->count <= head->capacity && head->live <= head->count && head->upper_used <= head->upper_capacity);
  graph_t graph = graph_of(head);
  uint32_t live = 0;
  for (uint32_t node = 0; node < head->count; node++) {
    live += graph.keys[node] != 0;
    /* Every node's first: a link's target may come later. */
    REQUIRE(*next_of(&graph, node) < head->count && *previous_of(&graph, node) < head->count);
  }
  REQUIRE(head->live == live);
  REQUIRE(live == 0 || (head->entry < head->count && is_linked(&graph, head->entry)));
  REQUIRE(live == 0 ? head->top == 0 : head->top == level_of(&graph, head->entry));
  for (uint32_t node = 0; node < head->count; node++) {
    int32_t wrong = check_node(&graph, node);
    if (wrong) return wrong;
  }
  return 0;
}

static uint32_t moved_to(const uint32_t *moved, uint32_t node) { return moved ? moved[node] : node; }

static void copy_list(const uint32_t *from, uint32_t max, const graph_t *to, const uint32_t *moved, uint32_t *list) {
  list[0] = 0;
  for (uint32_t i = 1; i <= from[0]; i++) {
    uint32_t target = moved_to(moved, from[i]);
    if (target < to->head->count && list[0] < max) list[++list[0]] = target;
  }
}

static bool copy_node(const graph_t *from, uint32_t node, const graph_t *to, uint32_t at, const uint32_t *moved) {
  uint32_t level = level_of(from, node), next = moved_to(moved, *next_of(from, node));
  if (level > to->head->upper_capacity - to->head->upper_used) return false;
  raise_to(to, at, level);
  to->levels[at] = from->levels[node];
  to->keys[at] = from->keys[node];
  if (next >= to->head->count) return false;
  *next_of(to, at) = next;
  *previous_of(to, next) = at;
  for (uint32_t i = 0; i <= level; i++)
    copy_list(links_of(from, node, i), links_max(to, i), to, moved, links_of(to, at, i));
  return true;
}

int32_t kernel_graph_copy(const kernel_graph *from_head, const uint32_t *moved, kernel_graph *to_head) {
  graph_t from = graph_of(from_head), to = graph_of(to_head);
  if (from_head->degree != to_head->degree || from_head->dim != to_head->dim || to_head->count) return -1;
  for (uint32_t node = 0; node < from_head->count; node++) {
    uint32_t at = moved_to(moved, node);
    if (at < to_head->capacity) reach(&to, at);
    else if (from.keys[node]) return -1;
  }
  for (uint32_t node = 0; node < from_head->count; node++) {
    uint32_t at = moved_to(moved, node);
    if (at >= to_head->count || from.levels[node] == LEVEL_NONE) continue;
    if (!copy_node(&from, node, &to, at, moved)) return -1;
    to_head->live += from.keys[node] != 0;
  }
  choose_entry(&to);
  return 0;
}

#endif
