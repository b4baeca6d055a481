#include "kernel.h"

/* What each kind of feature adds. Tuned by bench/retrieval.ts on one half of its questions. */
#define WORD_WEIGHT 8
#define PAIR_WEIGHT 3
#define GRAM_WEIGHT 1
#define COMMON_WEIGHT 1

/* So that a word, a pair and an n-gram of the same letters are three features. */
#define PAIR_SALT 0x9e3779b1u
#define GRAM3_SALT 0x85ebca6bu
#define GRAM4_SALT 0xc2b2ae35u

/* The finaliser "lowbias32" of Wellons, https://nullprogram.com/blog/2018/07/31/ */
static inline uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

static inline void put(int32_t *work, uint32_t dim, uint32_t feature, int32_t weight) {
  uint32_t hash = mix(feature);
  work[(uint64_t)hash * dim >> 32] += hash & 1 ? weight : -weight;
}

static inline int in_word(uint8_t byte) {
  return byte >= 0x80 || (uint8_t)(byte - 'a') < 26 || (uint8_t)(byte - '0') < 10;
}

/* Hashes are spread evenly, so a sorted one lies near its share of the list. */
static int is_common(uint32_t hash, const uint32_t *common, uint32_t count) {
  uint32_t at = (uint32_t)((uint64_t)hash * count >> 32);
  while (at > 0 && common[at - 1] >= hash) at--;
  while (at < count && common[at] < hash) at++;
  return at < count && common[at] == hash;
}

/* The n-grams of three and four characters of a word with a space on either side. A character is a code point as far as
 * the bytes are UTF-8, and something that depends on the bytes alone where they are not. */
static void put_grams(const uint8_t *text, uint32_t from, uint32_t to, uint32_t dim, int32_t *work) {
  uint32_t a = 0, b = 0, c = ' ';
  for (uint32_t i = from; i <= to;) {
    uint32_t d = i < to ? text[i] : ' ';
    for (i++; i < to && (text[i] & 0xc0) == 0x80; i++) d = d << 6 ^ text[i];
    uint32_t three = (b * 31 + c) * 0x01000193u + d;
    if (b) put(work, dim, three ^ GRAM3_SALT, GRAM_WEIGHT);
    if (a) put(work, dim, (three + a * 0x27d4eb2fu) ^ GRAM4_SALT, GRAM_WEIGHT);
    a = b;
    b = c;
    c = d;
  }
}

static void embed(const uint8_t *text, uint32_t from, uint32_t to, uint32_t dim, const uint32_t *common,
                  uint32_t common_count, int32_t *work) {
  uint32_t previous = 0;
  for (uint32_t i = from; i < to;) {
    if (!in_word(text[i])) {
      i++;
      continue;
    }
    uint32_t start = i, hash = 0x811c9dc5u;
    for (; i < to && in_word(text[i]); i++) hash = (hash ^ text[i]) * 0x01000193u;
    if (is_common(hash, common, common_count)) {
      put(work, dim, hash, COMMON_WEIGHT);
      continue;
    }
    put(work, dim, hash, WORD_WEIGHT);
    if (previous) put(work, dim, (previous * 31 + hash) ^ PAIR_SALT, PAIR_WEIGHT);
    put_grams(text, start, i, dim, work);
    previous = hash;
  }
}

void kernel_embed(const uint8_t *text, const uint32_t *offsets, uint32_t n, uint32_t dim, const uint32_t *common,
                  uint32_t common_count, int32_t *work, float *rows) {
  for (uint32_t text_index = 0; text_index < n; text_index++) {
    float *row = rows + (uint64_t)text_index * dim;
    for (uint32_t i = 0; i < dim; i++) work[i] = 0;
    embed(text, offsets[text_index], offsets[text_index + 1], dim, common, common_count, work);
    uint64_t square = 0;
    for (uint32_t i = 0; i < dim; i++) square += (uint64_t)((int64_t)work[i] * work[i]);
    float scale = square ? (float)(1.0 / __builtin_sqrt((double)square)) : 0.0f;
    for (uint32_t i = 0; i < dim; i++) row[i] = (float)work[i] * scale;
  }
}
