/* The functions of the base blob, in the order of their snapshots. Internal to the engine. */
#ifndef SNAPCELL_BASE_FUNCTIONS_H
#define SNAPCELL_BASE_FUNCTIONS_H

#define BASE_SMALLEST_FUNCTION "export default { fetch() { return new Response('') } }"

#define BASE_FUNCTION_OF_MANY_APIS                                                                 \
    "globalThis.kept = [URL, URLSearchParams, Headers, Request, ReadableStream, Blob, FormData,"   \
    " AbortController, EventTarget, TextEncoder, TextDecoder, TextDecoderStream,"                  \
    " CompressionStream, MessageChannel, DOMException, crypto.subtle, structuredClone,"            \
    " setTimeout, atob, console, performance, addEventListener];"                                  \
    "export default { fetch() { return new Response('') } }"

#endif
