// All kernels of one instruction set. This file is compiled once for each set, with
// -DHEED_ISA=<name> and the compiler flags for it. isas.cc lists the results.
#include "program.h"

#include "attention.h"
#include "channel-norm.h"
#include "convolution.h"
#include "copy.h"
#include "cross-entropy.h"
#include "cumulative.h"
#include "elementwise.h"
#include "fold-window.h"
#include "gather.h"
#include "matmul-quantized.h"
#include "matmul.h"
#include "max-pool.h"
#include "norm.h"
#include "optimizer.h"
#include "probe.h"
#include "reduce.h"
#include "softmax.h"
#include "sort.h"

namespace heed {
namespace HEED_ISA {

#define HEED_ENTRY(name) name,
extern const Kernel kernels[];
const Kernel kernels[] = {HEED_KERNELS(HEED_ENTRY)};

} // namespace HEED_ISA
} // namespace heed
