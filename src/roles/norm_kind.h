// How a row of numbers is normalised.
#ifndef TENSORGUARD_ROLES_NORM_KIND_H_
#define TENSORGUARD_ROLES_NORM_KIND_H_

namespace tensorguard::internal {

enum class NormKind {
  kRms,    // x / sqrt(mean(x^2) + epsilon) (Zhang and Sennrich 2019)
  kNone,   // x: gain and bias alone
  kLayer,  // (x - mean) / sqrt(variance + epsilon) (Ba et al. 2016)
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ROLES_NORM_KIND_H_
