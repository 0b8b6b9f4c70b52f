/* Trust sets and signing keys, as the commands take them. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "cli.h"
#include "error_set.h"

/* --- Whom to trust --- */

static int trust_add_environment(snapcell_trust *trust, const char *value, snapcell_error *err)
{
    cleanup_free char *copy = strdup(value);
    if (!copy) return error_set(err, SNAPCELL_E_NOMEM, "no memory for $SNAPCELL_TRUST");
    char *rest = copy;
    for (char *part; (part = strsep(&rest, ":")) != NULL;) {
        if (!part[0]) continue;
        int status = snapcell_trust_add(trust, part, err);
        if (status != SNAPCELL_OK) return status;
    }
    return SNAPCELL_OK;
}

int cli_trust_open(const cli_arguments *arguments, snapcell_trust **out, snapcell_error *err)
{
    const char *environment = getenv("SNAPCELL_TRUST");
    *out = NULL;
    if (arguments->trust_count == 0 && (!environment || !environment[0])) return SNAPCELL_OK;
    cli_cleanup_trust snapcell_trust *trust = NULL;
    int status = snapcell_trust_new(&trust, err);
    for (size_t i = 0; status == SNAPCELL_OK && i < arguments->trust_count; i++)
        status = snapcell_trust_add(trust, arguments->trust[i], err);
    if (status == SNAPCELL_OK && arguments->trust_count == 0)
        status = trust_add_environment(trust, environment, err);
    if (status == SNAPCELL_OK) *out = steal_pointer(&trust);
    return status;
}

int cli_artifact_check(const cli_arguments *arguments, const snapcell_trust *trust,
                       const void *bytes, size_t size_bytes, const char *name,
                       snapcell_artifact_info *info, snapcell_error *err)
{
    if (!trust) return snapcell_artifact_inspect(bytes, size_bytes, info, err);
    int status = snapcell_trust_check(trust, bytes, size_bytes, name, arguments->tenant, NULL, err);
    if (status == SNAPCELL_OK) return snapcell_artifact_describe(bytes, size_bytes, info, err);
    memset(info, 0, sizeof(*info));
    return status;
}

const char *cli_ref_name(const char *ref, const snapcell_key *key)
{
    char text[SNAPCELL_KEY_HEX_SIZE];
    return strcasecmp(ref, cli_key_text(key, text)) == 0 ? NULL : ref;
}

/* --- Signing --- */

int cli_signing_key_open(const cli_arguments *arguments, snapcell_signing_key **out,
                         snapcell_error *err)
{
    struct stat there;
    *out = NULL;
    if (!arguments->sign) return SNAPCELL_OK;
    /* The code that is compiled runs as this user: it must not be able to trace this process. */
    prctl(PR_SET_DUMPABLE, 0);
    int status = snapcell_signing_key_open(arguments->sign, out, err);
    if (status == SNAPCELL_OK && stat(arguments->sign, &there) == 0 && S_ISREG(there.st_mode) &&
        (there.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        cli_message("warning: others than its owner may use the secret key %s (mode %04o); "
                    "`chmod 600 %s` keeps it to you",
                    arguments->sign, there.st_mode & 07777u, arguments->sign);
    return status;
}

int cli_trust_of_key(const snapcell_signing_key *key, snapcell_trust **out, snapcell_error *err)
{
    int status = snapcell_trust_new(out, err);
    if (status == SNAPCELL_OK)
        status = snapcell_trust_add_key(*out, snapcell_signing_key_public(key), NULL, err);
    return status;
}
