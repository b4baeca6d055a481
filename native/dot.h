/* dot.h - products of two rows. Included once for each instruction set, with WIDTH floats in a vector.
 *
 * Plain loops and the vectors of the compiler: from memory, which is the case that matters, intrinsics gain nothing over
 * them, but for the two places below. */

typedef float floats_t __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));

/* The sums of 32 lanes are added by halves in the end, so that every vector length makes the same bits. */
ALWAYS_INLINE float dot_f32(const float *a, const float *b, uint32_t dim) {
  enum { parts = LANES / WIDTH };
  floats_t sums[parts] = {{0}};
  uint32_t i = 0;
  for (; i + LANES <= dim; i += LANES)
    for (uint32_t part = 0; part < parts; part++)
      sums[part] += *(const floats_t *)(a + i + part * WIDTH) * *(const floats_t *)(b + i + part * WIDTH);
  float lanes[LANES];
  for (uint32_t part = 0; part < parts; part++) *(floats_t *)(lanes + part * WIDTH) = sums[part];
  for (uint32_t lane = 0; i < dim; i++, lane++) lanes[lane] += a[i] * b[i];
  for (uint32_t half = LANES / 2; half > 0; half /= 2)
    for (uint32_t lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
  return lanes[0];
}

#if defined(USE_VNNI)
/* Products of unsigned with signed bytes are one instruction: what 128 more in each byte of the row add is subtracted.
 * 64 elements in one step and no wider copy. */
ALWAYS_INLINE int32_t dot_biased(const uint8_t *a, const int8_t *b, uint32_t stride, uint8_t flip) {
  __m512i sum = _mm512_setzero_si512(), flips = _mm512_set1_epi8((char)flip);
  uint32_t i = 0;
  for (; i + 64 <= stride; i += 64)
    sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(_mm512_loadu_si512(a + i), flips), _mm512_loadu_si512(b + i));
  if (i < stride) {
    __m512i rest = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i_u *)(a + i)));
    __m512i last = _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i_u *)(b + i)));
    sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(rest, flips), last);
  }
  return _mm512_reduce_add_epi32(sum);
}

ALWAYS_INLINE void prepare(query_t *query, const int8_t *row, float scale, uint32_t stride) {
  int32_t sum = 0;
  for (uint32_t i = 0; i < stride; i++) sum += row[i];
  query->elements = row;
  query->scale = scale;
  query->excess = 128 * sum;
}

ALWAYS_INLINE int32_t dot_i8(const query_t *query, const int8_t *row, uint32_t stride) {
  return dot_biased((const uint8_t *)row, query->elements, stride, 0x80) - query->excess;
}
#else
ALWAYS_INLINE void prepare(query_t *query, const int8_t *row, float scale, uint32_t stride) {
  for (uint32_t i = 0; i < stride; i++) query->wide[i] = row[i];
  query->elements = query->wide;
  query->scale = scale;
}

#if defined(__wasm_simd128__)
ALWAYS_INLINE int32_t add_lanes(v128_t sum) {
  return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) + wasm_i32x4_extract_lane(sum, 2) +
         wasm_i32x4_extract_lane(sum, 3);
}

ALWAYS_INLINE int32_t dot_i8(const query_t *query, const int8_t *row, uint32_t stride) {
  const int16_t *wide = query->wide;
  v128_t a = wasm_i32x4_splat(0), b = a;
  for (uint32_t i = 0; i < stride; i += 16) {
    a = wasm_i32x4_add(a, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(row + i), wasm_v128_load(wide + i)));
    b = wasm_i32x4_add(b, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(row + i + 8), wasm_v128_load(wide + i + 8)));
  }
  return add_lanes(wasm_i32x4_add(a, b));
}
#else
ALWAYS_INLINE int32_t dot_i8(const query_t *query, const int8_t *row, uint32_t stride) {
  const int16_t *wide = query->wide;
  int32_t sum = 0;
  /* That it is whole groups of 32 lets the compiler leave out the rest of the loop. */
  stride &= ~31u;
  for (uint32_t i = 0; i < stride; i++) sum += wide[i] * row[i];
  return sum;
}
#endif
#endif

ALWAYS_INLINE float score_i8(const query_t *query, const int8_t *row, float scale, uint32_t stride) {
  return (float)dot_i8(query, row, stride) * (query->scale * scale);
}

ALWAYS_INLINE uint32_t differing(const uint64_t *a, const uint64_t *b, uint32_t words) {
#if defined(__wasm_simd128__)
  if (words % 2 == 0) {
    v128_t sum = wasm_i32x4_splat(0);
    for (uint32_t i = 0; i < words; i += 2) {
      v128_t ones = wasm_i8x16_popcnt(wasm_v128_xor(wasm_v128_load(a + i), wasm_v128_load(b + i)));
      sum = wasm_i32x4_add(sum, wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(ones)));
    }
    return (uint32_t)add_lanes(sum);
  }
#endif
  uint64_t count = 0;
  for (uint32_t i = 0; i < words; i++) count += (uint64_t)__builtin_popcountll(a[i] ^ b[i]);
  return (uint32_t)count;
}
