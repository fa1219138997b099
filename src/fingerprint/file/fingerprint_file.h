// NAME.fingerprint.safetensors: an ordinary safetensors file (docs/formats/fingerprint.md).
#ifndef TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_FILE_H_
#define TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fingerprint/fingerprint.h"
#include "safetensors/tensor_table.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

inline constexpr std::string_view kFingerprintSuffix = ".fingerprint.safetensors";

// Whether the file's metadata say that it is a fingerprint, of whatever version. Errors: those of
// File::Open and ReadSafetensorsTable.
Result<bool> HoldsFingerprint(const std::filesystem::path& path);

// The bytes of the file. Equal fingerprints give equal bytes. Errors: kUsage for a quick
// fingerprint; those of StartOfSafetensors, without a file.
// REQUIRES: as WriteFingerprint.
Result<std::vector<std::byte>> EncodeFingerprint(const Fingerprint& fingerprint);

// Errors: those of EncodeFingerprint and AtomicFile.
// REQUIRES: the fingerprint was computed or read (its kernels have one size, and so on).
Result<void> WriteFingerprint(const Fingerprint& fingerprint, const std::filesystem::path& path);

// What was written: AsStored of it. Every number is checked. Errors: those of File::Open and
// ReadSafetensorsTable; kBadFile, naming the tensor or the member of the index, for a file that
// this program would not have written; kUnsupported for another version than
// kFingerprintVersion.
Result<Fingerprint> ReadFingerprint(const std::filesystem::path& path);

// The same of a file in memory; `name` stands for its path in errors.
Result<Fingerprint> ReadFingerprintBytes(std::span<const std::byte> bytes, const std::string& name);

// The same of a file that lies elsewhere: `read` fills its argument from that byte of it on.
using ReadBytes = std::function<Result<void>(uint64_t offset_bytes, std::span<std::byte> out)>;
Result<Fingerprint> DecodeFingerprint(const TensorTable& table, uint64_t file_bytes,
                                      const ReadBytes& read);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_FINGERPRINT_FILE_FINGERPRINT_FILE_H_
