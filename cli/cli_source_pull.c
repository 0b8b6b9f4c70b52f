/* One look at the registry: whether the tag has moved, and what it stands for now. Runs in a
 * process of its own, so that what a registry sends can end no more than that. */
#include <string.h>

#include "cli_pull.h"
#include "cli_source.h"
#include "error_set.h"
#include "monotonic.h"

#define DIGEST_DIGITS_SHOWN 12
#define ENGINE_DIGITS_SHOWN 8

typedef struct source_pull {
    const cli_source *source;
    serve_source_message *out;
    cli_registry_options options;
    registry_client *registry; /* Owned */
    snapcell_store *store;     /* Owned */
    cli_arrivals arrivals;
} source_pull;

/* --- Whether there is something new --- */

/* As little as may be is asked of the registry: a HEAD, which may say "not modified". */
static int pull_find(source_pull *pull, char digest[OCI_DIGEST_TEXT_SIZE], snapcell_error *err)
{
    const cli_source *source = pull->source;
    const oci_reference *reference = &source->reference;
    const char *tag = oci_reference_target(reference);
    const char *known = source->state.digest[0] ? source->state.digest : NULL;
    oci_descriptor descriptor;
    int status =
        registry_find_document(pull->registry, reference->repository, tag, known, digest, err);
    if (status != SNAPCELL_OK || digest[0]) return status;
    cleanup_free void *raw = NULL; /* it does not say */
    status =
        registry_get_document(pull->registry, reference->repository, tag, &raw, &descriptor, err);
    if (status == SNAPCELL_OK) strcpy(digest, descriptor.digest);
    return status;
}

/* --- What is new --- */

/* "v1-9f86d081884c": what it is, for people and for history. */
static void pull_name_release(source_pull *pull, const char *digest, bool of_engine)
{
    char engine_text[SNAPCELL_KEY_HEX_SIZE];
    snapcell_fingerprint engine = cli_engine();
    const char *digits = strchr(digest, ':');
    serve_source_message *out = pull->out;
    snprintf(out->release, sizeof(out->release), "%.128s-%.*s%s%.*s",
             oci_reference_target(&pull->source->reference), DIGEST_DIGITS_SHOWN,
             digits ? digits + 1 : digest, of_engine ? "-" : "",
             of_engine ? ENGINE_DIGITS_SHOWN : 0, cli_fingerprint_text(&engine, engine_text));
}

static int pull_keep(source_pull *pull, const char *digest, snapcell_error *err)
{
    cli_arrivals *arrivals = &pull->arrivals;
    pull_name_release(pull, digest, false);
    arrivals->release = pull->out->release;
    int status = cli_arrivals_store(arrivals, pull->store, err);
    if (status != SNAPCELL_E_EXISTS) return status;
    /* As after an upgrade: the same document, and another engine's artifacts. */
    pull_name_release(pull, digest, true);
    return cli_arrivals_store(arrivals, pull->store, err);
}

static int pull_fetch(source_pull *pull, const char *digest, snapcell_error *err)
{
    oci_descriptor descriptor;
    cli_pull given = {.reference = pull->source->reference,
                      .registry = pull->registry,
                      .registry_options = &pull->options,
                      .store = pull->store,
                      .arrivals = &pull->arrivals};
    /* What was looked at is what is fetched, though the tag moves meanwhile. */
    snprintf(given.reference.digest, sizeof(given.reference.digest), "%s", digest);
    int status = cli_pull_fetch(&given, &descriptor, err);
    return status == SNAPCELL_OK ? pull_keep(pull, digest, err) : status;
}

/* Whether it is the release's fault, not the network's or this machine's. */
static bool pull_is_lasting(int code)
{
    switch (code) {
    case SNAPCELL_E_CORRUPT:
    case SNAPCELL_E_FORMAT:
    case SNAPCELL_E_SIGNATURE:
    case SNAPCELL_E_TOO_LARGE:
    case SNAPCELL_E_OTHER_ENGINE:
    case SNAPCELL_E_OTHER_HOST:
    case SNAPCELL_E_EXISTS:
    case SNAPCELL_E_USAGE:
        return true;
    default:
        return false;
    }
}

/* --- The whole --- */

static int pull_open(source_pull *pull, snapcell_error *err)
{
    const cli_source *source = pull->source;
    cli_guard_store(source->arguments->store);
    pull->options.quiet = true; /* standard error has the server's log */
    cli_registry_label(&pull->options, "");
    pull->options.options.plain_http = source->config->plain_http;
    pull->options.options.ca_file = source->config->ca_file;
    pull->options.options.no_sandbox = source->no_sandbox;
    pull->arrivals = (cli_arrivals){.arguments = source->arguments,
                                    .trust = source->trust,
                                    .who = source->who,
                                    .replace = true};
    int status =
        registry_open(source->reference.host, &pull->options.options, &pull->registry, err);
    return status == SNAPCELL_OK ? snapcell_store_open(source->arguments->store,
                                                       SNAPCELL_STORE_CREATE, &pull->store, err)
                                 : status;
}

static int pull_all(source_pull *pull, snapcell_error *err)
{
    serve_source_message *out = pull->out;
    const cli_source_state *state = &pull->source->state;
    char digest[OCI_DIGEST_TEXT_SIZE] = "";
    int status = pull_open(pull, err);
    if (status == SNAPCELL_OK) status = pull_find(pull, digest, err);
    if (status != SNAPCELL_OK) return status;
    snprintf(out->digest, sizeof(out->digest), "%s", digest);
    out->kind = SERVE_SOURCE_CHECKED;
    if (strcmp(digest, state->digest) == 0 || strcmp(digest, state->refused) == 0)
        return SNAPCELL_OK;
    status = pull_fetch(pull, digest, err);
    out->function_count = (uint32_t)pull->arrivals.count;
    out->fetched_bytes = pull->options.moved_size_bytes;
    out->kind = status == SNAPCELL_OK     ? SERVE_SOURCE_PULLED
                : pull_is_lasting(status) ? SERVE_SOURCE_REFUSED
                                          : SERVE_SOURCE_FAILED;
    return status;
}

void cli_source_pull(const cli_source *source, serve_source_message *out)
{
    snapcell_error err = {0};
    uint64_t began_ns = monotonic_now_ns();
    source_pull pull = {.source = source, .out = out};
    *out = (serve_source_message){.kind = SERVE_SOURCE_FAILED};
    if (pull_all(&pull, &err) != SNAPCELL_OK)
        snprintf(out->text, sizeof(out->text), "%s", err.message);
    if (pull.registry) out->wait_ms = registry_retry_after_s(pull.registry) * 1000;
    out->duration_ms = (monotonic_now_ns() - began_ns) / NS_PER_MS;
    cli_arrivals_release(&pull.arrivals);
    registry_close(pull.registry);
    snapcell_store_close(pull.store);
}
