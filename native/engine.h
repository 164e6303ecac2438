// The process-wide queue of runs, writes and reads of all JavaScript threads. One runner thread,
// which is also thread 0 of the pool, executes them in order. Independent of JavaScript.
#pragma once
#include "memory.h"
#include "pool.h"
#include <deque>

namespace heed {

// The result of a job. An empty error means success.
struct Outcome {
  uint64_t job = 0;
  std::string error;
  bool outOfMemory = false;
  int command = -1; // the command that failed
};

// A JavaScript environment that submits jobs. `settle` is called on the runner thread.
class Owner {
public:
  virtual ~Owner() = default;
  virtual void settle(Outcome&& outcome) = 0;
};

struct Settings {
  const Isa* isa;
  int threads;
};

struct Profile {
  std::vector<int32_t> kernel, command;
  std::vector<double> micros;
};

class Engine;

class Job {
public:
  virtual ~Job() = default;
  virtual void perform(Engine& engine, Outcome& outcome) = 0;
  virtual void mark(uint64_t number) = 0; // sets the last use of its buffers
  Owner* owner = nullptr;
  bool awaited = true; // whether its outcome is reported
  uint64_t number = 0;
  Settings settings{};
};

struct WriteJob final : Job {
  std::shared_ptr<Block> target;
  size_t offset = 0;
  std::vector<char> bytes;
  void perform(Engine& engine, Outcome& outcome) override;
  void mark(uint64_t number) override;
};

struct ReadJob final : Job {
  std::shared_ptr<Block> source;
  size_t offset = 0, bytes = 0;
  void* target = nullptr; // must stay valid until the outcome is reported
  void perform(Engine& engine, Outcome& outcome) override;
  void mark(uint64_t number) override;
};

struct RunJob final : Job {
  std::shared_ptr<const Program> program;
  std::shared_ptr<Block> arena; // null: the shared arena, with at least arenaBytes
  size_t arenaBytes = 0;
  std::vector<uint64_t> scalars; // uint64_t for alignment
  std::vector<std::shared_ptr<Block>> buffers;
  void perform(Engine& engine, Outcome& outcome) override;
  void mark(uint64_t number) override;

private:
  void execute(const Engine& engine, const Run& run, Outcome& outcome);
  void executeProfiled(Engine& engine, const Run& run, Outcome& outcome);
  bool step(size_t command, const Run& run, Outcome& outcome);
};

class Engine {
public:
  static Engine& shared();

  // Sets the options of later jobs. Returns false for an unknown instruction set.
  bool configure(const char* isa, int threads);
  Settings settings();

  uint64_t submit(std::unique_ptr<Job> job);
  // Drops the waiting jobs of an owner, and returns when none of its jobs is running.
  void leave(Owner* owner);
  // Whether no job that uses this block is waiting or running.
  bool idle(const Block& block) const { return block.lastUse <= lastDone.load(); }

  void profile(bool on) { profiling.store(on); }
  Profile takeProfile();

  // For jobs, on the runner thread:
  Pool& pool(int threads);
  bool cancelled() const { return abandoned.load(std::memory_order_relaxed); }
  bool profiles() const { return profiling.load(std::memory_order_relaxed); }
  void addProfile(const Profile& part);
  Arena arena;

private:
  Engine();
  static void* enter(void* engine);
  void serve();
  std::unique_ptr<Job> next();

  std::mutex mutex;
  std::condition_variable submitted, finished;
  std::deque<std::unique_ptr<Job>> queue;
  std::atomic<int> waiting{0};        // length of the queue, for spinning
  Owner* active = nullptr;            // owner of the running job
  std::atomic<bool> abandoned{false}; // whether that owner has left
  bool started = false;
  Settings current;
  uint64_t lastSubmitted = 0;
  std::atomic<uint64_t> lastDone{0};
  std::unique_ptr<ThreadPool> threads;
  std::atomic<bool> profiling{false};
  std::mutex profileMutex;
  Profile collected;
};

} // namespace heed
