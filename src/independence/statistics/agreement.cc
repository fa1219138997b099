#include "independence/statistics/agreement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "independence/statistics/log_tails.h"

namespace tensorguard::internal {
namespace {

double LogTail(const Agreement& agreement, double rate) {
  return LogBinomialTail(agreement.units, agreement.agreeing, rate);
}

}  // namespace

double LogAgreementP(const std::vector<Agreement>& agreements) {
  if (agreements.empty()) return 0.0;
  std::map<std::string_view, Agreement> pooled;
  double smallest_layer = 0.0;
  for (const Agreement& agreement : agreements) {
    Agreement& sum = pooled[agreement.matrices];
    sum.units += agreement.units;
    sum.agreeing += agreement.agreeing;
    smallest_layer = std::min(smallest_layer, LogTail(agreement, kAgreeingByNatureInOneLayer));
  }
  double smallest_pooled = 0.0;
  for (const auto& [matrices, agreement] : pooled) {
    smallest_pooled = std::min(smallest_pooled, LogTail(agreement, kAgreeingByNature));
  }
  const double pooled_tests = 2.0 * static_cast<double>(pooled.size());
  const double layer_tests = 2.0 * static_cast<double>(agreements.size());
  return std::min(
      {0.0, smallest_pooled + std::log(pooled_tests), smallest_layer + std::log(layer_tests)});
}

}  // namespace tensorguard::internal
