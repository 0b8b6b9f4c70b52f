// Brotli at once, for node:zlib. The library keeps its state in many pieces of memory, which
// neither a snapshot nor an instance could take over: so there is none between two calls.
#include <csetjmp>
#include <cstddef>
#include <vector>

#include <brotli/decode.h>
#include <brotli/encode.h>

#include "isolate_state.h"
#include "web/counted_memory.h"
#include "web/natives.h"

namespace snapcell
{

namespace
{

constexpr size_t kChunkSize = size_t{64} << 10;

template <auto function> struct EndWith {
    template <typename T> void operator()(T *pointer) const { function(pointer); }
};
using Decoder = std::unique_ptr<BrotliDecoderState, EndWith<BrotliDecoderDestroyInstance>>;

void ThrowNoMemory(v8::Isolate *isolate)
{
    ThrowRangeError(isolate, "no memory to compress with");
}

// Input and output of a library's call.
struct Work {
    explicit Work(v8::Isolate *isolate_, const ViewBytes &input)
        : isolate(isolate_), next_in(input.data), in_size(input.size),
          out(AllocateBytes(kChunkSize))
    {
        if (!out) ThrowNoMemory(isolate);
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

// The memory of one encoder. The library ends the process where it is refused memory: so Step()
// leaves it by a jump. It is C, and has nothing but its memory, which ends with this.
class EncoderMemory
{
  public:
    explicit EncoderMemory(IsolateState *state) : state_(state) {}
    EncoderMemory(const EncoderMemory &) = delete;
    EncoderMemory &operator=(const EncoderMemory &) = delete;
    ~EncoderMemory()
    {
        while (first_.next != &first_)
            Free(this, first_.next + 1);
    }

    // Makes nullptr where there is no memory.
    BrotliEncoderState *NewEncoder() { return BrotliEncoderCreateInstance(Allocate, Free, this); }

    // All of the input, as much of the output as there is room for. False when there is no memory:
    // the encoder is of no use then.
    [[gnu::noinline]] bool Step(BrotliEncoderState *encoder, BrotliEncoderOperation operation,
                                Work *work)
    {
        if (setjmp(refused_) != 0) return false;
        may_jump_ = true;
        BROTLI_BOOL is_done =
            BrotliEncoderCompressStream(encoder, operation, &work->in_size, &work->next_in,
                                        &work->out_size, &work->next_out, nullptr);
        may_jump_ = false;
        return is_done == BROTLI_TRUE;
    }

  private:
    struct alignas(std::max_align_t) Block {
        Block *next = this;
        Block *previous = this;
    };

    static void *Allocate(void *user, size_t size)
    {
        auto *memory = static_cast<EncoderMemory *>(user);
        void *place =
            size < SIZE_MAX / 2 ? AllocateCounted(memory->state_, sizeof(Block) + size) : nullptr;
        if (place == nullptr) {
            if (memory->may_jump_) longjmp(memory->refused_, 1);
            return nullptr;
        }
        auto *block = new (place) Block;
        block->next = memory->first_.next;
        block->previous = &memory->first_;
        block->next->previous = memory->first_.next = block;
        return block + 1;
    }

    static void Free(void *user, void *data)
    {
        if (data == nullptr) return;
        Block *block = static_cast<Block *>(data) - 1;
        block->previous->next = block->next;
        block->next->previous = block->previous;
        FreeCounted(static_cast<EncoderMemory *>(user)->state_, block);
    }

    IsolateState *state_;
    Block first_;
    bool may_jump_ = false;
    jmp_buf refused_;
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

// The bytes up to `end`, then what the operation says. False when it threw, or a limit was hit.
bool EncodeUpTo(const uint8_t *end, BrotliEncoderOperation operation, BrotliEncoderState *encoder,
                EncoderMemory *memory, Work *work)
{
    work->in_size = static_cast<size_t>(end - work->next_in);
    do {
        work->Begin();
        if (!work->MayGoOn()) return false;
        if (!memory->Step(encoder, operation, work)) {
            ThrowNoMemory(work->isolate);
            return false;
        }
        if (!work->Keep()) return false;
    } while (work->in_size > 0 || BrotliEncoderHasMoreOutput(encoder) ||
             (operation == BROTLI_OPERATION_FINISH && !BrotliEncoderIsFinished(encoder)));
    return true;
}

} // namespace

// brotliCompress(bytes, quality, windowBits, mode, flushes, isOpen) -> Uint8Array[]; undefined when
// a number is none of Brotli's. `flushes`: 32-bit offsets where all before is to be out; isOpen:
// the end is not there yet.
void Native_brotliCompress(const NativeInfo &info)
{
    Work work(info.GetIsolate(), ViewBytes(info[0]));
    EncoderMemory memory(IsolateState::From(work.isolate));
    if (!work.out) return;
    BrotliEncoderState *encoder = memory.NewEncoder();
    if (encoder == nullptr) return ThrowNoMemory(work.isolate);
    if (!SetUp(encoder, info)) return;
    const uint8_t *start = work.next_in;
    const uint8_t *end = start + work.in_size;
    for (uint32_t offset : ItemsOf<uint32_t>(ViewBytes(info[4]))) {
        if (offset > static_cast<size_t>(end - start) || start + offset < work.next_in) return;
        if (!EncodeUpTo(start + offset, BROTLI_OPERATION_FLUSH, encoder, &memory, &work)) return;
    }
    if (!info[5]->IsTrue() && !EncodeUpTo(end, BROTLI_OPERATION_FINISH, encoder, &memory, &work))
        return;
    info.GetReturnValue().Set(work.Result());
}

// brotliDecompress(bytes, mayEndEarly, bytesMax) -> Uint8Array[], or Brotli's number for what is
// wrong with the bytes; 2 when there are too few, and undefined when more than bytesMax came out
void Native_brotliDecompress(const NativeInfo &info)
{
    Decoder decoder(BrotliDecoderCreateInstance(AllocateCounted, FreeCounted,
                                                IsolateState::From(info.GetIsolate())));
    Work work(info.GetIsolate(), ViewBytes(info[0]));
    double most = info[2].As<v8::Number>()->Value();
    if (!work.out) return;
    if (!decoder) return ThrowNoMemory(work.isolate);
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
