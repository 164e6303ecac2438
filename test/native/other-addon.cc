// An addon of others: for version API of Node-API, with the mark MARK where it is defined.
#include <node_api.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int32_t node_api_module_get_api_version_v1() { return API; }

#ifdef MARK
extern "C" const char mark[] = MARK;
#endif

EXPORT napi_value napi_register_module_v1(napi_env, napi_value exports) { return exports; }
