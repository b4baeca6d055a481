/* graph-search.h - walks through the graph. Included once for each instruction set. */

/* A walk scores about as many rows as this times its breadth: where no more than that are allowed, all of them are. */
#define SCORED_OF_BREADTH 16u

ALWAYS_INLINE float score_node(const query_t *query, const matrix_t *matrix, uint32_t node) {
  return score_i8(query, row_of(matrix, node), matrix->scales[node], matrix->stride);
}

ALWAYS_INLINE void prepare_node(query_t *query, const matrix_t *matrix, uint32_t node) {
  prepare(query, row_of(matrix, node), matrix->scales[node], matrix->stride);
}

/* The nodes near the query on one level, best first, into the pool: from the best that was not followed yet until the
 * pool has no other. `begin_walk` comes before. */
static uint32_t walk(const graph_t *graph, const matrix_t *matrix, const query_t *query, uint32_t start, uint32_t level,
                     uint32_t breadth, scratch_t *scratch, found_t *found) {
  uint64_t *pool = scratch->pool;
  uint32_t unseen[2 * DEGREE_MAX];
  float score = score_node(query, matrix, start);
  visit(scratch, start);
  pool[0] = to_entry(score, start);
  if (found) find(found, graph, start, score);
  for (uint32_t count = 1, at = 0;;) {
    while (at < count && pool[at] & FOLLOWED) at++;
    if (at == count) return count;
    pool[at] |= FOLLOWED;
    /* Most often the one that is followed next. */
    if (at + 1 < count && level == 0) prefetch(base_of(graph, node_of(pool[at + 1])), 4 * graph->base_words);
    uint32_t unseen_count = unseen_of(links_of(graph, node_of(pool[at]), level), scratch, unseen);
    for (uint32_t i = 0; i < unseen_count && i < AHEAD; i++) prefetch_node(matrix, unseen[i]);
    for (uint32_t i = 0; i < unseen_count; i++) {
      if (i + AHEAD < unseen_count) prefetch_node(matrix, unseen[i + AHEAD]);
      score = score_node(query, matrix, unseen[i]);
      if (found && !(score < floor_of(&found->best))) find(found, graph, unseen[i], score);
      uint64_t entry = to_entry(score, unseen[i]);
      /* One that is only as good as the worst does not replace it: among thousands of equals a walk would not end. */
      if (count == breadth && entry >> 32 <= pool[count - 1] >> 32) continue;
      uint32_t place = insert_entry(pool, count, breadth, entry);
      if (count < breadth) count++;
      if (place < at) at = place;
    }
  }
}

/* The best node that can be reached by steps to a better one on the levels from the top down to one above `level`, where
 * nothing has a link to a node that does not reach higher than that. */
static uint32_t descend(const graph_t *graph, const matrix_t *matrix, const query_t *query, uint32_t level) {
  uint32_t node = graph->head->entry;
  float best = score_node(query, matrix, node);
  for (uint32_t at = graph->head->top; at > level; at--) {
    for (bool moved = true; moved;) {
      moved = false;
      const uint32_t *list = links_of(graph, node, at);
      for (uint32_t i = 1; list && i <= list[0]; i++) {
        float score = score_node(query, matrix, list[i]);
        if (!(score > best)) continue;
        best = score;
        node = list[i];
        moved = true;
      }
    }
  }
  return node;
}

static uint32_t search_all(const graph_t *graph, const matrix_t *matrix, const query_t *query, found_t *found) {
  for (uint32_t first = 0, n = graph->head->count; first < n; first += n - first < 64 ? n - first : 64)
    for (uint64_t word = allowed_word(found->allow, first, n); word; word &= word - 1) {
      uint32_t node = first + (uint32_t)__builtin_ctzll(word);
      if (graph->keys[node]) keep(&found->best, score_node(query, matrix, node), node);
    }
  return sort_best(&found->best);
}

static uint32_t graph_search(const kernel_graph *head, const int8_t *rows, const float *scales, const int8_t *query,
                             float query_scale, uint32_t k, uint32_t breadth, const uint8_t *allow, uint32_t *ids,
                             float *scores, scratch_t *scratch) {
  if (head->live == 0) return 0;
  graph_t graph = graph_of(head);
  matrix_t matrix = {rows, scales, KERNEL_STRIDE(head->dim)};
  found_t found = {{ids, scores, 0, k}, allow};
  query_t *prepared = &scratch->self;
  prepare(prepared, query, query_scale, matrix.stride);
  if (allow) {
    uint64_t allowed = 0;
    for (uint32_t first = 0, n = head->count; first < n; first += n - first < 64 ? n - first : 64)
      allowed += (uint64_t)__builtin_popcountll(allowed_word(allow, first, n));
    if (allowed <= SCORED_OF_BREADTH * (uint64_t)breadth) return search_all(&graph, &matrix, prepared, &found);
    uint64_t wider = (uint64_t)breadth * head->count / allowed;
    breadth = wider < BREADTH_MAX ? (uint32_t)wider : BREADTH_MAX;
  }
  uint32_t start = descend(&graph, &matrix, prepared, 0);
  begin_walk(scratch, head->capacity);
  if (!allow) {
    uint32_t count = walk(&graph, &matrix, prepared, start, 0, breadth, scratch, NULL);
    for (uint32_t i = 0; i < count && found.best.count < k; i++)
      find(&found, &graph, node_of(scratch->pool[i]), score_of(scratch->pool[i]));
    if (found.best.count == (k < head->live ? k : head->live)) return sort_best(&found.best);
    /* What was removed took the room of others. */
    found.best.count = 0;
    begin_walk(scratch, head->capacity);
  }
  /* Not only what is among the best of all: asking every node for its key is half as fast. */
  walk(&graph, &matrix, prepared, start, 0, breadth, scratch, &found);
  if (found.best.count == (k < head->live ? k : head->live)) return sort_best(&found.best);
  /* Nor do links lead everywhere where most was removed. */
  found.best.count = 0;
  return search_all(&graph, &matrix, prepared, &found);
}
