#include "kernel.h"

/* What each feature of a word adds. Chosen by bench/retrieval.ts on one half of its questions. */
#define WORD_WEIGHT 4
#define BEGINNING_WEIGHT 8
#define GRAM_WEIGHT 4
#define FIRST_GRAM_WEIGHT 2
#define COMMON_WEIGHT 1

/* Characters of a beginning, and of an n-gram. */
#define GRAM_CHARS 4

/* So that a word, its beginning and an n-gram of the same letters are three features. */
#define BEGINNING_SALT 0x51ed270bu
#define GRAM_SALT 0xc2b2ae35u

#define FNV_OFFSET 0x811c9dc5u
#define FNV_PRIME 0x01000193u

/* The finaliser "lowbias32" of Wellons, https://nullprogram.com/blog/2018/07/31/ */
static inline uint32_t mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ x >> 16;
}

/* The lowest bit is the sign, the highest say where. More than one place a feature finds no more (measured). */
static inline void put(int32_t *work, uint32_t dim, uint32_t feature, int32_t weight) {
  uint32_t hash = mix(feature);
  int32_t sign = -(int32_t)(hash & 1);
  work[(uint64_t)hash * dim >> 32] += (weight ^ sign) - sign;
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

/* The beginning of a word, and the n-grams of the space before it and its characters. Its end is left out, because that is
 * what changes when a word is inflected. A character is a code point as far as the bytes are UTF-8, and something that
 * depends on the bytes alone where they are not. */
static void put_parts(const uint8_t *text, uint32_t from, uint32_t to, uint32_t dim, int32_t *work) {
  uint32_t beginning = FNV_OFFSET;
  uint32_t last[GRAM_CHARS - 1] = {0, 0, ' '};
  for (uint32_t i = from, count = 1; i < to; count++) {
    uint32_t character = text[i];
    for (i++; i < to && (text[i] & 0xc0) == 0x80; i++) character = character << 6 ^ text[i];
    if (count <= GRAM_CHARS) beginning = (beginning ^ character) * FNV_PRIME;
    if (count == GRAM_CHARS) put(work, dim, beginning ^ BEGINNING_SALT, BEGINNING_WEIGHT);
    if (count >= GRAM_CHARS - 1) {
      uint32_t gram = (((last[0] * 31 + last[1]) * FNV_PRIME + last[2]) * FNV_PRIME + character) * 0x297a2d39u;
      put(work, dim, gram ^ GRAM_SALT, count == GRAM_CHARS - 1 ? FIRST_GRAM_WEIGHT : GRAM_WEIGHT);
    }
    last[0] = last[1];
    last[1] = last[2];
    last[2] = character;
  }
}

static void embed(const uint8_t *text, uint32_t from, uint32_t to, uint32_t dim, const uint32_t *common,
                  uint32_t common_count, int32_t *work) {
  for (uint32_t i = from; i < to;) {
    if (!in_word(text[i])) {
      i++;
      continue;
    }
    uint32_t start = i, hash = FNV_OFFSET;
    for (; i < to && in_word(text[i]); i++) hash = (hash ^ text[i]) * FNV_PRIME;
    if (is_common(hash, common, common_count)) {
      put(work, dim, hash, COMMON_WEIGHT);
    } else {
      put(work, dim, hash, WORD_WEIGHT);
      put_parts(text, start, i, dim, work);
    }
  }
}

void kernel_embed(const uint8_t *text, const uint32_t *offsets, uint32_t n, uint32_t dim, const uint32_t *common,
                  uint32_t common_count, int32_t *work, float *rows) {
  for (uint32_t text_index = 0; text_index < n; text_index++) {
    float *row = rows + (uint64_t)text_index * dim;
    for (uint32_t i = 0; i < dim; i++) work[i] = 0;
    embed(text, offsets[text_index], offsets[text_index + 1], dim, common, common_count, work);
    /* The square root of each place (Perronnin et al. 2010): what is said often counts less than as often. The sum of
     * the places is that of the squares of their roots. */
    uint64_t sum = 0;
    for (uint32_t i = 0; i < dim; i++) sum += (uint32_t)(work[i] < 0 ? -work[i] : work[i]);
    float scale = sum ? (float)(1.0 / __builtin_sqrt((double)sum)) : 0.0f;
    for (uint32_t i = 0; i < dim; i++) {
      float root = __builtin_sqrtf((float)(work[i] < 0 ? -work[i] : work[i])) * scale;
      row[i] = work[i] < 0 ? -root : root;
    }
  }
}
