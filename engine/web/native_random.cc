// Random bytes: fresh at run time; at build time repeatable, so that the same bundle gives the same
// blob, and refused where all instances would share them.
#include <cstring>

#include "isolate_state.h"
#include "random_bytes.h"
#include "web/natives.h"

namespace snapcell
{

// SplitMix64, for build time alone.
static uint64_t NextRepeatable(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void FillRepeatable(uint64_t *state, uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
        uint64_t word = NextRepeatable(state);
        memcpy(data + i, &word, size - i < sizeof(word) ? size - i : sizeof(word));
    }
}

bool GiveRandomBytes(IsolateState *state, uint8_t *data, size_t size)
{
    if (state == nullptr || state->phase == Phase::kRun) return FillWithRandomBytes(data, size);
    FillRepeatable(&state->build_random, data, size);
    return true;
}

static void ThrowNoRandomness(v8::Isolate *isolate)
{
    isolate->ThrowException(
        v8::Exception::Error(Ascii(isolate, "the system gives no random bytes")));
}

bool FillRandom(v8::Isolate *isolate, uint8_t *data, size_t size, const char *what)
{
    IsolateState *state = IsolateState::From(isolate);
    if (GiveRandomBytes(state, data, size)) {
        state->NoteDraw(isolate, what, data, size);
        return true;
    }
    ThrowNoRandomness(isolate);
    return false;
}

// randomFill(view)
void Native_randomFill(const NativeInfo &info)
{
    ViewBytes bytes(info[0]);
    if (!FillRandom(info.GetIsolate(), bytes.data, bytes.size, "crypto.getRandomValues()")) return;
    IsolateState *state = IsolateState::From(info.GetIsolate());
    if (state->phase == Phase::kWarm && !state->entropy_allowed)
        state->drawn_buffers.Add(info.GetIsolate(), info[0].As<v8::ArrayBufferView>());
}

// randomUuid() -> string, version 4
void Native_randomUuid(const NativeInfo &info)
{
    uint8_t random[16];
    IsolateState *state = IsolateState::From(info.GetIsolate());
    if (!GiveRandomBytes(state, random, sizeof(random))) {
        ThrowNoRandomness(info.GetIsolate());
        return;
    }
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    uint8_t text[36];
    size_t length = 0;
    for (size_t i = 0; i < sizeof(random); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text[length++] = '-';
        text[length++] = static_cast<uint8_t>("0123456789abcdef"[random[i] >> 4]);
        text[length++] = static_cast<uint8_t>("0123456789abcdef"[random[i] & 15]);
    }
    state->NoteDraw(info.GetIsolate(), "crypto.randomUUID()", text, length);
    ReturnLatin1(info, text, length);
}

} // namespace snapcell
