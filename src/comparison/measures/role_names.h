// Roles as a sentence lists them.
#ifndef TENSORGUARD_COMPARISON_MEASURES_ROLE_NAMES_H_
#define TENSORGUARD_COMPARISON_MEASURES_ROLE_NAMES_H_

#include <set>
#include <span>
#include <string>

#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// "query, key", in the order of the roles.
inline std::string RoleNames(const std::set<Role>& roles) {
  std::string names;
  for (const Role role : roles) {
    if (!names.empty()) names += ", ";
    names += RoleName(role);
  }
  return names;
}

// Each role of the weights once.
inline std::string RoleNames(std::span<const WeightSummary* const> weights) {
  std::set<Role> roles;
  for (const WeightSummary* weight : weights) roles.insert(weight->role.role);
  return RoleNames(roles);
}

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_COMPARISON_MEASURES_ROLE_NAMES_H_
