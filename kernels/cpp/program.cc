#include "kernel-schemas.h"
#include <cmath>

namespace heed {

#define HEED_NAME(name) #name,
const char* const kernelNames[] = {HEED_KERNELS(HEED_NAME) nullptr};

namespace {

constexpr double MOST_BUFFERS = 65536;

// Returns the words in order. After an invalid word it keeps a message and returns 0.
class Reader {
public:
  Reader(const double* words, size_t count) : words(words), count(count) {}
  std::string error;

  bool done() const { return next == count; }
  size_t left() const { return count - next; }

  double number(const char* what) {
    if (left() == 0) return complain(std::string("ends before ") + what);
    return words[next++];
  }
  int64_t integer(const char* what, double low, double high) {
    const double value = number(what);
    if (value >= low && value <= high && value == std::floor(value)) return (int64_t)value;
    return complain(std::string(what) + " is " + std::to_string(value));
  }
  int complain(const std::string& message) {
    if (error.empty()) error = message;
    next = count;
    return 0;
  }

private:
  const double* words;
  size_t count, next = 0;
};

// Number of bytes from the start of the buffer to the end of the last element of the view. Elements
// before the start are an error. Doubles cannot overflow here and are exact below LARGEST.
int64_t extentOf(const View& view, Reader& reader) {
  double elements = 1, least = (double)view.offset, most = (double)view.offset;
  bool empty = false;
  for (int i = 0; i < view.rank; i++) {
    const double reach = (double)(view.shape[i] - 1) * (double)view.stride[i];
    (reach < 0 ? least : most) += reach;
    elements *= (double)(view.shape[i] > 0 ? view.shape[i] : 1);
    empty = empty || view.shape[i] == 0;
  }
  if (elements > LARGEST) return reader.complain("a view has too many elements");
  if (empty) return 0;
  if (least < 0) return reader.complain("a view begins before its buffer");
  if (most > LARGEST) return reader.complain("a view is too large");
  return ((int64_t)most + 1) * sizeOf(view.dtype);
}

View readView(Reader& reader) {
  View view;
  view.buffer = (int32_t)reader.integer("a view's buffer", 0, MOST_BUFFERS - 1);
  view.dtype = (DType)reader.integer("a view's dtype", 0, (double)DType::boolean);
  view.offset = reader.integer("a view's offset", 0, LARGEST);
  view.rank = (int32_t)reader.integer("a view's rank", 0, MAX_RANK);
  for (int i = 0; i < view.rank; i++) view.shape[i] = reader.integer("a view's shape", 0, LARGEST);
  for (int i = 0; i < view.rank; i++)
    view.stride[i] = reader.integer("a view's stride", -LARGEST, LARGEST);
  return view;
}

Command readCommand(Reader& reader, std::vector<int64_t>& extents) {
  Command command;
  command.kernel = (int32_t)reader.integer("the kernel", 0, KERNEL_COUNT - 1);
  const int64_t views = reader.integer("the number of views", 0, LARGEST);
  const int64_t attrs = reader.integer("the number of attrs", 0, LARGEST);
  if (views > (int64_t)reader.left() / 4 || attrs > (int64_t)reader.left())
    reader.complain("ends before its views");
  if (!reader.error.empty()) return command;
  command.views.reserve((size_t)views);
  command.attrs.reserve((size_t)attrs);
  for (int64_t i = 0; i < views && reader.error.empty(); i++) {
    const View view = readView(reader);
    const int64_t extent = extentOf(view, reader);
    if ((size_t)view.buffer >= extents.size()) extents.resize((size_t)view.buffer + 1);
    extents[view.buffer] = extents[view.buffer] > extent ? extents[view.buffer] : extent;
    command.views.push_back(view);
  }
  for (int64_t i = 0; i < attrs; i++) command.attrs.push_back(reader.number("an attr"));
  return command;
}

size_t bytesOf(const Program& program) {
  size_t bytes = sizeof program + program.extents.capacity() * sizeof(int64_t);
  for (const Command& command : program.commands)
    bytes += sizeof command + command.views.capacity() * sizeof(View) +
             command.attrs.capacity() * sizeof(double);
  return bytes;
}

} // namespace

std::string decode(const double* words, size_t count, Program& out) {
  Reader reader(words, count);
  out = Program();
  while (!reader.done()) {
    Command command = readCommand(reader, out.extents);
    const std::string number = "command " + std::to_string(out.commands.size());
    if (!reader.error.empty()) return number + ": " + reader.error;
    const std::string error = validate(command);
    if (!error.empty()) return number + " (" + kernelNames[command.kernel] + "): " + error;
    out.commands.push_back(std::move(command));
  }
  out.commands.shrink_to_fit();
  out.bytes = bytesOf(out);
  return "";
}

} // namespace heed
