// What a model is made of, without reading more of its weights than some numbers of each.
#ifndef TENSORGUARD_API_INSPECTION_INSPECTED_MODEL_H_
#define TENSORGUARD_API_INSPECTION_INSPECTED_MODEL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "api/inspection/declared_facts.h"
#include "api/inspection/missing_of_model.h"
#include "api/inspection/odd_matrices.h"
#include "api/inspection/parts_of_model.h"
#include "api/inspection/tokenizer_summary.h"
#include "api/session.h"
#include "fingerprint/fingerprint.h"
#include "model/model.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

struct TensorTally {
  uint64_t tensors = 0;
  uint64_t elements = 0;
};

// What its tensors add up to.
struct TensorSummary {
  std::map<std::pair<Role, std::string_view>, TensorTally> roles;  // in the order of the roles
  std::map<std::string_view, uint64_t> dtypes;                     // tensors of each
  std::map<std::string, uint64_t> quantisations;                   // tensors of each
  std::set<std::string> files;
  uint64_t stored_bytes = 0;
};

struct InspectedModel {
  Model model;
  TensorSummary summary;
  TokenizerReading tokenizer;
  Result<std::vector<MissingPart>> missing;  // WhatIsMissing, or why that cannot be told
  std::vector<InspectedPart> parts;
  OddMatrices odd;
  StoredHead head;
  std::vector<DeclaredBase> declared;
};

// `base`: where the model is an adapter. Errors: those of CheckBase, OpenWithBase and of reading
// the numbers that are looked at.
Result<InspectedModel> InspectModel(const std::string& model,
                                    const std::optional<std::string>& base, const Session& session);

// How many kernels a fingerprint holds, those of experts included.
size_t KernelCount(const Fingerprint& print);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_INSPECTION_INSPECTED_MODEL_H_
