/* Requests as an embedder may hand them on from a network: what is let through has no line breaks
 * and no control characters that a function could take for more headers or another URL. */
#include "request_check.h"

#include <strings.h>

#include "fuzz_input.h"

#define FUZZ_HEADER_COUNT_MAX 4
#define FUZZ_TEXT_SIZE 256

static void fuzz_check_texts(const checked_request *request)
{
    fuzz_require(strncasecmp(request->url, "http://", 7) == 0 ||
                 strncasecmp(request->url, "https://", 8) == 0);
    for (const char *c = request->url; *c != '\0'; c++)
        fuzz_require((unsigned char)*c > 0x20 && *c != 0x7f && *c != '#');
    fuzz_require(strpbrk(request->method, " \t\r\n:") == NULL);
    for (size_t i = 0; i < request->header_count; i++) {
        fuzz_require(strpbrk(request->headers[i].name, " \t\r\n:") == NULL);
        fuzz_require(strpbrk(request->headers[i].value, "\r\n") == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    const bool streamed = (fuzz_take_u8(&input) & 1) != 0;
    const uint8_t flags = fuzz_take_u8(&input);
    char texts[2 + 2 * FUZZ_HEADER_COUNT_MAX][FUZZ_TEXT_SIZE];
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        (void)fuzz_take_text(&input, texts[i], sizeof(texts[i]));
    snapcell_header headers[FUZZ_HEADER_COUNT_MAX];
    for (size_t i = 0; i < FUZZ_HEADER_COUNT_MAX; i++)
        headers[i] = (snapcell_header){texts[2 + 2 * i], (flags & 32) ? texts[3 + 2 * i] : NULL};
    snapcell_request request = SNAPCELL_REQUEST_INIT;
    request.method = (flags & 1) != 0 ? texts[0] : NULL;
    request.url = (flags & 2) != 0 ? texts[1] : NULL;
    request.headers = (flags & 4) != 0 ? headers : NULL;
    request.header_count = flags >> 6 & 3;
    request.body = (flags & 8) != 0 ? input.at : NULL;
    request.body_size_bytes = (flags & 16) != 0 ? input.size_bytes : 0;

    checked_request checked;
    snapcell_error err;
    const int status = request_check(&request, streamed, &checked, &err);
    fuzz_require(status == SNAPCELL_OK || (status == SNAPCELL_E_USAGE && err.message[0] != '\0'));
    if (status == SNAPCELL_OK) fuzz_check_texts(&checked);
    request_release(&checked);
    return 0;
}
