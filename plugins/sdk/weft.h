/**
 * What a Weft plugin in C needs, in one header: reading what it is called with, answering, JSON, and the gateway's
 * functions. Version 1 of the plugin ABI.
 *
 * Every call of a plugin gets an instance of its own, which is thrown away afterwards. So nothing here is freed, and
 * nothing that is kept in a variable is there at the next call: that is what a store is for.
 *
 *   clang --target=wasm32-wasi -mexec-model=reactor -Oz -Wl,--strip-all NAME.c -o NAME.wasm
 */
#ifndef WEFT_H
#define WEFT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Before a function that the gateway calls by this name. */
#define WEFT_EXPORT(name) __attribute__((export_name(#name)))
#define WEFT_IMPORT(name) __attribute__((import_module("weft"), import_name(#name)))

WEFT_IMPORT(http_fetch) int32_t weft_import_http_fetch(const char *at, size_t length);
WEFT_IMPORT(store_get) int32_t weft_import_store_get(const char *at, size_t length);
WEFT_IMPORT(store_put) int32_t weft_import_store_put(const char *at, size_t length);
WEFT_IMPORT(store_list) int32_t weft_import_store_list(const char *at, size_t length);
WEFT_IMPORT(log) int32_t weft_import_log(const char *at, size_t length);
WEFT_IMPORT(take_result) void weft_import_take_result(char *at);

/** What a host function returns where it has no result. */
enum {
  WEFT_OK = 0,
  /** It is not granted, or the agent's rules do not allow it. */
  WEFT_DENIED = -1,
  WEFT_NOT_FOUND = -2,
  WEFT_INVALID = -3,
  WEFT_TOO_LARGE = -4,
  /** It was tried and failed; the gateway's log says why. */
  WEFT_FAILED = -5,
  WEFT_UNKNOWN = -6,
};

/** Bytes somewhere in memory; behind those that functions of this header return stands a zero that is not counted. */
typedef struct {
  const char *at;
  size_t length;
} weft_text_t;

/** Where the gateway puts what it calls the plugin with. */
WEFT_EXPORT(weft_alloc) void *weft_alloc(size_t length) { return malloc(length > 0 ? length : 1); }

static inline weft_text_t weft_text(const char *text) { return (weft_text_t){text, strlen(text)}; }

static inline bool weft_is(weft_text_t text, const char *other) {
  return text.length == strlen(other) && memcmp(text.at, other, text.length) == 0;
}

/* ---- Writing ---- */

/** Text that grows; begin with `weft_out_t out = {0};`. */
typedef struct {
  char *at;
  size_t length;
  size_t room;
} weft_out_t;

static inline void weft_put(weft_out_t *out, const char *at, size_t length) {
  if (out->length + length + 1 > out->room) {
    out->room = (out->length + length + 1) * 2;
    out->at = realloc(out->at, out->room);
    if (out->at == NULL) abort();
  }
  if (length > 0) memcpy(out->at + out->length, at, length);
  out->length += length;
  out->at[out->length] = 0;
}

static inline void weft_puts(weft_out_t *out, const char *text) { weft_put(out, text, strlen(text)); }

/** As a JSON string, with its quotation marks. The text is UTF-8. */
static inline void weft_put_json(weft_out_t *out, weft_text_t text) {
  static const char digits[] = "0123456789abcdef";
  weft_puts(out, "\"");
  size_t from = 0;
  for (size_t i = 0; i < text.length; i++) {
    unsigned char c = (unsigned char)text.at[i];
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    char escaped[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
    weft_put(out, text.at + from, i - from);
    weft_put(out, escaped, sizeof escaped);
    from = i + 1;
  }
  weft_put(out, text.at + from, text.length - from);
  weft_puts(out, "\"");
}

/** The result of an export: where it is in the upper half, how long it is in the lower. */
static inline uint64_t weft_return(weft_text_t text) {
  return (uint64_t)(uintptr_t)text.at << 32 | (uint64_t)text.length;
}

static inline uint64_t weft_answer(weft_text_t content, bool is_error) {
  weft_out_t out = {0};
  weft_puts(&out, "{\"content\":");
  weft_put_json(&out, content);
  weft_puts(&out, is_error ? ",\"is_error\":true}" : ",\"is_error\":false}");
  return weft_return((weft_text_t){out.at, out.length});
}

/** The answer of a tool, as the model reads it. */
static inline uint64_t weft_done(weft_text_t content) { return weft_answer(content, false); }

/** A tool's failure: a sentence that tells the model what to do otherwise. */
static inline uint64_t weft_fail(const char *content) { return weft_answer(weft_text(content), true); }

/* ---- Reading JSON. A value is the piece of text that it stands in; {0} is one that is not there. ---- */

static inline const char *weft_skip_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
  return at;
}

/** Behind the value that begins here; `end` where it does not. */
static inline const char *weft_skip_value(const char *at, const char *end) {
  size_t depth = 0;
  for (bool quoted = false; at < end; at++) {
    if (quoted && *at == '\\') at++;
    else if (*at == '"') quoted = !quoted;
    else if (!quoted && (*at == '{' || *at == '[')) depth++;
    else if (!quoted && (*at == '}' || *at == ']' || *at == ',')) {
      if (depth == 0) return at;
      if (*at != ',') depth--;
    }
  }
  return end;
}

/** Goes through a list or an object: begin with `const char *next = NULL;`. A name is given for objects only. */
static inline bool weft_next(weft_text_t list, const char **next, weft_text_t *name, weft_text_t *value) {
  const char *end = list.at + list.length;
  const char *at = *next;
  if (at == NULL) {
    if (list.length == 0) return false;
    at = weft_skip_space(list.at, end);
    if (at >= end || (*at != '{' && *at != '[')) return false;
  } else if (at >= end || *at != ',') return false;
  at = weft_skip_space(at + 1, end);
  if (at >= end || *at == '}' || *at == ']') return false;
  *name = (weft_text_t){0};
  const char *opened = weft_skip_space(list.at, end);
  if (*opened == '{') {
    const char *quote = at + 1;
    while (quote < end && *quote != '"') quote += *quote == '\\' ? 2 : 1;
    if (quote >= end) return false;
    *name = (weft_text_t){at + 1, (size_t)(quote - at - 1)};
    at = weft_skip_space(quote + 1, end);
    if (at >= end || *at != ':') return false;
    at = weft_skip_space(at + 1, end);
  }
  const char *behind = weft_skip_value(at, end);
  *next = behind;
  while (behind > at && strchr(" \n\r\t", behind[-1]) != NULL) behind--;
  *value = (weft_text_t){at, (size_t)(behind - at)};
  return true;
}

/** A field of an object. */
static inline weft_text_t weft_get(weft_text_t object, const char *field) {
  const char *next = NULL;
  weft_text_t name, value;
  weft_text_t found = {0};
  while (weft_next(object, &next, &name, &value)) {
    if (name.at != NULL && weft_is(name, field)) found = value;
  }
  return found;
}

static inline int32_t weft_hexadecimal(const char *at) {
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    int32_t digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static inline void weft_put_code(weft_out_t *out, int32_t code) {
  if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
  char bytes[4];
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
  for (size_t i = length - 1; i > 0; i--, code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3f));
  bytes[0] = (char)(first[length - 1] | code);
  weft_put(out, bytes, length);
}

/** The text of a JSON string, in UTF-8 and without escapes; one whose `at` is NULL for anything else. */
static inline weft_text_t weft_string(weft_text_t value) {
  if (value.length < 2 || *value.at != '"' || value.at[value.length - 1] != '"') return (weft_text_t){0};
  weft_out_t out = {0};
  const char *end = value.at + value.length - 1;
  weft_put(&out, "", 0);
  for (const char *at = value.at + 1; at < end; at++) {
    if (*at != '\\' || at + 1 >= end) {
      weft_put(&out, at, 1);
      continue;
    }
    at++;
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *known = strchr(from, *at);
    if (known != NULL) weft_put(&out, to + (known - from), 1);
    else if (*at != 'u' || end - at < 5) weft_put(&out, at, 1);
    else {
      int32_t code = weft_hexadecimal(at + 1);
      at += 4;
      if (code >= 0xd800 && code < 0xdc00 && end - at >= 7 && at[1] == '\\' && at[2] == 'u') {
        int32_t low = weft_hexadecimal(at + 3);
        if (low >= 0xdc00 && low <= 0xdfff) {
          code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
          at += 6;
        }
      }
      weft_put_code(&out, code < 0 ? 0xfffd : code);
    }
  }
  return (weft_text_t){out.at, out.length};
}

static inline double weft_number(weft_text_t value, double otherwise) {
  if (value.length == 0 || (*value.at != '-' && (*value.at < '0' || *value.at > '9'))) return otherwise;
  weft_out_t out = {0};
  weft_put(&out, value.at, value.length);
  return strtod(out.at, NULL);
}

static inline bool weft_true(weft_text_t value) { return weft_is(value, "true"); }

/* ---- What the gateway does for a plugin, as far as it is granted. Each returns WEFT_OK or an error. ---- */

static inline int32_t weft_take(int32_t length, weft_text_t *result) {
  if (length < 0) return length;
  char *at = malloc((size_t)length + 1);
  if (at == NULL) abort();
  weft_import_take_result(at);
  at[length] = 0;
  *result = (weft_text_t){at, (size_t)length};
  return WEFT_OK;
}

/** `{url, method?, headers?, body? | body_base64?}` to `{status, headers, body | body_base64}`; grant `http:<host>`. */
static inline int32_t weft_http_fetch(weft_text_t request, weft_text_t *response) {
  return weft_take(weft_import_http_fetch(request.at, request.length), response);
}

static inline weft_out_t weft_store_request(const char *store, const char *field, weft_text_t key) {
  weft_out_t out = {0};
  weft_puts(&out, "{\"store\":");
  weft_put_json(&out, weft_text(store));
  weft_puts(&out, ",\"");
  weft_puts(&out, field);
  weft_puts(&out, "\":");
  weft_put_json(&out, key);
  return out;
}

/** The value of a key, or WEFT_NOT_FOUND; grant `store:<store>`. */
static inline int32_t weft_store_get(const char *store, weft_text_t key, weft_text_t *value) {
  weft_out_t out = weft_store_request(store, "key", key);
  weft_puts(&out, "}");
  return weft_take(weft_import_store_get(out.at, out.length), value);
}

/** A value whose `at` is NULL removes the key. */
static inline int32_t weft_store_put(const char *store, weft_text_t key, weft_text_t value) {
  weft_out_t out = weft_store_request(store, "key", key);
  weft_puts(&out, ",\"value\":");
  if (value.at == NULL) weft_puts(&out, "null");
  else weft_put_json(&out, value);
  weft_puts(&out, "}");
  weft_text_t nothing;
  return weft_take(weft_import_store_put(out.at, out.length), &nothing);
}

/** A JSON list of the first 1,000 keys that begin with `prefix` and come behind `after`, in order. */
static inline int32_t weft_store_list(const char *store, const char *prefix, const char *after, weft_text_t *keys) {
  weft_out_t out = weft_store_request(store, "prefix", weft_text(prefix));
  weft_puts(&out, ",\"after\":");
  weft_put_json(&out, weft_text(after));
  weft_puts(&out, "}");
  return weft_take(weft_import_store_list(out.at, out.length), keys);
}

/** A line of the gateway's log, under the plugin's name. */
static inline void weft_log(const char *text) { weft_import_log(text, strlen(text)); }

#endif
