// A model of text without its token embedding.
#ifndef TENSORGUARD_NETWORK_MISSING_EMBEDDING_H_
#define TENSORGUARD_NETWORK_MISSING_EMBEDDING_H_

#include <vector>

#include "model/model.h"
#include "network/missing_parts.h"
#include "network/network.h"

namespace tensorguard::internal {

// Where no token embedding is there, but an output head is stored or the config states a
// vocabulary, and nothing else is there that inputs could enter by (patches, sound). None or one
// part.
std::vector<MissingPart> FindMissingEmbedding(const Model& model, const Network& network);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_NETWORK_MISSING_EMBEDDING_H_
