// The state of the addon in one JavaScript environment (the main thread or a worker): handles and
// promises.
#pragma once
#include "engine.h"
#include "values.h"
#include <unordered_map>
#include <unordered_set>

namespace heed {

class Instance;

// The buffer or program of a JavaScript handle (an external value), until it is disposed of.
struct Handle {
  Instance* instance;
  std::shared_ptr<Block> block;
  std::shared_ptr<const Program> program;
  int64_t reported = 0; // bytes reported to the garbage collector
};

class Instance final : public Owner {
public:
  static Instance* create(napi_env env);

  napi_value makeHandle(std::shared_ptr<Block> block, std::shared_ptr<const Program> program);
  // For any other value these throw and return null. `what` names the value in the message.
  Handle* handle(napi_value value, const char* what);
  std::shared_ptr<Block> block(napi_value value, const char* what);
  std::shared_ptr<const Program> program(napi_value value, const char* what);
  void release(Handle& handle);

  void submit(std::unique_ptr<Job> job);
  // Submits a job and returns a promise that resolves to `result` (null: undefined). A pending
  // promise keeps the process alive.
  napi_value promise(std::unique_ptr<Job> job, napi_value result);

  void settle(Outcome&& outcome) override;

  napi_env const env;

private:
  struct Waiting {
    napi_deferred deferred = nullptr;
    napi_ref result = nullptr;
  };

  explicit Instance(napi_env env) : env(env) {}
  static void finalizeHandle(napi_env, void* handle, void*);
  static void beforeUnload(void* instance);
  static void unload(napi_env, void* instance, void*);
  static void onOutcome(napi_env env, napi_value, void* instance, void*);
  void settleNow(Outcome&& outcome);
  void letGo();

  std::unordered_set<Handle*> handles;            // to reject externals of other addons
  std::unordered_map<uint64_t, Waiting> promises; // by number of the job
  napi_threadsafe_function wake = nullptr;
  std::mutex mutex;
  std::deque<Outcome> outcomes; // one for each pending call of `wake`
  int holders = 1;              // the instance and its handles, which may be finalised later
};

} // namespace heed
