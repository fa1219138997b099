#include "fingerprint/file/weight_index.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/checked.h"
#include "base/json/json_members.h"
#include "base/try.h"
#include "fingerprint/sketches/probe_numbers.h"
#include "safetensors/dtype.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kLargestCount = uint64_t{1} << 53;
constexpr uint64_t kLargestId = 0xffff'fffe;
// Names of all weights together: a kind's long name may be that of very many.
constexpr uint64_t kLargestNames = uint64_t{128} << 20;
// What every weight takes in the file's tensors at least.
constexpr uint64_t kLeastWeightBytes =
    5 * sizeof(double) + kSummaryQuantiles.size() * sizeof(float) + sizeof(WeightDigest);

constexpr std::string_view kLayerPlace = "{layer}";
constexpr std::string_view kExpertPlace = "{expert}";

std::vector<std::string_view> RoleNames() {
  std::vector<std::string_view> names;
  for (int role = 0; role <= static_cast<int>(Role::kOther); ++role) {
    names.push_back(RoleName(static_cast<Role>(role)));
  }
  return names;
}

std::vector<std::string_view> PackingNames() {
  std::vector<std::string_view> names;
  for (int packing = 0; packing <= static_cast<int>(Packing::kQuartersQueryValueKey); ++packing) {
    names.push_back(PackingName(static_cast<Packing>(packing)));
  }
  return names;
}

std::vector<std::string_view> DTypeNames() {
  std::vector<std::string_view> names;
  for (const DTypeInfo& info : AllDTypes()) names.push_back(info.name);
  for (const DTypeInfo& info : AllBlockTypes()) names.push_back(info.name);
  return names;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The first place from `begin` on where the number stands alone; npos if there is none.
size_t FindNumber(std::string_view name, std::string_view number, size_t begin) {
  for (size_t at = name.find(number, begin); at != std::string_view::npos;
       at = name.find(number, at + 1)) {
    const size_t end = at + number.size();
    const bool alone =
        (at == 0 || !IsDigit(name[at - 1])) && (end == name.size() || !IsDigit(name[end]));
    if (alone) return at;
  }
  return std::string_view::npos;
}

// Puts `place` where the number first stands alone; returns where the text goes on.
size_t Generalise(std::string& name, std::optional<uint32_t> number, std::string_view place,
                  size_t begin) {
  if (!number) return begin;
  const std::string digits = std::to_string(*number);
  const size_t at = FindNumber(name, digits, begin);
  if (at == std::string::npos) return begin;
  name = fmt::format("{}{}{}", name.substr(0, at), place, name.substr(at + digits.size()));
  return at + place.size();
}

void Specialise(std::string& name, std::optional<uint32_t> number, std::string_view place) {
  const size_t at = number ? name.find(place) : std::string::npos;
  if (at == std::string::npos) return;
  name = fmt::format("{}{}{}", name.substr(0, at), *number, name.substr(at + place.size()));
}

std::string NameFrom(const std::string& pattern, const TensorRole& role) {
  std::string name = pattern;
  Specialise(name, role.layer, kLayerPlace);
  Specialise(name, role.expert, kExpertPlace);
  return name;
}

std::string PatternOf(const std::string& name, const TensorRole& role) {
  std::string pattern = name;
  const size_t behind_layer = Generalise(pattern, role.layer, kLayerPlace, 0);
  Generalise(pattern, role.expert, kExpertPlace, behind_layer);
  return NameFrom(pattern, role) == name ? pattern : name;
}

Json KindToJson(const WeightSummary& weight) {
  const TensorRole& role = weight.role;
  Json json = {{"tensor", PatternOf(weight.tensor, role)},
               {"role", RoleName(role.role)},
               {"rows", weight.rows},
               {"columns", weight.columns},
               {"dtype", weight.dtype}};
  if (!weight.quantisation.empty()) json["quantisation"] = weight.quantisation;
  if (weight.is_vector) json["vector"] = true;
  if (!weight.sketch.values().empty()) json["sketch"] = true;
  if (!weight.row_sample.digests.empty()) json["row_sample"] = true;
  if (weight.digest_as_bfloat16) json["as_bfloat16"] = true;
  if (weight.digest_as_float16) json["as_float16"] = true;
  if (role.is_bias) json["bias"] = true;
  if (role.shared_expert) json["shared_expert"] = true;
  if (role.input_major) json["input_major"] = true;
  if (role.cross_attention) json["cross_attention"] = true;
  if (role.packing != Packing::kNone) json["packing"] = PackingName(role.packing);
  if (!role.stack.empty()) json["stack"] = role.stack;
  return json;
}

struct Kind {
  WeightSummary weight;  // without layer, expert and matrices
  bool has_sketch = false;
  bool has_row_sample = false;
};

Result<Kind> KindFromJson(const Json& json, const std::string& where) {
  static const std::vector<std::string_view> kRoles = RoleNames();
  static const std::vector<std::string_view> kPackings = PackingNames();
  static const std::vector<std::string_view> kDTypes = DTypeNames();
  JsonMembers members(json, where);
  Kind kind;
  WeightSummary& weight = kind.weight;
  weight.tensor = members.Text("tensor");
  weight.rows = members.Number("rows", 1, kLargestCount);
  weight.columns = members.Number("columns", 1, kLargestCount);
  weight.dtype = kDTypes[members.Choice("dtype", kDTypes)];
  weight.quantisation = members.TextOr("quantisation", "");
  weight.is_vector = members.FlagOrFalse("vector");
  kind.has_sketch = members.FlagOrFalse("sketch");
  kind.has_row_sample = members.FlagOrFalse("row_sample");
  if (members.FlagOrFalse("as_bfloat16")) weight.digest_as_bfloat16.emplace();
  if (members.FlagOrFalse("as_float16")) weight.digest_as_float16.emplace();
  TensorRole& role = weight.role;
  role.role = static_cast<Role>(members.Choice("role", kRoles));
  role.is_bias = members.FlagOrFalse("bias");
  role.shared_expert = members.FlagOrFalse("shared_expert");
  role.input_major = members.FlagOrFalse("input_major");
  role.cross_attention = members.FlagOrFalse("cross_attention");
  if (json.is_object() && json.contains("packing")) {
    role.packing = static_cast<Packing>(members.Choice("packing", kPackings));
  }
  role.stack = members.TextOr("stack", "");
  TG_TRY(members.Finish());
  if (!CheckedMultiply(weight.rows, weight.columns) || (weight.is_vector && weight.columns != 1)) {
    return Error{.kind = ErrorKind::kBadFile,
                 .problem = where + " has an impossible shape",
                 .found = fmt::format("{} rows, {} columns", weight.rows, weight.columns)};
  }
  if (weight.columns >= 4) weight.two_of_four_fraction = 0;
  if (weight.columns >= 32) weight.distinct_per_32 = 0;
  if (weight.columns >= 256) weight.distinct_per_256 = 0;
  return kind;
}

bool IsNumber(const Json& json, uint64_t most) {
  return json.is_number_unsigned() && json.get<uint64_t>() <= most;
}

// Whether `json` is what IndexOfWeights writes of one weight.
bool IsEntry(const Json& json, size_t kinds) {
  if (!json.is_array() || json.empty() || json.size() > 3) return false;
  if (kinds == 0 || !IsNumber(json[0], kinds - 1)) return false;
  if (json.size() > 1 && !json[1].is_null() && !IsNumber(json[1], kLargestId)) return false;
  return json.size() < 3 || IsNumber(json[2], kLargestId);
}

WeightSummary WeightOf(const Kind& kind, const Json& entry, MatrixBudget& budget) {
  WeightSummary weight = kind.weight;
  if (entry.size() > 1 && !entry[1].is_null()) weight.role.layer = entry[1].get<uint32_t>();
  if (entry.size() > 2) weight.role.expert = entry[2].get<uint32_t>();
  weight.tensor = NameFrom(weight.tensor, weight.role);
  if (kind.has_sketch) weight.sketch = budget.Take(weight.is_vector ? 1 : kSketchSize, kSketchSize);
  if (kind.has_row_sample) {
    const uint64_t rows = FixedSample(weight.rows, kMostSampledRows).size();
    if (budget.Spend(rows * sizeof(uint32_t))) weight.row_sample.digests.resize(rows);
    weight.row_sample.projections = budget.Take(rows, kRowProjections);
  }
  return weight;
}

}  // namespace

WeightIndex IndexOfWeights(std::span<const WeightSummary> weights) {
  WeightIndex index = {.kinds = Json::array(), .weights = Json::array()};
  std::map<std::string, size_t> numbers;
  for (const WeightSummary& weight : weights) {
    Json kind = KindToJson(weight);
    const auto [known, is_new] = numbers.emplace(
        kind.dump(-1, ' ', false, Json::error_handler_t::replace), index.kinds.size());
    if (is_new) index.kinds.push_back(std::move(kind));
    Json entry = Json::array({known->second});
    const TensorRole& role = weight.role;
    if (role.layer || role.expert) entry.push_back(role.layer ? Json(*role.layer) : Json());
    if (role.expert) entry.push_back(*role.expert);
    index.weights.push_back(std::move(entry));
  }
  return index;
}

Result<std::vector<WeightSummary>> WeightsOfIndex(const Json& kinds, const Json& weights,
                                                  MatrixBudget& budget) {
  std::vector<Kind> known;
  for (size_t i = 0; i < kinds.size(); ++i) {
    TG_ASSIGN(auto kind, KindFromJson(kinds[i], fmt::format("weight_kinds[{}]", i)));
    known.push_back(std::move(kind));
  }
  std::vector<WeightSummary> found;
  uint64_t name_bytes = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!IsEntry(weights[i], known.size())) {
      return Error{
          .kind = ErrorKind::kBadFile,
          .problem = fmt::format("weights[{}] is no weight", i),
          .expected = fmt::format("[kind below {}], with a layer, with an expert", known.size())};
    }
    if (!budget.Spend(kLeastWeightBytes)) break;
    found.push_back(WeightOf(known[weights[i][0].get<size_t>()], weights[i], budget));
    name_bytes += found.back().tensor.size() + found.back().quantisation.size() +
                  found.back().role.stack.size();
    if (name_bytes > kLargestNames) {
      return Error{.kind = ErrorKind::kBadFile,
                   .problem = "the names of the weights are too long",
                   .expected = fmt::format("at most {} bytes together", kLargestNames)};
    }
  }
  return found;
}

}  // namespace tensorguard::internal
