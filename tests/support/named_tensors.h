// Lists of tensors for the tests of this stage, and readings of them as text.
#ifndef TENSORGUARD_TESTS_SUPPORT_NAMED_TENSORS_H_
#define TENSORGUARD_TESTS_SUPPORT_NAMED_TENSORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "architecture/architecture.h"

namespace tensorguard::internal {

inline TensorInfo MakeTensor(std::string name, std::vector<uint64_t> shape = {}) {
  TensorInfo info;
  info.name = std::move(name);
  info.shape = std::move(shape);
  return info;
}

// "query", "router+bias", "down[expert]", "up[shared]", "gate_up[stacked]", "key[cross]".
inline std::string DescribeRole(const TensorRole& role) {
  std::string text(RoleName(role.role));
  if (role.role == Role::kScale) text += " of " + std::string(RoleName(role.companion_of));
  if (role.expert) text += "[expert]";
  if (role.stacked_experts) text += "[stacked]";
  if (role.shared_expert) text += "[shared]";
  if (role.cross_attention) text += "[cross]";
  if (role.is_bias) text += "+bias";
  return text;
}

inline Architecture UnderstandNames(const std::vector<std::string>& names,
                                    const Json& config = {}) {
  std::vector<TensorInfo> tensors;
  for (const std::string& name : names) tensors.push_back(MakeTensor(name));
  return Understand(config, tensors);
}

inline std::vector<std::string> RolesOf(const std::vector<std::string>& names,
                                        const Json& config = {}) {
  std::vector<std::string> roles;
  for (const TensorRole& role : UnderstandNames(names, config).roles) {
    roles.push_back(DescribeRole(role));
  }
  return roles;
}

// "output_projection down gate key norm*2 ...": the roles in sorted order with their number.
inline std::string DescribeCounts(const std::map<std::string, size_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    if (!text.empty()) text += ' ';
    text += name;
    if (count > 1) text += '*' + std::to_string(count);
  }
  return text;
}

// The weights of one stack, biases and quantisers' scales left out: the tensors outside its layers,
// then per run of layers that have the same roles: "embedding norm | 0-2: output_projection ...".
inline std::string DescribeStack(const Architecture& architecture, const std::string& stack) {
  std::map<std::string, size_t> outside;
  std::map<uint32_t, std::map<std::string, size_t>> layers;
  for (const TensorRole& role : architecture.roles) {
    if (role.stack != stack || role.is_bias || role.role == Role::kScale) continue;
    ++(role.layer ? layers[*role.layer] : outside)[DescribeRole(role)];
  }
  std::string text = DescribeCounts(outside);
  for (auto first = layers.begin(); first != layers.end();) {
    auto last = first;
    auto next = std::next(first);
    while (next != layers.end() && next->first == last->first + 1 &&
           next->second == first->second) {
      last = next++;
    }
    text += " | " + std::to_string(first->first);
    if (last != first) text += '-' + std::to_string(last->first);
    text += ": " + DescribeCounts(first->second);
    first = next;
  }
  return text;
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_SUPPORT_NAMED_TENSORS_H_
