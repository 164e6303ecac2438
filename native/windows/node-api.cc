// Looks up the functions of Node-API in the running program when this library is loaded. An import
// from node.exe would load a second Node in a program with another name (Electron, a renamed Node).
// Compilers call an imported function through a pointer with the prefix __imp_; these pointers are
// defined here. A function that is missing in the list is an undefined symbol when linking.
#include <initializer_list>
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#define NODE_API_FUNCTIONS(X)        \
  X(napi_add_env_cleanup_hook)       \
  X(napi_adjust_external_memory)     \
  X(napi_call_threadsafe_function)   \
  X(napi_create_array_with_length)   \
  X(napi_create_arraybuffer)         \
  X(napi_create_double)              \
  X(napi_create_error)               \
  X(napi_create_external)            \
  X(napi_create_function)            \
  X(napi_create_object)              \
  X(napi_create_promise)             \
  X(napi_create_reference)           \
  X(napi_create_string_utf8)         \
  X(napi_create_threadsafe_function) \
  X(napi_delete_reference)           \
  X(napi_get_array_length)           \
  X(napi_get_arraybuffer_info)       \
  X(napi_get_cb_info)                \
  X(napi_get_dataview_info)          \
  X(napi_get_element)                \
  X(napi_get_named_property)         \
  X(napi_get_reference_value)        \
  X(napi_get_typedarray_info)        \
  X(napi_get_undefined)              \
  X(napi_get_value_bool)             \
  X(napi_get_value_double)           \
  X(napi_get_value_external)         \
  X(napi_get_value_string_utf8)      \
  X(napi_is_array)                   \
  X(napi_is_arraybuffer)             \
  X(napi_is_dataview)                \
  X(napi_is_typedarray)              \
  X(napi_ref_threadsafe_function)    \
  X(napi_reject_deferred)            \
  X(napi_resolve_deferred)           \
  X(napi_set_element)                \
  X(napi_set_instance_data)          \
  X(napi_set_named_property)         \
  X(napi_throw_error)                \
  X(napi_throw_range_error)          \
  X(napi_throw_type_error)           \
  X(napi_typeof)                     \
  X(napi_unref_threadsafe_function)

extern "C" {
#define X(name) void* __imp_##name = nullptr;
NODE_API_FUNCTIONS(X)
#undef X
}

namespace {

// Finds a function in the program itself, or in a library with one of the usual names of Node.
FARPROC find(const char* name) {
  for (const wchar_t* module : {(const wchar_t*)nullptr, L"libnode.dll", L"node.dll"})
    if (const HMODULE loaded = GetModuleHandleW(module))
      if (const FARPROC found = GetProcAddress(loaded, name)) return found;
  return nullptr;
}

[[gnu::constructor]] void fill() {
#define X(name) __imp_##name = (void*)find(#name);
  NODE_API_FUNCTIONS(X)
#undef X
}

} // namespace
