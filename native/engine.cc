#include "engine.h"
#include "host.h"
#include "spin.h"
#include <algorithm>
#include <chrono>
#include <cstring>

namespace heed {

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t MOST_PROFILED = 1 << 20; // commands; limits a recording that is never stopped

double microsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

const Isa* bestIsa() {
  for (const Isa* const* isa = isas; *isa; isa++)
    if ((*isa)->supported()) return *isa;
  return nullptr; // impossible: every build has an instruction set for the oldest processor
}

} // namespace

// Never destroyed, because its threads outlive the exit of the main thread.
Engine& Engine::shared() {
  static Engine* const one = new Engine;
  return *one;
}

Engine::Engine() : current{bestIsa(), availableCores()} {}

bool Engine::configure(const char* name, int threads) {
  const Isa* found = nullptr;
  for (const Isa* const* isa = isas; name && *isa; isa++)
    if (strcmp((*isa)->name, name) == 0 && (*isa)->supported()) found = *isa;
  if (name && !found) return false;
  std::lock_guard<std::mutex> lock(mutex);
  if (found) current.isa = found;
  if (threads > 0) current.threads = threads;
  return true;
}

Settings Engine::settings() {
  std::lock_guard<std::mutex> lock(mutex);
  return current;
}

uint64_t Engine::submit(std::unique_ptr<Job> job) {
  std::lock_guard<std::mutex> lock(mutex);
  if (!started) {
    pthread_t runner;
    if (pthread_create(&runner, nullptr, enter, this) != 0) return 0;
    pthread_detach(runner);
    started = true;
  }
  job->number = ++lastSubmitted;
  job->settings = current;
  job->mark(lastSubmitted);
  queue.push_back(std::move(job));
  waiting.fetch_add(1);
  submitted.notify_one();
  return lastSubmitted;
}

void Engine::leave(Owner* owner) {
  std::deque<std::unique_ptr<Job>> dropped; // destroyed after the lock is released
  std::unique_lock<std::mutex> lock(mutex);
  for (std::unique_ptr<Job>& job : queue)
    if (job->owner == owner) dropped.push_back(std::move(job));
  queue.erase(std::remove(queue.begin(), queue.end(), nullptr), queue.end());
  waiting.store((int)queue.size());
  if (active == owner) abandoned.store(true);
  while (active == owner) finished.wait(lock);
}

Profile Engine::takeProfile() {
  std::lock_guard<std::mutex> lock(profileMutex);
  Profile taken;
  std::swap(taken, collected);
  return taken;
}

void Engine::addProfile(const Profile& part) {
  std::lock_guard<std::mutex> lock(profileMutex);
  if (collected.kernel.size() + part.kernel.size() > MOST_PROFILED) return;
  const auto append = [](auto& all, const auto& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  append(collected.kernel, part.kernel);
  append(collected.command, part.command);
  append(collected.micros, part.micros);
}

Pool& Engine::pool(int count) {
  if (!threads || threads->requested != count) {
    threads.reset(); // first, so that the old and the new threads never exist at the same time
    threads.reset(new ThreadPool(count, enterComputeThread));
  }
  return *threads;
}

void* Engine::enter(void* engine) {
  enterComputeThread(0);
  ((Engine*)engine)->serve();
  return nullptr;
}

void Engine::serve() {
  while (true) {
    std::unique_ptr<Job> job = next();
    Owner* const owner = job->owner;
    const bool awaited = job->awaited;
    Outcome outcome;
    outcome.job = job->number;
    job->perform(*this, outcome);
    lastDone.store(outcome.job);
    job.reset(); // releases its buffers before its promise settles
    if (awaited) owner->settle(std::move(outcome));
    std::lock_guard<std::mutex> lock(mutex);
    active = nullptr;
    finished.notify_all();
  }
}

std::unique_ptr<Job> Engine::next() {
  spinUntil([&] { return waiting.load() > 0; });
  std::unique_lock<std::mutex> lock(mutex);
  while (queue.empty()) submitted.wait(lock);
  std::unique_ptr<Job> job = std::move(queue.front());
  queue.pop_front();
  waiting.store((int)queue.size());
  active = job->owner;
  abandoned.store(false);
  return job;
}

void WriteJob::mark(uint64_t number) { target->lastUse = number; }
void ReadJob::mark(uint64_t number) { source->lastUse = number; }
void RunJob::mark(uint64_t number) {
  if (arena) arena->lastUse = number;
  for (const std::shared_ptr<Block>& buffer : buffers) buffer->lastUse = number;
}

void WriteJob::perform(Engine&, Outcome&) {
  memcpy((char*)target->data + offset, bytes.data(), bytes.size());
}

void ReadJob::perform(Engine&, Outcome&) {
  if (bytes > 0) memcpy(target, (const char*)source->data + offset, bytes);
}

void RunJob::perform(Engine& engine, Outcome& outcome) {
  void* const intermediates = arena            ? arena->data
                              : arenaBytes > 0 ? engine.arena.borrow(arenaBytes)
                                               : nullptr;
  if (arenaBytes > 0 && !intermediates) {
    outcome.error = "no memory for " + std::to_string(arenaBytes) + " bytes of intermediates";
    outcome.outOfMemory = true;
    return;
  }
  std::vector<void*> memory = {intermediates, scalars.data()};
  for (const std::shared_ptr<Block>& buffer : buffers) memory.push_back(buffer->data);
  Failure failure;
  const Run run{memory.data(), engine.pool(settings.threads), &failure};
  if (engine.profiles()) executeProfiled(engine, run, outcome);
  else execute(engine, run, outcome);
}

void RunJob::execute(const Engine& engine, const Run& run, Outcome& outcome) {
  const std::vector<Command>& commands = program->commands;
  for (size_t i = 0; i < commands.size() && !engine.cancelled(); i++)
    if (!step(i, run, outcome)) return;
}

void RunJob::executeProfiled(Engine& engine, const Run& run, Outcome& outcome) {
  const std::vector<Command>& commands = program->commands;
  Profile profile;
  for (size_t i = 0; i < commands.size() && !engine.cancelled(); i++) {
    const Clock::time_point start = Clock::now();
    if (!step(i, run, outcome)) break;
    profile.kernel.push_back(commands[i].kernel);
    profile.command.push_back((int32_t)i);
    profile.micros.push_back(microsSince(start));
  }
  engine.addProfile(profile);
}

bool RunJob::step(size_t command, const Run& run, Outcome& outcome) {
  const Command& c = program->commands[command];
  settings.isa->kernels[c.kernel](c, run);
  if (!run.failed()) return true;
  outcome.error = run.failure->message;
  outcome.command = (int)command;
  return false;
}

} // namespace heed
