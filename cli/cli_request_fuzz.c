/* Warm-up requests in JSON, and headers, as a person or a pipeline gives them. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli.h"
#include "fuzz_input.h"

static void fuzz_check(const snapcell_request *request)
{
    size_t size = 0;
    for (size_t i = 0; i < request->header_count; i++)
        size += strlen(request->headers[i].name) + strlen(request->headers[i].value);
    if (request->url != NULL) size += strlen(request->url);
    if (request->method != NULL) size += strlen(request->method);
    fuzz_require(request->body != NULL || request->body_size_bytes == 0);
    fuzz_require(size < SIZE_MAX);
}

static void fuzz_warm(const fuzz_input *input)
{
    const int file = memfd_create("warm", MFD_CLOEXEC);
    fuzz_require(file >= 0);
    fuzz_require(write(file, input->at, input->size_bytes) == (ssize_t)input->size_bytes);
    char path[40];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    cli_warm warm;
    snapcell_error err = {0};
    /* With its slash it would be taken for a URL. */
    const int status = cli_warm_init(&warm, path + 1, &err);
    fuzz_require(status == SNAPCELL_OK || err.message[0] != '\0');
    if (status == SNAPCELL_OK) fuzz_check(&warm.request);
    cli_warm_release(&warm);
    (void)close(file);
}

static void fuzz_header(fuzz_input input)
{
    char text[512];
    (void)fuzz_take_text(&input, text, sizeof(text));
    snapcell_header header;
    if (!cli_header_split(text, &header)) return;
    fuzz_require(header.name[0] != '\0' && strpbrk(header.name, " \t\r\n:") == NULL);
    fuzz_require(strpbrk(header.value, "\r\n") == NULL);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return chdir("/");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_input input = {data, size};
    fuzz_warm(&input);
    fuzz_header(input);
    return 0;
}
