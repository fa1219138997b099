// Of what arguments name, the full fingerprints that are worth a comparison with one.
#ifndef TENSORGUARD_API_READING_NEAREST_FINGERPRINTS_H_
#define TENSORGUARD_API_READING_NEAREST_FINGERPRINTS_H_

#include <string>
#include <vector>

#include "api/fingerprints.h"
#include "api/registry/registry_search.h"

namespace tensorguard::internal {

// `shortfall` counts all that the arguments name; `read` are the nearest of them.
struct NearestFingerprints : ManyFingerprints {
  SearchSummary searched = {};  // of the registries among the arguments
};

// Every source of every argument (SourcesOf). Few of them are all read; of many only the signatures
// are (models without a fingerprint file are fingerprinted), and the files of those that
// ShortlistOf names; of a registry those that ShortlistOfRegistry names. A bad one does not keep
// the others from being read. Errors: kCancelled.
Result<NearestFingerprints> NearestOfAll(const Fingerprint& unknown,
                                         const std::vector<std::string>& arguments,
                                         const FingerprintReading& reading, const Session& session);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_READING_NEAREST_FINGERPRINTS_H_
