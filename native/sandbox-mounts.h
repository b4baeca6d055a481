/* A file tree of its own: what is granted, where it was, and nothing else. Inside a mount namespace. */
#ifndef SANDBOX_MOUNTS_H
#define SANDBOX_MOUNTS_H
#include "sandbox-common.h"

#include <sys/mount.h>

#define CALL_open_tree 428
#define CALL_move_mount 429
#define CALL_mount_setattr 442
#define TREE_CLONE 1u
#define TREE_RECURSIVE 0x8000u
#define MOVE_FROM_DESCRIPTOR 0x4u
#define SET_RDONLY 0x1u
#define SET_NOSUID 0x2u
#define SET_NODEV 0x4u

typedef struct {
  uint64_t attr_set, attr_clr, propagation, userns_fd;
} mount_attributes_t;

/* A part of the tree and where it lies; and, once it is cloned, a copy of it that is mounted nowhere yet. */
typedef struct {
  char *path;
  /* As the caller spelled it. */
  const char *given;
  int fd, tree;
  mode_t mode;
  bool write;
} part_t;

/* Only ever adds, so that what was forbidden outside stays so. */
static int restrict_mount(int fd, const char *path, uint64_t flags) {
  mount_attributes_t attributes = {.attr_set = flags};
  unsigned how = TREE_RECURSIVE | (path[0] ? 0 : AT_EMPTY_PATH);
  return syscall(CALL_mount_setattr, fd, path, how, &attributes, sizeof attributes) ? errno : 0;
}

/* Returns 0, ENOENT where nothing is there, or another errno. The real path is that of the descriptor: no race. */
static int take_part(const char *path, bool write, part_t *part) {
  char link[64], real[PATH_MAX];
  struct stat stat;
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, real, sizeof real - 1);
  int error = length < 0 || fstat(fd, &stat) ? errno : 0;
  if (!error) real[length] = 0;
  /* Its own /proc is mounted instead. */
  if (!error && starts_with(real, "/proc")) error = ENOENT;
  if (error) {
    close(fd);
    return error;
  }
  *part = (part_t){.path = strdup(real), .given = path, .mode = stat.st_mode, .write = write, .fd = fd, .tree = -1};
  return part->path ? 0 : ENOMEM;
}

static int clone_part(part_t *part) {
  unsigned flags = TREE_CLONE | TREE_RECURSIVE | AT_EMPTY_PATH | O_CLOEXEC;
  part->tree = (int)syscall(CALL_open_tree, part->fd, "", flags);
  if (part->tree < 0) return errno;
  /* A device is written to on what is only read, too, and then keeps its mode, its owner and its times. */
  const bool device = S_ISCHR(part->mode);
  uint64_t rest = SET_NOSUID | (part->write && !device ? 0 : SET_RDONLY) | (device ? 0 : SET_NODEV);
  return restrict_mount(part->tree, "", rest);
}

/* Makes the folders above `path`. What exists is left alone. */
static int make_parents(char *path) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    int error = mkdir(path, 0755) ? errno : 0;
    *slash = '/';
    if (error && error != EEXIST && error != EROFS && error != EACCES) return error;
  }
  return 0;
}

/* Where the path as it was given goes through a link, the same link is made in the new tree. */
static void copy_link(const char *root, const char *path) {
  char prefix[PATH_MAX], target[PATH_MAX], made[2 * PATH_MAX];
  for (size_t end = 1; end <= strlen(path); end++) {
    if (path[end] != '/' && path[end] != 0) continue;
    snprintf(prefix, sizeof prefix, "%.*s", (int)end, path);
    ssize_t length = readlink(prefix, target, sizeof target - 1);
    if (length < 0) continue;
    target[length] = 0;
    snprintf(made, sizeof made, "%s%s", root, prefix);
    /* Where something is there already, or below what is only read, the path goes on without it. */
    if (make_parents(made) == 0 && symlink(target, made)) return;
    return;
  }
}

/* An empty folder or file for the part to be mounted on. Returns 0 or an errno. */
static int make_place(char *target, bool folder) {
  for (bool again = true;; again = false) {
    int fd = folder ? mkdir(target, 0755) : open(target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_EXCL, 0644);
    if (fd >= 0 && !folder) close(fd);
    if (fd >= 0 || errno == EEXIST || errno == EROFS) return 0;
    if (errno != ENOENT || !again) return errno;
    int error = make_parents(target);
    if (error) return error;
  }
}

static int put_part(const char *root, const part_t *part, const char *at) {
  char target[2 * PATH_MAX];
  snprintf(target, sizeof target, "%s%s", root, at);
  int error = make_place(target, S_ISDIR(part->mode));
  if (error) return error;
  return syscall(CALL_move_mount, part->tree, "", AT_FDCWD, target, MOVE_FROM_DESCRIPTOR) ? errno : 0;
}

/* Folders before what lies in them; of one path, the one that may write is put last and so on top. */
static int compare_parts(const void *a, const void *b) {
  const part_t *one = a, *other = b;
  int order = strcmp(one->path, other->path);
  return order ? order : (int)one->write - (int)other->write;
}

/* Inside of what grants as much already. */
static bool covered(const part_t *parts, size_t index) {
  for (size_t i = 0; i < index; i++)
    if (starts_with(parts[index].path, parts[i].path) && (parts[i].write || !parts[index].write)) return true;
  return false;
}

static bool uses_tmp(const part_t *parts, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (starts_with(parts[i].path, "/tmp")) return true;
  return false;
}

/* Its own processes only, and nothing to write. Refused where a container hides parts of the outer one. */
static bool mount_proc(const char *root, const options_t *options) {
  char path[PATH_MAX + 64], limit[32];
  snprintf(path, sizeof path, "%s/proc", root);
  if (mkdir(path, 0755) && errno != EEXIST) return false;
  if (mount("proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL)) return false;
  /*
   * The system's root is exempt from RLIMIT_NPROC; since Linux 6.14 a process namespace has a ceiling of its own.
   * Numbers below 300 are given once, so it is the limit and 300; the supervisor counts those that are alive.
   */
  snprintf(path, sizeof path, "%s/proc/sys/kernel/pid_max", root);
  snprintf(limit, sizeof limit, "%llu", (unsigned long long)options->processes + 300);
  if (geteuid() == 0) write_file(AT_FDCWD, path, limit);
  snprintf(path, sizeof path, "%s/proc", root);
  return restrict_mount(AT_FDCWD, path, SET_RDONLY) == 0;
}

static int put_parts(const char *root, const options_t *options, part_t *parts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int error = parts[i].tree < 0 ? 0 : put_part(root, &parts[i], parts[i].path);
    if (error) return error;
  }
  for (size_t i = 0; i < count; i++)
    if (strcmp(parts[i].path, parts[i].given)) copy_link(root, parts[i].given);
  /* Shared memory is files of its own, too, so that nothing of it is left. */
  const char *const links[][2] = {
      {"shm", options->tmp},
      {"fd", "/proc/self/fd"},
      {"stdin", "/proc/self/fd/0"},
      {"stdout", "/proc/self/fd/1"},
      {"stderr", "/proc/self/fd/2"},
  };
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    char made[PATH_MAX + 32];
    snprintf(made, sizeof made, "%s/dev/%s", root, links[i][0]);
    if (make_parents(made) || (symlink(links[i][1], made) && errno != EEXIST && errno != EROFS)) return errno;
  }
  return 0;
}

/* Puts the parts together and enters what they make. Returns 0 or an errno. */
static int build_tree(const options_t *options, state_t *state, part_t *parts, size_t count) {
  /* The last one is the folder for temporary files once more, under the name that programs know. */
  const bool named_tmp = !uses_tmp(parts, count - 1);
  int error = 0;
  for (size_t i = 0; i < count && !error; i++)
    if (i == count - 1 ? named_tmp : !covered(parts, i)) error = clone_part(&parts[i]);
  if (error) return error;
  /* The new tree grows over this folder, which nobody else sees; all parts are in our hands already. */
  const char *root = options->tmp;
  if (mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m")) return errno;
  error = put_parts(root, options, parts, count - 1);
  if (!error && named_tmp) error = put_part(root, &parts[count - 1], "/tmp");
  if (!error && state->process_namespace) state->own_proc = mount_proc(root, options);
  if (!error && chdir(root)) error = errno;
  if (error || syscall(SYS_pivot_root, ".", ".")) {
    error = error ? error : errno;
    state->own_proc = false;
    umount2(root, MNT_DETACH);
    return chdir("/") ? errno : error;
  }
  if (umount2(".", MNT_DETACH) || chdir("/")) fail("mounts", errno);
  /* The tree itself holds folders and links of ours only, and stays as it is. */
  mount_attributes_t attributes = {.attr_set = SET_RDONLY};
  if (syscall(CALL_mount_setattr, AT_FDCWD, "/", 0, &attributes, sizeof attributes)) fail("mounts", errno);
  return 0;
}

/*
 * Makes a tree of the granted parts and enters it. Returns 0 or an errno; after an error what is in sight is what was
 * in sight before.
 */
static int enter_tree(const options_t *options, state_t *state) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return errno;
  part_t *parts = calloc(options->grant_count + 1, sizeof *parts);
  if (!parts) return ENOMEM;
  size_t count = 0;
  int error = 0;
  for (size_t i = 0; i < options->grant_count && !error; i++) {
    error = take_part(options->grants[i].path, options->grants[i].write, &parts[count]);
    if (!error) count++;
    else if (error == ENOENT || error == EACCES) error = 0;
  }
  qsort(parts, count, sizeof *parts, compare_parts);
  if (!error) error = take_part(options->tmp, true, &parts[count]);
  if (!error) error = build_tree(options, state, parts, ++count);
  for (size_t i = 0; i < count; i++) {
    close(parts[i].fd);
    if (parts[i].tree >= 0) close(parts[i].tree);
  }
  return error;
}

#endif
