// What the files beside a model say of where it comes from: claims, nothing that was measured.
#ifndef TENSORGUARD_API_INSPECTION_DECLARED_FACTS_H_
#define TENSORGUARD_API_INSPECTION_DECLARED_FACTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace tensorguard::internal {

struct DeclaredBase {
  std::string name;   // raw text of the file
  std::string where;  // "README.md", "config.json", "adapter_config.json", "metadata"
};

// The bases that the card's front matter, the adapter's config or the model's config name. A file
// that cannot be read declares nothing.
std::vector<DeclaredBase> DeclaredBases(const Model& model);

// "base_model" of the front matter of a card: one name, or a list of them. At most 64 names.
std::vector<std::string> BasesOfCard(std::string_view card);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_INSPECTION_DECLARED_FACTS_H_
