/*
 * A WebSocket load client that is cheaper than the servers it measures: a client in Bun tops out first and then
 * measures itself. Plain C11 and POSIX with epoll; one thread; loopback only; prints one line of JSON.
 *
 *   ws-load load  PORT TOKEN SOCKETS IN_FLIGHT SECONDS REQUEST DONE
 *       Keeps IN_FLIGHT requests open on each socket. In REQUEST, @ is the request's number and # the socket's.
 *       A frame containing DONE ends a request, one with "error": fails the run, any other is skipped.
 *   ws-load idle  PORT TOKEN SOCKETS
 *       Opens sockets, prints {"open":n}, and at the end of standard input {"held":n}.
 *   ws-load first PORT TOKEN COMMAND [ARGUMENT]...
 *       Milliseconds from exec to the first answer to a ping; then SIGTERM.
 *   ws-load run   COMMAND [ARGUMENT]...
 *       Milliseconds from exec to exit.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { buffer_bytes = 1 << 16, request_bytes_max = 4096, latencies_max = 1 << 20 };

typedef struct {
  int fd;
  size_t used;
  uint64_t sent_ns; /* of the last request; meaningful with one in flight */
  char *buffer;
} peer_t;

static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
}

/* ---- the wire ---- */

static int try_connect(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
  }
  close(fd);
  return -1;
}

static void send_all(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) fail("send: %s", strerror(errno));
    bytes += sent;
    count -= (size_t)sent;
  }
}

/* The key of a handshake only has to be 16 bytes of base64; we do not check the server's answer to it. */
static void upgrade(peer_t *peer, int port, const char *token) {
  char request[1024];
  int length = snprintf(request, sizeof request,
                        "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                        "Authorization: Bearer %s\r\n\r\n",
                        port, token);
  send_all(peer->fd, request, (size_t)length);
  char head[4096];
  size_t used = 0;
  for (;;) {
    ssize_t got = recv(peer->fd, head + used, sizeof head - 1 - used, 0);
    if (got <= 0) fail("the server closed during the handshake");
    used += (size_t)got;
    head[used] = 0;
    char *end = strstr(head, "\r\n\r\n");
    if (!end) continue;
    if (strncmp(head, "HTTP/1.1 101", 12) != 0) fail("not upgraded: %.*s", (int)strcspn(head, "\r"), head);
    peer->used = used - (size_t)(end + 4 - head);
    memcpy(peer->buffer, end + 4, peer->used);
    return;
  }
}

static size_t put_frame(char *out, const char *text, size_t length) {
  size_t at = 0;
  out[at++] = (char)0x81;
  if (length < 126) {
    out[at++] = (char)(0x80 | length);
  } else {
    out[at++] = (char)(0x80 | 126);
    out[at++] = (char)(length >> 8);
    out[at++] = (char)(length & 255);
  }
  memset(out + at, 0, 4); /* A mask of zeros is a valid mask, and the server unmasks it all the same. */
  memcpy(out + at + 4, text, length);
  return at + 4 + length;
}

/* Takes one frame off the buffer: 0 when it is not whole yet, else its bytes with the head. */
static size_t take_frame(const char *bytes, size_t count, int *opcode, const char **text, size_t *length) {
  if (count < 2) return 0;
  const unsigned char *head = (const unsigned char *)bytes;
  size_t at = 2, size = head[1] & 127;
  if (size == 126) {
    if (count < 4) return 0;
    size = (size_t)head[2] << 8 | head[3];
    at = 4;
  } else if (size == 127) {
    if (count < 10) return 0;
    size = 0;
    for (int i = 2; i < 10; i++) size = size << 8 | head[i];
    at = 10;
  }
  if (size > buffer_bytes - 16) fail("a frame of %zu bytes is larger than this client takes", size);
  if (count < at + size) return 0;
  *opcode = head[0] & 15;
  *text = bytes + at;
  *length = size;
  return at + size;
}

static peer_t *open_peers(int port, const char *token, int count) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  peer_t *peers = calloc((size_t)count, sizeof *peers);
  for (int i = 0; i < count; i++) {
    peers[i].buffer = malloc(buffer_bytes); /* Untouched pages cost nothing. */
    peers[i].fd = try_connect(port);
    if (peers[i].fd < 0) fail("socket %d of %d: %s", i, count, strerror(errno));
    upgrade(&peers[i], port, token);
  }
  return peers;
}

/* ---- load ---- */

typedef struct {
  const char *request, *done;
  uint64_t requests, finished, counted, latency_count;
  uint64_t from_ns, until_ns;
  double *latencies_ms;
} load_t;

static size_t put_request(load_t *load, int index, char *out) {
  char text[request_bytes_max];
  size_t used = 0;
  for (const char *at = load->request; *at; at++) {
    if (used > sizeof text - 32) fail("the request is longer than %d bytes", request_bytes_max);
    if (*at == '@') used += (size_t)sprintf(text + used, "%llu", (unsigned long long)++load->requests);
    else if (*at == '#') used += (size_t)sprintf(text + used, "%d", index);
    else text[used++] = *at;
  }
  return put_frame(out, text, used);
}

static void finish_request(load_t *load, const peer_t *peer, uint64_t now) {
  load->finished++;
  if (now < load->from_ns) return;
  load->counted++;
  if (load->latency_count < latencies_max)
    load->latencies_ms[load->latency_count++] = (double)(now - peer->sent_ns) / 1e6;
}

static void serve_peer(load_t *load, peer_t *peer, int index) {
  ssize_t got = recv(peer->fd, peer->buffer + peer->used, buffer_bytes - peer->used, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) fail("the server closed socket %d", index);
  peer->used += (size_t)got;
  char out[buffer_bytes];
  size_t out_used = 0, at = 0, size, length;
  int opcode;
  const char *text;
  uint64_t now = now_ns();
  while ((size = take_frame(peer->buffer + at, peer->used - at, &opcode, &text, &length)) > 0) {
    at += size;
    if (opcode == 8) fail("the server closed socket %d", index);
    if (opcode != 1) continue;
    if (memmem(text, length, load->done, strlen(load->done))) {
      finish_request(load, peer, now);
      if (now < load->until_ns) out_used += put_request(load, index, out + out_used);
    } else if (memmem(text, length, "\"error\":", 8)) {
      fail("the server answered: %.*s", (int)length, text);
    }
    if (out_used > buffer_bytes - 2 * request_bytes_max) {
      send_all(peer->fd, out, out_used);
      out_used = 0;
    }
  }
  memmove(peer->buffer, peer->buffer + at, peer->used - at);
  peer->used -= at;
  if (out_used == 0) return;
  peer->sent_ns = now_ns();
  send_all(peer->fd, out, out_used);
}

static int by_size(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static double quantile(const load_t *load, double q) {
  return load->latency_count == 0 ? 0 : load->latencies_ms[(size_t)((double)(load->latency_count - 1) * q)];
}

static void run_load(int port, const char *token, int sockets, int in_flight, double seconds, load_t *load) {
  peer_t *peers = open_peers(port, token, sockets);
  load->latencies_ms = malloc(latencies_max * sizeof(double));
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  uint64_t begun = now_ns();
  load->from_ns = begun + (uint64_t)(seconds * 0.2e9); /* The first fifth warms up the server's compiler. */
  load->until_ns = load->from_ns + (uint64_t)(seconds * 1e9);
  for (int i = 0; i < sockets; i++) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
    epoll_ctl(epoll, EPOLL_CTL_ADD, peers[i].fd, &event);
    peers[i].sent_ns = now_ns();
    for (int k = 0; k < in_flight; k++) {
      char frame[request_bytes_max + 16];
      send_all(peers[i].fd, frame, put_request(load, i, frame));
    }
  }
  struct epoll_event events[256];
  while (load->finished < load->requests) {
    int count = epoll_wait(epoll, events, 256, 10000);
    if (count == 0) fail("nothing came for 10 s with %llu requests open",
                         (unsigned long long)(load->requests - load->finished));
    for (int k = 0; k < count; k++) serve_peer(load, &peers[events[k].data.u32], (int)events[k].data.u32);
  }
  /* Requests that ran out the clock are counted, and so is the time that they took. */
  double took = (double)(now_ns() - load->from_ns) / 1e9;
  qsort(load->latencies_ms, load->latency_count, sizeof(double), by_size);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf("{\"count\":%llu,\"seconds\":%.3f,\"per_second\":%.1f,\"client_cpu\":%.2f", (unsigned long long)load->counted,
         took, (double)load->counted / took, cpu / ((double)(now_ns() - begun) / 1e9));
  if (in_flight == 1) printf(",\"p50_ms\":%.4f,\"p99_ms\":%.4f", quantile(load, 0.5), quantile(load, 0.99));
  printf("}\n");
}

/* ---- idle, first, run ---- */

static void run_idle(int port, const char *token, int sockets) {
  peer_t *peers = open_peers(port, token, sockets);
  printf("{\"open\":%d}\n", sockets);
  fflush(stdout);
  while (getchar() != EOF) continue;
  int held = 0;
  for (int i = 0; i < sockets; i++) {
    char byte;
    ssize_t got = recv(peers[i].fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    held += got > 0 ? (byte & 15) != 8 : got < 0 && errno == EAGAIN;
  }
  printf("{\"held\":%d}\n", held);
}

static pid_t spawn(char **command) {
  pid_t child = fork();
  if (child < 0) fail("fork: %s", strerror(errno));
  if (child > 0) return child;
  int nowhere = open("/dev/null", O_RDWR);
  dup2(nowhere, STDOUT_FILENO);
  if (!getenv("WS_LOAD_STDERR")) dup2(nowhere, STDERR_FILENO);
  execvp(command[0], command);
  _exit(127);
}

static void run_first(int port, const char *token, char **command) {
  char buffer[buffer_bytes], frame[256];
  peer_t peer = {.buffer = buffer};
  uint64_t begun = now_ns();
  pid_t child = spawn(command);
  while ((peer.fd = try_connect(port)) < 0) {
    if (waitpid(child, NULL, WNOHANG) != 0) fail("%s ended before it listened", command[0]);
    if (now_ns() - begun > 60000000000u) fail("%s does not listen after 60 s", command[0]);
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
  }
  upgrade(&peer, port, token);
  send_all(peer.fd, frame, put_frame(frame, ping, sizeof ping - 1));
  int opcode;
  const char *text;
  size_t length;
  while (take_frame(buffer, peer.used, &opcode, &text, &length) == 0) {
    ssize_t got = recv(peer.fd, buffer + peer.used, sizeof buffer - peer.used, 0);
    if (got <= 0) fail("%s closed the socket", command[0]);
    peer.used += (size_t)got;
  }
  uint64_t took = now_ns() - begun;
  if (!memmem(text, length, "\"pong\"", 6)) fail("%s answered: %.*s", command[0], (int)length, text);
  close(peer.fd);
  kill(child, SIGTERM);
  waitpid(child, NULL, 0);
  printf("{\"ms\":%.3f}\n", (double)took / 1e6);
}

static void run_once(char **command) {
  uint64_t begun = now_ns();
  int status;
  pid_t child = spawn(command);
  waitpid(child, &status, 0);
  if (status != 0) fail("%s failed with status %d", command[0], status);
  printf("{\"ms\":%.3f}\n", (double)(now_ns() - begun) / 1e6);
}

int main(int count, char **words) {
  const char *mode = count > 1 ? words[1] : "";
  if (strcmp(mode, "load") == 0 && count == 9) {
    load_t load = {.request = words[7], .done = words[8]};
    run_load(atoi(words[2]), words[3], atoi(words[4]), atoi(words[5]), atof(words[6]), &load);
  } else if (strcmp(mode, "idle") == 0 && count == 5) {
    run_idle(atoi(words[2]), words[3], atoi(words[4]));
  } else if (strcmp(mode, "first") == 0 && count > 4) {
    run_first(atoi(words[2]), words[3], words + 4);
  } else if (strcmp(mode, "run") == 0 && count > 2) {
    run_once(words + 2);
  } else {
    fail("usage: see the head of ws-load.c");
  }
  return 0;
}
