#include "report/origin_grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "roles/layer_place.h"

namespace tensorguard::internal {
namespace {

std::string NameOf(const LayerPlace& place) {
  return place.first.empty() ? fmt::format("{}", place.second)
                             : fmt::format("{} {}", place.first, place.second);
}

Origin MostOf(const OriginCounts& counts) {
  return *std::max_element(kOrigins.begin(), kOrigins.end(),
                           [&](Origin x, Origin y) { return counts.Of(x) < counts.Of(y); });
}

void AddTo(OriginCell& cell, const PartOrigin& part) {
  cell.counts.Add(part.counts);
  cell.origin = MostOf(cell.counts);
}

// Positions of the layers and roles that have a matrix, in ascending order.
template <typename Key>
std::map<Key, size_t> Numbered(std::map<Key, size_t> keys) {
  size_t next = 0;
  for (auto& [key, number] : keys) number = next++;
  return keys;
}

}  // namespace

OriginGrid GridOf(const Fingerprint& model, const ModelOrigins& origins) {
  std::map<LayerPlace, size_t> layers;
  std::map<Role, size_t> roles;
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    if (weight.is_vector || !weight.role.layer) continue;
    layers.emplace(LayerPlace(weight.role.stack, *weight.role.layer), 0);
    roles.emplace(weight.role.role, 0);
  }
  layers = Numbered(std::move(layers));
  roles = Numbered(std::move(roles));
  OriginGrid grid;
  for (const auto& [place, number] : layers) grid.column_names.push_back(NameOf(place));
  for (const auto& [role, number] : roles) grid.row_names.emplace_back(RoleName(role));
  grid.cells.assign(roles.size(), std::vector<std::optional<OriginCell>>(layers.size()));
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    if (weight.is_vector) continue;
    if (weight.role.layer) {
      const size_t column = layers.at({weight.role.stack, *weight.role.layer});
      auto& cell = grid.cells[roles.at(weight.role.role)][column];
      if (!cell) cell.emplace();
      AddTo(*cell, part);
    } else {
      grid.outside.push_back({weight.tensor, {}});
      AddTo(grid.outside.back().cell, part);
    }
  }
  return grid;
}

std::string_view OriginText(Origin origin) {
  switch (origin) {
    case Origin::kSame:
      return "the same numbers";
    case Origin::kChanged:
      return "the same weights, changed";
    case Origin::kRewritten:
      return "the same function in another basis";
    case Origin::kNothing:
      return "nothing found";
    case Origin::kNotComparable:
      return "cannot be compared";
    case Origin::kNotRead:
      break;
  }
  return "not read";
}

std::string ShareText(double share) {
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share < 1 && share >= 0.9995) return ">99.9%";
  return fmt::format("{:.1f}%", 100 * share);
}

char OriginLetter(Origin origin) {
  constexpr std::string_view kLetters = "=~r.?-";
  return kLetters[static_cast<size_t>(origin)];
}

}  // namespace tensorguard::internal
