// Classes whose instances were garbage when a snapshot was made.
#include "instance_room.h"

#include <check.h>
#include <cstdlib>
#include <cstring>
#include <memory>

#include <v8-internal.h>
#include <v8-snapshot.h>

#include "engine.h"
#include "plain_params.h"
#include "platform.h"

#include "../format/check_run.h"

using snapcell::InstanceRoom;
using snapcell::PlainParams;

namespace
{

// Of a map: a byte, and a bit of a word.
constexpr size_t kInstanceSize = 8, kBits = 16;
constexpr uint32_t kIsTable = 1U << 21;
constexpr uint8_t kObjectFields = 3;

constexpr char kSource[] = R"(
    class Many {
        #a = 1; #b; #c; #d; #e; #f; #g; #h; #i; #j; #k; #l; #m; #n; #o; #p;
        last = 2;
        sum() { return this.#a + this.last; }
    }
    class Often { constructor() { this.x = 1; } }
    class Never { constructor() { this.x = 1; } }
    class Kept { constructor(more) { this.x = 1; if (more) this.y = this.z = 2; } }
    function Old() { this.x = this.y = 1; }
    class Listed extends Array { constructor() { super(); this.x = 1; } }
    var kept = new Kept(true);
    var make = { many: () => new Many, often: () => new Often, never: () => new Never,
                 kept: () => new Kept(true), old: () => new Old, listed: () => new Listed };
    make.many(); make.old(); make.listed();
    for (let i = 0; i < 20; i++) make.often();
)";

v8::Local<v8::Value> Run(v8::Local<v8::Context> context, const char *source)
{
    v8::Local<v8::String> text =
        v8::String::NewFromUtf8(context->GetIsolate(), source).ToLocalChecked();
    return v8::Script::Compile(context, text).ToLocalChecked()->Run(context).ToLocalChecked();
}

// Has an isolate with a context.
class Place
{
  public:
    explicit Place(const v8::Isolate::CreateParams &params)
        : isolate_(v8::Isolate::New(params)), entered_(isolate_), scope_(isolate_),
          context_(v8::Context::New(isolate_)), inside_(context_)
    {
    }
    ~Place() = default; // the isolate stays: Check ends the process
    Place(const Place &) = delete;
    Place &operator=(const Place &) = delete;

    v8::Local<v8::Context> context() { return context_; }

    const unsigned char *MapOf(const char *source)
    {
        using v8::internal::Address;
        v8::Local<v8::Value> value = Run(context_, source);
        Address object = v8::internal::ValueHelper::ValueAsAddress(*value);
        Address map = v8::internal::Internals::ReadRawField<Address>(object, 0);
        return reinterpret_cast<const unsigned char *>(map - v8::internal::kHeapObjectTag);
    }
    int SizeOf(const char *source) { return MapOf(source)[kInstanceSize]; }
    bool IsTable(const char *source)
    {
        uint32_t bits;
        memcpy(&bits, MapOf(source) + kBits, sizeof(bits));
        return (bits & kIsTable) != 0;
    }

  private:
    v8::Isolate *isolate_;
    v8::Isolate::Scope entered_;
    v8::HandleScope scope_;
    v8::Local<v8::Context> context_;
    v8::Context::Scope inside_;
};

InstanceRoom Learn()
{
    static Place place(PlainParams());
    return InstanceRoom(place.context());
}

v8::StartupData MakeBlob(const InstanceRoom *room, size_t *kept)
{
    v8::SnapshotCreator creator(PlainParams());
    {
        v8::Isolate *isolate = creator.GetIsolate();
        v8::HandleScope scope(isolate);
        v8::Local<v8::Context> context = v8::Context::New(isolate);
        v8::Context::Scope entered(context);
        Run(context, kSource);
        if (room != nullptr) *kept = room->Keep(context);
        creator.SetDefaultContext(context);
    }
    return creator.CreateBlob(v8::SnapshotCreator::FunctionCodeHandling::kKeep);
}

void Start()
{
    snapcell_error err = {};
    ck_assert_int_eq(engine_start(ENGINE_MODE_BUILD, &err), SNAPCELL_OK);
    ck_assert_int_eq(snapcell::StartV8ForBuilding(true, &err), SNAPCELL_OK);
}

} // namespace

START_TEST(test_classes_keep_the_room_that_they_ask_for)
{
    Start();
    InstanceRoom room = Learn();
    size_t kept = 0;
    v8::StartupData blob = MakeBlob(&room, &kept);
    std::unique_ptr<const char[]> owned(blob.data);
    ck_assert_uint_eq(kept, 3);
    v8::Isolate::CreateParams params = PlainParams();
    params.snapshot_blob = &blob;
    Place place(params);
    ck_assert_int_eq(place.SizeOf("make.many()"), kObjectFields + 17);
    ck_assert(!place.IsTable("make.many()"));
    ck_assert_int_eq(place.SizeOf("make.old()"), kObjectFields + 2);
    // An array has its length in addition.
    ck_assert_int_eq(place.SizeOf("make.listed()"), kObjectFields + 1 + 1);
    // V8 knew of these what they need.
    ck_assert_int_eq(place.SizeOf("make.often()"), kObjectFields + 1);
    ck_assert_int_eq(place.SizeOf("make.kept()"), kObjectFields + 3);
    ck_assert_int_gt(place.SizeOf("make.never()"), kObjectFields + 1);
    Run(place.context(), R"(
        const all = Array.from({ length: 1000 }, (unused, i) => Object.assign(make.many(), { i }));
        all.push(...all.map(one => Object.assign(make.listed(), { more: one })), kept);
    )");
    v8::Isolate::GetCurrent()->LowMemoryNotification();
    v8::Local<v8::Value> sum =
        Run(place.context(), "all.reduce((n, one) => n + (one.i ?? one.more?.sum() ?? 0), 0)");
    ck_assert_int_eq(sum->Int32Value(place.context()).FromJust(), 999 * 500 + 3000);
}
END_TEST

// If it were otherwise, nobody would need this.
START_TEST(test_without_it_v8_takes_all_room_away)
{
    Start();
    v8::StartupData blob = MakeBlob(nullptr, nullptr);
    std::unique_ptr<const char[]> owned(blob.data);
    v8::Isolate::CreateParams params = PlainParams();
    params.snapshot_blob = &blob;
    Place place(params);
    ck_assert_int_eq(place.SizeOf("make.many()"), kObjectFields);
    ck_assert(place.IsTable("make.many()"));
    ck_assert_int_eq(place.SizeOf("make.old()"), kObjectFields);
}
END_TEST

int main()
{
    Suite *suite = suite_create("instance_room");
    TCase *tcase = tcase_create("instance_room");
    tcase_add_test(tcase, test_classes_keep_the_room_that_they_ask_for);
    tcase_add_test(tcase, test_without_it_v8_takes_all_room_away);
    suite_add_tcase(suite, tcase);
    return check_run(suite);
}
