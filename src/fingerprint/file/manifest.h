// The text in a fingerprint file's metadata: what its numbers belong to.
#ifndef TENSORGUARD_FINGERPRINT_FILE_MANIFEST_H_
#define TENSORGUARD_FINGERPRINT_FILE_MANIFEST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// More than any model has: a bound on what a hostile file makes us allocate.
inline constexpr size_t kMostLayers = 10'000;

// JSON in UTF-8; what is not UTF-8 in names comes out with replacement characters.
std::string IndexToText(const Fingerprint& fingerprint);

// A fingerprint whose numbers are zeros in matrices of the right shapes, which are no larger than a
// file of `file_bytes` can hold. Errors: kBadFile, without a file, that names the member: one that
// is missing, of the wrong type, out of its bounds, or unknown.
Result<Fingerprint> IndexFromText(std::string_view text, uint64_t file_bytes);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FILE_MANIFEST_H_
