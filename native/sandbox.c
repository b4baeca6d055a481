/*
 * sandbox: puts walls around one program, runs it, and ends when it and everything that it started is gone.
 * One executable of this file and what it includes (native/sandbox-*); C11, no library, static where libc.a is there.
 *
 *   sandbox OPTION … -- /absolute/program argument …
 *
 * The environment and descriptors 0, 1 and 2 are the program's; 3 is the status (below), others are closed.
 * Every option is a pair of words; an unknown one, a missing value or a relative path is a mistake of the caller.
 *
 *   --parent PID            who started us; when it is gone (before or later), so is everything here
 *   --folder DIR            the program's working directory, inside something granted
 *   --tmp DIR               granted like --write; is /tmp, too, where mounts are possible and nothing granted lies in /tmp
 *   --read PATH             file or folder below which may be read and executed; repeatable. One that is not there is skipped
 *   --write PATH            the same, and changed. One that is not there is a failure ("failed write ENOENT")
 *   --proxy SOCKET          path of a Unix socket; 127.0.0.1:3128 inside the sandbox leads there and nowhere else does
 *   --limit-processes N     alive at a time
 *   --limit-files N         open descriptors a process
 *   --limit-file-bytes N    size of a file that is written
 *   --limit-memory-bytes N  resident anonymous and shared memory of all processes together,
 *                           each page once
 *   --require WALL,WALL     refuse to start the program where one of them does not hold
 *
 * Walls: landlock seccomp no_new_privileges limits processes network (src/kernel/walls.ts).
 *
 * Status, lines of words on descriptor 3, in this order:
 *
 *   holds WALL                 one line for each wall,
 *   missing WALL WHY …         or this; WHY is free text, an errno name as a rule
 *   refused                    a required wall is missing; nothing was executed. The last line
 *   failed STEP ERRNO          the program was not executed: STEP is usage, parent, write, tmp, folder, execute, …; the last line
 *   started                    execve succeeded
 *   exit N                     how the program ended; written when nothing of the sandbox is alive any more. The last line
 *   signal N                   … by a signal; also when we were told to stop (signal 9)
 *   exceeded memory            … or by a limit: memory, processes
 *
 * SIGTERM to us kills everything inside, reports and ends. Without a last line we were killed ourselves: then whatever
 * has a process namespace is gone, too. Our own exit status is 0 after a last line, else 1.
 */
#include "sandbox-common.h"
#include "sandbox-inside.h"
#include "sandbox-proxy.h"
#include "sandbox-watch.h"

#include <sys/utsname.h>
#include <time.h>

#define WATCH_MS 50
#define OWN_POLLS 4

static uint64_t parse_number(const char *text) {
  char *end;
  errno = 0;
  uint64_t value = strtoull(text, &end, 10);
  if (errno || end == text || *end || text[0] == '-' || value == 0) fail("usage", EINVAL);
  return value;
}

/* Our own copy of the words, so that they can be wiped where the program would see them. Returns it. */
static char **take_words(options_t *options, int count, char **words) {
  char **taken = calloc((size_t)count + 1, sizeof *taken);
  options->shown = words[0];
  options->shown_length = (size_t)(words[count - 1] - words[0]) + strlen(words[count - 1]);
  for (int i = 0; taken && i < count; i++)
    if (!(taken[i] = strdup(words[i]))) taken = NULL;
  if (!taken) fail("usage", ENOMEM);
  return taken;
}

static const char *parse_path(const char *text) {
  if (text[0] != '/' || strlen(text) >= PATH_MAX) fail("usage", EINVAL);
  return text;
}

static void parse_walls(options_t *options, const char *text) {
  while (*text) {
    size_t length = strcspn(text, ",");
    int wall = 0;
    while (wall < WALLS && (strlen(wall_names[wall]) != length || strncmp(wall_names[wall], text, length))) wall++;
    if (wall == WALLS) fail("usage", EINVAL);
    options->required[wall] = true;
    text += length + (text[length] == ',');
  }
}

static void add_grant(options_t *options, const char *path, bool write) {
  if (options->grant_count == GRANTS_MAX) fail("usage", E2BIG);
  if (write && access(path, F_OK)) fail("write", errno);
  options->grants[options->grant_count++] = (grant_t){path, write};
}

static void parse_options(options_t *options, char **words) {
  for (; *words && strcmp(*words, "--"); words += 2) {
    const char *name = words[0], *value = words[1];
    if (!value) fail("usage", EINVAL);
    if (!strcmp(name, "--parent")) options->parent = (pid_t)parse_number(value);
    else if (!strcmp(name, "--folder")) options->folder = parse_path(value);
    else if (!strcmp(name, "--tmp")) options->tmp = parse_path(value);
    else if (!strcmp(name, "--read")) add_grant(options, parse_path(value), false);
    else if (!strcmp(name, "--write")) add_grant(options, parse_path(value), true);
    else if (!strcmp(name, "--proxy")) options->proxy = parse_path(value);
    else if (!strcmp(name, "--limit-processes")) options->processes = parse_number(value);
    else if (!strcmp(name, "--limit-files")) options->files = parse_number(value);
    else if (!strcmp(name, "--limit-file-bytes")) options->file_bytes = parse_number(value);
    else if (!strcmp(name, "--limit-memory-bytes")) options->memory_bytes = parse_number(value);
    else if (!strcmp(name, "--require")) parse_walls(options, value);
    else fail("usage", EINVAL);
  }
  if (!*words || !words[1] || !options->parent || !options->folder || !options->tmp || !options->processes ||
      !options->files || !options->file_bytes || !options->memory_bytes)
    fail("usage", EINVAL);
  options->argv = words + 1;
  parse_path(options->argv[0]);
  if (access(options->tmp, F_OK)) fail("tmp", errno);
  add_grant(options, options->tmp, true);
}

/* Our own user and group mean the same inside, and no other. Returns 0 or an errno. */
static int map_user(uid_t user, gid_t group) {
  char map[64];
  write_file(AT_FDCWD, "/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1", user, user);
  int error = write_file(AT_FDCWD, "/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1", group, group);
  return error ? error : write_file(AT_FDCWD, "/proc/self/gid_map", map);
}

static const int each_namespace[] = {CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWNS};

/*
 * Some systems give a user namespace and nothing in it: then its only effect would be that users have no names. Tried
 * by a process of its own, as there is no way back.
 */
static bool user_namespace_helps(uid_t user, gid_t group) {
  pid_t trial = fork();
  if (trial < 0) return false;
  if (trial == 0) {
    bool helps = false;
    if (unshare(CLONE_NEWUSER) == 0 && map_user(user, group) == 0)
      for (size_t i = 0; i < COUNT(each_namespace); i++) helps = unshare(each_namespace[i]) == 0 || helps;
    _exit(helps ? 0 : 1);
  }
  int status;
  while (waitpid(trial, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0;
}

/* All at once where that is possible; else each that is, so that one missing namespace does not cost the others. */
static void enter_namespaces(state_t *state) {
  const uid_t user = geteuid();
  const gid_t group = getegid();
  const int wanted = CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  int got = 0;
  if (unshare(CLONE_NEWUSER | wanted) == 0) {
    state->user_namespace = true;
    got = wanted;
  } else {
    state->user_namespace = user_namespace_helps(user, group) && unshare(CLONE_NEWUSER) == 0;
    for (size_t i = 0; i < COUNT(each_namespace); i++)
      if (each_namespace[i] != CLONE_NEWNS && unshare(each_namespace[i]) == 0) got |= each_namespace[i];
  }
  state->is_root = user == 0;
  if (state->user_namespace) state->map_error = map_user(user, group);
  state->process_namespace = got & CLONE_NEWPID;
  state->network_namespace = got & CLONE_NEWNET;
}

/* Before Linux 5.14 RLIMIT_NPROC counts all of a user's, in whichever user namespace. */
static bool limits_by_namespace(void) {
  struct utsname system;
  int major = 0, minor = 0;
  return uname(&system) == 0 && sscanf(system.release, "%d.%d", &major, &minor) == 2 &&
         (major > 5 || (major == 5 && minor >= 14));
}

typedef struct {
  int proc, ready, ended;
  /* Where the listener comes from, and then the listener; -1: neither. */
  int modes_from, modes;
  pid_t inside;
  proxy_t proxy;
  sigset_t while_waiting;
} supervisor_t;

static volatile sig_atomic_t told_to_stop;

static void on_signal(int number) {
  if (number == SIGTERM) told_to_stop = 1;
}

static void watch_signals(sigset_t *while_waiting) {
  struct sigaction action = {.sa_handler = on_signal};
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigaddset(&blocked, SIGCHLD);
  sigprocmask(SIG_BLOCK, &blocked, while_waiting);
  sigdelset(while_waiting, SIGTERM);
  sigdelset(while_waiting, SIGCHLD);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGCHLD, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}

static uint64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The limit that is exceeded, or NULL. */
static const char *exceeded(const options_t *options, const supervisor_t *supervisor) {
  usage_t usage = {0};
  visit_below(supervisor->proc, getpid(), add_memory, &usage);
  if (usage.bytes > options->memory_bytes) {
    usage_t exact = {0};
    visit_below(supervisor->proc, getpid(), add_exact_memory, &exact);
    if (exact.bytes > options->memory_bytes) return "memory";
  }
  /* We and the first process inside are counted, too. */
  return usage.tasks > options->processes + 2 ? "processes" : NULL;
}

static void serve_modes(const options_t *options, supervisor_t *supervisor, short from, short called) {
  if (from) {
    supervisor->modes = receive_descriptor(supervisor->modes_from);
    close(supervisor->modes_from);
    supervisor->modes_from = -1;
  }
  if (called && !((called & POLLIN) && serve_change(options, supervisor->proc, supervisor->modes))) {
    close(supervisor->modes);
    supervisor->modes = -1;
  }
}

/* Without a process namespace those who lost their parent are ours; not reaped, they would count as alive. */
static void reap_others(pid_t inside) {
  for (;;) {
    siginfo_t gone = {0};
    if (waitid(P_ALL, 0, &gone, WEXITED | WNOHANG | WNOWAIT) || gone.si_pid == 0 || gone.si_pid == inside) return;
    waitpid(gone.si_pid, NULL, 0);
  }
}

/* Waits until the program ended, a limit is exceeded or we are told to stop. Returns the limit or NULL. */
static const char *supervise(const options_t *options, supervisor_t *supervisor) {
  uint64_t watched_ms = now_ms();
  for (;;) {
    struct pollfd polls[OWN_POLLS + 1 + 2 * CONNECTIONS_MAX] = {
        {supervisor->ended, POLLIN, 0},
        {supervisor->ready, POLLIN, 0},
        {supervisor->modes_from, POLLIN, 0},
        {supervisor->modes, POLLIN, 0},
    };
    nfds_t count = OWN_POLLS;
    if (supervisor->proxy.connections) count += watch_proxy(&supervisor->proxy, polls + OWN_POLLS);
    struct timespec timeout = {0, WATCH_MS * 1000000};
    int got = ppoll(polls, count, &timeout, &supervisor->while_waiting);
    if (told_to_stop) return NULL;
    reap_others(supervisor->inside);
    if (got > 0 && polls[1].revents) {
      char byte;
      if (read(supervisor->ready, &byte, 1) == 1) {
        /* The last line is written already: nothing is added to it. */
        end_below(supervisor->proc);
        _exit(0);
      }
      report("started");
      close(supervisor->ready);
      supervisor->ready = -1;
    }
    if (got > 0 && polls[0].revents) return NULL;
    if (got > 0) serve_modes(options, supervisor, polls[2].revents, polls[3].revents);
    if (got > 0 && count > OWN_POLLS) serve_proxy(&supervisor->proxy, polls + OWN_POLLS);
    if (now_ms() - watched_ms < WATCH_MS) continue;
    const char *limit_name = exceeded(options, supervisor);
    if (limit_name) return limit_name;
    watched_ms = now_ms();
  }
}

/* Returns when nothing of it is alive, with the status of the program, or that of one that was killed. */
static int end_all(supervisor_t *supervisor, bool process_namespace) {
  int status = SIGKILL, ignored;
  if (read(supervisor->ended, &status, sizeof status) != sizeof status) status = SIGKILL;
  kill(supervisor->inside, SIGKILL);
  /* The first process of a namespace is not gone before all the others are. */
  while (process_namespace && waitpid(supervisor->inside, &ignored, 0) < 0 && errno == EINTR) {
  }
  end_below(supervisor->proc);
  return status;
}

static supervisor_t start_inside(const options_t *options, state_t *state, supervisor_t supervisor) {
  int alive[2], ready[2], ended[2], modes[2];
  if (pipe2(alive, O_CLOEXEC) || pipe2(ready, O_CLOEXEC) || pipe2(ended, O_CLOEXEC | O_NONBLOCK)) fail("pipe", errno);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, modes)) fail("pipe", errno);
  const bool counted_apart = state->user_namespace && limits_by_namespace();
  inside_t inside = {.supervisor = getpid(), .alive_fd = alive[0], .ended_fd = ended[1], .modes_fd = modes[1]};
  if (!counted_apart && getuid() != 0) inside.already_running = count_user_tasks(supervisor.proc);
  supervisor.inside = fork();
  if (supervisor.inside < 0) fail("fork", errno);
  if (supervisor.inside == 0) {
    close(alive[1]);
    close(ready[0]);
    close(ended[0]);
    close(modes[0]);
    ready_fd = ready[1];
    state->mount_namespace = unshare(CLONE_NEWNS) == 0;
    run_inside(options, state, &inside);
  }
  prctl(PR_SET_DUMPABLE, 0);
  leave_streams();
  close(alive[0]);
  close(ready[1]);
  close(ended[1]);
  close(modes[1]);
  supervisor.ready = ready[0];
  supervisor.ended = ended[0];
  supervisor.modes_from = modes[0];
  supervisor.modes = -1;
  return supervisor;
}

int main(int argc, char **argv) {
  static options_t options;
  static state_t state;
  supervisor_t supervisor = {0};
  if (argc < 2 || fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC)) return 1;
  if (syscall(436 /* close_range */, STATUS_FD + 1, ~0U, 0))
    for (int fd = STATUS_FD + 1; fd < 1024; fd++) close(fd);
  watch_signals(&supervisor.while_waiting);
  parse_options(&options, take_words(&options, argc, argv) + 1);
  /* Stopped, not killed, when the gateway dies: without a process namespace there is somebody to clear away first. */
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != options.parent) fail("parent", ESRCH);
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  supervisor.proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (supervisor.proc < 0 || !can_list_children(supervisor.proc)) miss(&state, LIMITS, "/proc/*/children", ENOENT);
  state.landlock_abi = landlock_version();
  enter_namespaces(&state);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (options.proxy && state.network_namespace) {
    int error = open_proxy(&supervisor.proxy, options.proxy);
    if (error) miss(&state, NETWORK, "proxy", error);
  }
  supervisor = start_inside(&options, &state, supervisor);
  const char *limit_name = supervise(&options, &supervisor);
  int status = end_all(&supervisor, state.process_namespace);
  if (limit_name) report("exceeded %s", limit_name);
  else if (WIFEXITED(status)) report("exit %d", WEXITSTATUS(status));
  else report("signal %d", WTERMSIG(status));
  return 0;
}
