// The registries that the arguments of one run name, each opened once.
#ifndef TENSORGUARD_API_REGISTRY_OPEN_REGISTRIES_H_
#define TENSORGUARD_API_REGISTRY_OPEN_REGISTRIES_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/try.h"
#include "registry/registry.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Thread-safe: one thread at a time works with a registry of it.
class OpenRegistries {
 public:
  // Errors: those of Registry::Open.
  Result<void> Open(const std::string& place) {
    return With(place, [](Registry&) { return Result<void>(); });
  }

  // What `work`, a Result<T>(Registry&), makes of the registry at `place`. Not nested. Errors:
  // those of Registry::Open and of `work`.
  template <typename Work>
  auto With(const std::string& place, const Work& work)
      -> decltype(work(std::declval<Registry&>())) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Registry>& registry = registries_[place];
    if (registry == nullptr) {
      TG_ASSIGN(registry, Registry::Open(place));
    }
    return work(*registry);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Registry>> registries_;  // by place; null: not opened yet
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_REGISTRY_OPEN_REGISTRIES_H_
