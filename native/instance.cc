#include "instance.h"

namespace heed {

namespace {

napi_value errorOf(napi_env env, const Outcome& outcome) {
  napi_value error = nullptr;
  napi_create_error(env, text(env, outcome.outOfMemory ? "ERR_HEED_MEMORY" : "ERR_HEED_RUN"),
                    text(env, outcome.error), &error);
  if (outcome.command >= 0) set(env, error, "command", number(env, outcome.command));
  return error;
}

} // namespace

Instance* Instance::create(napi_env env) {
  Instance* const instance = new Instance(env);
  napi_set_instance_data(env, instance, unload, nullptr);
  napi_create_threadsafe_function(env, nullptr, nullptr, text(env, "heed"), 0, 1, nullptr, nullptr,
                                  instance, onOutcome, &instance->wake);
  napi_unref_threadsafe_function(env, instance->wake);
  // Hooks run in reverse order, so runs end before the thread-safe function is released.
  napi_add_env_cleanup_hook(env, beforeUnload, instance);
  return instance;
}

// ---- handles

napi_value Instance::makeHandle(std::shared_ptr<Block> block,
                                std::shared_ptr<const Program> program) {
  Handle* const handle = new Handle{this, std::move(block), std::move(program)};
  napi_value result = nullptr;
  if (napi_create_external(env, handle, finalizeHandle, nullptr, &result) != napi_ok) {
    delete handle;
    return throwError(env, "ERR_HEED_HANDLE", "no handle could be made");
  }
  handles.insert(handle);
  holders++;
  int64_t total;
  handle->reported = (int64_t)(handle->block ? handle->block->bytes : handle->program->bytes);
  napi_adjust_external_memory(env, handle->reported, &total);
  return result;
}

Handle* Instance::handle(napi_value value, const char* what) {
  void* data = nullptr;
  if (typeOf(env, value) == napi_external) napi_get_value_external(env, value, &data);
  if (handles.count((Handle*)data)) return (Handle*)data;
  return throwType(env, std::string(what) + " is no handle of this addon");
}

std::shared_ptr<Block> Instance::block(napi_value value, const char* what) {
  Handle* const found = handle(value, what);
  if (found && !found->block)
    throwType(env, std::string(what) + " is a program or has been disposed of");
  return found ? found->block : nullptr;
}

std::shared_ptr<const Program> Instance::program(napi_value value, const char* what) {
  Handle* const found = handle(value, what);
  if (found && !found->program)
    throwType(env, std::string(what) + " is a buffer or has been disposed of");
  return found ? found->program : nullptr;
}

// Jobs that use the memory still own it, so it is freed with the last of them.
void Instance::release(Handle& handle) {
  int64_t total;
  if (handle.reported) napi_adjust_external_memory(env, -handle.reported, &total);
  handle.reported = 0;
  handle.block.reset();
  handle.program.reset();
}

void Instance::finalizeHandle(napi_env, void* data, void*) {
  Handle* const handle = (Handle*)data;
  Instance* const instance = handle->instance;
  instance->release(*handle);
  instance->handles.erase(handle);
  delete handle;
  instance->letGo();
}

// ---- jobs

void Instance::submit(std::unique_ptr<Job> job) {
  job->owner = this;
  job->awaited = false;
  if (Engine::shared().submit(std::move(job)) == 0)
    throwError(env, "ERR_HEED_THREAD", "the system grants no thread to run programs on");
}

napi_value Instance::promise(std::unique_ptr<Job> job, napi_value result) {
  Waiting waiting;
  napi_value promise = nullptr;
  job->owner = this;
  if (napi_create_promise(env, &waiting.deferred, &promise) != napi_ok) return nullptr;
  if (result) napi_create_reference(env, result, 1, &waiting.result);
  const uint64_t number = Engine::shared().submit(std::move(job));
  if (number == 0)
    return throwError(env, "ERR_HEED_THREAD", "the system grants no thread to run programs on");
  if (promises.empty()) napi_ref_threadsafe_function(env, wake);
  promises.emplace(number, waiting);
  return promise;
}

// Called on the runner thread.
void Instance::settle(Outcome&& outcome) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    outcomes.push_back(std::move(outcome));
  }
  napi_call_threadsafe_function(wake, nullptr, napi_tsfn_nonblocking);
}

// Called on the JavaScript thread, once for each outcome, so that the reactions of a promise run
// before the next promise settles.
void Instance::onOutcome(napi_env env, napi_value, void* data, void*) {
  if (!env) return; // the environment is shutting down
  Instance* const instance = (Instance*)data;
  Outcome outcome;
  {
    std::lock_guard<std::mutex> lock(instance->mutex);
    outcome = std::move(instance->outcomes.front());
    instance->outcomes.pop_front();
  }
  instance->settleNow(std::move(outcome));
}

void Instance::settleNow(Outcome&& outcome) {
  const auto found = promises.find(outcome.job);
  const Waiting waiting = found->second;
  promises.erase(found);
  if (promises.empty()) napi_unref_threadsafe_function(env, wake);
  napi_value result = undefined(env);
  if (waiting.result) {
    napi_get_reference_value(env, waiting.result, &result);
    napi_delete_reference(env, waiting.result);
  }
  if (outcome.error.empty()) napi_resolve_deferred(env, waiting.deferred, result);
  else napi_reject_deferred(env, waiting.deferred, errorOf(env, outcome));
}

// ---- end of the environment

void Instance::beforeUnload(void* instance) { Engine::shared().leave((Instance*)instance); }
void Instance::unload(napi_env, void* instance, void*) { ((Instance*)instance)->letGo(); }

void Instance::letGo() {
  if (--holders == 0) delete this;
}

} // namespace heed
