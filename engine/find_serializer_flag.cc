// Finds, while the engine is built, where an isolate of this V8 keeps the flag that
// serializer_flag.h is about, and writes a header that says so: find_serializer_flag FILE. Not part
// of the libraries.
//
// The flag is the one byte of an isolate that is 0 in a plain one and 1 in one that makes a
// snapshot, and that makes a plain one leave WebAssembly out of the contexts it creates.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <libplatform/libplatform.h>
#include <v8-snapshot.h>
#include <v8.h>

#include "plain_params.h"

using snapcell::PlainParams;

namespace
{

using Bytes = std::vector<unsigned char>;

Bytes BytesOf(v8::Isolate *isolate)
{
    const unsigned char *begin = reinterpret_cast<unsigned char *>(isolate);
    return Bytes(begin, begin + malloc_usable_size(isolate));
}

Bytes BytesOfPlain()
{
    v8::Isolate *isolate = v8::Isolate::New(PlainParams());
    Bytes bytes = BytesOf(isolate);
    isolate->Dispose();
    return bytes;
}

Bytes BytesOfCreator()
{
    v8::SnapshotCreator creator(PlainParams());
    v8::Isolate *isolate = creator.GetIsolate();
    Bytes bytes = BytesOf(isolate);
    {
        v8::HandleScope scope(isolate);
        creator.SetDefaultContext(v8::Context::New(isolate));
    }
    delete[] creator.CreateBlob(v8::SnapshotCreator::FunctionCodeHandling::kClear).data;
    return bytes;
}

std::vector<size_t> Candidates()
{
    const Bytes plain = BytesOfPlain(), plain_again = BytesOfPlain();
    const Bytes creator = BytesOfCreator(), creator_again = BytesOfCreator();
    std::vector<size_t> found;
    for (size_t i = 0; i < plain.size() && i < creator.size(); i++)
        if (plain[i] == 0 && plain_again[i] == 0 && creator[i] == 1 && creator_again[i] == 1)
            found.push_back(i);
    return found;
}

bool NewContextHasWebAssembly(v8::Isolate *isolate)
{
    v8::HandleScope scope(isolate);
    v8::Local<v8::Context> context = v8::Context::New(isolate);
    v8::Context::Scope entered(context);
    v8::Local<v8::String> name = v8::String::NewFromUtf8Literal(isolate, "WebAssembly");
    return context->Global()->HasOwnProperty(context, name).FromMaybe(false);
}

bool LeavesBuiltInsOut(size_t offset)
{
    v8::Isolate *isolate = v8::Isolate::New(PlainParams());
    v8::Isolate::Scope entered(isolate);
    unsigned char *byte = reinterpret_cast<unsigned char *>(isolate) + offset;
    bool before = NewContextHasWebAssembly(isolate);
    *byte = 1;
    bool with_flag = NewContextHasWebAssembly(isolate);
    *byte = 0;
    return before && !with_flag && NewContextHasWebAssembly(isolate);
}

// In a process of its own: what another byte does to V8 is not known.
bool IsTheFlag(size_t offset)
{
    pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        alarm(10);
        _exit(LeavesBuiltInsOut(offset) ? 0 : 1);
    }
    int status = 0;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

bool WriteHeader(const char *path, size_t offset)
{
    FILE *file = fopen(path, "w");
    if (file == nullptr) return false;
    int written = fprintf(
        file, "// Made by find_serializer_flag.\n#define SNAPCELL_SERIALIZER_FLAG_OFFSET %zu\n",
        offset);
    return fclose(file) == 0 && written > 0;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: find_serializer_flag FILE\n");
        return 2;
    }
    v8::V8::SetFlagsFromString("--single-threaded");
    std::unique_ptr<v8::Platform> platform = v8::platform::NewSingleThreadedDefaultPlatform();
    v8::V8::InitializePlatform(platform.get());
    v8::V8::Initialize();
    std::vector<size_t> flags;
    const std::vector<size_t> candidates = Candidates();
    for (size_t offset : candidates)
        if (IsTheFlag(offset)) flags.push_back(offset);
    if (flags.size() != 1) {
        fprintf(stderr,
                "find_serializer_flag: of an isolate's bytes, %zu of %zu candidates make this V8 "
                "leave built-ins out of contexts; one was expected: the engine cannot use it\n",
                flags.size(), candidates.size());
        return 1;
    }
    if (WriteHeader(argv[1], flags[0])) return 0;
    perror(argv[1]);
    return 1;
}
