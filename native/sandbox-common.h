/* What the parts of the sandbox helper share: its options, its report and small words. */
#ifndef SANDBOX_COMMON_H
#define SANDBOX_COMMON_H
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define STATUS_FD 3
#define GRANTS_MAX 1024
#define PROXY_PORT 3128

typedef enum { LANDLOCK, SECCOMP, NO_NEW_PRIVILEGES, LIMITS, PROCESSES, NETWORK, WALLS } wall_t;
static const char *const wall_names[WALLS] = {
    "landlock", "seccomp", "no_new_privileges", "limits", "processes", "network",
};

typedef struct {
  const char *path;
  bool write;
} grant_t;

typedef struct {
  pid_t parent;
  const char *folder, *tmp, *proxy;
  grant_t grants[GRANTS_MAX];
  size_t grant_count;
  uint64_t processes, files, file_bytes, memory_bytes;
  bool required[WALLS];
  char **argv;
  /* Where the system shows the words that we were started with. */
  char *shown;
  size_t shown_length;
} options_t;

/* What became of each wall, and of what they are made of. An empty `missing` means that it holds. */
typedef struct {
  char missing[WALLS][96];
  bool user_namespace, process_namespace, network_namespace, mount_namespace;
  bool own_tree, own_proc;
  /* Of the system, whatever it is called in a namespace. */
  bool is_root;
  /* Why we are nobody in our namespace of users. */
  int map_error;
  int landlock_abi;
} state_t;

/* The names that this helper can meet; strerrorname_np is glibc's alone. */
static const char *error_name(int error) {
  static const struct {
    int error;
    const char *name;
  } names[] = {
#define NAME(error) {error, #error},
      NAME(E2BIG) NAME(EACCES) NAME(EAGAIN) NAME(EBADF) NAME(EBUSY) NAME(EEXIST) NAME(EFAULT) NAME(EINTR)
      NAME(EINVAL) NAME(EIO) NAME(EISDIR) NAME(ELIBBAD) NAME(ELOOP) NAME(EMFILE) NAME(EMLINK) NAME(ENAMETOOLONG)
      NAME(ENFILE) NAME(ENODEV) NAME(ENOENT) NAME(ENOEXEC) NAME(ENOMEM) NAME(ENOSPC) NAME(ENOSYS) NAME(ENOTDIR)
      NAME(ENXIO) NAME(EOPNOTSUPP) NAME(EPERM) NAME(ERANGE) NAME(EROFS) NAME(ESRCH) NAME(ETXTBSY) NAME(EUSERS)
      NAME(EXDEV) NAME(EADDRINUSE) NAME(EADDRNOTAVAIL) NAME(EAFNOSUPPORT) NAME(ECONNREFUSED) NAME(ECHILD)
#undef NAME
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].error == error) return names[i].name;
  static char number[24];
  snprintf(number, sizeof number, "E%d", error);
  return number;
}

/* One line of the report. Shorter than PIPE_BUF, so lines of several processes never mix. */
__attribute__((format(printf, 1, 2))) static void report(const char *format, ...) {
  char line[512];
  va_list args;
  va_start(args, format);
  int length = vsnprintf(line, sizeof line - 1, format, args);
  va_end(args);
  if (length < 0) return;
  if ((size_t)length > sizeof line - 2) length = (int)sizeof line - 2;
  line[length++] = '\n';
  while (write(STATUS_FD, line, (size_t)length) < 0 && errno == EINTR) {
  }
}

/* Whoever reads the other end takes a byte for a last line that was written, and its closing for a program that runs. */
static int ready_fd = -1;

_Noreturn static void fail(const char *step, int error) {
  report("failed %s %s", step, error_name(error));
  if (ready_fd >= 0 && write(ready_fd, "x", 1) < 0) _exit(1);
  _exit(0);
}

/* The first reason stays: what came of it later says less. */
static void miss(state_t *state, wall_t wall, const char *what, int error) {
  if (state->missing[wall][0]) return;
  snprintf(state->missing[wall], sizeof state->missing[wall], "%s: %s", what, error_name(error));
}

/* Writes a whole small file, such as those below /proc. Returns 0 or an errno. */
static int write_file(int folder, const char *path, const char *text) {
  int fd = openat(folder, path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  ssize_t written = write(fd, text, strlen(text));
  int error = written < 0 ? errno : 0;
  close(fd);
  return error;
}

static bool starts_with(const char *path, const char *folder) {
  size_t length = strlen(folder);
  while (length > 1 && folder[length - 1] == '/') length--;
  return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == 0 || length == 1);
}

#endif
