#include "independence_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "independence/combined_parts.h"
#include "independence/statistics/kolmogorov_smirnov.h"
#include "independence/statistics/log_tails.h"

namespace tensorguard::internal {
namespace {

std::vector<double> PValues(const PairGroup& group) {
  std::vector<double> p_values;
  for (const double log10_p : group.log10_p) p_values.push_back(std::pow(10.0, log10_p));
  return p_values;
}

void PrintUniformity(const PairGroup& group) {
  if (group.log10_p.empty()) return;
  const auto p_values = PValues(group);
  const UniformityTest test = TestUniformity(p_values);
  fmt::print("| {} | {} | {:.4f} | {:.3f} | {:.3f} |\n", group.name, p_values.size(),
             *std::min_element(p_values.begin(), p_values.end()), test.distance, test.p_value);
}

constexpr double kLevels[] = {0.001, 0.01, 0.05, 0.1, 0.5};

// How many are at or below each level, and the smallest chance, over the levels and times their
// number, that P(p <= level) <= level gives as many or more.
void PrintLevels(const PairGroup& group) {
  const auto p_values = PValues(group);
  fmt::print("| {} | {} |", group.name, p_values.size());
  double smallest_tail = 0.0;
  for (const double level : kLevels) {
    const auto below = static_cast<uint64_t>(std::count_if(
        p_values.begin(), p_values.end(), [&](double p_value) { return p_value <= level; }));
    fmt::print(" {:.4f} |",
               static_cast<double>(below) / std::max(1.0, static_cast<double>(p_values.size())));
    smallest_tail = std::min(smallest_tail, LogBinomialTail(p_values.size(), below, level));
  }
  const double smallest =
      p_values.empty() ? 1.0 : *std::min_element(p_values.begin(), p_values.end());
  fmt::print(" {:.4f} | {:.3f} |\n", smallest,
             std::min(1.0, std::exp(smallest_tail) * static_cast<double>(std::size(kLevels))));
}

}  // namespace

void PrintIndependent(const std::vector<PairGroup>& groups) {
  fmt::print("| independent pairs | number | smallest p | D | Kolmogorov-Smirnov p |\n");
  fmt::print("| --- | ---: | ---: | ---: | ---: |\n");
  PairGroup all{.name = "all", .log10_p = {}};
  for (const PairGroup& group : groups) {
    PrintUniformity(group);
    all.log10_p.insert(all.log10_p.end(), group.log10_p.begin(), group.log10_p.end());
  }
  PrintUniformity(all);
}

void PrintDerived(const std::vector<PairGroup>& groups) {
  fmt::print("\n| derived | pairs | largest log10 p |\n| --- | ---: | ---: |\n");
  for (const PairGroup& group : groups) {
    fmt::print("| {} | {} | {:.1f} |\n", group.name, group.log10_p.size(),
               *std::max_element(group.log10_p.begin(), group.log10_p.end()));
  }
}

PartTable::PartTable() {
  for (const std::string_view name : kPartNames) parts_.push_back({std::string(name), {}});
  parts_.push_back({"all parts combined", {}});
}

void PartTable::Add(const DeepTest& test) {
  for (size_t i = 0; i < test.parts.size(); ++i) {
    if (test.parts[i].log10_p) parts_[i].log10_p.push_back(*test.parts[i].log10_p);
  }
  if (test.log10_p) parts_.back().log10_p.push_back(*test.log10_p);
}

void PartTable::Print() const {
  fmt::print("\n| part, on independent pairs | asked |");
  for (const double level : kLevels) fmt::print(" p <= {} |", level);
  fmt::print(" smallest p | chance of as many |\n| --- | ---: |");
  for (size_t i = 0; i < std::size(kLevels); ++i) fmt::print(" ---: |");
  fmt::print(" ---: | ---: |\n");
  for (const PairGroup& part : parts_) PrintLevels(part);
}

void LargestAgreement::Largest::Add(const DeepTestPart& part) {
  double agreeing = 0.0;
  double units = 0.0;
  for (const DeepTestLayer& found : part.layers) {
    layer = std::max(layer, found.effect);
    agreeing += found.effect * static_cast<double>(found.units);
    units += static_cast<double>(found.units);
  }
  if (units > 0.0) pooled = std::max(pooled, agreeing / units);
  log10_p = std::min(log10_p, part.log10_p.value_or(0.0));
}

void LargestAgreement::Add(const DeepTest& test) {
  for (const DeepTestPart& part : test.parts) {
    if (part.kind != PartKind::kOrder) (part.of_heads ? heads_ : units_).Add(part);
  }
}

void LargestAgreement::Print() const {
  fmt::print("\n| matched on independent pairs | over all layers | in one | smallest log10 p |\n");
  fmt::print("| --- | ---: | ---: | ---: |\n");
  const auto print = [](std::string_view name, const Largest& of) {
    fmt::print("| {} | {:.3f} | {:.3f} | {:.1f} |\n", name, of.pooled, of.layer, of.log10_p);
  };
  print("units", units_);
  print("channels of heads", heads_);
}

}  // namespace tensorguard::internal
