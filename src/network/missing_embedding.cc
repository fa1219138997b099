#include "network/missing_embedding.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "architecture/config_view.h"

namespace tensorguard::internal {
namespace {

// Patches or sound enter the main stack: by a convolution, or by what belongs to no tower with
// layers of its own.
bool HasOtherInputs(const Model& model) {
  const auto& roles = model.architecture.roles;
  std::set<std::string> towers = {"projector"};
  for (const TensorRole& role : roles) {
    if (role.layer && role.stack != model.architecture.main_stack) towers.insert(role.stack);
  }
  for (size_t i = 0; i < roles.size(); ++i) {
    if (roles[i].layer || towers.contains(roles[i].stack)) continue;
    const bool convolution = model.weights->tensors()[i].shape.size() > 2;
    if (roles[i].role == Role::kModality || convolution) return true;
  }
  return false;
}

// A head that by its name writes tokens; "head" and "proj_out" may write classes or pixels.
bool HasTokenHead(const Model& model) {
  const auto& roles = model.architecture.roles;
  for (size_t i = 0; i < roles.size(); ++i) {
    const std::string& name = model.weights->tensors()[i].name;
    const bool of_tokens = name.find("lm_") != std::string::npos ||
                           name.find("embed") != std::string::npos || name == "output.weight";
    if (roles[i].role == Role::kOutputHead && of_tokens) return true;
  }
  return false;
}

}  // namespace

std::vector<MissingPart> FindMissingEmbedding(const Model& model, const Network& network) {
  const NetworkDescription& description = network.description();
  if (description.vocabulary_size > 0) return {};
  const auto vocabulary = ConfigView(model.config).VocabularySize();
  if (!vocabulary && !HasTokenHead(model)) return {};
  if (HasOtherInputs(model)) return {};
  return {{.what = "the token embedding",
           .found = "no matrix with a row per token",
           .expected = vocabulary ? fmt::format("{} rows, by the config", *vocabulary)
                                  : std::string("an embedding, as there is an output head"),
           .parameters = vocabulary.value_or(0) * description.hidden_size}};
}

}  // namespace tensorguard::internal
