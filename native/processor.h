/* processor.h - what the processor has, asked of itself: the builtins of compilers for it need a library that not every
 * cross compiler can put into a shared object. x86-64 only. */
#ifndef PROCESSOR_H
#define PROCESSOR_H
#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>

#define AVX2_BITS (1u << 5 | 1u << 3 | 1u << 8) /* AVX2, BMI1, BMI2: leaf 7, EBX */
#define AVX512_BITS (1u << 16 | 1u << 17 | 1u << 30 | 1u << 31 | 1u << 28) /* F, DQ, BW, VL, CD: the same */
#define AVX512_COUNT_BITS (1u << 11 | 1u << 14) /* VNNI, VPOPCNTDQ: leaf 7, ECX */
#define OWN_BITS (1u << 12 | 1u << 23 | 1u << 27 | 1u << 28) /* FMA, POPCNT, OSXSAVE, AVX: leaf 1, ECX */
#define LZCNT_BIT (1u << 5) /* Leaf 0x80000001, ECX */

/* Which registers the system keeps when it changes from one thread to another: it has to agree, too. */
static uint32_t kept_registers(void) {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/* As kernel_instructions counts: 0 the floor, 1 AVX2, 2 AVX-512. */
static uint32_t best_instructions(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & OWN_BITS) != OWN_BITS) return 0;
  uint32_t kept = kept_registers();
  if ((kept & 0x6) != 0x6) return 0;
  if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || !(c & LZCNT_BIT)) return 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & AVX2_BITS) != AVX2_BITS) return 0;
  bool wide = (kept & 0xe6) == 0xe6 && (b & AVX512_BITS) == AVX512_BITS && (c & AVX512_COUNT_BITS) == AVX512_COUNT_BITS;
  return wide ? 2 : 1;
}
#endif
