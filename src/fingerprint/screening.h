// A small signature of a fingerprint, to find its few nearest among very many
// (docs/decisions/008-screening.md).
#ifndef TENSORGUARD_FINGERPRINT_SCREENING_H_
#define TENSORGUARD_FINGERPRINT_SCREENING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Of each layer: its three normalised kernels, and its learned matrices together.
inline constexpr size_t kScreenedParts = 4;
// A cosine is estimated with a standard error of at most 1 / sqrt(kScreeningLength).
inline constexpr size_t kScreeningLength = 64;

class ScreeningSignature {
 public:
  // REQUIRES: whole layers, kScreenedParts * kScreeningLength numbers each.
  explicit ScreeningSignature(std::vector<int8_t> numbers);

  size_t layers() const { return inverse_norms_.size(); }
  // [layers, kScreenedParts, kScreeningLength]; a part that the layer does not have is all zero.
  std::span<const int8_t> numbers() const { return numbers_; }
  std::span<const int8_t> Layer(size_t layer) const;
  // 1 over the norm of each part; 0 for one that is not there.
  const std::array<float, kScreenedParts>& InverseNorms(size_t layer) const {
    return inverse_norms_[layer];
  }

 private:
  std::vector<int8_t> numbers_;
  std::vector<std::array<float, kScreenedParts>> inverse_norms_;
};

// Count sketches (Charikar, Chen, Farach-Colton 2002) of the kernels as NormaliseKernels makes them
// over all anchors of the fingerprint, entry (t, s) added with a sign and to a place that hang on
// the two anchors' strings (row anchors: on row and vocabulary size), and of the sum of the layer's
// learned matrices' sketches at norm 1, keyed by role and shape. So the scalar product of two
// signatures estimates that of the vectors, over the anchors both have. Layers as in
// Fingerprint::layers. Thread-safe.
ScreeningSignature ScreeningOf(const Fingerprint& fingerprint);

// Reads the signature alone out of a fingerprint file. Errors: those of ReadFingerprint that
// concern the header, the version and this tensor; kBadFile if its digest is another one.
Result<ScreeningSignature> ReadScreening(const std::filesystem::path& path);
// The same of a file in memory; `name` stands for its path in errors.
Result<ScreeningSignature> ReadScreeningBytes(std::span<const std::byte> bytes,
                                              const std::string& name);

// Whether `stored` is the fingerprint's own, but for rounding: numbers differ by 1 at most, which
// the last bits of another processor can make. Error: kBadFile.
Result<void> CheckScreening(const ScreeningSignature& stored, const Fingerprint& fingerprint);
// The same where the fingerprint's own has been computed already.
Result<void> CheckScreening(const ScreeningSignature& stored, const ScreeningSignature& own);

// Names in the file: the tensor, and its digest among the metadata.
inline constexpr const char* kScreeningTensor = "screening";
inline constexpr const char* kScreeningDigestKey = "tensorguard.screening";
// BLAKE3 of the numbers as 64 hexadecimal digits.
std::string ScreeningDigest(std::span<const int8_t> numbers);

// In [0, 1], by the same formula as a comparison's score: estimated cosines of kernels and of
// weights along the best monotone alignment of the layers, over the depth of the shallower model.
// Noise makes it positive for independent models, too. Thread-safe.
double ScreeningScore(const ScreeningSignature& a, const ScreeningSignature& b);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_SCREENING_H_
