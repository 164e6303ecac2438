// Short functions for reading arguments and creating values through Node-API.
#pragma once
#include <cstdint>
#include <initializer_list>
#ifdef _WIN32
#define NAPI_EXTERN \
  __declspec(dllimport) // functions are called through pointers, see windows/node-api.cc
#endif
#include <node_api.h>
#include <string>
#include <utility>

namespace heed {

constexpr double MOST_BYTES =
    1125899906842624; // 2^50: far above any memory size, and exact in a double

// Throw an Error, TypeError or RangeError. The result is for `return`.
inline std::nullptr_t throwError(napi_env env, const char* code, const std::string& message) {
  napi_throw_error(env, code, message.c_str());
  return nullptr;
}
inline std::nullptr_t throwType(napi_env env, const std::string& message) {
  napi_throw_type_error(env, "ERR_HEED_ARGUMENT", message.c_str());
  return nullptr;
}
inline std::nullptr_t throwRange(napi_env env, const std::string& message) {
  napi_throw_range_error(env, "ERR_HEED_RANGE", message.c_str());
  return nullptr;
}

inline napi_valuetype typeOf(napi_env env, napi_value value) {
  napi_valuetype type = napi_undefined;
  if (value) napi_typeof(env, value, &type);
  return type;
}

// Reads a whole number in [0, most]. Throws and returns false for any other value.
inline bool getSize(napi_env env, napi_value value, const char* what, double most, size_t& out) {
  double number = -1;
  if (typeOf(env, value) != napi_number) {
    throwType(env, std::string(what) + " must be a number");
    return false;
  }
  napi_get_value_double(env, value, &number);
  if (!(number >= 0 && number <= most) || number != (double)(uint64_t)number) {
    throwRange(env, std::string(what) + " must be a whole number of at least 0, not " +
                        std::to_string(number));
    return false;
  }
  out = (size_t)number;
  return true;
}

struct Bytes {
  void* data = nullptr;
  size_t count = 0;
  napi_typedarray_type type = napi_uint8_array;
};

inline size_t elementSize(napi_typedarray_type type) {
  switch (type) {
    case napi_int16_array:
    case napi_uint16_array: return 2;
    case napi_int32_array:
    case napi_uint32_array:
    case napi_float32_array: return 4;
    case napi_float64_array:
    case napi_bigint64_array:
    case napi_biguint64_array: return 8;
    case napi_int8_array:
    case napi_uint8_array:
    case napi_uint8_clamped_array: return 1;
    default: return 2; // Float16Array, newer than the headers
  }
}

// Gets the memory of an ArrayBuffer, typed array, Buffer or DataView. Throws and returns false for
// any other value.
inline bool getBytes(napi_env env, napi_value value, const char* what, Bytes& out) {
  bool is = false;
  if (typeOf(env, value) == napi_object) {
    if (napi_is_typedarray(env, value, &is) == napi_ok && is) {
      napi_get_typedarray_info(env, value, &out.type, &out.count, &out.data, nullptr, nullptr);
      out.count *= elementSize(out.type);
      return true;
    }
    if (napi_is_arraybuffer(env, value, &is) == napi_ok && is)
      return napi_get_arraybuffer_info(env, value, &out.data, &out.count) == napi_ok;
    if (napi_is_dataview(env, value, &is) == napi_ok && is)
      return napi_get_dataview_info(env, value, &out.count, &out.data, nullptr, nullptr) == napi_ok;
  }
  throwType(env, std::string(what) + " must be an ArrayBuffer or a view of one");
  return false;
}

inline std::string getText(napi_env env, napi_value value) {
  char text[64] = "";
  size_t length = 0;
  napi_get_value_string_utf8(env, value, text, sizeof text, &length);
  return std::string(text, length);
}

inline napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  napi_create_double(env, value, &result);
  return result;
}

inline napi_value text(napi_env env, const std::string& value) {
  napi_value result = nullptr;
  napi_create_string_utf8(env, value.data(), value.size(), &result);
  return result;
}

inline napi_value undefined(napi_env env) {
  napi_value result = nullptr;
  napi_get_undefined(env, &result);
  return result;
}

template <class List, class Make> napi_value array(napi_env env, const List& list, Make&& make) {
  napi_value result = nullptr;
  napi_create_array_with_length(env, list.size(), &result);
  for (size_t i = 0; i < list.size(); i++)
    napi_set_element(env, result, (uint32_t)i, make(list[i]));
  return result;
}

inline void set(napi_env env, napi_value object, const char* name, napi_value value) {
  napi_set_named_property(env, object, name, value);
}

inline napi_value object(napi_env env,
                         std::initializer_list<std::pair<const char*, napi_value>> properties) {
  napi_value result = nullptr;
  napi_create_object(env, &result);
  for (const auto& property : properties) set(env, result, property.first, property.second);
  return result;
}

} // namespace heed
