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

// zlib needs up to 264 KiB to deflate and 40 KiB to inflate, and a few KiB for its records.
constexpr size_t kDeflateRoom = size_t{288} << 10;
constexpr size_t kInflateRoom = size_t{56} << 10;
constexpr size_t kChunkSize = size_t{64} << 10;

struct Stream {
    const Stream *self; // its address and whether this is a build tell a copy in an instance
    bool built;
    bool inflates;
    bool members; // a gzip file may have several
    bool ended;
    size_t used; // of the room that follows
    size_t room;
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

v8::MaybeLocal<v8::Value> NewChunk(v8::Isolate *isolate, const uint8_t *data, size_t size)
{
    v8::Local<v8::ArrayBuffer> buffer;
    if (!v8::ArrayBuffer::MaybeNew(isolate, size,
                                   v8::BackingStoreInitializationMode::kUninitialized)
             .ToLocal(&buffer)) {
        ThrowRangeError(isolate, "Array buffer allocation failed");
        return {};
    }
    memcpy(buffer->Data(), data, size);
    return v8::Uint8Array::New(buffer, 0, size);
}

// One round of zlib into `out`; false when the data is not what it should be.
bool Step(Stream *stream, int flush, uint8_t *out, size_t *out_size)
{
    stream->zlib.next_out = out;
    stream->zlib.avail_out = kChunkSize;
    int status =
        stream->inflates ? inflate(&stream->zlib, Z_NO_FLUSH) : deflate(&stream->zlib, flush);
    *out_size = kChunkSize - stream->zlib.avail_out;
    stream->ended = stream->ended || status == Z_STREAM_END;
    return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
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
        if (!Step(stream, left == 0 ? flush : Z_NO_FLUSH, out.get(), &got)) {
            ThrowTypeError(isolate, "the compressed data is not valid");
            return false;
        }
        v8::Local<v8::Value> chunk;
        if (got > 0 && !NewChunk(isolate, out.get(), got).ToLocal(&chunk)) return false;
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

int LevelOf(v8::Local<v8::Value> given)
{
    if (!given->IsInt32()) return Z_DEFAULT_COMPRESSION;
    int level = given.As<v8::Int32>()->Value();
    return level >= Z_NO_COMPRESSION && level <= Z_BEST_COMPRESSION ? level : Z_DEFAULT_COMPRESSION;
}

int FlushOf(int given)
{
    return given >= Z_NO_FLUSH && given <= Z_FINISH ? given : Z_NO_FLUSH;
}

} // namespace

// zlibNew(inflates, windowBits, level, members) -> ArrayBuffer; a level that is not an integer is
// the default; with members, a gzip file may have several, and what follows is ignored
void Native_zlibNew(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    bool inflates = info[0]->IsTrue();
    int window_bits = info[1].As<v8::Int32>()->Value();
    size_t room = inflates ? kInflateRoom : kDeflateRoom;
    v8::Local<v8::ArrayBuffer> holder;
    if (!v8::ArrayBuffer::MaybeNew(isolate, kHeadSize + room).ToLocal(&holder)) {
        ThrowRangeError(isolate, "Array buffer allocation failed");
        return;
    }
    Stream *stream = new (holder->Data()) Stream{};
    stream->self = stream;
    stream->built = StartedForBuilding();
    stream->inflates = inflates;
    stream->members = info[3]->IsTrue();
    stream->room = room;
    stream->zlib.zalloc = Allocate;
    stream->zlib.zfree = Free;
    stream->zlib.opaque = stream;
    int status = inflates ? inflateInit2(&stream->zlib, window_bits)
                          : deflateInit2(&stream->zlib, LevelOf(info[2]), Z_DEFLATED, window_bits,
                                         8, Z_DEFAULT_STRATEGY);
    if (status != Z_OK) {
        ThrowRangeError(isolate, "zlib cannot be started");
        return;
    }
    info.GetReturnValue().Set(holder);
}

// zlibPush(holder, Uint8Array, finish) -> Uint8Array[]; `finish` may be one of zlib's numbers, too
void Native_zlibPush(const NativeInfo &info)
{
    v8::Isolate *isolate = info.GetIsolate();
    Stream *stream = StreamOf(info[0].As<v8::ArrayBuffer>());
    if (stream == nullptr) {
        ThrowTypeError(isolate, "a compression stream that was made at build time cannot go on");
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
