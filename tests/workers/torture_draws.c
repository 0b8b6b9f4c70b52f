#include "torture_draws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "restore_torture.h"

/* The private key is the top level's, and the same in each call. */
const char draws_source[] =
    "const jwk = { kty: 'EC', crv: 'P-256',\n"
    "  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',\n"
    "  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',\n"
    "  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' };\n"
    "const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };\n"
    "let count = 0;\n"
    "export default { async fetch(request) {\n"
    "  const path = new URL(request.url).pathname;\n"
    "  if (path === '/warm')\n"
    "    return new Response([Math.random(), Date.now(), performance.now()].join());\n"
    "  if (path === '/count') return new Response(`${++count} ${await request.text()}`);\n"
    "  const start = performance.now(), date = Date.now(), subtle = crypto.subtle;\n"
    "  const math = [Math.random(), Math.random(), Math.random()].join();\n"
    "  const aes = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);\n"
    "  const pair = await subtle.generateKey(ecdsa, true, ['sign']);\n"
    "  const known = await subtle.importKey('jwk', jwk, ecdsa, false, ['sign']);\n"
    "  const signed = await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, known, new "
    "Uint8Array(8));\n"
    "  const secret = await subtle.generateKey({ name: 'X25519' }, true, ['deriveBits']);\n"
    "  const sizes = [4, 100, 4096, path === '/large' ? 1 << 20 : 20000];\n"
    "  const zero = sizes.every(n => { const b = new Uint8Array(n);\n"
    "    const was = new Uint32Array(b.buffer).every(x => x === 0);\n"
    "    crypto.getRandomValues(b.subarray(0, 60000)); return was; });\n"
    "  let end = start;\n"
    "  for (let i = 0; end <= start && i < 1e6; i++) end = performance.now();\n"
    "  return new Response([math, crypto.randomUUID(),\n"
    "    hex(crypto.getRandomValues(new Uint8Array(16))), hex(await subtle.exportKey('raw', "
    "aes)),\n"
    "    hex(await subtle.exportKey('raw', pair.publicKey)), hex(signed).slice(0, 64),\n"
    "    hex(await subtle.exportKey('raw', secret.publicKey)), performance.timeOrigin,\n"
    "    start, end, date, zero].join('|'));\n"
    "} };\n";

typedef struct draws_value {
    char text[72];
} draws_value;

static torture_promise *promises;
static draws_value *drawn[DRAWS_PARTS];
static size_t drawn_count;
static size_t drawn_max;
static double date_before;

void draws_begin(torture_promise *of, size_t count)
{
    promises = of;
    drawn_max = count;
    for (int part = 0; part < DRAWS_PARTS; part++) {
        drawn[part] = calloc(count, sizeof(draws_value));
        if (drawn[part] == NULL) exit(2);
    }
}

/* --- One call --- */

static double wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* performance.now() begins with the instance; the wall clock may be set a little meanwhile. */
static void check_clock(const char *const *fields, double origin, double called_ms)
{
    const double start = atof(fields[0]);
    const double end = atof(fields[1]);
    const double date = atof(fields[2]);
    const double now = wall_ms();
    const bool runs = start >= 0 && start <= now - called_ms + 1000 && end > start;
    const bool is_now =
        date >= called_ms - 1000 && date <= now + 1000 && date >= date_before - 1000;
    const bool fits = origin + start >= date - 1000 && origin + start <= date + 1000;
    torture_try(&promises[DRAWS_CLOCK], runs && is_now && fits,
                "performance.now() %f to %f since %f, Date %f, wall clock %f to %f", start, end,
                origin, date, called_ms, now);
    date_before = date;
}

static void take_answer(char *answer, double called_ms)
{
    enum { FIELDS = DRAWS_PARTS + 4 };
    const char *fields[FIELDS];
    size_t count = 0;
    for (char *at = answer; at != NULL && count < FIELDS;)
        fields[count++] = strsep(&at, "|");
    if (count != FIELDS) {
        fprintf(stderr, "no answer: %s\n", answer);
        exit(2);
    }
    for (int part = 0; part < DRAWS_PARTS && drawn_count < drawn_max; part++)
        snprintf(drawn[part][drawn_count].text, sizeof(draws_value), "%s", fields[part]);
    if (drawn_count < drawn_max) drawn_count++;
    check_clock(fields + DRAWS_PARTS, atof(fields[DRAWS_ORIGIN]), called_ms);
    torture_try(&promises[DRAWS_ZERO], strcmp(fields[DRAWS_PARTS + 3], "true") == 0,
                "not all zero");
}

void draws_call(snapcell_worker *worker, bool is_large)
{
    const double called_ms = wall_ms();
    char *answer = restore_ask(worker, is_large ? "/large" : "/", NULL);
    take_answer(answer, called_ms);
    free(answer);
}

/* --- All of them --- */

static int compare_values(const void *a, const void *b)
{
    return strcmp(((const draws_value *)a)->text, ((const draws_value *)b)->text);
}

static void compare_drawn(int part)
{
    draws_value *values = drawn[part];
    qsort(values, drawn_count, sizeof(*values), compare_values);
    for (size_t i = 0; i < drawn_count; i++)
        torture_try(&promises[part], i == 0 || strcmp(values[i - 1].text, values[i].text) != 0,
                    "%s was drawn twice", values[i].text);
}

void draws_end(void)
{
    for (int part = 0; part < DRAWS_PARTS; part++) {
        compare_drawn(part);
        free(drawn[part]);
    }
}
