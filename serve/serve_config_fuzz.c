/* Configurations, as text. */
#include <stdlib.h>

#include "fuzz_input.h"
#include "serve_config.h"

static size_t fuzz_problems;

static void fuzz_problem(void *user, const char *path, size_t line, size_t column,
                         const char *message)
{
    (void)user;
    (void)path;
    fuzz_problems++;
    fuzz_require(line >= 1 && column >= 1 && message[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    serve_config config;
    snapcell_error error;
    fuzz_problems = 0;
    fuzz_require(serve_config_init(&config, &error) == SNAPCELL_OK);
    int status = serve_config_parse("fuzz.json", "/nonexistent", (const char *)data, size, &config,
                                    fuzz_problem, NULL, &error);
    fuzz_require((status == SNAPCELL_E_USAGE) == (fuzz_problems > 0));
    serve_config_release(&config);
    return 0;
}
