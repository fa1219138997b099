#include "api/inspection/inspected_model.h"

#include "api/models.h"
#include "base/try.h"
#include "network/network.h"

namespace tensorguard::internal {
namespace {

TensorSummary Summarise(const Model& model) {
  TensorSummary summary;
  const auto& tensors = model.weights->tensors();
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorRole& role = model.architecture.roles[i];
    const std::string_view shown = ShownRoleName(role);
    // All biases are one row, behind the matrices and vectors they go with.
    TensorTally& tally = summary.roles[{shown == "bias" ? Role::kNorm : role.role, shown}];
    ++tally.tensors;
    tally.elements += tensors[i].element_count;
    ++summary.dtypes[InfoOf(tensors[i].dtype).name];
    if (!tensors[i].quantisation.empty()) ++summary.quantisations[tensors[i].quantisation];
    summary.files.insert(tensors[i].file);
    summary.stored_bytes += tensors[i].stored_bytes;
  }
  return summary;
}

}  // namespace

Result<InspectedModel> InspectModel(const std::string& model,
                                    const std::optional<std::string>& base,
                                    const Session& session) {
  TG_TRY(CheckBase({model}, base, session));
  TG_ASSIGN(auto opened, OpenWithBase(model, base, session));
  TensorSummary summary = Summarise(opened);
  TokenizerReading tokenizer = ReadTokenizer(opened);
  Result<std::vector<MissingPart>> missing = WhatIsMissing(opened);
  // Why there is none is told with what is missing.
  const auto network = Network::Build(opened);
  auto parts = PartsOfModel(opened, network ? network->get() : nullptr);
  TG_ASSIGN(auto odd, FindOddMatrices(opened));
  TG_ASSIGN(const auto head, LookAtHead(opened));
  auto declared = DeclaredBases(opened);
  return InspectedModel{.model = std::move(opened),
                        .summary = std::move(summary),
                        .tokenizer = std::move(tokenizer),
                        .missing = std::move(missing),
                        .parts = std::move(parts),
                        .odd = std::move(odd),
                        .head = head,
                        .declared = std::move(declared)};
}

size_t KernelCount(const Fingerprint& print) {
  size_t kernels = 0;
  for (const LayerResponse& layer : print.layers) {
    for (const FloatMatrix* kernel : {&layer.query_key, &layer.output_value, &layer.feed_forward}) {
      kernels += kernel->values().empty() ? 0 : 1;
    }
    kernels += layer.experts.size();
  }
  return kernels;
}

}  // namespace tensorguard::internal
