// The addon without Node: its engine, memory and kernels behind a pipe, so that they can be tested
// as they are compiled for a processor that this machine has not (under qemu). `kernel-server
// --describe` prints what it has, as JSON; without arguments it serves messages until its input
// ends.
//
// A message is five doubles, { kind, handle, first, second, bytes }, and so many bytes. Runs and
// reads are answered in their order with two doubles, { status, bytes }, and so many bytes: status
// 0 is well, -1 no memory, -2 any other failure, and n > 0 that of command n-1, whose bytes are the
// message. Whatever else is wrong is a mistake of the test's own: it ends the server with a
// message.
#include "engine.h"
#include <cstdlib>
#include <cstring>
#include <map>
#include <unistd.h>

namespace heed {

namespace {

[[noreturn]] void die(const std::string& message) {
  fprintf(stderr, "kernel-server: %s\n", message.c_str());
  _exit(1); // at once: the engine's threads never end
}

// Whether there was anything before the input ended.
bool receive(void* to, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t count = ::read(STDIN_FILENO, (char*)to + done, bytes - done);
    if (count == 0 && done == 0) return false;
    if (count <= 0) die("the input ends inside a message");
    done += (size_t)count;
  }
  return true;
}

void send(const void* from, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t count = ::write(STDOUT_FILENO, (const char*)from + done, bytes - done);
    if (count <= 0) die("nobody reads the answers");
    done += (size_t)count;
  }
}

class Server final : public Owner {
public:
  void serve() {
    Message message;
    while (receive(&message, sizeof message)) {
      payload.resize((size_t)message.bytes);
      if (!payload.empty() && !receive(payload.data(), payload.size()))
        die("a message without bytes");
      perform(message);
    }
  }

  // On the engine's thread, in the order of submission.
  void settle(Outcome&& outcome) override {
    mutex.lock();
    const std::vector<char> found = std::move(results.front());
    results.pop_front();
    mutex.unlock();
    const bool well = outcome.error.empty();
    const std::string& error = outcome.error;
    const double status = well                  ? 0
                          : outcome.outOfMemory ? -1
                          : outcome.command < 0 ? -2
                                                : outcome.command + 1;
    const double header[] = {status, (double)(well ? found.size() : error.size())};
    send(header, sizeof header);
    send(well ? found.data() : error.data(), (size_t)header[1]);
  }

private:
  struct Message {
    double kind, handle, first, second, bytes;
  };
  enum Kind { CONFIGURE, ALLOCATE, WRITE, READ, DISPOSE, PROGRAM, RUN };

  std::vector<char> payload; // of the message at hand
  std::map<double, std::shared_ptr<Block>> blocks;
  std::map<double, std::shared_ptr<const Program>> programs;
  std::mutex mutex;
  std::deque<std::vector<char>> results; // of jobs under way: where a read puts its bytes

  void perform(const Message& message) {
    switch ((Kind)message.kind) {
      case CONFIGURE: Engine::shared().configure(nullptr, (int)message.first); return;
      case ALLOCATE: return allocate(message);
      case WRITE: return write(message);
      case READ: return read(message);
      case DISPOSE: blocks.erase(message.handle), programs.erase(message.handle); return;
      case PROGRAM: return program(message);
      case RUN: return run(message);
    }
    die("unknown message");
  }

  std::shared_ptr<Block> block(double handle) {
    const auto found = blocks.find(handle);
    if (found == blocks.end()) die("unknown buffer " + std::to_string(handle));
    return found->second;
  }

  void allocate(const Message& message) {
    blocks[message.handle] = Block::allocate((size_t)message.first);
    if (!blocks[message.handle]) die("no memory for " + std::to_string(message.first) + " bytes");
  }

  void write(const Message& message) {
    std::unique_ptr<WriteJob> job(new WriteJob);
    job->target = block(message.handle);
    job->offset = (size_t)message.first;
    job->bytes = payload;
    if (job->offset + payload.size() > job->target->bytes) die("a write outside its buffer");
    job->awaited = false;
    submit(std::move(job));
  }

  void read(const Message& message) {
    std::unique_ptr<ReadJob> job(new ReadJob);
    job->source = block(message.handle);
    job->offset = (size_t)message.first;
    job->bytes = (size_t)message.second;
    if (job->offset + job->bytes > job->source->bytes) die("a read outside its buffer");
    std::vector<char> target(job->bytes);
    job->target = target.data(); // stays where it is when the vector is moved
    await(std::move(job), std::move(target));
  }

  void program(const Message& message) {
    Program decoded;
    const std::string error =
        decode((const double*)payload.data(), payload.size() / sizeof(double), decoded);
    if (!error.empty()) die("malformed program: " + error);
    programs[message.handle] = keep(std::move(decoded));
  }

  // first: bytes of the arena; second: how many handles come before the scalars, of the arena (0:
  // the shared one) and of the buffers.
  void run(const Message& message) {
    std::unique_ptr<RunJob> job(new RunJob);
    job->program = programs[message.handle];
    if (!job->program) die("unknown program");
    job->arenaBytes = (size_t)message.first;
    const size_t count = (size_t)message.second;
    const double* const handles = (const double*)payload.data();
    if (handles[0] != 0) job->arena = block(handles[0]);
    for (size_t i = 1; i < count; i++) job->buffers.push_back(block(handles[i]));
    const size_t scalarBytes = payload.size() - count * sizeof(double);
    job->scalars.resize((scalarBytes + 7) / 8);
    if (scalarBytes > 0) memcpy(job->scalars.data(), handles + count, scalarBytes);
    if (job->arena && job->arena->bytes < job->arenaBytes) die("the arena is too small");
    checkExtents(*job, scalarBytes);
    await(std::move(job), {});
  }

  void checkExtents(const RunJob& job, size_t scalarBytes) {
    const std::vector<int64_t>& extents = job.program->extents;
    for (size_t i = 0; i < extents.size(); i++) {
      if (i >= job.buffers.size() + 2) die("a buffer is missing");
      const size_t has = i == 0 ? job.arenaBytes : i == 1 ? scalarBytes : job.buffers[i - 2]->bytes;
      if ((size_t)extents[i] > has) die("buffer " + std::to_string(i) + " is too small");
    }
  }

  void await(std::unique_ptr<Job> job, std::vector<char>&& result) {
    mutex.lock();
    results.push_back(std::move(result));
    mutex.unlock();
    submit(std::move(job));
  }

  void submit(std::unique_ptr<Job> job) {
    job->owner = this;
    if (Engine::shared().submit(std::move(job)) == 0) die("no thread");
  }
};

void printList(const char* name, const char* const* list) {
  printf("\"%s\":[", name);
  for (const char* const* item = list; *item; item++)
    printf("%s\"%s\"", item == list ? "" : ",", *item);
  printf("],");
}

void describe() {
  const Settings settings = Engine::shared().settings();
  printf("{");
  printList("kernels", kernelNames);
  printList("microOps", microOpNames);
  printf("\"isa\":\"%s\",\"threads\":%d}\n", settings.isa->name, settings.threads);
}

} // namespace

} // namespace heed

int main(int count, char** arguments) {
  if (count > 1 && strcmp(arguments[1], "--describe") == 0) return heed::describe(), 0;
  heed::Server server;
  server.serve();
  _exit(0); // at once: the engine's threads never end
}
