/* What happens inside the namespaces: the first process, and the program itself behind the last walls. */
#ifndef SANDBOX_INSIDE_H
#define SANDBOX_INSIDE_H
#include "sandbox-common.h"
#include "sandbox-landlock.h"
#include "sandbox-modes.h"
#include "sandbox-mounts.h"
#include "sandbox-seccomp.h"

#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

/* What the processes inside know of the one outside. */
typedef struct {
  pid_t supervisor;
  /* Broken when it is gone; where the program's status goes; where the listener of its filter goes. */
  int alive_fd, ended_fd, modes_fd;
  /* Tasks of this user that count against the program's limit, too. */
  uint64_t already_running;
} inside_t;

/* Standard streams of a process that only guards: the program's ends must close when the program closes them. */
static void leave_streams(void) {
  int fd = open("/dev/null", O_RDWR);
  for (int i = 0; i < 3 && fd >= 0; i++) dup2(fd, i);
  if (fd > 2) close(fd);
}

/*
 * What comes from outside by descriptor comes past all mounts. A device is opened anew, in the new tree, where its mode
 * and its times stay; a file in memory, which is how input is given, takes up no more room than it does.
 */
static void enclose_streams(bool own_tree) {
  for (int fd = 0; fd < 3; fd++) {
    struct stat stat;
    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    struct stat here;
    if (!own_tree || fstat(fd, &stat) || !S_ISCHR(stat.st_mode)) continue;
    int again = open("/dev/null", fcntl(fd, F_GETFL) & O_ACCMODE);
    if (again < 0 || fstat(again, &here)) fail("streams", errno);
    if (here.st_rdev != stat.st_rdev) fail("streams", ENODEV);
    dup2(again, fd);
    close(again);
  }
}

/* glibc has a type of its own for it, musl an int. */
#if defined(__GLIBC__)
typedef __rlimit_resource_t resource_t;
#else
typedef int resource_t;
#endif

static int limit(resource_t resource, uint64_t value) {
  struct rlimit now, wanted = {value, value};
  if (getrlimit(resource, &now)) return errno;
  /* Nobody may raise what is lower already. */
  if (now.rlim_max < value) wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
  return setrlimit(resource, &wanted) ? errno : 0;
}

static void apply_limits(const options_t *options, state_t *state, uint64_t already_running) {
  const struct {
    int resource;
    uint64_t value;
  } limits[] = {
      {RLIMIT_CORE, 0},
      {RLIMIT_NOFILE, options->files},
      {RLIMIT_FSIZE, options->file_bytes},
      {RLIMIT_NPROC, options->processes + already_running},
      {RLIMIT_STACK, 8u << 20},
      {RLIMIT_MEMLOCK, 1u << 20},
      {RLIMIT_MSGQUEUE, 0},
      {RLIMIT_NICE, 0},
      {RLIMIT_RTPRIO, 0},
  };
  for (size_t i = 0; i < COUNT(limits); i++) {
    int error = limit(limits[i].resource, limits[i].value);
    if (error) miss(state, LIMITS, "setrlimit", error);
  }
  /* RLIMIT_NPROC is not for the system's root, and who forks as fast as it can outruns whoever kills one by one. */
  if (state->is_root && !state->process_namespace) miss(state, LIMITS, "processes of root", EPERM);
}

/* Every capability of every set; where the bounding set may not be touched, no_new_privs keeps it from being used. */
static int drop_capabilities(void) {
  for (unsigned long capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) && errno == EINVAL) break;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0}, {0}};
  return syscall(SYS_capset, &header, none) ? errno : 0;
}

static void apply_filter(const options_t *options, state_t *state, pid_t supervisor, int modes_fd) {
  filter_options_t filter = {
      .internet = options->proxy && state->network_namespace,
      /* A path or an abstract name must not lead to the system's own services. */
      .unix_sockets = state->own_tree && (state->network_namespace || state->landlock_abi >= 6),
      .metadata = state->own_tree,
      .no_setuid = true,
  };
  if (!state->process_namespace) {
    pid_t group = getpgid(options->parent);
    pid_t guarded[] = {supervisor, -supervisor, getppid(), -getppid(), options->parent, -options->parent, group, -group};
    size_t count = 0;
    for (size_t i = 0; i < COUNT(guarded) - 1; i++)
      if (guarded[i] && count < COUNT(filter.guarded) - 1) filter.guarded[count++] = guarded[i];
  }
  int listener = -1;
  int error = state->own_tree ? ENOSYS : apply_supervised_seccomp(filter, &listener);
  /* Without somebody who changes modes, those who ask for all walls get no change and others get any. */
  if (error && !state->own_tree && !options->required[LANDLOCK]) {
    filter.metadata = true;
    miss(state, LANDLOCK, "modes and owners, seccomp", error);
  }
  if (error) error = apply_seccomp(filter);
  if (error) miss(state, SECCOMP, "seccomp", error);
  if (listener >= 0) send_descriptor(modes_fd, listener);
  if (listener >= 0) close(listener);
}

/* Which walls hold in the end, once each part of them has said what became of it. */
static void judge(const options_t *options, state_t *state, int tree_error) {
  bool seccomp = !state->missing[SECCOMP][0];
  if (is_lenient(options, state)) miss(state, LANDLOCK, "names of processes, mounts", tree_error);
  if (!state->own_tree && state->landlock_abi < 3) miss(state, LANDLOCK, "truncate", ENOSYS);
  if (!state->own_tree && !seccomp) miss(state, LANDLOCK, "modes and owners, seccomp", EPERM);
  /* The filter guards us and the gateway only; the processes of the same user are more. */
  if (!state->process_namespace && state->landlock_abi < 6) miss(state, PROCESSES, "process namespace", EPERM);
  if (!state->network_namespace && (options->proxy || !seccomp)) miss(state, NETWORK, "network namespace", EPERM);
}

_Noreturn static void run_program(const options_t *options, state_t *state, const inside_t *inside, int tree_error) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  umask(022);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (chdir(options->folder)) fail("folder", errno);
  apply_limits(options, state, inside->already_running);
  int error = drop_capabilities();
  if (error) miss(state, NO_NEW_PRIVILEGES, "capabilities", error);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) miss(state, NO_NEW_PRIVILEGES, "no_new_privs", errno);
  error = apply_landlock(options, state);
  if (error) miss(state, LANDLOCK, "landlock", error);
  if (error) state->landlock_abi = 0;
  apply_filter(options, state, inside->supervisor, inside->modes_fd);
  judge(options, state, tree_error);
  bool refused = false;
  for (int wall = 0; wall < WALLS; wall++) {
    if (state->missing[wall][0]) report("missing %s %s", wall_names[wall], state->missing[wall]);
    else report("holds %s", wall_names[wall]);
    refused = refused || (options->required[wall] && state->missing[wall][0]);
  }
  if (refused) {
    report("refused");
    if (write(ready_fd, "x", 1) < 0) _exit(1);
    _exit(0);
  }
  execve(options->argv[0], options->argv, environ);
  fail("execute", errno);
}

/* The first process of the namespace: makes the tree, starts the program, reaps whatever is left to it. */
_Noreturn static void run_inside(const options_t *options, state_t *state, const inside_t *inside) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0);
  /* The supervisor may be gone already; in another process namespace its number cannot tell. */
  struct pollfd alive = {inside->alive_fd, 0, 0};
  if (poll(&alive, 1, 0) > 0) _exit(1);
  umask(0);
  write_file(AT_FDCWD, "/proc/self/oom_score_adj", "500");
  int tree_error = EPERM;
  if (state->mount_namespace) {
    tree_error = state->map_error ? state->map_error : enter_tree(options, state);
    state->own_tree = tree_error == 0;
  }
  enclose_streams(state->own_tree);
  memset(options->shown, 0, options->shown_length);
  pid_t program = fork();
  if (program < 0) fail("fork", errno);
  if (program == 0) run_program(options, state, inside, tree_error);
  close(ready_fd);
  close(inside->modes_fd);
  leave_streams();
  close(STATUS_FD);
  int status;
  pid_t gone;
  while ((gone = waitpid(-1, &status, 0)) != program)
    if (gone < 0 && errno != EINTR) _exit(1);
  _exit(write(inside->ended_fd, &status, sizeof status) == sizeof status ? 0 : 1);
}

#endif
