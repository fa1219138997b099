// One module of an adapter and its tensors, checked as they are taken.
#ifndef TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ADAPTER_MODULE_H_
#define TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ADAPTER_MODULE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensorguard/result.h"
#include "weights/adapters/adapter_config.h"
#include "weights/adapters/merge_plan.h"

namespace tensorguard::internal {

// Index of each part among the adapter's tensors, by the part's name ("hada_w1_a").
using NamedParts = std::map<std::string, size_t, std::less<>>;

// A tensor of an adapter in memory.
struct PartNumbers {
  std::vector<uint64_t> shape;
  std::vector<float> values;

  const float* Row(uint64_t row) const { return &values[row * (values.size() / shape[0])]; }
};

// Parts that all modules share: of the file, each read once, or drawn anew.
class SharedParts {
 public:
  explicit SharedParts(NamedParts parts) : parts_(std::move(parts)) {}

  bool Has(std::string_view part) const { return parts_.contains(part) || read_.contains(part); }
  void Put(std::string_view part, PartNumbers numbers);
  // Errors: kBadFile if there is none.
  Result<std::shared_ptr<const PartNumbers>> Read(std::string_view part, const MergePlan& plan);

 private:
  NamedParts parts_;
  std::map<std::string, std::shared_ptr<const PartNumbers>, std::less<>> read_;
};

// A dimension of a part that anything may stand in.
inline constexpr uint64_t kAnySize = ~uint64_t{0};

class AdapterModule {
 public:
  // All must outlive the module.
  AdapterModule(const AdapterConfig& config, const std::string& name, const NamedParts& parts,
                SharedParts& shared, const MergePlan& plan)
      : config_(config), name_(name), parts_(parts), shared_(shared), plan_(plan) {}

  const AdapterConfig& config() const { return config_; }
  const std::string& name() const { return name_; }
  bool Has(std::string_view part) const { return parts_.contains(part); }

  // Finds the module's matrix [outputs, inputs] in the base. Errors: kMismatch, kUnsupported (it is
  // no matrix of floating-point numbers).
  Result<void> FindMatrix();
  // REQUIRES: FindMatrix was called with success.
  size_t target() const { return target_; }
  uint64_t outputs() const { return outputs_; }
  uint64_t inputs() const { return inputs_; }

  // Errors: kBadFile if the part is missing or its shape is not `shape`, in which kAnySize fits
  // all.
  Result<PartNumbers> Take(std::string_view part, const std::vector<uint64_t>& shape) const;
  Result<std::shared_ptr<const PartNumbers>> TakeShared(std::string_view part,
                                                        const std::vector<uint64_t>& shape) const;

  // The error of a module whose parts do not go together with each other or with the base.
  Error Unfit(std::string_view part, std::string expected) const;

 private:
  Result<size_t> Find(const NamedParts& parts, std::string_view part,
                      const std::vector<uint64_t>& shape) const;

  const AdapterConfig& config_;
  const std::string& name_;
  const NamedParts& parts_;
  SharedParts& shared_;
  const MergePlan& plan_;
  size_t target_ = 0;
  uint64_t outputs_ = 0;
  uint64_t inputs_ = 0;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_WEIGHTS_ADAPTERS_KINDS_ADAPTER_MODULE_H_
