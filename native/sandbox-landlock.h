/* Which files and ports a program reaches, by Landlock. */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H
#include "sandbox-common.h"

/* Of <linux/landlock.h>, all versions up to 7: the headers here may be older than the kernel. */
enum {
  FS_EXECUTE = 1 << 0,
  FS_WRITE_FILE = 1 << 1,
  FS_READ_FILE = 1 << 2,
  FS_READ_DIR = 1 << 3,
  FS_MAKE_CHAR = 1 << 6,
  FS_MAKE_BLOCK = 1 << 11,
  FS_REFER = 1 << 13,
  FS_TRUNCATE = 1 << 14,
  FS_IOCTL_DEV = 1 << 15,
  FS_ALL_1 = (1 << 13) - 1,
  NET_BIND_TCP = 1 << 0,
  NET_CONNECT_TCP = 1 << 1,
  SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0,
  SCOPE_SIGNAL = 1 << 1,
};

typedef struct {
  uint64_t handled_access_fs, handled_access_net, scoped;
} ruleset_t;
typedef struct {
  uint64_t allowed_access;
  int32_t parent_fd;
} __attribute__((packed)) path_rule_t;

#define CALL_landlock_create_ruleset 444
#define CALL_landlock_add_rule 445
#define CALL_landlock_restrict_self 446

/* 0 and errno where there is none. */
static int landlock_version(void) {
  long version = syscall(CALL_landlock_create_ruleset, NULL, 0, 1 /* LANDLOCK_CREATE_RULESET_VERSION */);
  return version < 0 ? 0 : (int)version;
}

static uint64_t all_rights(int abi) {
  return FS_ALL_1 | (abi >= 2 ? FS_REFER : 0) | (abi >= 3 ? FS_TRUNCATE : 0) | (abi >= 5 ? FS_IOCTL_DEV : 0);
}

/* What a rule about something that is no folder may hold. */
#define FILE_RIGHTS (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define READ_RIGHTS (FS_EXECUTE | FS_READ_FILE | FS_READ_DIR)

/* Returns 0, ENOENT where nothing is there, or another errno. */
static int grant_path(int ruleset, const char *path, uint64_t rights) {
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return errno;
  struct stat stat;
  int error = fstat(fd, &stat) ? errno : 0;
  if (!error && !S_ISDIR(stat.st_mode)) rights &= FILE_RIGHTS;
  /* A device is used, not run; and it is not ours to reprogram. */
  if (!error && S_ISCHR(stat.st_mode)) rights &= ~(uint64_t)(FS_EXECUTE | FS_IOCTL_DEV);
  path_rule_t rule = {rights, fd};
  if (!error && syscall(CALL_landlock_add_rule, ruleset, 1 /* LANDLOCK_RULE_PATH_BENEATH */, &rule, 0)) error = errno;
  close(fd);
  return error;
}

/*
 * Without a /proc of its own the one in sight shows the names and words of others' processes; their memory and
 * environment are kept by Landlock. Runtimes abort without their own entry, so that only "require" does without.
 */
static bool is_lenient(const options_t *options, const state_t *state) {
  return !state->own_tree && !options->required[LANDLOCK];
}

static int grant_all(int ruleset, const options_t *options, const state_t *state) {
  /* Devices are never made, and REFER is a right of both folders of a rename. */
  uint64_t write = all_rights(state->landlock_abi) & ~(uint64_t)(FS_MAKE_CHAR | FS_MAKE_BLOCK | FS_IOCTL_DEV);
  for (size_t i = 0; i < options->grant_count; i++) {
    const grant_t *grant = &options->grants[i];
    int error = grant_path(ruleset, grant->path, grant->write ? write : READ_RIGHTS);
    if (error && error != ENOENT && error != EACCES) return error;
  }
  /* All that is in sight is granted: listing the folders that lead there tells nothing. */
  int listed = state->own_tree ? grant_path(ruleset, "/", FS_READ_DIR) : 0;
  if (listed) return listed;
  if (state->own_proc || is_lenient(options, state)) return grant_path(ruleset, "/proc", FS_READ_FILE | FS_READ_DIR);
  /* What is granted is the entry of the program itself; those of its children are not there yet. */
  static const char *const harmless[] = {"/proc/self",    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
                                         "/proc/version", "/proc/uptime",  "/proc/loadavg", "/proc/filesystems"};
  for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
    int error = grant_path(ruleset, harmless[i], FS_READ_FILE | FS_READ_DIR);
    if (error && error != ENOENT && error != EACCES) return error;
  }
  return 0;
}

/* Needs no_new_privs. Returns 0 or an errno. */
static int apply_landlock(const options_t *options, const state_t *state) {
  int abi = state->landlock_abi;
  if (abi < 1) return ENOSYS;
  ruleset_t ruleset = {.handled_access_fs = all_rights(abi)};
  /* With a proxy its port is all there is in the namespace, and servers of its own do no harm there. */
  if (abi >= 4 && !options->proxy) ruleset.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
  if (abi >= 6) ruleset.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
  size_t size = abi >= 6 ? sizeof ruleset : abi >= 4 ? 16 : 8;
  int fd = (int)syscall(CALL_landlock_create_ruleset, &ruleset, size, 0);
  if (fd < 0) return errno;
  int error = grant_all(fd, options, state);
  if (!error && syscall(CALL_landlock_restrict_self, fd, 0)) error = errno;
  close(fd);
  return error;
}

#endif
