// An addon that is not Heed's: of Node-API's version API, and with Heed's properties where HEED_ABI is defined.
#include <node_api.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int32_t node_api_module_get_api_version_v1() { return API; }

EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports) {
#ifdef HEED_ABI
  napi_value abi, kernels;
  napi_create_int32(env, HEED_ABI, &abi);
  napi_create_array(env, &kernels);
  napi_set_named_property(env, exports, "abi", abi);
  napi_set_named_property(env, exports, "kernels", kernels);
#else
  (void)env;
#endif
  return exports;
}
