#include "module_exports.h"

#include <v8-internal.h>

namespace snapcell
{
namespace
{

using Internals = v8::internal::Internals;
using v8::internal::Address;

// Module begins with its map and its exports; a hash table with its map, its length, and its number
// of elements.
constexpr int kModuleExportsOffset = 1 * v8::internal::kApiTaggedSize;
// After its exports, its hash and its status comes its namespace, `undefined` until it is
// requested.
constexpr int kModuleNamespaceOffset = 4 * v8::internal::kApiTaggedSize;
constexpr int kTableLengthOffset = 1 * v8::internal::kApiTaggedSize;
constexpr int kTableElementCountOffset = 2 * v8::internal::kApiTaggedSize;

// How many names the module exports; -1 when its namespace cannot be listed.
int CountExports(v8::Local<v8::Context> context, v8::Local<v8::Module> module)
{
    v8::TryCatch ignore(context->GetIsolate());
    v8::Local<v8::Array> names;
    if (!module->GetModuleNamespace()
             .As<v8::Object>()
             ->GetOwnPropertyNames(context, v8::SKIP_SYMBOLS)
             .ToLocal(&names))
        return -1;
    return static_cast<int>(names->Length());
}

bool IsSmiField(Address object, int offset)
{
    return !Internals::HasHeapObjectTag(Internals::ReadRawField<Address>(object, offset));
}

bool LooksLikeTable(Address value, int element_count)
{
    if (!Internals::HasHeapObjectTag(value)) return false;
    if (!IsSmiField(value, kTableLengthOffset) || !IsSmiField(value, kTableElementCountOffset))
        return false;
    return Internals::SmiValue(Internals::ReadRawField<Address>(value, kTableElementCountOffset)) ==
           element_count;
}

Address UndefinedAddress(v8::Isolate *isolate)
{
    return Internals::GetRoot(isolate, Internals::kUndefinedValueRootIndex);
}

void Forget(v8::Isolate *isolate, Address module)
{
    // `undefined` is never moved, so that no write barrier is needed.
    Address *field =
        reinterpret_cast<Address *>(module + kModuleExportsOffset - v8::internal::kHeapObjectTag);
    *field = UndefinedAddress(isolate);
}

} // namespace

void ForgetModuleExports(v8::Local<v8::Context> context, v8::Local<v8::Module> module)
{
    int count = CountExports(context, module);
    Address object = v8::internal::ValueHelper::ValueAsAddress(*module);
    Address table = Internals::ReadRawField<Address>(object, kModuleExportsOffset);
    if (count >= 0 && LooksLikeTable(table, count)) Forget(context->GetIsolate(), object);
}

void ForgetImportedExports(v8::Local<v8::Context> context, v8::Local<v8::Module> module)
{
    v8::Isolate *isolate = context->GetIsolate();
    Address object = v8::internal::ValueHelper::ValueAsAddress(*module);
    bool has_namespace = Internals::ReadRawField<Address>(object, kModuleNamespaceOffset) !=
                         UndefinedAddress(isolate);
    Address table = Internals::ReadRawField<Address>(object, kModuleExportsOffset);
    if (!has_namespace && LooksLikeTable(table, CountExports(context, module)))
        Forget(isolate, object);
}

} // namespace snapcell
