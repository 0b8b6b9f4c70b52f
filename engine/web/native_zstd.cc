// Zstandard at once, for node:zlib. The library's state cannot be in a snapshot, as Brotli's: so
// there is none between two calls.
#include <vector>

#include "isolate_state.h"
#include "web/counted_memory.h"
#include "web/natives.h"
#include "zstd_data.h"

namespace snapcell
{

namespace
{

// What came out.
struct Output {
    explicit Output(const NativeInfo &info)
        : isolate(info.GetIsolate()), size_max(info[3].As<v8::Number>()->Value())
    {
    }

    v8::Isolate *isolate;
    double size_max;
    double size = 0;
    bool is_too_large = false;
    std::vector<v8::Local<v8::Value>> chunks;
};

// False when it threw, when there is too much, or when a limit was hit: nothing else can stop this.
bool Take(void *user, const uint8_t *bytes, size_t size)
{
    Output *output = static_cast<Output *>(user);
    if (IsolateState::From(output->isolate)->condemned.load(std::memory_order_relaxed) != 0)
        return false;
    output->size += static_cast<double>(size);
    output->is_too_large = output->size > output->size_max;
    if (output->is_too_large || size == 0) return !output->is_too_large;
    v8::Local<v8::Value> chunk;
    if (!NewByteChunk(output->isolate, bytes, size).ToLocal(&chunk)) return false;
    output->chunks.push_back(chunk);
    return true;
}

zstd_data_work WorkOf(const NativeInfo &info, const std::vector<zstd_data_parameter> &parameters,
                      Output *output)
{
    ViewBytes bytes(info[0]);
    zstd_data_work work = {};
    work.bytes = bytes.data;
    work.size_bytes = bytes.size;
    work.parameters = parameters.data();
    work.parameter_count = parameters.size();
    if (!info[2]->IsUndefined()) {
        ViewBytes dictionary(info[2]);
        work.dictionary = dictionary.data;
        work.dictionary_size_bytes = dictionary.size;
    }
    work.allocate = AllocateCounted;
    work.release = FreeCounted;
    work.memory = IsolateState::From(info.GetIsolate());
    work.take = Take;
    work.user = output;
    return work;
}

void Answer(const NativeInfo &info, zstd_data_status status, int number, const Output &output)
{
    v8::Isolate *isolate = info.GetIsolate();
    if (status == ZSTD_DATA_DONE) {
        std::vector<v8::Local<v8::Value>> chunks = output.chunks;
        info.GetReturnValue().Set(v8::Array::New(isolate, chunks.data(), chunks.size()));
    } else if (status == ZSTD_DATA_NO_MEMORY) {
        ThrowRangeError(isolate, "no memory to compress with");
    } else if (status == ZSTD_DATA_FAILED) {
        info.GetReturnValue().Set(number);
    } else if (output.is_too_large) {
        info.GetReturnValue().SetNull();
    }
}

} // namespace

// zstdCompress(bytes, parameters, dictionary, sizeMax, announcedSize, end, flushes, isOpen) ->
// Uint8Array[]; the library's number for what is wrong; null when more than sizeMax came out, and
// undefined when a parameter is none. `parameters` are pairs of 32-bit numbers, and announcedSize
// is below zero when the frame tells no size. `flushes`: 32-bit offsets where all before is to be
// out; isOpen: the end is not there yet.
void Native_zstdCompress(const NativeInfo &info)
{
    Output output(info);
    const auto parameters = ItemsOf<zstd_data_parameter>(ViewBytes(info[1]));
    zstd_data_work work = WorkOf(info, parameters, &output);
    double announced = info[4].As<v8::Number>()->Value();
    work.announced_size_bytes =
        announced >= 0 ? static_cast<uint64_t>(announced) : ZSTD_DATA_SIZE_UNKNOWN;
    work.end = info[5].As<v8::Uint32>()->Value();
    const std::vector<uint32_t> flushes = ItemsOf<uint32_t>(ViewBytes(info[6]));
    work.flushes = flushes.data();
    work.flush_count = flushes.size();
    work.is_open = info[7]->IsTrue();
    int number = 0;
    zstd_data_status status = zstd_data_compress(&work, &number);
    Answer(info, status, number, output);
}

// zstdDecompress(bytes, parameters, dictionary, sizeMax, takesOneFrame) -> as zstdCompress()
void Native_zstdDecompress(const NativeInfo &info)
{
    Output output(info);
    const auto parameters = ItemsOf<zstd_data_parameter>(ViewBytes(info[1]));
    zstd_data_work work = WorkOf(info, parameters, &output);
    work.takes_one_frame = info[4]->IsTrue();
    int number = 0;
    zstd_data_status status = zstd_data_decompress(&work, &number);
    Answer(info, status, number, output);
}

// zstdErrorText(number) -> string
void Native_zstdErrorText(const NativeInfo &info)
{
    const char *text = zstd_data_text(static_cast<int>(info[0].As<v8::Uint32>()->Value()));
    info.GetReturnValue().Set(Ascii(info.GetIsolate(), text));
}

} // namespace snapcell
