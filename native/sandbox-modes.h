/*
 * Modes and times of files where no mount keeps those outside: Landlock knows nothing of them, and a filter sees no
 * paths. So the program's call waits, and the supervisor does it in its place where the file is granted for writing.
 */
#ifndef SANDBOX_MODES_H
#define SANDBOX_MODES_H
#include "sandbox-common.h"
#include "sandbox-seccomp.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

static void send_descriptor(int socket, int fd) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  char byte = 0;
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (sendmsg(socket, &message, MSG_NOSIGNAL) != 1) fail("modes", errno);
}

/* -1 where there is none. */
static int receive_descriptor(int socket) {
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
  } control = {0};
  char byte;
  struct iovec part = {&byte, 1};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  int fd = -1;
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header && header->cmsg_type == SCM_RIGHTS) memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

typedef struct {
  int fd, folder, flags;
  /* In the program's memory; 0: the descriptor itself is meant. */
  uint64_t path, times;
  mode_t mode;
  bool sets_times;
} change_t;

static change_t parse_change(const struct seccomp_data *data) {
  const __u64 *args = data->args;
  if (data->nr == CALL_fchmod) return (change_t){.fd = (int)args[0], .mode = (mode_t)args[1]};
  if (data->nr == CALL_chmod) return (change_t){.folder = AT_FDCWD, .path = args[0], .mode = (mode_t)args[1]};
  change_t change = {.folder = (int)args[0], .path = args[1]};
  if (data->nr == CALL_utimensat) {
    change.sets_times = true;
    change.times = args[2];
    change.flags = (int)args[3];
  } else {
    change.mode = (mode_t)args[2];
    if (data->nr == CALL_fchmodat2) change.flags = (int)args[3];
  }
  return change;
}

/* Returns how many bytes there were, or -errno. */
static ssize_t copy_from(int proc, pid_t pid, uint64_t address, void *to, size_t size) {
  char name[32];
  snprintf(name, sizeof name, "%d/mem", pid);
  int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  ssize_t got = pread(fd, to, size, (off_t)address);
  if (got < 0) got = -errno;
  close(fd);
  return got;
}

/* What the program means, held by a descriptor that can no longer be led elsewhere; or -errno. */
static int open_changed(int proc, pid_t pid, const change_t *change) {
  char base[48], path[PATH_MAX] = "";
  if (change->path) {
    ssize_t got = copy_from(proc, pid, change->path, path, sizeof path);
    if (got <= 0) return got < 0 ? (int)got : -EFAULT;
    if (!memchr(path, 0, (size_t)got)) return -ENAMETOOLONG;
    if (!path[0] && !(change->flags & AT_EMPTY_PATH)) return -ENOENT;
  }
  if (change->path && change->folder == AT_FDCWD) snprintf(base, sizeof base, "%d/cwd", pid);
  else snprintf(base, sizeof base, "%d/fd/%d", pid, change->path ? change->folder : change->fd);
  int from = openat(proc, base, O_PATH | O_CLOEXEC);
  if (from < 0) return errno == ENOENT ? -EBADF : -errno;
  if (!path[0]) return from;
  int flags = O_PATH | O_CLOEXEC | (change->flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
  int fd = openat(from, path, flags);
  int error = errno;
  close(from);
  return fd < 0 ? -error : fd;
}

/* By where it really lies: nothing from elsewhere can be linked into a granted folder. */
static bool is_writable_grant(const options_t *options, const char *link) {
  char real[PATH_MAX], granted[PATH_MAX];
  ssize_t length = readlink(link, real, sizeof real - 1);
  if (length <= 0) return false;
  real[length] = 0;
  for (size_t i = 0; i < options->grant_count; i++) {
    const grant_t *grant = &options->grants[i];
    if (grant->write && !starts_with(grant->path, "/dev") && realpath(grant->path, granted) && starts_with(real, granted))
      return true;
  }
  return false;
}

/* Returns 0 or -errno. */
static int change_file(const options_t *options, int proc, int listener, const struct seccomp_notif *call) {
  const change_t parsed = parse_change(&call->data), *change = &parsed;
  const pid_t pid = (pid_t)call->pid;
  struct timespec times[2];
  if (change->times && copy_from(proc, pid, change->times, times, sizeof times) != sizeof times) return -EFAULT;
  int fd = open_changed(proc, pid, change);
  if (fd < 0) return fd;
  char link[48];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int error = 0;
  /* What was found by its number is that of who asked only as long as it waits. */
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id)) error = EINTR;
  else if (!is_writable_grant(options, link)) error = EPERM;
  else if (change->sets_times) error = utimensat(AT_FDCWD, link, change->times ? times : NULL, 0) ? errno : 0;
  else error = chmod(link, change->mode & 03777) ? errno : 0;
  close(fd);
  return -error;
}

/* Answers one call that waits. False where there will be no more of them. */
static bool serve_change(const options_t *options, int proc, int listener) {
  struct seccomp_notif call = {0};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call)) return errno == EINTR || errno == ENOENT;
  struct seccomp_notif_resp answer = {.id = call.id, .error = change_file(options, proc, listener, &call)};
  /* Who asked may be gone by now. */
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0 || errno == ENOENT || errno == EINTR;
}

#endif
