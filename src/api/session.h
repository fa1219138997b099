// What every use case is given beside its own arguments.
#ifndef TENSORGUARD_API_SESSION_H_
#define TENSORGUARD_API_SESSION_H_

#include <functional>
#include <memory>
#include <optional>

#include "api/listener.h"
#include "api/registry/open_registries.h"
#include "model/model.h"
#include "places/places.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct Session {
  Listener& listener;
  // Where models are read from; asked only when a model is opened. Errors: those of
  // Places::Create.
  std::function<Result<std::shared_ptr<const Places>>()> places;
  // Which of the models that lie in one file, or which part of a model, is meant.
  std::optional<PartChoice> part = {};
  // Kept open for the models of registries that arguments name.
  std::shared_ptr<OpenRegistries> registries = std::make_shared<OpenRegistries>();
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_SESSION_H_
