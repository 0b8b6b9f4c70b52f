/* What must be fresh in each instance that a worker restores: torture_restored_fresh --count N
 * calls two workers so often in all, and compares what their instances drew, their clocks and the
 * memory that they were given. One repeats a warm-up before its checkpoint, the other is restored
 * as it was loaded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "restore_torture.h"
#include "torture_report.h"

/* The parts of an answer that no two calls may share, and what else is looked at. */
enum {
    MATH,
    UUID,
    BYTES,
    AES,
    PAIR,
    NONCE,
    SECRET,
    ORIGIN,
    PARTS,
    CLOCK = PARTS,
    ZERO,
    ONE,
    PROMISES
};
static torture_promise promises[PROMISES] = {
    [MATH] = {"no two calls draw the same sequence from Math.random()"},
    [UUID] = {"no two calls draw the same UUID"},
    [BYTES] = {"no two calls draw the same random bytes"},
    [AES] = {"no two calls generate the same AES key"},
    [PAIR] = {"no two calls generate the same key pair"},
    [NONCE] = {"no two signatures by one ECDSA key have the same nonce"},
    [SECRET] = {"no two calls generate the same X25519 key"},
    [ORIGIN] = {"no two instances have the same performance.timeOrigin"},
    [CLOCK] = {"Date and performance.now() are those of the call, and go on in it"},
    [ZERO] = {"buffers are handed over zeroed"},
    [ONE] = {"one process serves all calls of a worker"},
};

/* The private key is the top level's, and the same in each call. */
static const char source[] =
    "const jwk = { kty: 'EC', crv: 'P-256',\n"
    "  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',\n"
    "  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',\n"
    "  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI' };\n"
    "const hex = b => [...new Uint8Array(b)].map(x => x.toString(16).padStart(2, '0')).join('');\n"
    "const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' };\n"
    "export default { async fetch(request) {\n"
    "  if (new URL(request.url).pathname === '/warm')\n"
    "    return new Response([Math.random(), Date.now(), performance.now()].join());\n"
    "  const start = performance.now(), date = Date.now(), subtle = crypto.subtle;\n"
    "  const math = [Math.random(), Math.random(), Math.random()].join();\n"
    "  const aes = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);\n"
    "  const pair = await subtle.generateKey(ecdsa, true, ['sign']);\n"
    "  const known = await subtle.importKey('jwk', jwk, ecdsa, false, ['sign']);\n"
    "  const signed = await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, known, new "
    "Uint8Array(8));\n"
    "  const secret = await subtle.generateKey({ name: 'X25519' }, true, ['deriveBits']);\n"
    "  const sizes = [4, 100, 4096, request.url.endsWith('large') ? 1 << 20 : 20000];\n"
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

typedef struct value {
    char text[72];
} value;

static value *drawn[PARTS];
static size_t drawn_count;
static double date_before;

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
    torture_try(&promises[CLOCK], runs && is_now && fits,
                "performance.now() %f to %f since %f, Date %f, wall clock %f to %f", start, end,
                origin, date, called_ms, now);
    date_before = date;
}

static void take_answer(char *answer, double called_ms)
{
    enum { FIELDS = PARTS + 4 };
    const char *fields[FIELDS];
    size_t count = 0;
    for (char *at = answer; at != NULL && count < FIELDS;)
        fields[count++] = strsep(&at, "|");
    if (count != FIELDS) {
        fprintf(stderr, "no answer: %s\n", answer);
        exit(2);
    }
    for (int part = 0; part < PARTS; part++)
        snprintf(drawn[part][drawn_count].text, sizeof(value), "%s", fields[part]);
    drawn_count++;
    check_clock(fields + PARTS, atof(fields[ORIGIN]), called_ms);
    torture_try(&promises[ZERO], strcmp(fields[PARTS + 3], "true") == 0, "not all zero");
}

typedef struct subject {
    snapcell_worker *worker;
    int process_id;
} subject;

static subject subject_load(snapcell_workers *workers, const char *name)
{
    snapcell_worker *worker = restore_load(workers, name, NULL);
    return (subject){worker, snapcell_worker_process_id(worker)};
}

/* Looking through a megabyte takes longer than all else. */
#define LARGE_EVERY 64

static void call(const subject *of, bool is_large)
{
    const double called_ms = wall_ms();
    char *answer;
    snapcell_error err;
    if (restore_fetch(of->worker, is_large ? "/large" : "/", NULL, &answer, &err) != SNAPCELL_OK) {
        fprintf(stderr, "a call: %s\n", err.message);
        exit(2);
    }
    take_answer(answer, called_ms);
    free(answer);
    torture_try(&promises[ONE], snapcell_worker_process_id(of->worker) == of->process_id,
                "another");
}

/* --- All of them --- */

static int compare_values(const void *a, const void *b)
{
    return strcmp(((const value *)a)->text, ((const value *)b)->text);
}

static void compare_drawn(int part)
{
    value *values = drawn[part];
    qsort(values, drawn_count, sizeof(*values), compare_values);
    for (size_t i = 0; i < drawn_count; i++)
        torture_try(&promises[part], i == 0 || strcmp(values[i - 1].text, values[i].text) != 0,
                    "%s was drawn twice", values[i].text);
}

int main(int argc, char **argv)
{
    const torture_options options = torture_arguments(argc, argv, 600);
    const char *store = fixture_new_store();
    for (int part = 0; part < PARTS; part++) {
        drawn[part] = calloc(options.count + 1, sizeof(value));
        if (drawn[part] == NULL) return 2;
    }
    fixture_compile(&(fixture_function){"loaded", source, NULL}, 1, NULL);
    fixture_compile_warm(&(fixture_function){"hot", source, NULL}, 1, "/warm");
    snapcell_workers *workers = restore_open(store, &restore_variants[0]);
    const subject subjects[] = {subject_load(workers, "loaded"), subject_load(workers, "hot")};
    for (unsigned long i = 0; i < options.count; i++) {
        call(&subjects[i % 2], i / 2 % LARGE_EVERY == 0);
        torture_progress(i + 1, options.count);
    }
    snapcell_worker_free(subjects[0].worker);
    snapcell_worker_free(subjects[1].worker);
    snapcell_workers_close(workers);
    fixture_remove();
    for (int part = 0; part < PARTS; part++) {
        compare_drawn(part);
        free(drawn[part]);
    }
    return torture_report(promises, PROMISES);
}
