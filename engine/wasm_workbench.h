// WebAssembly while a snapshot is made: nothing of it may be in the isolate that becomes one, so
// that modules are compiled, and called, in a separate isolate. See web/modules/wasm_kept.js.
#ifndef SNAPCELL_WASM_WORKBENCH_H
#define SNAPCELL_WASM_WORKBENCH_H

#include <memory>
#include <string>

#include <v8.h>

namespace snapcell
{

class WasmWorkbench
{
  public:
    // An isolate of its own; NULL when V8 fails.
    static std::shared_ptr<WasmWorkbench> New();
    ~WasmWorkbench();
    WasmWorkbench(const WasmWorkbench &) = delete;
    WasmWorkbench &operator=(const WasmWorkbench &) = delete;

    // Calls a function of kOperations in wasm_workbench.cc with a list of plain values: numbers,
    // texts, bytes, lists. Its result is copied to the caller's context; empty when it is none that
    // can be copied.
    v8::MaybeLocal<v8::Value> Work(v8::Local<v8::Context> context, const std::string &operation,
                                   v8::Local<v8::Array> arguments);

  private:
    WasmWorkbench() = default;
    bool Prepare();

    std::unique_ptr<v8::ArrayBuffer::Allocator> allocator_;
    v8::Isolate *isolate_ = nullptr;
    v8::Global<v8::Context> context_;
    v8::Global<v8::Object> operations_;
};

} // namespace snapcell

#endif
