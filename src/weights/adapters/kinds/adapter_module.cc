#include "weights/adapters/kinds/adapter_module.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "weights/adapters/orientation.h"

namespace tensorguard::internal {
namespace {

std::string ShapeText(const std::vector<uint64_t>& shape) {
  std::vector<std::string> sizes;
  for (const uint64_t size : shape) {
    sizes.push_back(size == kAnySize ? "any" : std::to_string(size));
  }
  return fmt::format("[{}]", fmt::join(sizes, ", "));
}

bool Fits(const std::vector<uint64_t>& found, const std::vector<uint64_t>& expected) {
  return std::ranges::equal(found, expected, [](uint64_t size, uint64_t wanted) {
    return wanted == kAnySize ? size > 0 : size == wanted;
  });
}

}  // namespace

Result<void> AdapterModule::FindMatrix() {
  TG_ASSIGN(target_, plan_.Target(name_ + ".weight"));
  const TensorInfo& matrix = plan_.PlannedInfo(target_);
  TG_TRY(CheckIsFloatMatrix(matrix));
  outputs_ = matrix.shape[0];
  inputs_ = matrix.shape[1];
  if (!config_.fan_in_fan_out) return {};
  return Error{.kind = ErrorKind::kUnsupported,
               .problem = fmt::format("adapters of type {} are not merged into a base that stores "
                                      "[inputs, outputs]",
                                      config_.kind),
               .tensor = matrix.name,
               .found = "fan_in_fan_out",
               .advice = "merge the adapter with the library that made it"};
}

void SharedParts::Put(std::string_view part, PartNumbers numbers) {
  read_.emplace(part, std::make_shared<const PartNumbers>(std::move(numbers)));
}

Result<std::shared_ptr<const PartNumbers>> SharedParts::Read(std::string_view part,
                                                             const MergePlan& plan) {
  if (const auto read = read_.find(part); read != read_.end()) return read->second;
  const auto stored = parts_.find(part);
  if (stored == parts_.end()) {
    return Error{.problem = "a part of the adapter is missing", .expected = std::string(part)};
  }
  const size_t index = stored->second;
  TG_ASSIGN(auto values, plan.ReadAdapterTensor(index));
  auto numbers = std::make_shared<const PartNumbers>(
      PartNumbers{.shape = plan.AdapterInfo(index).shape, .values = std::move(values)});
  read_.emplace(part, numbers);
  return std::shared_ptr<const PartNumbers>(std::move(numbers));
}

Result<size_t> AdapterModule::Find(const NamedParts& parts, std::string_view part,
                                   const std::vector<uint64_t>& shape) const {
  const auto found = parts.find(part);
  if (found == parts.end()) {
    return Error{.problem = "a part of the adapter is missing",
                 .tensor = name_,
                 .expected = std::string(part)};
  }
  const TensorInfo& info = plan_.AdapterInfo(found->second);
  if (Fits(info.shape, shape)) return found->second;
  return Error{.problem = "a part of the adapter has another shape than its module",
               .tensor = info.name,
               .found = ShapeText(info.shape),
               .expected = ShapeText(shape)};
}

Result<PartNumbers> AdapterModule::Take(std::string_view part,
                                        const std::vector<uint64_t>& shape) const {
  TG_ASSIGN(const auto index, Find(parts_, part, shape));
  TG_ASSIGN(auto values, plan_.ReadAdapterTensor(index));
  return PartNumbers{.shape = plan_.AdapterInfo(index).shape, .values = std::move(values)};
}

Result<std::shared_ptr<const PartNumbers>> AdapterModule::TakeShared(
    std::string_view part, const std::vector<uint64_t>& shape) const {
  TG_ASSIGN(auto numbers, shared_.Read(part, plan_));
  if (Fits(numbers->shape, shape)) return numbers;
  return Error{.problem = "a shared part of the adapter does not fit a module",
               .tensor = fmt::format("{}, {}", part, name_),
               .found = ShapeText(numbers->shape),
               .expected = ShapeText(shape)};
}

Error AdapterModule::Unfit(std::string_view part, std::string expected) const {
  return {.kind = ErrorKind::kMismatch,
          .problem = "adapter was made for a base of another shape",
          .tensor = fmt::format("{}.{}", name_, part),
          .found = fmt::format("base tensor of shape [{}, {}]", outputs_, inputs_),
          .expected = std::move(expected),
          .advice = "give the base that adapter_config.json names as base_model_name_or_path"};
}

}  // namespace tensorguard::internal
