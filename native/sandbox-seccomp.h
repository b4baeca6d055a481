/* The system calls that a sandboxed program does not get, as one classic BPF program. */
#ifndef SANDBOX_SECCOMP_H
#define SANDBOX_SECCOMP_H
#include "sandbox-common.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#define PICK(x86_64, aarch64) x86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#define PICK(x86_64, aarch64) aarch64
#else
#error "the sandbox knows the system calls of x86_64 and aarch64 only"
#endif

enum {
#define REFUSE(name, x86_64, aarch64)
#define ABSENT(name, x86_64, aarch64)
#define METADATA(name, x86_64, aarch64)
#define NUMBER(name, x86_64, aarch64) CALL_##name = PICK(x86_64, aarch64),
#include "sandbox-syscalls.def"
#undef REFUSE
#undef ABSENT
#undef METADATA
#undef NUMBER
};

static const int refused_calls[] = {
#define REFUSE(name, x86_64, aarch64) PICK(x86_64, aarch64),
#define ABSENT(name, x86_64, aarch64)
#define METADATA(name, x86_64, aarch64)
#define NUMBER(name, x86_64, aarch64)
#include "sandbox-syscalls.def"
#undef REFUSE
#undef ABSENT
#undef METADATA
};
static const int absent_calls[] = {
#define REFUSE(name, x86_64, aarch64)
#define ABSENT(name, x86_64, aarch64) PICK(x86_64, aarch64),
#define METADATA(name, x86_64, aarch64)
#include "sandbox-syscalls.def"
#undef ABSENT
#undef METADATA
};
static const int metadata_calls[] = {
#define ABSENT(name, x86_64, aarch64)
#define METADATA(name, x86_64, aarch64) PICK(x86_64, aarch64),
#include "sandbox-syscalls.def"
};
#undef REFUSE
#undef ABSENT
#undef METADATA
#undef NUMBER

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define FILTER_MAX 512

typedef struct {
  struct sock_filter code[FILTER_MAX];
  unsigned short length;
} filter_t;

typedef struct {
  /* TCP over the loopback of a network namespace of its own. */
  bool internet;
  /* Unix sockets by path: only where no path leads to somebody else's. */
  bool unix_sockets;
  /* chmod and the like: see METADATA. Else those that a supervisor can do wait for it, where there is one. */
  bool metadata, supervised;
  /* Files that run as their owner are not made. */
  bool no_setuid;
  /* Processes (and negative: groups) that it sees and must not signal: ours and the gateway. 0: no more of them. */
  pid_t guarded[8];
} filter_options_t;

static void emit(filter_t *filter, uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
  if (filter->length == FILTER_MAX) abort();
  filter->code[filter->length++] = (struct sock_filter){code, yes, no, k};
}

#define ERRNO(number) (SECCOMP_RET_ERRNO | (number))

static void answer(filter_t *filter, uint32_t value) { emit(filter, BPF_RET | BPF_K, value, 0, 0); }

static void load(filter_t *filter, size_t offset) { emit(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }

static size_t low_half(int index) { return offsetof(struct seccomp_data, args) + (size_t)index * 8; }

static void answer_call(filter_t *filter, int number, uint32_t value) {
  if (number < 0) return;
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
  answer(filter, value);
}

/*
 * Opens a block for one call, with the lower half of an argument loaded; `end_block` closes it, and what is not
 * answered in between is allowed. Lower halves are enough: the kernel takes all of these as 32-bit numbers.
 */
static unsigned short begin_block(filter_t *filter, int number, int argument) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 0);
  unsigned short at = (unsigned short)(filter->length - 1);
  load(filter, low_half(argument));
  return at;
}

static void end_block(filter_t *filter, unsigned short at, uint32_t value) {
  answer(filter, value);
  filter->code[at].jf = (uint8_t)(filter->length - at - 1);
}

static void answer_equal(filter_t *filter, uint32_t argument, uint32_t value) {
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, argument, 0, 1);
  answer(filter, value);
}

/* Every namespace but time's, which clone does not make. */
#define CLONE_NAMESPACES 0x7e020000u

static void filter_sockets(filter_t *filter, filter_options_t options) {
  unsigned short at = begin_block(filter, CALL_socket, 0);
  if (options.unix_sockets) answer_equal(filter, AF_UNIX, SECCOMP_RET_ALLOW);
  if (options.internet) {
    /* Family, then the type without its flags, then the protocol. */
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 0, 8);
    load(filter, low_half(1));
    emit(filter, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 0, 5);
    load(filter, low_half(2));
    answer_equal(filter, 0, SECCOMP_RET_ALLOW);
    answer_equal(filter, 6 /* TCP */, SECCOMP_RET_ALLOW);
  }
  end_block(filter, at, ERRNO(EAFNOSUPPORT));
  at = begin_block(filter, CALL_socketpair, 0);
  answer_equal(filter, AF_UNIX, SECCOMP_RET_ALLOW);
  end_block(filter, at, ERRNO(EAFNOSUPPORT));
}

/* Without a process namespace it sees those who guard it, and may be of their user. */
static void filter_signals(filter_t *filter, filter_options_t options) {
  static const struct {
    int number, argument;
  } calls[] = {
      {CALL_kill, 0},           {CALL_tgkill, 0},            {CALL_tgkill, 1},    {CALL_rt_sigqueueinfo, 0},
      {CALL_rt_tgsigqueueinfo, 0}, {CALL_rt_tgsigqueueinfo, 1}, {CALL_pidfd_open, 0},
  };
  if (options.guarded[0] == 0) return;
  answer_call(filter, CALL_tkill, ERRNO(EPERM));
  answer_call(filter, CALL_pidfd_send_signal, ERRNO(EPERM));
  for (size_t i = 0; i < COUNT(calls); i++) {
    /* Not a block: a later pair may look at another argument of the same call. */
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number, 0, 0);
    unsigned short at = (unsigned short)(filter->length - 1);
    load(filter, low_half(calls[i].argument));
    for (const pid_t *pid = options.guarded; *pid; pid++) answer_equal(filter, (uint32_t)*pid, ERRNO(EPERM));
    answer_equal(filter, (uint32_t)-1, ERRNO(EPERM));
    load(filter, offsetof(struct seccomp_data, nr));
    filter->code[at].jf = (uint8_t)(filter->length - at - 1);
  }
  /* Signals by way of a descriptor's owner; FIOSETOWN and SIOCSPGRP are refused to all. */
  unsigned short at = begin_block(filter, CALL_fcntl, 1);
  answer_equal(filter, F_SETOWN, ERRNO(EPERM));
  answer_equal(filter, 15 /* F_SETOWN_EX */, ERRNO(EPERM));
  end_block(filter, at, SECCOMP_RET_ALLOW);
}

/* Goes on with the next call where the mode is harmless. `flags` is the argument that says whether there is one, or -1. */
static void refuse_setuid(filter_t *filter, int number, int mode, int flags) {
  if (number < 0) return;
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 0);
  unsigned short at = (unsigned short)(filter->length - 1);
  if (flags >= 0) {
    load(filter, low_half(flags));
    emit(filter, BPF_JMP | BPF_JSET | BPF_K, O_CREAT | 020000000 /* __O_TMPFILE */, 0, 3);
  }
  load(filter, low_half(mode));
  emit(filter, BPF_JMP | BPF_JSET | BPF_K, S_ISUID, 0, 1);
  answer(filter, ERRNO(EPERM));
  load(filter, offsetof(struct seccomp_data, nr));
  filter->code[at].jf = (uint8_t)(filter->length - at - 1);
}

/* A program of the gateway's user, or root's, for whoever can reach the folder from outside. */
static void filter_setuid(filter_t *filter) {
  refuse_setuid(filter, CALL_chmod, 1, -1);
  refuse_setuid(filter, CALL_fchmod, 1, -1);
  refuse_setuid(filter, CALL_fchmodat, 2, -1);
  refuse_setuid(filter, CALL_fchmodat2, 2, -1);
  refuse_setuid(filter, CALL_creat, 1, -1);
  refuse_setuid(filter, CALL_mknod, 1, -1);
  refuse_setuid(filter, CALL_mknodat, 2, -1);
  refuse_setuid(filter, CALL_open, 2, 1);
  refuse_setuid(filter, CALL_openat, 3, 2);
}

/* Asks for the changes that are done in the program's place, and says of others that the file system has none. */
static void answer_supervised(filter_t *filter) {
  static const int asked[] = {CALL_chmod, CALL_fchmod, CALL_fchmodat, CALL_fchmodat2};
  static const int unsupported[] = {CALL_setxattr, CALL_lsetxattr, CALL_fsetxattr};
  for (size_t i = 0; i < COUNT(asked); i++) answer_call(filter, asked[i], SECCOMP_RET_USER_NOTIF);
  for (size_t i = 0; i < COUNT(unsupported); i++) answer_call(filter, unsupported[i], ERRNO(EOPNOTSUPP));
}

static void build_filter(filter_t *filter, filter_options_t options) {
  load(filter, offsetof(struct seccomp_data, arch));
  emit(filter, BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH, 1, 0);
  answer(filter, SECCOMP_RET_KILL_PROCESS);
  load(filter, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
  /* The x32 numbers are a second door to everything below. */
  emit(filter, BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1);
  answer(filter, ERRNO(ENOSYS));
#endif
  for (size_t i = 0; i < COUNT(refused_calls); i++) answer_call(filter, refused_calls[i], ERRNO(EPERM));
  for (size_t i = 0; i < COUNT(absent_calls); i++) answer_call(filter, absent_calls[i], ERRNO(ENOSYS));
  if (options.no_setuid) filter_setuid(filter);
  if (!options.metadata) {
    const uint32_t ask = options.supervised ? SECCOMP_RET_USER_NOTIF : ERRNO(EPERM);
    if (options.supervised) answer_supervised(filter);
    for (size_t i = 0; i < COUNT(metadata_calls); i++) answer_call(filter, metadata_calls[i], ERRNO(EPERM));
    unsigned short at = begin_block(filter, CALL_utimensat, 1);
    /* Without a path it is about an open descriptor; one below 4 GiB would need both halves to be looked at. */
    emit(filter, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(filter, low_half(1) + 4);
    answer_equal(filter, 0, SECCOMP_RET_ALLOW);
    end_block(filter, at, ask);
  }
  filter_signals(filter, options);
  filter_sockets(filter, options);

  unsigned short at = begin_block(filter, CALL_clone, 0);
  emit(filter, BPF_JMP | BPF_JSET | BPF_K, CLONE_NAMESPACES, 0, 1);
  answer(filter, ERRNO(EPERM));
  end_block(filter, at, SECCOMP_RET_ALLOW);
  at = begin_block(filter, CALL_ioctl, 1);
  answer_equal(filter, 0x5412 /* TIOCSTI */, ERRNO(EPERM));
  answer_equal(filter, 0x541c /* TIOCLINUX */, ERRNO(EPERM));
  answer_equal(filter, 0x541d /* TIOCCONS */, ERRNO(EPERM));
  answer_equal(filter, 0x5423 /* TIOCSETD */, ERRNO(EPERM));
  answer_equal(filter, 0x8901 /* FIOSETOWN */, ERRNO(EPERM));
  answer_equal(filter, 0x8902 /* SIOCSPGRP */, ERRNO(EPERM));
  end_block(filter, at, SECCOMP_RET_ALLOW);
  at = begin_block(filter, CALL_personality, 0);
  answer_equal(filter, 0xffffffffu, SECCOMP_RET_ALLOW);
  answer_equal(filter, 0, SECCOMP_RET_ALLOW);
  end_block(filter, at, ERRNO(EPERM));
  /* Its own limits only: a limit of processor time ends whoever gets it. */
  at = begin_block(filter, CALL_prlimit64, 0);
  answer_equal(filter, 0, SECCOMP_RET_ALLOW);
  end_block(filter, at, ERRNO(EPERM));
  answer(filter, SECCOMP_RET_ALLOW);
}

/* Needs no_new_privs or CAP_SYS_ADMIN. Returns 0 or an errno. */
static int apply_seccomp(filter_options_t options) {
  static filter_t filter;
  filter.length = 0;
  build_filter(&filter, options);
  struct sock_fprog program = {filter.length, filter.code};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? errno : 0;
}

/* The same, and `listener` is where calls wait that are supervised. Not before Linux 5.0, nor below another one. */
static int apply_supervised_seccomp(filter_options_t options, int *listener) {
  static filter_t filter;
  options.supervised = true;
  build_filter(&filter, options);
  struct sock_fprog program = {filter.length, filter.code};
  *listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  return *listener < 0 ? errno : 0;
}

#endif
