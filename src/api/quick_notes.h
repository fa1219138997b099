// What a quick answer rests on, and how sure it is.
#ifndef TENSORGUARD_API_QUICK_NOTES_H_
#define TENSORGUARD_API_QUICK_NOTES_H_

#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal {

// One sentence for each of `models` that was read in part, then how far the answer can be trusted;
// none where everything was read.
std::vector<std::string> QuickNotes(const Comparison& comparison,
                                    const std::vector<const Fingerprint*>& models);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_API_QUICK_NOTES_H_
