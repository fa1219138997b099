#include "tensorguard/model.h"

#include <utility>

#include "api/inspection/inspected_model.h"
#include "api/library/caller_session.h"
#include "base/try.h"

namespace tensorguard {

Result<ModelSummary> InspectModel(const std::string& model, const ReadOptions& options) {
  const internal::CallerSession session(options);
  TG_ASSIGN(const auto inspected,
            internal::InspectModel(model, internal::BaseOf(options), session));
  const internal::Model& opened = inspected.model;
  ModelSummary summary = {.name = opened.name,
                          .architecture = opened.architecture.name,
                          .known_by = std::string(opened.architecture.known_by),
                          .parameters = opened.parameter_count(),
                          .layers = opened.architecture.layers,
                          .tied_head = opened.architecture.tied_head,
                          .is_adapter = opened.is_adapter};
  const auto& tensors = opened.weights->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const internal::TensorRole& role = opened.architecture.roles[i];
    summary.tensors.push_back({.name = tensors[i].name,
                               .role = std::string(internal::ShownRoleName(role)),
                               .layer = role.layer,
                               .dtype = std::string(internal::InfoOf(tensors[i].dtype).name),
                               .shape = tensors[i].shape,
                               .stored_bytes = tensors[i].stored_bytes});
  }
  return summary;
}

}  // namespace tensorguard
