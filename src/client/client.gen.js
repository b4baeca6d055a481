class WeftError extends Error {
  code;
  data;
  constructor(code, data = {}, message = code, cause) {
    super(message, { cause });
    this.name = "WeftError";
    this.code = code;
    this.data = data;
  }
}
var unreachable = (data, cause) => new WeftError("unreachable", data, "The gateway is not answering.", cause);
var aborted = (signal) => new WeftError("aborted", {}, "The caller aborted this.", signal?.reason);
function fromWire(error) {
  const { code, ...data } = error.data ?? {};
  return new WeftError(typeof code === "string" ? code : "internal", data, error.message);
}

var emptyView = () => ({
  text: "",
  reasoning: "",
  tools: [],
  usage: { input_tokens: 0, output_tokens: 0, cached_tokens: 0, cost_usd: 0 },
  settled: { text: 0, reasoning: 0 }
});
function applyEvent(view, event) {
  view.turn_id = event.turn_id;
  switch (event.type) {
    case "started":
      Object.assign(view, { session_key: event.session_key, agent: event.agent, model: event.model });
      break;
    case "text":
    case "reasoning":
      view[event.type] += event.text;
      break;
    case "retry":
    case "failover":
      view.text = view.text.slice(0, view.settled.text);
      view.reasoning = view.reasoning.slice(0, view.settled.reasoning);
      break;
    case "tool_use":
      view.tools.push({ id: event.id, name: event.name, input: event.input });
      break;
    case "tool_result":
      applyResult(view, event);
      break;
    case "usage":
      addUsage(view.usage, event);
      view.model = event.model;
      break;
    case "done":
      view.stop_reason = event.stop_reason;
  }
  return view;
}
function applyResult(view, event) {
  const call = view.tools.findLast((tool) => tool.id === event.id);
  const { content, is_error, duration_ms } = event;
  if (call)
    Object.assign(call, { content, is_error, duration_ms });
  view.settled = { text: view.text.length, reasoning: view.reasoning.length };
}
function addUsage(sum, event) {
  sum.input_tokens += event.input_tokens;
  sum.output_tokens += event.output_tokens;
  sum.cached_tokens += event.cached_tokens;
  sum.cost_usd = sum.cost_usd === null || event.cost_usd === null ? null : sum.cost_usd + event.cost_usd;
}

function openQueue({ count_max = Infinity, overflow, onReturn } = {}) {
  let items = [];
  let waiting;
  let over;
  function finish(state) {
    if (over)
      return;
    over = state;
    const reader = waiting;
    waiting = undefined;
    if ("error" in state)
      reader?.reject(state.error);
    else
      reader?.resolve({ value: undefined, done: true });
    if (reader)
      over = {};
  }
  return {
    push(item) {
      if (over)
        return;
      if (!waiting) {
        if (items.length >= count_max)
          return finish({ error: overflow?.() });
        items.push(item);
        return;
      }
      const reader = waiting;
      waiting = undefined;
      reader.resolve({ value: item, done: false });
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    next() {
      if (items.length > 0)
        return Promise.resolve({ value: items.shift(), done: false });
      if (!over)
        return new Promise((resolve, reject) => waiting = { resolve, reject });
      const { error } = over;
      const failed = "error" in over;
      over = {};
      return failed ? Promise.reject(error) : Promise.resolve({ value: undefined, done: true });
    },
    return() {
      items = [];
      finish({});
      onReturn?.();
      return Promise.resolve({ value: undefined, done: true });
    },
    [Symbol.asyncIterator]() {
      return this;
    }
  };
}

var losses_max = 5;
var answered = new Set(["end", "length", "aborted", "iterations"]);
function openChat(link, request, signal) {
  const events = openQueue();
  const take = (event) => {
    events.push(event);
    if (event.type === "done" && answered.has(event.stop_reason))
      events.end();
  };
  const result = runTurn(link, request, take, signal);
  result.then(events.end, events.fail);
  return {
    result,
    text: async () => (await result).text,
    async collect() {
      const view = emptyView();
      for await (const event of events)
        applyEvent(view, event);
      return view;
    },
    [Symbol.asyncIterator]: () => events
  };
}
async function runTurn(link, first, onEvent, signal) {
  const log = openLog(first);
  const abort = openAbort(link, log);
  const stop = () => abort.ask();
  signal?.addEventListener("abort", stop, { once: true });
  const take = (event) => {
    const is_new = log.take(event);
    if (signal?.aborted)
      abort.ask();
    if (is_new)
      onEvent(event);
  };
  try {
    return await follow(link, first, log, take, signal);
  } catch (thrown) {
    if (signal?.aborted && !log.done)
      abort.ask();
    throw thrown;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
async function follow(link, first, log, take, signal) {
  let early;
  let losses = 0;
  for (;; ) {
    const connection = await link.connection(signal);
    const seq_before = log.seq;
    const outcome = await ask(connection, log.next(first), take);
    if (outcome === "lost") {
      losses = log.seq > seq_before ? 0 : losses + 1;
      if (losses < losses_max)
        continue;
      throw new WeftError("unreachable", { turn_id: log.turn_id }, "The connection breaks at this request.");
    }
    const turn_id = "result" in outcome ? outcome.result.turn_id : outcome.error.data.turn_id;
    if (!log.done && !early && typeof turn_id === "string") {
      early = outcome;
      log.turn_id = turn_id;
      continue;
    }
    const final = early && "error" in outcome ? early : outcome;
    if ("error" in final)
      throw final.error;
    return final.result;
  }
}
async function ask(connection, request, take) {
  try {
    return { result: await connection.send(request.method, request.params, take) };
  } catch (thrown) {
    if (!(thrown instanceof WeftError))
      throw thrown;
    if (thrown.data.close_code === 1009) {
      return { error: new WeftError("too_large", {}, "The gateway refused the size of the request.") };
    }
    return thrown.code === "unreachable" ? "lost" : { error: thrown };
  }
}
function openLog(first) {
  const state = {
    turn_id: first.method === "chat.attach" ? first.params.turn_id : undefined,
    seq: first.method === "chat.attach" ? first.params.after_seq : -1,
    done: false
  };
  return Object.assign(state, {
    take(event) {
      state.turn_id = event.turn_id;
      if (event.seq <= state.seq)
        return false;
      state.seq = event.seq;
      state.done = event.type === "done";
      return true;
    },
    next(request) {
      const { turn_id, seq } = state;
      return turn_id === undefined ? request : { method: "chat.attach", params: { turn_id, after_seq: seq } };
    }
  });
}
function openAbort(link, log) {
  let asked = false;
  return {
    ask() {
      const { turn_id } = log;
      if (asked || turn_id === undefined)
        return;
      asked = true;
      link.connection().then((connection) => connection.send("chat.abort", { turn_id })).catch(() => {});
    }
  };
}

async function openConnection(options) {
  const socket = new options.WebSocket(options.url, "weft.v1");
  const wire = openWire(socket, options);
  const timer = setTimeout(() => wire.lose(1006, "no answer in time"), options.connect_timeout_ms);
  try {
    await wire.opened;
    const { token, client } = options;
    const params = { ...token === undefined ? {} : { token }, client, protocol: { min: 1, max: 1 } };
    const info = await wire.send("connect", params);
    const stopPings = keepAlive(wire, options.ping_ms);
    wire.lost.then(stopPings);
    return {
      info,
      lost: wire.lost,
      send: (method, params, onEvent) => sendWithin(info, wire, method, params, onEvent),
      close: () => wire.lose(1000, "closed by the client")
    };
  } catch (thrown) {
    wire.lose(1000, "connect failed");
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}
function openWire(socket, options) {
  const pending = new Map;
  let last_id = 0;
  let is_lost = false;
  const traffic = { frame_count: 0 };
  const opened = deferred();
  const lost = deferred();
  function lose(code, reason) {
    if (is_lost)
      return;
    is_lost = true;
    const error = unreachable({ url: options.url, close_code: code, reason });
    opened.reject(error);
    for (const { reject } of pending.values())
      reject(error);
    pending.clear();
    lost.resolve({ code, reason });
    socket.close(1000);
  }
  function take(frame) {
    if (frame.method === "event") {
      options.onTopic(frame.params);
    } else if (frame.method === "chat.event") {
      const { request_id, ...event } = frame.params;
      pending.get(request_id)?.onEvent?.(event);
    } else {
      settle(frame);
    }
  }
  function settle({ id, result, error }) {
    const request = pending.get(id);
    pending.delete(id);
    if (error)
      request?.reject(fromWire(error));
    else
      request?.resolve(result);
  }
  socket.addEventListener("open", () => opened.resolve());
  let trouble = "";
  socket.addEventListener("error", ({ message }) => {
    trouble = message ?? "";
  });
  socket.addEventListener("close", ({ code, reason }) => lose(code, String(reason) || trouble));
  socket.addEventListener("message", ({ data }) => {
    traffic.frame_count++;
    const frames = parseFrames(data);
    if (!frames)
      return lose(1002, "the server sent something that is not JSON-RPC");
    for (const frame of frames)
      take(frame);
  });
  function send(method, params, onEvent) {
    if (is_lost)
      return Promise.reject(unreachable({ url: options.url }));
    const id = ++last_id;
    const reply = new Promise((resolve, reject) => {
      pending.set(id, { resolve, reject, onEvent });
    });
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    return reply;
  }
  return { opened: opened.promise, lost: lost.promise, lose, send, traffic };
}
function parseFrames(data) {
  try {
    const value = JSON.parse(data);
    if (typeof value !== "object" || value === null)
      return;
    return Array.isArray(value) ? value : [value];
  } catch {
    return;
  }
}
function sendWithin({ limits }, wire, method, params, onEvent) {
  const limit = limits.payload_bytes_max;
  const text = JSON.stringify(params);
  const envelope_bytes_max = 256;
  const is_large = text.length * 3 + envelope_bytes_max > limit && new TextEncoder().encode(text).length + envelope_bytes_max > limit;
  if (is_large)
    return Promise.reject(new WeftError("too_large", { limit }, "The request is larger than the limit."));
  return wire.send(method, params, onEvent);
}
function keepAlive(wire, ping_ms) {
  let seen = wire.traffic.frame_count;
  let is_asking = false;
  const timer = setInterval(() => {
    if (wire.traffic.frame_count !== seen) {
      seen = wire.traffic.frame_count;
      is_asking = false;
      return;
    }
    if (is_asking)
      return wire.lose(1006, "the gateway fell silent");
    is_asking = true;
    wire.send("ping", {}).catch(() => {});
  }, ping_ms);
  return () => clearInterval(timer);
}
function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((a, b) => {
    resolve = a;
    reject = b;
  });
  return { promise, resolve, reject };
}

var final_close_codes = new Set([4001, 4003]);
var retryable = new Set(["unreachable", "rate_limited", "shutting_down"]);
async function openLink(options) {
  const stop = new AbortController;
  let failure;
  let current = Promise.resolve(await open(options));
  options.onState({ state: "open" });
  function end(error) {
    if (failure)
      return;
    failure = error ?? unreachable({ url: options.url, reason: "the client was closed" });
    stop.abort();
    options.onState(error ? { state: "closed", error } : { state: "closed" });
  }
  async function keep() {
    for (;; ) {
      const { code, reason } = await (await current).lost;
      if (failure)
        return;
      const why = reason || `the socket was closed with ${code}`;
      if (final_close_codes.has(code)) {
        return end(new WeftError("unauthorized", { close_code: code }, "The token is not valid any more."));
      }
      if (!options.reconnect)
        return end(unreachable({ url: options.url, close_code: code, reason: why }));
      current = again(options, options.reconnect, why, stop.signal);
      const connection = await current;
      options.onReconnect(connection);
      options.onState({ state: "open" });
    }
  }
  keep().catch((thrown) => end(thrown));
  return {
    get failure() {
      return failure;
    },
    async connection(signal) {
      if (failure)
        throw failure;
      if (signal?.aborted)
        throw aborted(signal);
      const connection = await orAborted(current, signal);
      if (failure)
        throw failure;
      return connection;
    },
    close() {
      end(undefined);
      current.then((connection) => connection.close(), () => {});
    }
  };
}
async function open(options) {
  const token = typeof options.token === "function" ? await options.token() : options.token;
  const connection_options = { ...options, token };
  return openConnection(connection_options);
}
async function again(options, { attempts_max = Infinity, delay_ms = 250, delay_ms_max = 1e4 }, reason, signal) {
  let last;
  let wait_ms_min = 0;
  for (let attempt = 1;attempt <= attempts_max; attempt++) {
    const ceiling_ms = Math.min(delay_ms_max, delay_ms * 2 ** (attempt - 1));
    const retry_in_ms = Math.max(wait_ms_min, Math.round(Math.random() * ceiling_ms));
    options.onState({ state: "lost", reason, attempt, retry_in_ms });
    await sleep(retry_in_ms, signal);
    try {
      const connection = await open(options);
      if (!signal.aborted)
        return connection;
      connection.close();
      throw unreachable({ url: options.url, reason: "the client was closed" });
    } catch (thrown) {
      last = thrown;
      if (signal.aborted || !(thrown instanceof WeftError && retryable.has(thrown.code)))
        throw thrown;
      wait_ms_min = Number(thrown.data.retry_after_ms ?? 0);
    }
  }
  throw last ?? unreachable({ url: options.url, reason });
}
function sleep(wait_ms, signal) {
  return new Promise((resolve, reject) => {
    const stopped = () => {
      clearTimeout(timer);
      reject(unreachable({ reason: "the client was closed" }));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stopped);
      resolve();
    }, wait_ms);
    signal.addEventListener("abort", stopped, { once: true });
  });
}
function orAborted(promise, signal) {
  if (!signal)
    return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted(signal));
    if (signal.aborted)
      return stop();
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

var waiting_max = 1e4;
function openTopics(link) {
  const subscriptions = new Set;
  const wanted = () => [...new Set([...subscriptions].flatMap(({ topics }) => topics))];
  async function leave(subscription) {
    if (!subscriptions.delete(subscription))
      return;
    const still = new Set(wanted());
    const topics = subscription.topics.filter((topic) => !still.has(topic));
    if (topics.length === 0 || link().failure)
      return;
    const connection = await link().connection();
    await connection.send("event.unsubscribe", { topics });
  }
  return {
    take(event) {
      for (const { topics, queue } of subscriptions) {
        if (topics.some((topic) => matches(topic, event.topic)))
          queue.push(event);
      }
    },
    renew(connection) {
      const topics = wanted();
      if (topics.length === 0)
        return;
      connection.send("event.subscribe", { topics }).catch((thrown) => {
        if (thrown instanceof WeftError && thrown.code === "unreachable")
          return;
        for (const { queue } of subscriptions)
          queue.fail(thrown);
      });
    },
    fail(error) {
      for (const { queue } of subscriptions)
        queue.fail(error);
      subscriptions.clear();
    },
    open(topics, signal) {
      const depart = () => {
        signal?.removeEventListener("abort", stop);
        leave(subscription).catch(() => {});
      };
      const stop = () => {
        subscription.queue.fail(aborted(signal));
        depart();
      };
      const overflow = () => new WeftError("too_large", { limit: waiting_max }, "Events came faster than they were read.");
      const queue = openQueue({ count_max: waiting_max, overflow, onReturn: depart });
      const subscription = { topics, queue };
      subscriptions.add(subscription);
      signal?.addEventListener("abort", stop, { once: true });
      if (signal?.aborted)
        stop();
      link().connection(signal).then((connection) => connection.send("event.subscribe", { topics })).catch((thrown) => {
        if (thrown instanceof WeftError && thrown.code === "unreachable" && !link().failure)
          return;
        queue.fail(thrown);
        subscriptions.delete(subscription);
      });
      return queue;
    }
  };
}
function matches(pattern, topic) {
  return pattern.endsWith("*") ? topic.startsWith(pattern.slice(0, -1)) : pattern === topic;
}

async function connect(options) {
  const { connect_timeout_ms = 1e4, ping_ms = 30000, reconnect = {}, onState } = options;
  const topics = openTopics(() => link);
  const link = await openLink({
    url: toSocketUrl(options.url),
    token: options.token,
    client: options.client ?? { name: "weft-client", version: "1" },
    WebSocket: options.WebSocket ?? await findWebSocket(),
    reconnect,
    connect_timeout_ms,
    ping_ms,
    onTopic: topics.take,
    onReconnect: topics.renew,
    onState(state) {
      if (state.state === "closed")
        topics.fail(state.error ?? unreachable({ reason: "the client was closed" }));
      onState?.(state);
    }
  });
  return openClient(link, topics);
}
function openClient(link, topics) {
  const open = (request, signal) => openChat(link, request, signal);
  return {
    info: async () => (await link.connection()).info,
    call: (method, ...args) => call(link, method, args[0] ?? {}, args[1] ?? {}),
    chat(message, { signal } = {}) {
      const params = typeof message === "string" ? { content: message } : message;
      const idempotency_key = params.idempotency_key ?? randomKey();
      return open({ method: "chat.send", params: { ...params, idempotency_key } }, signal);
    },
    attach: (turn_id, { after_seq = -1, signal } = {}) => open({ method: "chat.attach", params: { turn_id, after_seq } }, signal),
    events: (names, { signal } = {}) => topics.open(names, signal),
    close: link.close,
    async[Symbol.asyncDispose]() {
      link.close();
    }
  };
}
async function call(link, method, params, options) {
  const { signal, retry = false } = options;
  for (;; ) {
    const connection = await link.connection(signal);
    try {
      return await orAborted(connection.send(method, params), signal);
    } catch (thrown) {
      const is_lost = thrown instanceof WeftError && thrown.code === "unreachable";
      if (!retry || !is_lost || link.failure)
        throw thrown;
    }
  }
}
function toSocketUrl(text) {
  const url = new URL(text);
  url.protocol = url.protocol.replace("http", "ws");
  if (url.pathname === "/")
    url.pathname = "/ws";
  return url.href;
}
async function findWebSocket() {
  if (typeof globalThis.WebSocket === "function")
    return globalThis.WebSocket;
  const name = "ws";
  try {
    const { WebSocket } = await import(name);
    return WebSocket;
  } catch (thrown) {
    const message = "This runtime has no WebSocket: install the ws package, or pass options.WebSocket.";
    throw new WeftError("unreachable", { reason: "no WebSocket" }, message, thrown);
  }
}
var randomKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
export {
  WeftError,
  applyEvent,
  connect,
  emptyView
};
