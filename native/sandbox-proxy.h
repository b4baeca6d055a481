/* 127.0.0.1:3128 inside the network namespace, carried to a Unix socket outside of it. */
#ifndef SANDBOX_PROXY_H
#define SANDBOX_PROXY_H
#include "sandbox-common.h"

#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CONNECTIONS_MAX 64
#define BUFFER_BYTES 16384

/* One direction: what was read from `from` and not yet written to the other end. */
typedef struct {
  size_t start, end;
  bool ended, passed_on;
  char bytes[BUFFER_BYTES];
} flow_t;

typedef struct {
  /* 0: the program's, 1: the proxy's. -1 in an empty place. flows[i] was read from fds[i]. */
  int fds[2];
  flow_t flows[2];
} connection_t;

typedef struct {
  int listener, socket_path_fd;
  connection_t *connections;
} proxy_t;

static int raise_loopback(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  struct ifreq request = {0};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int error = ioctl(fd, SIOCSIFFLAGS, &request) ? errno : 0;
  close(fd);
  return error;
}

/* Returns 0 or an errno. Needs a network namespace of our own. */
static int open_proxy(proxy_t *proxy, const char *path) {
  int error = raise_loopback();
  if (error) return error;
  /* By descriptor, as the path may be longer than an address holds. */
  proxy->socket_path_fd = open(path, O_PATH | O_CLOEXEC);
  if (proxy->socket_path_fd < 0) return errno;
  proxy->connections = calloc(CONNECTIONS_MAX, sizeof *proxy->connections);
  if (!proxy->connections) return ENOMEM;
  for (int i = 0; i < CONNECTIONS_MAX; i++) proxy->connections[i].fds[0] = proxy->connections[i].fds[1] = -1;
  proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (proxy->listener < 0) return errno;
  int one = 1;
  setsockopt(proxy->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PROXY_PORT)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(proxy->listener, (struct sockaddr *)&address, sizeof address)) return errno;
  return listen(proxy->listener, CONNECTIONS_MAX) ? errno : 0;
}

static void close_connection(connection_t *connection) {
  for (int i = 0; i < 2; i++) {
    if (connection->fds[i] >= 0) close(connection->fds[i]);
    connection->fds[i] = -1;
    connection->flows[i].start = connection->flows[i].end = 0;
    connection->flows[i].ended = connection->flows[i].passed_on = false;
  }
}

static int connect_outside(const proxy_t *proxy) {
  /* A proxy that does not come to accepting must not keep the supervisor from watching. */
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", proxy->socket_path_fd);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address)) {
    close(fd);
    return -1;
  }
  return fd;
}

static connection_t *free_place(const proxy_t *proxy) {
  for (int i = 0; i < CONNECTIONS_MAX; i++)
    if (proxy->connections[i].fds[0] < 0) return &proxy->connections[i];
  return NULL;
}

static void accept_connection(proxy_t *proxy) {
  connection_t *place = free_place(proxy);
  if (!place) return;
  int inner = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (inner < 0) return;
  place->fds[0] = inner;
  place->fds[1] = connect_outside(proxy);
  if (place->fds[1] < 0) close_connection(place);
}

/* Moves what one end has for the other. False where the connection is broken. */
static bool move_bytes(connection_t *connection, int from) {
  flow_t *flow = &connection->flows[from];
  if (flow->start == flow->end && !flow->ended) {
    ssize_t got = recv(connection->fds[from], flow->bytes, BUFFER_BYTES, 0);
    if (got < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (got == 0) flow->ended = true;
    flow->start = 0;
    flow->end = got > 0 ? (size_t)got : 0;
  }
  while (flow->start < flow->end) {
    ssize_t sent = send(connection->fds[1 - from], flow->bytes + flow->start, flow->end - flow->start, MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    flow->start += (size_t)sent;
  }
  if (flow->ended && !flow->passed_on) {
    flow->passed_on = true;
    shutdown(connection->fds[1 - from], SHUT_WR);
  }
  return true;
}

/* Fills in what to wait for; `polls` has room for 1 + 2 × CONNECTIONS_MAX. Returns their number. */
static nfds_t watch_proxy(const proxy_t *proxy, struct pollfd *polls) {
  polls[0] = (struct pollfd){free_place(proxy) ? proxy->listener : -1, POLLIN, 0};
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    const connection_t *connection = &proxy->connections[i];
    for (int end = 0; end < 2; end++) {
      const flow_t *in = &connection->flows[end], *out = &connection->flows[1 - end];
      short events = 0;
      if (in->start == in->end && !in->ended) events |= POLLIN;
      if (out->start < out->end) events |= POLLOUT;
      /* An end without anything to wait for would wake us for its hang-up again and again. */
      polls[1 + 2 * i + end] = (struct pollfd){events ? connection->fds[end] : -1, events, 0};
    }
  }
  return 1 + 2 * CONNECTIONS_MAX;
}

static void serve_proxy(proxy_t *proxy, const struct pollfd *polls) {
  for (int i = 0; i < CONNECTIONS_MAX; i++) {
    connection_t *connection = &proxy->connections[i];
    if (connection->fds[0] < 0 || !(polls[1 + 2 * i].revents | polls[2 + 2 * i].revents)) continue;
    bool whole = move_bytes(connection, 0) && move_bytes(connection, 1);
    if (!whole || (connection->flows[0].passed_on && connection->flows[1].passed_on)) close_connection(connection);
  }
  if (polls[0].revents) accept_connection(proxy);
}

#endif
