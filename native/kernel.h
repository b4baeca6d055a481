/* kernel.h - vectors, and what the gateway asks of the operating system and Bun does not offer.
 *
 * Contract for every function below:
 *   - The caller owns every buffer. Nothing is allocated or kept after the return; the only state is which instruction
 *     set was chosen.
 *   - Text is UTF-8; a path ends with a zero byte.
 *   - A result below zero is -errno, so that no second call is needed to learn it.
 *   - Safe to call from several threads at once.
 *
 * scripts/native.ts reads the KERNEL_API lines to write src/kernel/symbols.gen.ts: one line a function. */
#ifndef KERNEL_H
#define KERNEL_H
#include <stdint.h>

#define KERNEL_API __attribute__((visibility("default")))
#define KERNEL_ABI 2 /* Raised on any change to a prototype below. */

KERNEL_API uint32_t kernel_abi(void);

/* Opens a path below a directory descriptor: neither "..", nor an absolute path or link, nor a link of /proc leads out
 * of it, whatever is renamed meanwhile. Close-on-exec. Returns a descriptor; -EXDEV for what leads out, -ELOOP for a
 * link of /proc, -ENOSYS before Linux 5.6 and on other systems. */
KERNEL_API int32_t kernel_open_beneath(int32_t folder, const char *path, int32_t flags, uint32_t mode);

/* Renames within a folder, if nothing has the new name. Returns 0; -EEXIST where something has, -EINVAL or -ENOSYS
 * where the file system or the kernel cannot do it in one step. */
KERNEL_API int32_t kernel_rename_new(int32_t folder, const char *from, const char *to);

/* ---- Vectors ---------------------------------------------------------------------------------------------------
 *
 * Contract for every function below, beside the one above:
 *   - Arguments were checked by the caller: 1 <= dim <= 4096, 1 <= k <= 65536, pointers aligned to their type, no NaN
 *     and no infinity. Sizes of matrices may pass 4 GiB.
 *   - Every result has the same bits on every instruction set and in src/kernel/vectors/reference.ts: a float sum has 32
 *     lanes (element i in lane i mod 32), added at the end by halves, and no product is fused with its sum.
 *   - A matrix has its rows one after the other. A float row has dim elements. An int8 row has KERNEL_STRIDE(dim) bytes,
 *     of which those beyond dim are zero, and a scale of its own: element = byte * scale. A row of bits has
 *     KERNEL_WORDS(dim) words.
 *   - A score is the dot product (of bits: minus the number of differing ones). Better is larger; the lower row of two
 *     equals comes first. Results are best first.
 *   - `allow` is a bitmap, row r being bit r % 8 of byte r / 8, with room for a whole number of 8 bytes, the bits beyond
 *     the last row being zero; NULL stands for all rows.
 *   - The score of two int8 rows is (float)dot * (query_scale * row_scale), in this order.
 *   - None of them is exported by the library of a system whose processor lacks what is chosen: see kernel_instructions. */
#define KERNEL_STRIDE(dim) (((dim) + 31u) & ~31u)
/* Bits are of the rotated vector, whose length is a power of two from 64 on. */
#define KERNEL_WORDS(dim) ((dim) <= 64u ? 1u : (1u << (32 - __builtin_clz((dim) - 1u))) / 64u)

/* Uses no more than `most` (0 the ABI's floor, or NEON; 1 AVX2; 2 AVX-512 with VNNI) and returns what is used from now on.
 * The most that the processor has is chosen when the library is loaded. */
KERNEL_API uint32_t kernel_instructions(uint32_t most);

/* Rows of floats to rows of int8 with their scales: scale = max |x| / 127, byte = x / scale rounded half away from zero,
 * computed as truncate(x * (127 / max) -+ 0.5). A row whose scale is below 2^-126, the least normal float, is zero with the scale 0:
 * its inverse would be infinite. */
KERNEL_API void kernel_quantise(const float *rows, uint32_t n, uint32_t dim, int8_t *bytes, float *scales);

/* The k best of n rows for each of `queries` (1 to 64) queries, into ids and scores (queries * k). Returns how many each
 * query has: k, or as many rows as are allowed. */
KERNEL_API uint32_t kernel_scan_f32(const float *query, uint32_t queries, const float *rows, uint32_t n, uint32_t dim, const uint8_t *allow, uint32_t k, uint32_t *ids, float *scores);
KERNEL_API uint32_t kernel_scan_i8(const int8_t *query, const float *query_scales, uint32_t queries, const int8_t *rows, const float *scales, uint32_t n, uint32_t dim, const uint8_t *allow, uint32_t k, uint32_t *ids, float *scores);
KERNEL_API uint32_t kernel_scan_bits(const uint64_t *query, const uint64_t *rows, uint32_t n, uint32_t words, const uint8_t *allow, uint32_t k, uint32_t *ids, float *scores);

/* The k best of the n rows named by `from`, by their exact scores. ids are the rows' own numbers. */
KERNEL_API uint32_t kernel_rerank(const float *query, const float *rows, uint32_t dim, const uint32_t *from, uint32_t n, uint32_t k, uint32_t *ids, float *scores);

/* Bits of rows: less the mean, signs flipped by a hash of `seed`, rotated (Walsh-Hadamard), positive or not. `work` has
 * room for 64 * KERNEL_WORDS(dim) floats; `mean` is a row, or NULL. Element i changes its sign where the lowest bit of
 * mix(seed + i * 0x9E3779B9) is set (mix: x ^= x >> 16; x *= 0x7feb352d; x ^= x >> 15; x *= 0x846ca68b; x ^= x >> 16). The
 * butterflies are of width 1, 2, 4 ...: (a, b) becomes (a + b, a - b). */
KERNEL_API void kernel_binarise(const float *rows, uint32_t n, uint32_t dim, const float *mean, uint32_t seed, float *work, uint64_t *bits);

/* What a row of a collection is, for filters. id 0: the row is free. */
typedef struct {
  uint32_t id, owner, session, created_s, exact;
  uint8_t kind, tier, unused[2];
} kernel_row;

/* The rows of which all holds: the bit of their owner is set in `owners` (owner_bits long), session is 0 or theirs, the
 * bit of their kind is set in `kinds`, after_s <= created_s < before_s. Writes the bitmap and returns how many there are. */
KERNEL_API uint32_t kernel_filter(const kernel_row *rows, uint32_t n, const uint8_t *owners, uint32_t owner_bits, uint32_t session, uint32_t kinds, uint32_t after_s, uint32_t before_s, uint8_t *allow);

/* Adds to sum[0] (modulo 2^64) a hash of each of n records of `bytes` bytes, in which their numbers `first`, first + 1 ...
 * take part. So a record that is replaced changes the sum by its new hash less its old one, and the order of changes does
 * not matter. Finds accidents; a forger can have any sum. The hash: h = mix(number + 1), then h = mix(h ^ word) for each
 * 64-bit word (little endian, the last one filled up with zeros), with mix: x ^= x >> 30; x *= 0xBF58476D1CE4E5B9;
 * x ^= x >> 27; x *= 0x94D049BB133111EB; x ^= x >> 31. */
KERNEL_API void kernel_digest(const uint8_t *records, uint32_t n, uint32_t bytes, uint32_t first, uint64_t *sum);

/* Hash embedding (feature hashing, Weinberger et al. 2009) of n texts: text i is the bytes from offsets[i] to
 * offsets[i + 1]. Text was folded before (lower case, no accents). Words, pairs of words and n-grams of characters each
 * add their weight, with a sign, to one of dim places; words whose hash is in `common` (sorted) weigh less. Rows have
 * length 1, or are zero where a text has no word. `work` has room for dim int32_t. */
KERNEL_API void kernel_embed(const uint8_t *text, const uint32_t *offsets, uint32_t n, uint32_t dim, const uint32_t *common, uint32_t common_count, int32_t *work, float *rows);

/* A graph (HNSW, Malkov and Yashunin 2016) over int8 rows: links only, in one block with relative offsets that can be
 * saved and mapped anywhere. Node i is row i of the matrix that every call is given. `key` is a number of the caller's for
 * each node (0: not in the graph), by which he finds what has changed since the graph was saved. */
#define KERNEL_GRAPH_MAGIC 0x31475657u
typedef struct {
  uint32_t magic, version, capacity, dim, degree, breadth, count, live, entry, top, seed, upper_used, upper_capacity, unused;
  uint64_t keys, levels, base, upper_at, upper, bytes;
} kernel_graph;

/* How many bytes a graph takes: degree 2 to 64 links a node (twice as many on the lowest level), breadth 1 to 4096. */
KERNEL_API uint64_t kernel_graph_bytes(uint32_t capacity, uint32_t degree);
KERNEL_API void kernel_graph_init(kernel_graph *graph, uint32_t capacity, uint32_t dim, uint32_t degree, uint32_t breadth, uint32_t seed);
/* What a call needs beside it: room for one caller at a time, zero at first, of any content later. */
KERNEL_API uint64_t kernel_scratch_bytes(uint32_t capacity, uint32_t dim, uint32_t breadth_max);
/* 0 where a block of that many bytes is a graph whose every offset, count and link is within it; else what is wrong, as a
 * line number of graph.h. To be asked before anything else where it comes from a file. */
KERNEL_API int32_t kernel_graph_check(const kernel_graph *graph, uint64_t bytes, uint32_t dim);
/* Links the rows named by `nodes`, which are not in the graph. Returns how many were linked: fewer where one is beyond
 * the capacity. */
KERNEL_API uint32_t kernel_graph_insert(kernel_graph *graph, const int8_t *rows, const float *scales, const uint32_t *nodes, const uint32_t *keys, uint32_t n, void *scratch);
/* Unlinks them, repairing their neighbours; they can be inserted again. Returns how many were in the graph. The bytes of
 * their rows must still be what they were. */
KERNEL_API uint32_t kernel_graph_remove(kernel_graph *graph, const int8_t *rows, const float *scales, const uint32_t *nodes, uint32_t n, void *scratch);
/* Up to k of the allowed rows near the query, having looked at `breadth` (k to 4096) at least. */
KERNEL_API uint32_t kernel_graph_search(const kernel_graph *graph, const int8_t *rows, const float *scales, const int8_t *query, float query_scale, uint32_t k, uint32_t breadth, const uint8_t *allow, uint32_t *ids, float *scores, void *scratch);
/* Into a graph that was initialised with a larger capacity, or a smaller one: node i becomes node moved[i] (~0: it was
 * removed before), or stays where `moved` is NULL. Returns 0, or -1 where the target has not the room. */
KERNEL_API int32_t kernel_graph_copy(const kernel_graph *from, const uint32_t *moved, kernel_graph *to);

#endif
