/* The one check for what HTTP calls a token. Internal. */
#ifndef SNAPCELL_HTTP_TOKEN_H
#define SNAPCELL_HTTP_TOKEN_H

#include <stdbool.h>
#include <string.h>

/* Whether it is a token of RFC 9110, 5.6.2, as methods and header names are. NULL is none. */
static inline bool http_is_token(const char *text)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return text != NULL && text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

#endif
