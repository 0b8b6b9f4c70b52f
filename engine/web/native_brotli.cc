// Brotli at once, for node:zlib. The library keeps its state in many pieces of memory, which
// neither a snapshot nor an instance could take over: so there is none between two calls.
#include <vector>

#include <brotli/decode.h>
#include <brotli/encode.h>

#include "isolate_state.h"
#include "web/natives.h"

namespace snapcell
{

namespace
{

constexpr size_t kChunkSize = size_t{64} << 10;

void *Allocate(void *, size_t size)
{
    return std::malloc(size > 0 ? size : 1);
}

void Free(void *, void *memory)
{
    FreeMemory()(memory);
}

template <auto function> struct EndWith {
    template <typename T> void operator()(T *pointer) const { function(pointer); }
};
using Encoder = std::unique_ptr<BrotliEncoderState, EndWith<BrotliEncoderDestroyInstance>>;
using Decoder = std::unique_ptr<BrotliDecoderState, EndWith<BrotliDecoderDestroyInstance>>;

// Input and output of a library's call.
struct Work {
    explicit Work(v8::Isolate *isolate_, const ViewBytes &input)
        : isolate(isolate_), next_in(input.data), in_size(input.size),
          out(AllocateBytes(kChunkSize))
    {
        if (!out) ThrowRangeError(isolate, "no memory to compress with");
    }
    // False when there is no memory, or when a limit was hit: nothing else can stop this.
    bool MayGoOn() const
    {
        return out && IsolateState::From(isolate)->condemned.load(std::memory_order_relaxed) == 0;
    }
    void Begin()
    {
        next_out = out.get();
        out_size = kChunkSize;
    }
    // Keeps what came out; false when it threw.
    bool Keep()
    {
        size_t size = kChunkSize - out_size;
        v8::Local<v8::Value> chunk;
        if (size == 0) return true;
        if (!NewByteChunk(isolate, out.get(), size).ToLocal(&chunk)) return false;
        chunks.push_back(chunk);
        total += size;
        return true;
    }
    v8::Local<v8::Array> Result() { return v8::Array::New(isolate, chunks.data(), chunks.size()); }

    v8::Isolate *isolate;
    const uint8_t *next_in;
    size_t in_size;
    Bytes out;
    uint8_t *next_out = nullptr;
    size_t out_size = 0;
    size_t total = 0;
    std::vector<v8::Local<v8::Value>> chunks;
};

bool SetUp(BrotliEncoderState *encoder, const NativeInfo &info)
{
    static constexpr BrotliEncoderParameter wanted[] = {BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN,
                                                        BROTLI_PARAM_MODE};
    for (int i = 0; i < 3; i++)
        if (!BrotliEncoderSetParameter(encoder, wanted[i], info[i + 1].As<v8::Uint32>()->Value()))
            return false;
    return true;
}

} // namespace

// brotliCompress(bytes, quality, windowBits, mode) -> Uint8Array[]; undefined when a number is none
// of Brotli's
void Native_brotliCompress(const NativeInfo &info)
{
    Encoder encoder(BrotliEncoderCreateInstance(Allocate, Free, nullptr));
    Work work(info.GetIsolate(), ViewBytes(info[0]));
    if (!encoder || !work.out || !SetUp(encoder.get(), info)) return;
    do {
        work.Begin();
        if (!work.MayGoOn() ||
            !BrotliEncoderCompressStream(encoder.get(), BROTLI_OPERATION_FINISH, &work.in_size,
                                         &work.next_in, &work.out_size, &work.next_out, nullptr) ||
            !work.Keep())
            return;
    } while (!BrotliEncoderIsFinished(encoder.get()));
    info.GetReturnValue().Set(work.Result());
}

// brotliDecompress(bytes, mayEndEarly, bytesMax) -> Uint8Array[], or Brotli's number for what is
// wrong with the bytes; 2 when there are too few, and undefined when more than bytesMax came out
void Native_brotliDecompress(const NativeInfo &info)
{
    Decoder decoder(BrotliDecoderCreateInstance(Allocate, Free, nullptr));
    Work work(info.GetIsolate(), ViewBytes(info[0]));
    double most = info[2].As<v8::Number>()->Value();
    if (!decoder || !work.out) return;
    BrotliDecoderResult result;
    do {
        work.Begin();
        if (!work.MayGoOn()) return;
        result = BrotliDecoderDecompressStream(decoder.get(), &work.in_size, &work.next_in,
                                               &work.out_size, &work.next_out, nullptr);
        if (!work.Keep() || static_cast<double>(work.total) > most) return;
    } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT);
    if (result == BROTLI_DECODER_RESULT_ERROR)
        return info.GetReturnValue().Set(
            static_cast<int32_t>(BrotliDecoderGetErrorCode(decoder.get())));
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && !info[1]->IsTrue())
        return info.GetReturnValue().Set(static_cast<int32_t>(result));
    info.GetReturnValue().Set(work.Result());
}

} // namespace snapcell
