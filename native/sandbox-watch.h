/* Everything below a process, as /proc shows it: how much it uses, and how it is ended. */
#ifndef SANDBOX_WATCH_H
#define SANDBOX_WATCH_H
#include "sandbox-common.h"

#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

typedef struct {
  uint64_t tasks, bytes;
} usage_t;

typedef void visit_t(int proc, pid_t pid, usage_t *usage);

static bool can_list_children(int proc) { return faccessat(proc, "thread-self/children", R_OK, 0) == 0; }

/* Adds the fields of a file of a process, in KiB there. False where it cannot be read. */
static bool add_fields(int proc, pid_t pid, const char *name, const char *const *fields, usage_t *usage) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "%d/%s", pid, name);
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return false;
  text[length] = 0;
  for (; *fields; fields++) {
    const char *found = strstr(text, *fields);
    if (found) usage->bytes += strtoull(found + strlen(*fields), NULL, 10) * 1024;
  }
  return true;
}

/* Anonymous, shared and swapped memory: what stays when files are dropped from the cache. */
static void add_memory(int proc, pid_t pid, usage_t *usage) {
  static const char *const fields[] = {"\nRssAnon:", "\nRssShmem:", "\nVmSwap:", "\nHugetlbPages:", NULL};
  add_fields(proc, pid, "status", fields, usage);
}

/* The same with each page counted once, however many processes share it. Slower. */
static void add_exact_memory(int proc, pid_t pid, usage_t *usage) {
  static const char *const fields[] = {"\nPss_Anon:", "\nPss_Shmem:",       "\nSwapPss:",
                                       "\nPrivate_Hugetlb:", "\nShared_Hugetlb:", NULL};
  if (!add_fields(proc, pid, "smaps_rollup", fields, usage)) add_memory(proc, pid, usage);
}

static void stop_one(int proc, pid_t pid, usage_t *usage) {
  (void)proc;
  (void)usage;
  kill(pid, SIGSTOP);
}

static void kill_one(int proc, pid_t pid, usage_t *usage) {
  (void)proc;
  (void)usage;
  kill(pid, SIGKILL);
}

typedef struct {
  pid_t *pids;
  size_t count, room;
} list_t;

/* Each once: one that comes to us while we look is met at two places. */
static void add_pid(list_t *list, pid_t pid) {
  for (size_t i = 0; i < list->count; i++)
    if (list->pids[i] == pid) return;
  if (list->count == list->room) {
    size_t room = list->room ? 2 * list->room : 64;
    pid_t *pids = realloc(list->pids, room * sizeof *pids);
    if (!pids) return;
    list->pids = pids;
    list->room = room;
  }
  list->pids[list->count++] = pid;
}

/* The children of one thread of a process. */
static void add_children(int proc, const char *path, list_t *list) {
  int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
  FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
  if (!file) return;
  int child;
  while (fscanf(file, "%d", &child) == 1) add_pid(list, child);
  fclose(file);
}

/* All below a process, at whatever depth, parents first. Counts the threads of them and of itself. */
static void visit_below(int proc, pid_t top, visit_t *visit, usage_t *usage) {
  list_t list = {0};
  add_pid(&list, top);
  for (size_t i = 0; i < list.count; i++) {
    char path[96];
    snprintf(path, sizeof path, "%d/task", list.pids[i]);
    int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    while (tasks && (entry = readdir(tasks))) {
      if (!isdigit((unsigned char)entry->d_name[0])) continue;
      usage->tasks++;
      snprintf(path, sizeof path, "%d/task/%.20s/children", list.pids[i], entry->d_name);
      add_children(proc, path, &list);
    }
    if (tasks) closedir(tasks);
    if (i > 0) visit(proc, list.pids[i], usage);
  }
  free(list.pids);
}

/*
 * Ends all below us: what loses its parent comes to us, as we are its subreaper. First all are stopped until no further
 * one appears, because who is killed makes room for another. Returns when there is none left.
 */
static void end_below(int proc) {
  for (uint64_t before = 0;;) {
    usage_t usage = {0};
    visit_below(proc, getpid(), stop_one, &usage);
    if (usage.tasks <= before) break;
    before = usage.tasks;
  }
  for (;;) {
    usage_t usage = {0};
    visit_below(proc, getpid(), kill_one, &usage);
    int status;
    pid_t gone;
    while ((gone = waitpid(-1, &status, WNOHANG)) > 0) {
    }
    if (gone < 0 && errno == ECHILD) return;
    usleep(500);
  }
}

/* Tasks of our user, which count against the same RLIMIT_NPROC where there is no user namespace. */
static uint64_t count_user_tasks(int proc) {
  int fd = openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *all = fd < 0 ? NULL : fdopendir(fd);
  uint64_t tasks = 0;
  struct dirent *entry;
  while (all && (entry = readdir(all))) {
    char path[64];
    struct stat stat;
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    snprintf(path, sizeof path, "%.20s/task", entry->d_name);
    if (fstatat(proc, path, &stat, 0) == 0 && stat.st_uid == getuid() && stat.st_nlink > 2) tasks += stat.st_nlink - 2;
  }
  if (all) closedir(all);
  return tasks;
}

#endif
