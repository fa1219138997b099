#include "transform/change.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

std::vector<Change> Gather() {
  std::vector<Change> all;
  for (std::vector<Change> group : {BasisChanges(), InertParts(), LayerChanges(), NameChanges(),
                                    TokenChanges(), WeightDamage(), ForeignParts()}) {
    std::ranges::move(group, std::back_inserter(all));
  }
  std::ranges::stable_sort(all, {}, &Change::keeps);
  return all;
}

Error BadStrength(const Change& change, std::string_view given) {
  if (change.strength.empty()) {
    return {.kind = ErrorKind::kUsage,
            .problem = fmt::format("{} has no strength", change.name),
            .found = std::string(given),
            .expected = std::string(change.name)};
  }
  return {.kind = ErrorKind::kUsage,
          .problem = fmt::format("no strength of {}", change.name),
          .found = std::string(given),
          .expected = fmt::format("{} from {} to {}", change.strength, change.least, change.most)};
}

Result<double> ParseStrength(const Change& change, std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failed == std::errc() && end == text.data() + text.size();
  const bool fits =
      whole && std::isfinite(number) && number >= change.least && number <= change.most;
  if (change.strength.empty() || !fits) return BadStrength(change, text);
  return number;
}

}  // namespace

const std::vector<Change>& AllChanges() {
  static const std::vector<Change> kChanges = Gather();
  return kChanges;
}

Result<const Change*> FindChange(std::string_view name) {
  std::vector<std::string> names;
  for (const Change& change : AllChanges()) {
    if (change.name == name) return &change;
    names.emplace_back(change.name);
  }
  Error error = {.kind = ErrorKind::kUsage,
                 .problem = "there is no such change",
                 .found = std::string(name),
                 .expected = "a name that transform --list shows"};
  if (const auto near = NearestName(name, names)) error.advice = *near;
  return error;
}

std::string_view KeepsName(Keeps keeps) {
  switch (keeps) {
    case Keeps::kFunction:
      return "kept";
    case Keeps::kNearly:
      return "nearly kept";
    case Keeps::kLittle:
      return "damaged";
  }
  return "";
}

Result<std::vector<ChosenChange>> ParseChanges(std::string_view text) {
  std::vector<ChosenChange> chosen;
  while (true) {
    const size_t comma = text.find(',');
    const std::string_view item = text.substr(0, comma);
    const size_t colon = item.find(':');
    TG_ASSIGN(const auto change, FindChange(item.substr(0, colon)));
    double strength = change->strengths.front();
    if (colon != item.npos) {
      TG_ASSIGN(const auto parsed, ParseStrength(*change, item.substr(colon + 1)));
      strength = parsed;
    }
    chosen.push_back({change, strength});
    if (comma == text.npos) return chosen;
    text.remove_prefix(comma + 1);
  }
}

Result<void> ApplyChange(const ChosenChange& chosen, uint64_t seed, const Decoder* other,
                         Decoder& model) {
  const Change& change = *chosen.change;
  if (change.second == SecondModel::kNeeded && other == nullptr) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = fmt::format("{} needs a second model", change.name),
                 .expected = "a model whose parts it takes",
                 .advice = "name one with --with-model"};
  }
  auto applied = change.apply({model, chosen.strength, seed, other});
  if (applied) return applied;
  Error error = applied.error();
  error.problem = fmt::format("{}: {}", change.name, error.problem);
  return error;
}

Error DoesNotFit(std::string found, std::string expected, std::string advice) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "this change does not fit the model",
          .found = std::move(found),
          .expected = std::move(expected),
          .advice = std::move(advice)};
}

}  // namespace tensorguard::internal
