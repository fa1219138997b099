// Whose matrices a model holds, number for number.
#ifndef TENSORGUARD_SEARCH_SHARED_PARTS_H_
#define TENSORGUARD_SEARCH_SHARED_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "registry/models.h"
#include "registry/registry.h"

namespace tensorguard::internal {

// Layers in a row of the model that are layers in a row of another one; or a part that is in no
// layer (the embedding, the head).
struct SharedRun {
  std::string part = {};  // of one outside of layers its role; else empty
  std::string stack = {};
  std::string other_stack = {};
  uint32_t begin = 0;  // the first layer, and the layer after the last
  uint32_t end = 0;
  uint32_t other_begin = 0;
  size_t equal = 0;  // matrices that are the same
  size_t all = 0;    // matrices that the layers of the model have
};

struct SharedModel {
  ModelRecord model;
  std::vector<SharedRun> runs;
  size_t equal = 0;  // matrices, counted once
  double share = 0;  // of the model's matrices by parameters
};

struct SharedMatrices {
  size_t matrices = 0;                   // that were looked up
  std::vector<SharedModel> models = {};  // most shared first
  // Matrices that more models hold than were looked at; the rest of their models is not told.
  size_t too_common = 0;
};

// By the first 8 bytes of the digests, each hit confirmed by all 16. Models with the fingerprint
// `except` are left out. Errors: those of the registry.
Result<SharedMatrices> FindSharedParts(Registry& registry, const Fingerprint& model,
                                       std::optional<int64_t> except = {});

// Fingerprints that hold so many of the model's matrices at least, most first. Not confirmed.
struct PartHit {
  int64_t fingerprint = 0;
  size_t layers = 0;    // of the model, with a matrix that it has
  size_t matrices = 0;  // of the model, that it has
};
Result<std::vector<PartHit>> FindPartHits(Registry& registry, const Fingerprint& model);

// Tensors that several models hold.
struct DuplicateSet {
  std::vector<std::string> models;  // by name
  size_t matrices = 0;              // that all of them hold
  // As stored, if each were kept once; of plain types, without the codes of quantisers.
  uint64_t saved_bytes = 0;
};
struct Duplicates {
  std::vector<DuplicateSet> sets;  // most bytes first
  uint64_t saved_bytes = 0;
};
// Reads the fingerprints that share anything. Errors: those of the registry.
Result<Duplicates> FindDuplicates(Registry& registry);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_SEARCH_SHARED_PARTS_H_
