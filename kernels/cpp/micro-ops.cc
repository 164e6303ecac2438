#include "micro-ops.h"

namespace heed {

#define HEED_MICRO_NAME(name) #name,
const char* const microOpNames[] = {HEED_MICRO_OPS(HEED_MICRO_NAME) nullptr};
#undef HEED_MICRO_NAME

} // namespace heed
