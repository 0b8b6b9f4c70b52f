/* Tables of keys, and who reads by them. Internal to the configuration. */
#ifndef SNAPCELL_SERVE_CONFIG_READ_H
#define SNAPCELL_SERVE_CONFIG_READ_H

#include "serve_config.h"
#include "serve_json_place.h"

typedef struct config_reader {
    const char *path;
    const char *folder; /* where relative paths begin; NULL: the current one */
    const char *text;
    size_t size_bytes;
    serve_problem_fn *problem;
    void *user;
    serve_config *config;
    size_t problem_count;
    bool no_memory;
} config_reader;

typedef enum config_kind {
    CONFIG_OTHER = 0, /* `take` */
    CONFIG_STRING,
    CONFIG_STRINGS,
    CONFIG_NUMBER,    /* a uint32_t */
    CONFIG_NUMBER_64, /* a uint64_t, of `unit` */
    CONFIG_FLAG,
    CONFIG_WORD,   /* one of `words`: its number, a uint32_t */
    CONFIG_OBJECT, /* `keys`, with the same base */
} config_kind;

typedef struct config_key config_key;
struct config_key {
    const char *name; /* NULL ends a table */
    config_kind kind;
    size_t offset;
    uint64_t min;
    uint64_t max;
    uint64_t unit;
    const char *const *words;
    const config_key *keys;
    int (*check)(const char *text, snapcell_error *err); /* of STRINGS; NULL: any */
    void (*take)(config_reader *reader, const serve_json_step *step, json_t *value, void *base);
};

/* Tells of something that is wrong with a value, or with its key. */
void config_problem(config_reader *reader, const serve_json_step *step, bool of_key,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* False after a problem was told. */
bool config_expect(config_reader *reader, const serve_json_step *step, const json_t *value,
                   json_type type, const char *wanted);

void config_take_object(config_reader *reader, const serve_json_step *step, json_t *value,
                        const config_key *keys, void *base);

bool config_add_string(config_reader *reader, serve_strings *strings, const char *text);

/* Errors: E_NOT_FOUND, E_IO, E_TOO_LARGE, E_NOMEM. */
int config_read_file(const char *path, size_t size_max, char **out, size_t *out_size,
                     snapcell_error *err);

/* What was read counts in the configuration's hash. */
void config_hash_text(serve_config *config, const char *text, size_t size_bytes);

/* A path of the file, from the file's folder. Owned: free(). NULL when memory is short. */
char *config_path(const config_reader *reader, const char *path);

/* What the whole file says. (serve_config_keys.c) */
void config_take_all(config_reader *reader, json_t *value, serve_config *config);

#endif
