/** Calculates: models guess at arithmetic, this does it. In C. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include "../sdk/weft.h"

#define DEPTH_MAX 200

typedef struct {
  const char *start;
  const char *at;
  const char *error;
  int depth;
} parser_t;

static double sum(parser_t *p);

WEFT_EXPORT(describe) uint64_t describe(void) {
  return weft_return(weft_text(
      "{\"name\":\"calc\","
      "\"description\":\"Calculates an expression in double precision: + - * / % ^ !, parentheses, pi, e, tau, and the "
      "functions sqrt cbrt exp ln log2 log10 sin cos tan asin acos atan abs floor ceil round trunc min max hypot. "
      "Angles are in radians.\","
      "\"input_schema\":{\"type\":\"object\","
      "\"properties\":{\"expression\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":10000,"
      "\"description\":\"Such as (1 + 19/100) * 84.5 or sqrt(2)^3.\"}},"
      "\"required\":[\"expression\"],\"additionalProperties\":false}}"));
}

/** How many there are up to a place, in UTF-8. */
static int characters(const char *from, const char *to) {
  int count = 0;
  for (; from < to; from++) count += (*from & 0xc0) != 0x80;
  return count;
}

WEFT_EXPORT(handle_tool_call) uint64_t handle_tool_call(const char *at, size_t length) {
  weft_text_t input = weft_get((weft_text_t){at, length}, "input");
  weft_text_t expression = weft_string(weft_get(input, "expression"));
  if (expression.at == NULL) return weft_fail("There is no expression.");
  parser_t p = {expression.at, expression.at, NULL, 0};
  double value = sum(&p);
  if (p.error == NULL && p.at < expression.at + expression.length) p.error = "This is not understood";
  char text[160];
  if (p.error != NULL) {
    snprintf(text, sizeof text, "%s, at character %d.", p.error, characters(p.start, p.at) + 1);
    return weft_fail(text);
  }
  if (!isfinite(value)) return weft_fail(isnan(value) ? "It has no real value." : "It is infinite, or too large.");
  // Doubles are exact up to 2^53; behind fifteen digits they are not what was meant.
  bool is_whole = value == trunc(value) && fabs(value) < 9007199254740992.0;
  snprintf(text, sizeof text, is_whole ? "%.0f" : "%.15g", value == 0 ? 0.0 : value);
  return weft_done(weft_text(text));
}

static double fail(parser_t *p, const char *error) {
  if (p->error == NULL) p->error = error;
  return 0;
}

static bool skips(parser_t *p, char c) {
  while (isspace((unsigned char)*p->at)) p->at++;
  if (*p->at != c) return false;
  p->at++;
  while (isspace((unsigned char)*p->at)) p->at++;
  return true;
}

static double call(parser_t *p, const char *name, size_t length) {
  static const struct {
    const char *name;
    double (*of)(double);
  } functions[] = {{"sqrt", sqrt},   {"cbrt", cbrt}, {"exp", exp},     {"ln", log},     {"log2", log2},
                   {"log10", log10}, {"sin", sin},   {"cos", cos},     {"tan", tan},    {"asin", asin},
                   {"acos", acos},   {"atan", atan}, {"abs", fabs},    {"floor", floor}, {"ceil", ceil},
                   {"round", round}, {"trunc", trunc}};
  static const struct {
    const char *name;
    double (*of)(double, double);
  } folds[] = {{"min", fmin}, {"max", fmax}, {"hypot", hypot}};
  const char *start = p->at;
  weft_text_t called = {name, length};
  if (!skips(p, '(')) return fail(p, "A function needs its parenthesis");
  double value = sum(p);
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    if (!weft_is(called, functions[i].name)) continue;
    return skips(p, ')') ? functions[i].of(value) : fail(p, "A parenthesis is not closed");
  }
  for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
    if (!weft_is(called, folds[i].name)) continue;
    while (p->error == NULL && skips(p, ',')) value = folds[i].of(value, sum(p));
    return skips(p, ')') ? value : fail(p, "A parenthesis is not closed");
  }
  p->at = start - length;
  p->error = NULL;
  return fail(p, "There is no such function");
}

static double named(parser_t *p) {
  const char *name = p->at;
  while (isalnum((unsigned char)*p->at)) p->at++;
  size_t length = (size_t)(p->at - name);
  weft_text_t word = {name, length};
  if (weft_is(word, "pi")) return M_PI;
  if (weft_is(word, "tau")) return 2 * M_PI;
  if (weft_is(word, "e")) return M_E;
  return call(p, name, length);
}

static double number(parser_t *p) {
  const char *start = p->at;
  while (isdigit((unsigned char)*p->at)) p->at++;
  if (*p->at == '.') p->at++;
  while (isdigit((unsigned char)*p->at)) p->at++;
  if (p->at == start + 1 && *start == '.') return fail(p, "A number has digits");
  const char *exponent = p->at;
  if (*exponent == 'e' || *exponent == 'E') {
    exponent++;
    if (*exponent == '+' || *exponent == '-') exponent++;
    if (isdigit((unsigned char)*exponent)) {
      while (isdigit((unsigned char)*exponent)) exponent++;
      p->at = exponent;
    }
  }
  char *end;
  double value = strtod(start, &end);
  return end == p->at ? value : fail(p, "A number has digits");
}

static double single(parser_t *p) {
  if (skips(p, '(')) {
    double value = sum(p);
    return skips(p, ')') ? value : fail(p, "A parenthesis is not closed");
  }
  if (isdigit((unsigned char)*p->at) || *p->at == '.') return number(p);
  if (isalpha((unsigned char)*p->at)) return named(p);
  return fail(p, *p->at == 0 ? "Something is missing" : "This is not understood");
}

static double factorial(parser_t *p, double value) {
  if (value < 0 || value != trunc(value)) return fail(p, "Only whole numbers have a factorial");
  double product = 1;
  for (double i = 2; i <= value && isfinite(product); i++) product *= i;
  return product;
}

static double negated(parser_t *p);

static double power(parser_t *p) {
  double value = single(p);
  while (p->error == NULL && skips(p, '!')) value = factorial(p, value);
  return skips(p, '^') ? pow(value, negated(p)) : value;
}

static double negated(parser_t *p) {
  if (++p->depth > DEPTH_MAX) return fail(p, "It is nested too deeply");
  double value = skips(p, '-') ? -negated(p) : skips(p, '+') ? negated(p) : power(p);
  p->depth--;
  return value;
}

static double product(parser_t *p) {
  double value = negated(p);
  while (p->error == NULL) {
    if (skips(p, '*')) value *= negated(p);
    else if (skips(p, '/')) value /= negated(p);
    else if (skips(p, '%')) value = fmod(value, negated(p));
    else break;
  }
  return value;
}

static double sum(parser_t *p) {
  double value = product(p);
  while (p->error == NULL) {
    if (skips(p, '+')) value += product(p);
    else if (skips(p, '-')) value -= product(p);
    else break;
  }
  return value;
}
