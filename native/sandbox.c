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
 *   --limit-memory-bytes N  resident anonymous and shared memory of all processes together
 *   --require WALL,WALL     refuse to start the program where one of them does not hold
 *
 * Walls: landlock seccomp no_new_privileges limits processes network (SandboxPolicy's `walls` in src/security/sandbox.ts).
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
int main(void) { return 1; }
