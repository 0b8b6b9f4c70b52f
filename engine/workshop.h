// Where a bundle is evaluated at build time, for a blob or to be looked at.
#ifndef SNAPCELL_WORKSHOP_H
#define SNAPCELL_WORKSHOP_H

#include <vector>

#include <v8.h>

#include "array_buffer_quota.h"
#include "bundle_text.h"
#include "evaluation.h"
#include "isolate_state.h"

namespace snapcell
{

// Everything that has to live as long as the isolate in which a bundle is built.
struct Workshop {
    Workshop(const engine_bundle &bundle, const engine_build_options &options);
    v8::Isolate::CreateParams Params();

    IsolateState state;
    ArrayBufferQuota array_buffers;
    BundleText text;
    std::vector<intptr_t> references;
};

// An isolate of the ordinary kind, for what needs no snapshot.
class PlainIsolate
{
  public:
    explicit PlainIsolate(Workshop *workshop);
    ~PlainIsolate();
    PlainIsolate(const PlainIsolate &) = delete;
    PlainIsolate &operator=(const PlainIsolate &) = delete;

    v8::Isolate *get() { return isolate_; }

  private:
    v8::Isolate *isolate_;
};

// Whether the bundle's text has the word.
bool Mentions(Workshop *workshop, v8::Isolate *isolate, const char *word);

// Answers the warm-up requests, one after the other.
int WarmUpAll(v8::Local<v8::Context> context, const Handler &handler,
              const engine_build_options &options, snapcell_error *err);

// Evaluates the bundle, finds its handler and warms it up.
int Prepare(v8::Local<v8::Context> context, Workshop *workshop, engine_format format,
            const engine_build_options &options, Evaluation *evaluation, Handler *handler,
            snapcell_error *err);

} // namespace snapcell

#endif
