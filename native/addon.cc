// The functions that the addon exports. src/runtime/cpu/addon.ts documents them. JavaScript threads
// share only Engine::shared().
#include "host.h"
#include "instance.h"
#include <cstring>

namespace heed {

namespace {

// Increase it with every change that concerns addon.ts, together with ABI in addon-file.ts.
#define HEED_ABI 2

#define HEED_TEXT(value) #value
#define HEED_MARK(abi, api) "heed addon: interface " HEED_TEXT(abi) ", Node-API " HEED_TEXT(api)

// addon-file.ts searches a file for this mark before it is loaded, because loading a foreign
// library can end the process.
__attribute__((used)) const char MARK[] = HEED_MARK(HEED_ABI, NAPI_VERSION);

constexpr int MOST_THREADS = 1024;

struct Call {
  napi_env env;
  Instance* instance;
  napi_value args[5] = {};
};

std::nullptr_t outOfMemory(napi_env env, const char* what, size_t bytes) {
  const MemoryUse use = memoryUse();
  return throwError(env, "ERR_HEED_MEMORY",
                    std::string("no memory for ") + what + " of " + std::to_string(bytes) +
                        " bytes: " + std::to_string(use.live + use.arena) + " of the budget of " +
                        std::to_string(use.budget) + " bytes are in use");
}

// ---- set-up

napi_value configure(const Call& call) {
  std::string isa;
  size_t threads = 0;
  if (typeOf(call.env, call.args[0]) == napi_object) {
    napi_value wanted = nullptr;
    napi_get_named_property(call.env, call.args[0], "isa", &wanted);
    if (typeOf(call.env, wanted) == napi_string) isa = getText(call.env, wanted);
    napi_get_named_property(call.env, call.args[0], "threads", &wanted);
    if (typeOf(call.env, wanted) != napi_undefined) {
      if (!getSize(call.env, wanted, "threads", MOST_THREADS, threads)) return nullptr;
      if (threads == 0) return throwRange(call.env, "threads must be at least 1");
    }
  }
  if (!Engine::shared().configure(isa.empty() ? nullptr : isa.c_str(), (int)threads))
    return throwRange(call.env,
                      "this processor or this build has no instruction set '" + isa + "'");
  const Settings settings = Engine::shared().settings();
  return object(call.env, {{"isa", text(call.env, settings.isa->name)},
                           {"threads", number(call.env, settings.threads)}});
}

// ---- buffers

napi_value allocate(const Call& call) {
  size_t bytes;
  if (!getSize(call.env, call.args[0], "bytes", MOST_BYTES, bytes)) return nullptr;
  std::shared_ptr<Block> block = Block::allocate(bytes);
  if (!block) return outOfMemory(call.env, "a buffer", bytes);
  return call.instance->makeHandle(std::move(block), nullptr);
}

bool insideBlock(const Call& call, const Block& block, size_t offset, size_t bytes) {
  if (offset <= block.bytes && bytes <= block.bytes - offset) return true;
  throwRange(call.env, std::to_string(bytes) + " bytes at offset " + std::to_string(offset) +
                           " are outside a buffer of " + std::to_string(block.bytes) + " bytes");
  return false;
}

napi_value write(const Call& call) {
  const std::shared_ptr<Block> block = call.instance->block(call.args[0], "the buffer");
  size_t offset;
  Bytes source;
  if (!block || !getSize(call.env, call.args[1], "the offset", MOST_BYTES, offset)) return nullptr;
  if (!getBytes(call.env, call.args[2], "the data", source)) return nullptr;
  if (!insideBlock(call, *block, offset, source.count) || source.count == 0) return nullptr;
  if (Engine::shared().idle(*block)) {
    memcpy((char*)block->data + offset, source.data, source.count);
    return nullptr;
  }
  std::unique_ptr<WriteJob> job(new WriteJob);
  job->target = block;
  job->offset = offset;
  job->bytes.assign((const char*)source.data, (const char*)source.data + source.count);
  call.instance->submit(std::move(job));
  return nullptr;
}

napi_value read(const Call& call) {
  std::unique_ptr<ReadJob> job(new ReadJob);
  job->source = call.instance->block(call.args[0], "the buffer");
  if (!job->source || !getSize(call.env, call.args[1], "the offset", MOST_BYTES, job->offset))
    return nullptr;
  if (!getSize(call.env, call.args[2], "the number of bytes", MOST_BYTES, job->bytes))
    return nullptr;
  if (!insideBlock(call, *job->source, job->offset, job->bytes)) return nullptr;
  napi_value result = nullptr;
  if (napi_create_arraybuffer(call.env, job->bytes, &job->target, &result) != napi_ok)
    return nullptr;
  return call.instance->promise(std::move(job), result);
}

napi_value dispose(const Call& call) {
  if (Handle* const handle = call.instance->handle(call.args[0], "the handle"))
    call.instance->release(*handle);
  return nullptr;
}

// ---- programs

napi_value program(const Call& call) {
  Bytes words;
  if (!getBytes(call.env, call.args[0], "the program", words)) return nullptr;
  if (words.type != napi_float64_array)
    return throwType(call.env, "the program must be a Float64Array");
  // A decoded view takes at most five times the size of its words, and this build has no
  // exceptions.
  if (!withinBudget(5 * words.count)) return outOfMemory(call.env, "a program", 5 * words.count);
  Program decoded;
  const std::string error =
      decode((const double*)words.data, words.count / sizeof(double), decoded);
  if (!error.empty())
    return throwError(call.env, "ERR_HEED_PROGRAM", "malformed program: " + error);
  const size_t bytes = decoded.bytes;
  std::shared_ptr<const Program> kept = keep(std::move(decoded));
  if (!kept) return outOfMemory(call.env, "a program", bytes);
  return call.instance->makeHandle(nullptr, std::move(kept));
}

bool getBuffers(const Call& call, napi_value list, std::vector<std::shared_ptr<Block>>& out) {
  bool isArray = false;
  uint32_t count = 0;
  if (napi_is_array(call.env, list, &isArray) != napi_ok || !isArray) {
    throwType(call.env, "buffers must be an array of handles");
    return false;
  }
  napi_get_array_length(call.env, list, &count);
  out.reserve(count);
  for (uint32_t i = 0; i < count; i++) {
    napi_value element = nullptr;
    napi_get_element(call.env, list, i, &element);
    out.push_back(call.instance->block(element, "a buffer"));
    if (!out.back()) return false;
  }
  return true;
}

// Checks that each buffer has the size that the views of the program need.
bool fits(const Call& call, const RunJob& job, size_t scalarBytes) {
  const std::vector<int64_t>& extents = job.program->extents;
  for (size_t i = 0; i < extents.size(); i++) {
    const size_t need = (size_t)extents[i];
    const bool missing = i >= 2 && i - 2 >= job.buffers.size();
    const size_t has = i == 0    ? job.arenaBytes
                       : i == 1  ? scalarBytes
                       : missing ? 0
                                 : job.buffers[i - 2]->bytes;
    if (need <= has && !missing) continue;
    const std::string which = i == 0   ? "the arena"
                              : i == 1 ? "the scalars"
                                       : "buffer " + std::to_string(i - 2);
    throwRange(call.env, which +
                             (missing ? " is missing" : " has " + std::to_string(has) + " bytes") +
                             ", the program needs " + std::to_string(need));
    return false;
  }
  return true;
}

bool getArena(const Call& call, napi_value value, RunJob& job) {
  const napi_valuetype type = typeOf(call.env, value);
  if (type == napi_null || type == napi_undefined) return true;
  job.arena = call.instance->block(value, "the arena");
  if (job.arena && job.arenaBytes > job.arena->bytes)
    throwRange(call.env, "the arena is smaller than arenaBytes");
  return job.arena && job.arenaBytes <= job.arena->bytes;
}

napi_value run(const Call& call) {
  std::unique_ptr<RunJob> job(new RunJob);
  Bytes scalars;
  job->program = call.instance->program(call.args[0], "the program");
  if (!job->program || !getSize(call.env, call.args[1], "arenaBytes", MOST_BYTES, job->arenaBytes))
    return nullptr;
  if (!getArena(call, call.args[2], *job) ||
      !getBytes(call.env, call.args[3], "the scalars", scalars))
    return nullptr;
  if (!getBuffers(call, call.args[4], job->buffers) || !fits(call, *job, scalars.count))
    return nullptr;
  job->scalars.resize((scalars.count + 7) / 8);
  if (scalars.count > 0) memcpy(job->scalars.data(), scalars.data, scalars.count);
  return call.instance->promise(std::move(job), nullptr);
}

// ---- accounts

napi_value memory(const Call& call) {
  const MemoryUse use = memoryUse();
  const auto bytes = [&](int64_t value) { return number(call.env, (double)value); };
  return object(call.env, {{"live", bytes(use.live)},
                           {"peak", bytes(use.peak)},
                           {"arena", bytes(use.arena)},
                           {"budget", bytes(use.budget)},
                           {"buffers", bytes(use.buffers)}});
}

napi_value resetPeak(const Call&) {
  resetMemoryPeak();
  return nullptr;
}

napi_value setBudget(const Call& call) {
  size_t bytes;
  if (getSize(call.env, call.args[0], "the budget", MOST_BYTES, bytes))
    setMemoryBudget((int64_t)bytes);
  return nullptr;
}

napi_value profile(const Call& call) {
  bool on = false;
  if (napi_get_value_bool(call.env, call.args[0], &on) != napi_ok)
    return throwType(call.env, "on must be a boolean");
  Engine::shared().profile(on);
  return nullptr;
}

napi_value takeProfile(const Call& call) {
  const Profile taken = Engine::shared().takeProfile();
  const auto toNumber = [&](double value) { return number(call.env, value); };
  return object(call.env, {{"kernel", array(call.env, taken.kernel, toNumber)},
                           {"micros", array(call.env, taken.micros, toNumber)},
                           {"command", array(call.env, taken.command, toNumber)}});
}

// ---- loading

std::vector<std::string> names(const char* const* list) {
  std::vector<std::string> all;
  while (*list) all.push_back(*list++);
  return all;
}

std::vector<std::string> supportedIsas() {
  std::vector<std::string> all;
  for (const Isa* const* isa = isas; *isa; isa++)
    if ((*isa)->supported()) all.push_back((*isa)->name);
  return all;
}

template <napi_value (*function)(const Call&)>
napi_value entry(napi_env env, napi_callback_info info) {
  Call call{env, nullptr};
  size_t count =
      sizeof call.args / sizeof *call.args; // missing arguments are filled with undefined
  napi_get_cb_info(env, info, &count, call.args, nullptr, (void**)&call.instance);
  return function(call);
}

template <napi_value (*function)(const Call&)> napi_value exported(Instance* instance) {
  napi_value result = nullptr;
  napi_create_function(instance->env, nullptr, 0, entry<function>, instance, &result);
  return result;
}

napi_value load(napi_env env) {
  pinLibrary();
  Instance* const instance = Instance::create(env);
  const auto toText = [&](const std::string& name) { return text(env, name); };
  return object(env, {{"abi", number(env, HEED_ABI)},
                      {"kernels", array(env, names(kernelNames), toText)},
                      {"microOps", array(env, names(microOpNames), toText)},
                      {"isas", array(env, supportedIsas(), toText)},
                      {"configure", exported<configure>(instance)},
                      {"allocate", exported<allocate>(instance)},
                      {"write", exported<write>(instance)},
                      {"read", exported<read>(instance)},
                      {"dispose", exported<dispose>(instance)},
                      {"program", exported<program>(instance)},
                      {"run", exported<run>(instance)},
                      {"memory", exported<memory>(instance)},
                      {"resetPeak", exported<resetPeak>(instance)},
                      {"setBudget", exported<setBudget>(instance)},
                      {"profile", exported<profile>(instance)},
                      {"takeProfile", exported<takeProfile>(instance)}});
}

} // namespace

} // namespace heed

NAPI_MODULE_INIT() {
  (void)exports;
  return heed::load(env);
}
