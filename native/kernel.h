/* kernel.h - what the gateway asks of the operating system and Bun does not offer.
 *
 * Contract for every function below:
 *   - The caller owns every buffer. Nothing is allocated, kept after the return, or held as state.
 *   - Text is UTF-8 and ends with a zero byte.
 *   - A result below zero is -errno, so that no second call is needed to learn it.
 *   - Safe to call from several threads at once.
 *
 * scripts/native.ts reads the KERNEL_API lines to write src/kernel/symbols.gen.ts: one line a function. */
#ifndef KERNEL_H
#define KERNEL_H
#include <stdint.h>

#define KERNEL_API __attribute__((visibility("default")))
#define KERNEL_ABI 1 /* Raised on any change to a prototype below. */

KERNEL_API uint32_t kernel_abi(void);

/* Opens a path below a directory descriptor: neither "..", nor an absolute path or link, nor a link of /proc leads out
 * of it, whatever is renamed meanwhile. Close-on-exec. Returns a descriptor; -EXDEV for what leads out, -ELOOP for a
 * link of /proc, -ENOSYS before Linux 5.6 and on other systems. */
KERNEL_API int32_t kernel_open_beneath(int32_t folder, const char *path, int32_t flags, uint32_t mode);

/* Renames within a folder, if nothing has the new name. Returns 0; -EEXIST where something has, -EINVAL or -ENOSYS
 * where the file system or the kernel cannot do it in one step. */
KERNEL_API int32_t kernel_rename_new(int32_t folder, const char *from, const char *to);

#endif
