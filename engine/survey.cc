#include "survey.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "heap_paths.h"
#include "platform.h"
#include "survey_hooks.h"
#include "workshop.h"

namespace snapcell
{
namespace
{

// How many places of a kind are told one by one.
constexpr uint32_t kPlacesMax = 20;

// A bundle may call Math.random() a million times: from here on calls are counted alone.
constexpr size_t kTracesMax = 20000;

constexpr char kRegistry[] = "FinalizationRegistry";
constexpr char kOthers[] = "others";
constexpr char kAllow[] = ", or accept one value for all (--entropy allow)";

bool Begins(const std::string &text, const char *prefix)
{
    return text.rfind(prefix, 0) == 0;
}

} // namespace

void Survey::Add(const Entry &entry)
{
    uint32_t places = 0;
    for (Entry &known : entries_) {
        if (known.kind != entry.kind || known.prevents != entry.prevents) continue;
        bool same = known.what == entry.what && known.warm == entry.warm &&
                    known.place == entry.place && known.path == entry.path;
        // The last one stands for all the places that are not listed.
        if (!same && ++places < kPlacesMax) continue;
        if (!same) {
            known.what = kOthers;
            known.place = BundlePlace();
            known.path = "";
        }
        known.count += entry.count;
        return;
    }
    entries_.push_back(entry);
}

// What to do about it depends on whose code it is, and on when it ran.
std::string Survey::AdviceOn(const Entry &entry, const std::string &package)
{
    if (!entry.prevents || entry.what == kOthers || entry.kind == SNAPCELL_NOTE_ENGINE) return "";
    bool drawn = entry.kind == SNAPCELL_NOTE_ENTROPY;
    const char *end = drawn ? kAllow : "";
    if (!package.empty())
        return "the package " + package + " does this: " +
               (entry.warm ? "leave that request out of the warm-ups"
                           : "load it by import() when the handler first needs it") +
               end;
    if (drawn && entry.warm)
        return std::string("keep no random value of a warm-up request, leave that request out") +
               end;
    if (entry.warm) return "keep none of a warm-up request, or leave that request out";
    if (entry.what == IsolateState::kEnvironmentWasRead) return "read it in the handler";
    const char *verb = drawn ? "draw" : entry.path.empty() ? "use" : "make";
    return std::string(verb) + " it when the handler first needs it" + end;
}

// What no frame of the bundle did, its author cannot know about.
void Survey::NoteUse(v8::Isolate *isolate, snapcell_note_kind kind, const char *what)
{
    bool warm = IsolateState::From(isolate)->phase == Phase::kWarm;
    if (++uses_ > kTracesMax) {
        Add({kind, false, warm, kOthers, {}, ""});
        return;
    }
    BundlePlace place = CurrentBundlePlace(isolate);
    if (place.line != 0) Add({kind, false, warm, what, place, ""});
}

void Survey::NoteEntropy(v8::Isolate *isolate, const char *what)
{
    const IsolateState *state = IsolateState::From(isolate);
    bool warm = state->phase == Phase::kWarm;
    BundlePlace place = ++uses_ > kTracesMax ? BundlePlace() : CurrentBundlePlace(isolate);
    if (warm || state->entropy_allowed || state->entropy_trial != 0)
        Add({SNAPCELL_NOTE_ENTROPY, false, warm, what, place, ""});
    else
        Add({SNAPCELL_NOTE_ENTROPY, true, false, std::string(what) + " was called at top level",
             place, ""});
}

void Survey::NoteEnvironment(v8::Isolate *isolate)
{
    BundlePlace place = ++uses_ > kTracesMax ? BundlePlace() : CurrentBundlePlace(isolate);
    Add({SNAPCELL_NOTE_OBJECT, true, false, IsolateState::kEnvironmentWasRead, place, ""});
}

uint32_t Survey::MarkMaker(v8::Isolate *isolate, const std::string &name)
{
    bool warm = IsolateState::From(isolate)->phase == Phase::kWarm;
    if (makers_.size() < kTracesMax)
        makers_.push_back({name, CurrentBundlePlace(isolate), warm, {}});
    return static_cast<uint32_t>(makers_.size() - 1);
}

void Survey::HoldObject(v8::Isolate *isolate, uint32_t mark, v8::Local<v8::Object> object)
{
    makers_.at(mark).objects.emplace_back(isolate, object);
}

void Survey::AddTimers(const Workshop &workshop)
{
    for (const TimerQueue::Pending &timer : workshop.state.timers.ListPending()) {
        const char *what = timer.interval_ms < 0 ? "a timer" : "an interval";
        Add({SNAPCELL_NOTE_TIMER, false, timer.warm,
             std::string(what) + " that goes on in each instance", timer.place, ""});
    }
}

// WebAssembly is not there at all while a snapshot is made; of the others, objects collected by
// then do no harm.
void Survey::AddObjects(v8::Isolate *isolate, const HeapPaths &paths, bool registries)
{
    v8::HandleScope scope(isolate);
    for (const Maker &maker : makers_) {
        if ((maker.name == kRegistry) != registries) continue;
        std::string path;
        for (const auto &object : maker.objects)
            if (path.empty()) path = paths.To(object.Get(isolate));
        if (!path.empty())
            Add({SNAPCELL_NOTE_OBJECT, true, maker.warm, "an object made by " + maker.name,
                 maker.place, path});
        else if (Begins(maker.name, "WebAssembly."))
            Add({SNAPCELL_NOTE_OBJECT, true, maker.warm, maker.name + " was used", maker.place,
                 ""});
    }
}

void Survey::AddKeptDraws(const Workshop &workshop, const Refusal &refusal)
{
    const RandomDraws &draws = workshop.state.warm_draws;
    for (size_t number : refusal.kept_draws)
        if (number < draws.size())
            Add({SNAPCELL_NOTE_ENTROPY, true, true,
                 "the snapshot keeps what " + draws.what(number) + " gave to a warm-up request",
                 draws.place(number), ""});
}

void Survey::Explain(v8::Isolate *isolate, const Workshop &workshop, const Refusal &refusal,
                     const HeapPaths &paths)
{
    AddObjects(isolate, paths, false);
    AddKeptDraws(workshop, refusal);
    // A registry is the cause when V8 refused and nothing else is: most do no harm.
    if (refusal.kind == SNAPCELL_NOTE_ENGINE && !IsExplained()) AddObjects(isolate, paths, true);
    if (!IsExplained() && !refusal.what.empty())
        Add({refusal.kind, true, false, refusal.what, {}, ""});
}

bool Survey::IsExplained() const
{
    return std::any_of(entries_.begin(), entries_.end(),
                       [](const Entry &entry) { return entry.prevents; });
}

void Survey::Report(const engine_build_options &options, const engine_bundle &bundle)
{
    std::vector<BundlePlace *> places;
    for (Entry &entry : entries_)
        places.push_back(&entry.place);
    ApplySourceMap(bundle, places);
    for (const Entry &entry : entries_) {
        std::string place = entry.place.Text();
        std::string advice = AdviceOn(entry, PackageOf(bundle, entry.place));
        snapcell_note told = {entry.kind,         entry.prevents,     entry.warm,
                              entry.count,        entry.what.c_str(), place.c_str(),
                              entry.path.c_str(), advice.c_str()};
        options.note(options.note_user, &told);
    }
}

void Survey::Forget()
{
    makers_.clear();
}

bool MentionsClockOrRandom(v8::Isolate *isolate, v8::Local<v8::String> text)
{
    v8::String::Utf8Value utf8(isolate, text);
    static const char *const words[] = {"andom", "Date", "performance", "generateKey", "encrypt"};
    return *utf8 != nullptr &&
           std::any_of(std::begin(words), std::end(words),
                       [&](const char *word) { return strstr(*utf8, word) != nullptr; });
}

void SurveyBundle(const engine_bundle &bundle, const engine_build_options &options,
                  engine_format format, const Refusal *refusal)
{
    Survey survey;
    engine_build_options quiet = options;
    quiet.log = nullptr; // all was logged by the evaluation before
    Workshop workshop(bundle, quiet);
    workshop.state.survey = &survey;
    {
        PlainIsolate isolate(&workshop);
        v8::HandleScope scope(isolate.get());
        v8::Local<v8::Context> context = NewContext(isolate.get(), bundle.host);
        v8::Context::Scope entered(context);
        Evaluation evaluation;
        Handler handler = {};
        if (InstallSurveyHooks(context))
            (void)Prepare(context, &workshop, format, options, &evaluation, &handler, nullptr);
        isolate.get()->CancelTerminateExecution();
        survey.AddTimers(workshop);
        if (refusal != nullptr) {
            HeapPaths paths(isolate.get(),
                            {{"exports", evaluation.exports}, {"handler", handler.entry}});
            survey.Explain(isolate.get(), workshop, *refusal, paths);
        }
        survey.Forget();
    }
    survey.Report(options, bundle);
}

} // namespace snapcell
