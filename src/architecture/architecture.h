// From names, shapes and config.json to the role of every tensor.
#ifndef TENSORGUARD_ARCHITECTURE_ARCHITECTURE_H_
#define TENSORGUARD_ARCHITECTURE_ARCHITECTURE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "roles/role.h"
#include "weights/weight_source.h"

namespace tensorguard::internal {

struct Architecture {
  std::string name = {};      // "llama", "gpt_neox", ...; "generic" where none is known
  std::string known_by = {};  // "config" or "names": what the name was told from
  bool tied_head = false;     // the output head is the embedding; false and no kOutputHead: no head
  std::string main_stack = {};  // "", or "decoder" of an encoder-decoder
  uint32_t layers = 0;  // that are stored for the main stack (a layer used again counts once)
  std::vector<TensorRole> roles = {};   // parallel to the tensors
  std::vector<size_t> unassigned = {};  // indices of tensors of two or more dimensions with kOther
};

// Never fails: what no table row knows gets the generic reading, and kOther in the end. `config` is
// null where there is none. Where no tensor has a shape only names are read, and `unassigned` lists
// every weight with kOther.
Architecture Understand(const Json& config, std::span<const TensorInfo> tensors);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_ARCHITECTURE_ARCHITECTURE_H_
