/* rings.h - what changes in a graph without looking at vectors: rings of equal rows, and the level of a new node. */
#ifndef RINGS_H
#define RINGS_H
#include "graph.h"

ALWAYS_INLINE bool has_link(const uint32_t *list, uint32_t node) {
  for (uint32_t i = 1; i <= list[0]; i++)
    if (list[i] == node) return true;
  return false;
}

static void join_ring(const graph_t *graph, uint32_t node, uint32_t twin) {
  uint32_t next = *next_of(graph, twin);
  graph->levels[node] |= TWIN;
  *next_of(graph, node) = next;
  *previous_of(graph, node) = twin;
  *previous_of(graph, next) = *next_of(graph, twin) = node;
}

static void leave_ring(const graph_t *graph, uint32_t node) {
  uint32_t next = *next_of(graph, node), previous = *previous_of(graph, node);
  *next_of(graph, previous) = next;
  *previous_of(graph, next) = previous;
  *next_of(graph, node) = *previous_of(graph, node) = node;
}

/* A twin takes the removed node's place on one level. */
static void hand_over(const graph_t *graph, uint32_t removed, uint32_t twin, uint32_t level) {
  const uint32_t *left = links_of(graph, removed, level);
  uint32_t *own = links_of(graph, twin, level);
  own[0] = 0;
  for (uint32_t i = 1; i <= left[0]; i++) {
    uint32_t node = left[i], *list = links_of(graph, node, level);
    if (!list || node == twin) continue;
    own[++own[0]] = node;
    bool known = has_link(list, twin);
    for (uint32_t j = 1; j <= list[0]; j++) {
      if (list[j] != removed) continue;
      list[j] = known ? list[list[0]--] : twin;
      break;
    }
  }
}

/* A hash of the seed and the node, so that a graph follows from its rows and their order alone. */
static uint32_t level_for(const kernel_graph *head, uint32_t node) {
  uint64_t limit = (UINT64_C(1) << 32) / head->degree;
  uint32_t hash = mix32(head->seed ^ mix32(node + 1)), level = 0;
  for (; level < LEVEL_MAX && hash < limit; level++) limit /= head->degree;
  return level;
}

#endif
