// Of what arguments name, the full fingerprints that are worth a comparison with one.
#ifndef TENSORGUARD_CLI_MODELS_NEAREST_FINGERPRINTS_H_
#define TENSORGUARD_CLI_MODELS_NEAREST_FINGERPRINTS_H_

#include <string>
#include <vector>

#include "cli/models/fingerprints.h"

namespace tensorguard::internal::cli {

// `shortfall` counts all that the arguments name; `read` are the nearest of them.
using NearestFingerprints = ManyFingerprints;

// Every source of every argument (SourcesOf). Few of them are all read; of many only the signatures
// are (models without a fingerprint file are fingerprinted), and the files of those that
// ShortlistOf names. A bad one does not keep the others from being read.
NearestFingerprints NearestOfAll(const Fingerprint& unknown,
                                 const std::vector<std::string>& arguments,
                                 const FingerprintReading& reading, Console& console);

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_MODELS_NEAREST_FINGERPRINTS_H_
