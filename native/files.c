#define _GNU_SOURCE
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

/* Declared here, as the headers of older systems do not know them; the numbers are the same on every machine that
 * Linux was ported to since 2011, and on x86-64. */
#define NR_RENAMEAT2_X86_64 316
#define NR_RENAMEAT2_GENERIC 276
#define NR_OPENAT2 437
#define RENAME_WITHOUT_REPLACING 1
#define RESOLVE_WITHOUT_MAGIC_LINKS 0x02
#define RESOLVE_ONLY_BENEATH 0x08

/* A rename elsewhere in the tree makes the kernel give up on a path with ".." or a link; it asks to be called again. */
#define ATTEMPTS_MAX 128

struct open_how_v0 {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

uint32_t kernel_abi(void) { return KERNEL_ABI; }

int32_t kernel_open_beneath(int32_t folder, const char *path, int32_t flags, uint32_t mode) {
#if defined(__linux__)
  struct open_how_v0 how = {
    .flags = (uint64_t)(uint32_t)(flags | O_CLOEXEC),
    .mode = flags & O_CREAT ? mode : 0,
    .resolve = RESOLVE_ONLY_BENEATH | RESOLVE_WITHOUT_MAGIC_LINKS,
  };
  for (int attempt = 0;; attempt++) {
    long opened = syscall(NR_OPENAT2, folder, path, &how, sizeof how);
    if (opened >= 0) return (int32_t)opened;
    if ((errno != EAGAIN && errno != EINTR) || attempt == ATTEMPTS_MAX) return -errno;
  }
#else
  (void)folder, (void)path, (void)flags, (void)mode;
  return -ENOSYS;
#endif
}

int32_t kernel_rename_new(int32_t folder, const char *from, const char *to) {
#if defined(__linux__)
#if defined(__x86_64__)
  const long number = NR_RENAMEAT2_X86_64;
#else
  const long number = NR_RENAMEAT2_GENERIC;
#endif
  return syscall(number, folder, from, folder, to, RENAME_WITHOUT_REPLACING) == 0 ? 0 : -errno;
#else
  (void)folder, (void)from, (void)to;
  return -ENOSYS;
#endif
}
