// The kinds of adapter whose merge makes each row of a matrix anew: one row of a table each.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ADAPTER_KINDS_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ADAPTER_KINDS_H_

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensorguard/result.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/kinds/adapter_module.h"
#include "weights/adapters/kinds/row_edit.h"
#include "weights/adapters/merge_plan.h"

namespace tensorguard::internal {

struct AdapterKind {
  std::string_view type;                    // peft_type
  std::span<const std::string_view> parts;  // of each module, as names end: "hada_w1_a"
  std::span<const std::string_view> shared_parts = {};
  Result<RowChange> (*change)(const AdapterModule&) = nullptr;
  // Makes shared parts that were not saved as the library makes them; null where they must be
  // there.
  void (*draw)(const AdapterConfig&, const std::vector<AdapterModule>&, SharedParts&) = nullptr;
  // What the product is scaled by, where the config says it.
  const char* alpha_option = nullptr;
  double default_alpha = 8;
  bool has_patterns = false;  // rank_pattern and alpha_pattern count
};

std::span<const AdapterKind> AdapterKinds();

// Null if there is none.
const AdapterKind* FindAdapterKind(std::string_view type);

// The tensors of an adapter of a kind by what they are.
struct KindTensors {
  std::map<std::string, NamedParts> modules = {};
  NamedParts shared = {};
};

// True if the tensor of that name is a part of the kind; then it was added.
bool AddKindTensor(const AdapterKind& kind, std::string_view name, size_t index,
                   KindTensors& tensors);

// Plans the edit of every module's matrix. Errors: kBadFile (a part is missing or of another
// shape), kMismatch (a module that the base has not, or of another shape), kUnsupported (a target
// that is no matrix of floating-point numbers, an option that is not honoured, shared matrices that
// were not saved).
Result<void> PlanKind(const AdapterKind& kind, const AdapterConfig& config,
                      const KindTensors& tensors, MergePlan& plan);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ADAPTER_KINDS_H_
