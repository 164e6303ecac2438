#include "block-sizes.h"
#include <cstring>
#include <vector>

namespace heed {

namespace {

float half(uint32_t bits) {
  const uint32_t sign = (bits & 0x8000) << 16, exponent = bits >> 10 & 31, mantissa = bits & 1023;
  if (exponent == 0) return (sign ? -1.0f : 1.0f) * (float)mantissa / (float)(1 << 24);
  const uint32_t word = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | mantissa << 13;
  float value;
  memcpy(&value, &word, sizeof value);
  return value;
}

} // namespace

const float* halfTable() {
  static const std::vector<float> table = [] {
    std::vector<float> values;
    values.reserve(1 << 16);
    for (uint32_t bits = 0; bits < 1 << 16; bits++) values.push_back(half(bits));
    return values;
  }();
  return table.data();
}

} // namespace heed
