// CompressionStream and DecompressionStream, on zlib.
//
// A stream's whole state lies in one ArrayBuffer: its memory counts for the function's limit and
// goes when the collector says so. zlib keeps addresses in it, so that a stream of a snapshot
// cannot go on in an instance.
#include <algorithm>
#include <climits>
#include <cstring>
#include <new>
#include <vector>

#include <zlib.h>

#include "platform.h"
#include "web/natives.h"

namespace snapcell
{

namespace
{

// What zlib needs for its records, and to inflate; what it needs to deflate depends on the
// settings.
constexpr size_t kRecordsRoom = size_t{24} << 10;
constexpr size_t kInflateRoom = size_t{56} << 10;
constexpr size_t kChunkSize = size_t{64} << 10;
constexpr char kCannotGoOn[] = "a compression stream that was made at build time cannot go on";

struct Stream {
    const Stream *self; // its address and whether this is a build tell a copy in an instance
    bool built;
    bool inflates;
    bool members; // a gzip file may have several
    bool ended;
    size_t used; // of the room that follows
    size_t room;
    size_t dictionary_size; // it follows the room
    z_stream zlib;
};
constexpr size_t kHeadSize = (sizeof(Stream) + 15) & ~size_t{15};

void *Allocate(void *opaque, unsigned count, unsigned size)
{
    Stream *stream = static_cast<Stream *>(opaque);
    size_t wanted = (size_t{count} * size + 15) & ~size_t{15};
    if (wanted > stream->room - stream->used) return Z_NULL;
    void *memory = reinterpret_cast<uint8_t *>(stream) + kHeadSize + stream->used;
    stream->used += wanted;
    return memory;
}

// What zlib frees at its end goes with the whole.
void Free(void *, void *) {}

// nullptr when the holder is none that zlibNew() of this process made.
Stream *StreamOf(v8::Local<v8::ArrayBuffer> holder)
{
    if (holder->ByteLength() < kHeadSize) return nullptr;
    Stream *stream = static_cast<Stream *>(holder->Data());
    return stream->self == stream && stream->built == StartedForBuilding() ? stream : nullptr;
}

const uint8_t *DictionaryOf(const Stream *stream)
{
    return reinterpret_cast<const uint8_t *>(stream) + kHeadSize + stream->room;
}

int Inflate(Stream *stream)
{
    int status = inflate(&stream->zlib, Z_NO_FLUSH);
    if (status != Z_NEED_DICT || stream->dictionary_size == 0) return status;
    if (inflateSetDictionary(&stream->zlib, DictionaryOf(stream),
                             static_cast<unsigned>(stream->dictionary_size)) != Z_OK)
        return Z_NEED_DICT;
    return inflate(&stream->zlib, Z_NO_FLUSH);
}

const char *FailureOf(const Stream *stream, int status)
{
    if (status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR) return nullptr;
    if (status != Z_NEED_DICT) return "the compressed data is not valid";
    return stream->dictionary_size > 0 ? "the dictionary is not that of the compressed data"
                                       : "the compressed data needs a dictionary";
}

// One round of zlib into `out`; what is wrong with the data, or nullptr.
const char *Step(Stream *stream, int flush, uint8_t *out, size_t *out_size)
{
    stream->zlib.next_out = out;
    stream->zlib.avail_out = kChunkSize;
    int status = stream->inflates ? Inflate(stream) : deflate(&stream->zlib, flush);
    *out_size = kChunkSize - stream->zlib.avail_out;
    stream->ended = stream->ended || status == Z_STREAM_END;
    return FailureOf(stream, status);
}

// Another member of a gzip file follows, which begins with its magic number.
bool BeginsMember(Stream *stream)
{
    if (!stream->ended || !stream->members || stream->zlib.avail_in == 0 ||
        stream->zlib.next_in[0] != 0x1f || inflateReset(&stream->zlib) != Z_OK)
        return false;
    stream->ended = false;
    return true;
}

// All that comes out for `input`; false when it threw.
bool Push(v8::Isolate *isolate, Stream *stream, const ViewBytes &input, int flush,
          std::vector<v8::Local<v8::Value>> *chunks)
{
    Bytes out = AllocateBytes(kChunkSize);
    if (!out) {
        ThrowRangeError(isolate, "no memory to compress with");
        return false;
    }
    size_t left = input.size;
    size_t got = 0;
    stream->zlib.next_in = input.data;
    do {
        if (stream->zlib.avail_in == 0) {
            stream->zlib.avail_in = static_cast<unsigned>(std::min(left, size_t{UINT_MAX}));
            left -= stream->zlib.avail_in;
        }
        BeginsMember(stream);
        const char *failure = Step(stream, left == 0 ? flush : Z_NO_FLUSH, out.get(), &got);
        if (failure != nullptr) {
            ThrowTypeError(isolate, failure);
            return false;
        }
        v8::Local<v8::Value> chunk;
        if (got > 0 && !NewByteChunk(isolate, out.get(), got).ToLocal(&chunk)) return false;
        if (got > 0) chunks->push_back(chunk);
    } while (BeginsMember(stream) ||
             (!stream->ended && (got == kChunkSize || stream->zlib.avail_in > 0 || left > 0)));
    bool has_rest = stream->zlib.avail_in > 0 || left > 0;
    if (stream->inflates && stream->ended && has_rest && !stream->members) {
        ThrowTypeError(isolate, "there is more data after the end of the compressed data");
        return false;
    }
    if (stream->inflates && flush == Z_FINISH && !stream->ended) {
        ThrowTypeError(isolate, "the compressed data ends too early");
        return false;
    }
    return true;
}

// An integer from `low` to `high`, else `fallback`.
int NumberWithin(v8::Local<v8::Value> given, int low, int high, int fallback)
{
    if (!given->IsInt32()) return fallback;
    int number = given.As<v8::Int32>()->Value();
    return number >= low && number <= high ? number : fallback;
}

// How a stream works. Numbers that zlib does not know are its defaults.
struct Settings {
    explicit Settings(const NativeInfo &info)
        : inflates(info[0]->IsTrue()), window_bits(info[1].As<v8::Int32>()->Value()),
          level(NumberWithin(info[2], Z_NO_COMPRESSION, Z_BEST_COMPRESSION, Z_DEFAULT_COMPRESSION)),
          memory_level(NumberWithin(info[4], 1, MAX_MEM_LEVEL, 8)),
          strategy(NumberWithin(info[5], Z_DEFAULT_STRATEGY, Z_FIXED, Z_DEFAULT_STRATEGY))
    {
    }
    // zconf.h tells what deflate takes; at most a window of 2^15 bytes.
    size_t Room() const
    {
        size_t window = size_t{1} << (15 + 2);
        return inflates ? kInflateRoom : kRecordsRoom + window + (size_t{1} << (memory_level + 9));
    }
    int Begin(z_stream *zlib) const
    {
        return inflates
                   ? inflateInit2(zlib, window_bits)
                   : deflateInit2(zlib, level, Z_DEFLATED, window_bits, memory_level, strategy);
    }

    bool inflates;
    int window_bits;
    int level;
    int memory_level;
    int strategy;
};

// What inflates zlib's format asks for its dictionary when it sees that it needs one.
int GiveDictionary(Stream *stream, const Settings &settings, const ViewBytes &dictionary)
{
    memcpy(const_cast<uint8_t *>(DictionaryOf(stream)), dictionary.data, dictionary.size);
    stream->dictionary_size = dictionary.size;
    unsigned size = static_cast<unsigned>(dictionary.size);
    if (dictionary.size == 0 || (settings.inflates && settings.window_bits >= 0)) return Z_OK;
    return settings.inflates ? inflateSetDictionary(&stream->zlib, dictionary.data, size)
                             : deflateSetDictionary(&stream->zlib, dictionary.data, size);
}

int FlushOf(int given)
{
    return given >= Z_NO_FLUSH && given <= Z_FINISH ? given : Z_NO_FLUSH;
}

} // namespace

// zlibNew(inflates, windowBits, level, members, memLevel, strategy, dictionary) -> ArrayBuffer;
// with members, a gzip file may have several, and what follows is ignored
void Native_zlibNew(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    Settings settings(info);
    ViewBytes dictionary(info[6]);
    size_t room = settings.Room();
    v8::Local<v8::ArrayBuffer> holder;
    if (dictionary.size > INT_MAX ||
        !v8::ArrayBuffer::MaybeNew(isolate, kHeadSize + room + dictionary.size).ToLocal(&holder)) {
        ThrowRangeError(isolate, "Array buffer allocation failed");
        return;
    }
    Stream *stream = new (holder->Data()) Stream{};
    stream->self = stream;
    stream->built = StartedForBuilding();
    stream->inflates = settings.inflates;
    stream->members = info[3]->IsTrue();
    stream->room = room;
    stream->zlib.zalloc = Allocate;
    stream->zlib.zfree = Free;
    stream->zlib.opaque = stream;
    if (settings.Begin(&stream->zlib) != Z_OK) {
        ThrowRangeError(isolate, "zlib cannot be started");
        return;
    }
    if (GiveDictionary(stream, settings, dictionary) != Z_OK) {
        ThrowTypeError(isolate, "zlib cannot take this dictionary");
        return;
    }
    info.GetReturnValue().Set(holder);
}

// zlibParams(holder, level, strategy): of one that deflates, and has given all out. Numbers that
// zlib does not know change nothing.
void Native_zlibParams(const NativeInfo &info)
{
    Stream *stream = StreamOf(info[0].As<v8::ArrayBuffer>());
    if (stream == nullptr) return ThrowTypeError(info.GetIsolate(), kCannotGoOn);
    if (stream->inflates || stream->ended) return;
    uint8_t none[1];
    stream->zlib.next_out = none;
    stream->zlib.avail_out = 0;
    deflateParams(&stream->zlib, info[1].As<v8::Int32>()->Value(),
                  info[2].As<v8::Int32>()->Value());
}

// zlibPush(holder, Uint8Array, finish) -> Uint8Array[]; `finish` may be one of zlib's numbers, too
void Native_zlibPush(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    Stream *stream = StreamOf(info[0].As<v8::ArrayBuffer>());
    if (stream == nullptr) {
        ThrowTypeError(isolate, kCannotGoOn);
        return;
    }
    std::vector<v8::Local<v8::Value>> chunks;
    if (stream->ended && !stream->inflates) return;
    ViewBytes input(info[1]);
    int flush = info[2]->IsTrue() ? Z_FINISH : Z_NO_FLUSH;
    if (info[2]->IsInt32()) flush = FlushOf(info[2].As<v8::Int32>()->Value());
    if (Push(isolate, stream, input, flush, &chunks))
        info.GetReturnValue().Set(v8::Array::New(isolate, chunks.data(), chunks.size()));
}

} // namespace snapcell
