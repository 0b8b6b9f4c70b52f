// Looking at what a bundle does at build time: a second evaluation, whose heap becomes no blob,
// with functions that take notes instead of the clock's, of Math.random() and of constructors
// whose objects V8 cannot serialize.
#ifndef SNAPCELL_SURVEY_H
#define SNAPCELL_SURVEY_H

#include <string>
#include <vector>

#include <v8.h>

#include "bundle_place.h"
#include "engine.h"

namespace snapcell
{

class HeapPaths;
struct Workshop;

// Why a bundle did not become a snapshot, as the engine found out when it tried.
struct Refusal {
    snapcell_note_kind kind = SNAPCELL_NOTE_ENGINE;
    std::string what;
    std::vector<size_t> kept_draws; // numbers of the warm-up's random values that were kept
    bool timers_go_on = false;      // no reason to refuse, but worth a look
};

class Survey
{
  public:
    void NoteUse(v8::Isolate *isolate, snapcell_note_kind kind, const char *what);
    void NoteEntropy(v8::Isolate *isolate, const char *what);
    void NoteEnvironment(v8::Isolate *isolate);
    // Notes the call that makes an object, and later the object; see survey_hooks.cc.
    uint32_t MarkMaker(v8::Isolate *isolate, const std::string &name);
    void HoldObject(v8::Isolate *isolate, uint32_t mark, v8::Local<v8::Object> object);

    // Once the evaluation is over: timers that are pending, which a snapshot lets go on.
    void AddTimers(const Workshop &workshop);
    // The same of a bundle that did not become a snapshot: what its isolate still holds.
    void Explain(v8::Isolate *isolate, const Workshop &workshop, const Refusal &refusal,
                 const HeapPaths &paths);
    void Report(const engine_build_options &options, const engine_bundle &bundle);
    // Lets go of objects, before their isolate is disposed of.
    void Forget();

  private:
    struct Entry {
        snapcell_note_kind kind;
        bool prevents;
        bool warm;
        std::string what;
        BundlePlace place;
        std::string path;
        uint32_t count = 1;
    };
    struct Maker {
        std::string name;
        BundlePlace place;
        bool warm;
        std::vector<v8::Global<v8::Object>> objects;
    };
    void Add(const Entry &entry);
    static std::string AdviceOn(const Entry &entry, const std::string &package);
    // Of FinalizationRegistry, or of all the other makers.
    void AddObjects(v8::Isolate *isolate, const HeapPaths &paths, bool registries);
    bool IsExplained() const;
    void AddKeptDraws(const Workshop &workshop, const Refusal &refusal);

    std::vector<Entry> entries_;
    std::vector<Maker> makers_;
    size_t uses_ = 0;
};

// Whether the text mentions what a survey could find in a bundle that became a snapshot.
bool MentionsClockOrRandom(v8::Isolate *isolate, v8::Local<v8::String> text);

// Evaluates a bundle to take notes, which `options` has a function for. What fails meanwhile is no
// failure of the compile.
void SurveyBundle(const engine_bundle &bundle, const engine_build_options &options,
                  engine_format format, const Refusal *refusal);

} // namespace snapcell

#endif
