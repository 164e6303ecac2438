// Building blocks of the argument structs in kernel-schemas.h. They read the operands and
// attributes of a command in the order in which src/runtime/cpu/encode.ts writes them. Before the
// attributes come a bit mask of the optional operands that are present (if the kernel has optional
// operands) and the length of each list of operands.
#pragma once
#include "program.h"

namespace heed {

// Upper limit of sizes, so that their sums and products neither overflow an int64 nor exceed the
// precision of a double.
constexpr double LARGEST = 1125899906842624; // 2^50

// Used in place of a dimension in the shape patterns of checks: any number of leading dimensions, a
// single element, any shape.
enum { LEAD = -1, SINGLE = -2, ANY_SHAPE = -3 };

// A list of operands. Its length differs between commands.
struct Views {
  const View* first;
  int64_t count;
  const View& operator[](int64_t i) const { return first[i]; }
};

struct Integers {
  int64_t count;
  int64_t at[MAX_RANK];
  int64_t operator[](int64_t i) const { return at[i]; }
};

// A micro-program (vm.h): instructions of 5 words, then the registers of the results.
struct MicroWords {
  int64_t instructions;
  const double* words;
  int64_t count; // of words
};

// Reads without checks: checks::Check has validated the same words before.
class Arguments {
public:
  Arguments(const Command& c, int optionals, int lists)
      : view(c.views.data()), word(c.attrs.data()), end(word + c.attrs.size()) {
    if (optionals > 0) present = (uint64_t)*word++;
    counts = word;
    word += lists;
  }

  const View& required() { return *view++; }
  const View* optional() {
    const bool here = present & 1;
    present >>= 1;
    return here ? view++ : nullptr;
  }
  Views list() {
    const Views views{view, (int64_t)*counts++};
    view += views.count;
    return views;
  }

  float real() { return (float)*word++; }
  int64_t integer() { return (int64_t)*word++; }
  bool flag() { return *word++ != 0; }
  Integers integers() { return integers(integer()); }
  Integers integers(int64_t count) {
    Integers list{count, {}};
    for (int64_t i = 0; i < count; i++) list.at[i] = integer();
    return list;
  }
  MicroWords program() {
    const int64_t instructions = integer();
    return {instructions, word, end - word};
  }

private:
  const View* view;
  const double *word, *end, *counts;
  uint64_t present = 0;
};

} // namespace heed
