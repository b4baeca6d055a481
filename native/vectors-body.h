/* vectors-body.h - all that computes with vectors. Included once for each instruction set: with SET, which is added to
 * every name, and WIDTH, how many floats a vector has. */

#define JOINED(name, set) name##_##set
#define NAME_FOR(name, set) JOINED(name, set)
#define floats_t NAME_FOR(floats_t, SET)
#define dot_f32 NAME_FOR(dot_f32, SET)
#define dot_biased NAME_FOR(dot_biased, SET)
#define dot_i8 NAME_FOR(dot_i8, SET)
#define prepare NAME_FOR(prepare, SET)
#define score_i8 NAME_FOR(score_i8, SET)
#define differing NAME_FOR(differing, SET)
#define score_floats NAME_FOR(score_floats, SET)
#define score_bytes NAME_FOR(score_bytes, SET)
#define score_bits NAME_FOR(score_bits, SET)
#define is_dense NAME_FOR(is_dense, SET)
#define scan_block NAME_FOR(scan_block, SET)
#define scan_rows NAME_FOR(scan_rows, SET)
#define scan_f32 NAME_FOR(scan_f32, SET)
#define scan_i8 NAME_FOR(scan_i8, SET)
#define scan_bits NAME_FOR(scan_bits, SET)
#define rerank NAME_FOR(rerank, SET)
#define largest_of NAME_FOR(largest_of, SET)
#define quantise NAME_FOR(quantise, SET)
#define binarise NAME_FOR(binarise, SET)
#define score_node NAME_FOR(score_node, SET)
#define prepare_node NAME_FOR(prepare_node, SET)
#define walk NAME_FOR(walk, SET)
#define descend NAME_FOR(descend, SET)
#define search_all NAME_FOR(search_all, SET)
#define graph_search NAME_FOR(graph_search, SET)
#define choose NAME_FOR(choose, SET)
#define add_near NAME_FOR(add_near, SET)
#define link_back NAME_FOR(link_back, SET)
#define find_twin NAME_FOR(find_twin, SET)
#define link_node NAME_FOR(link_node, SET)
#define graph_insert NAME_FOR(graph_insert, SET)
#define repair NAME_FOR(repair, SET)
#define remove_node NAME_FOR(remove_node, SET)
#define graph_remove NAME_FOR(graph_remove, SET)
#define operations NAME_FOR(operations, SET)

#include "dot.h"
#include "scan.h"
#include "graph-search.h"
#include "graph-links.h"

static const operations_t operations = {
  .kernel_quantise = quantise,
  .kernel_scan_f32 = scan_f32,
  .kernel_scan_i8 = scan_i8,
  .kernel_scan_bits = scan_bits,
  .kernel_rerank = rerank,
  .kernel_binarise = binarise,
  .kernel_graph_insert = graph_insert,
  .kernel_graph_remove = graph_remove,
  .kernel_graph_search = graph_search,
};
