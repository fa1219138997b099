#include "formats/torch/torch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/json.h"
#include "base/text.h"
#include "base/try.h"
#include "formats/archives/archive.h"
#include "formats/archives/zip.h"
#include "formats/torch/torch_archive.h"
#include "formats/torch/torch_state.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kStartBytes = 512;
constexpr uint64_t kTarMagicBegin = 257;
// 0x1950a86a20f9469cfc6c as a pickle writes it: ten bytes, lowest first.
constexpr std::string_view kLegacyMagic = "\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19";
// Tied weights are counted twice, repeated layers as often as they are named; an expanded tensor of
// a few bytes may say that it holds petabytes.
constexpr uint64_t kMostTimesTheFile = 1024;
constexpr uint64_t kAlwaysReadBytes = 64 << 20;

Result<TorchArchive> OpenArchive(const ByteSource& source) {
  TG_ASSIGN(const auto start, ReadBytes(source, 0, std::min(source.size_bytes, kStartBytes)));
  if (start.starts_with(kZipMagic)) return OpenTorchZip(source);
  if (StartsAsTorchLegacy(start)) {
    // Python's loader tries tar first.
    if (HasTarChecksum(start)) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "file is a tar archive and a PyTorch file at once",
                   .advice = "load and save the file once with a PyTorch that you trust"};
    }
    return OpenTorchLegacy(source);
  }
  if (IsGitLfsPointer(start)) return GitLfsPointerError("");
  const bool tar = start.size() > kTarMagicBegin &&
                   std::string_view(start).substr(kTarMagicBegin).starts_with("ustar");
  Error error = {.problem = "not a PyTorch file",
                 .byte_offset = 0,
                 .expected = "a zip archive, or the magic number of the form before 2020"};
  if (tar) {
    error.kind = ErrorKind::kUnsupported;
    error.problem = "a tar archive, the form of PyTorch before 2018, is not read";
    error.advice = "load and save the file once with a current PyTorch";
  } else if (start.starts_with('\x80')) {
    error.kind = ErrorKind::kUnsupported;
    error.problem = "a Python pickle that PyTorch did not write is not read";
  }
  return error;
}

}  // namespace

bool StartsAsTorchLegacy(std::string_view start) {
  constexpr size_t kProtocolBytes = 2;
  constexpr size_t kFrameBytes = 9;  // from protocol 4 on
  if (!start.starts_with('\x80') || start.size() <= kProtocolBytes) return false;
  start.remove_prefix(kProtocolBytes);
  if (start.front() == '\x95') start.remove_prefix(std::min(kFrameBytes, start.size()));
  return start.starts_with(kLegacyMagic);
}

Result<TensorTable> ReadTorchTable(const ByteSource& source) {
  TG_ASSIGN(auto archive, OpenArchive(source));
  TG_ASSIGN(auto state, FindTorchState(archive.pickle));
  const uint64_t most_bytes =
      CheckedMultiply(source.size_bytes, kMostTimesTheFile).value_or(~uint64_t{0});
  uint64_t bytes = 0;
  TensorTable table;
  for (const TorchNamedTensor& named : state.tensors) {
    auto entry = ReadTorchTensor(archive.pickle, named.tensor, archive.find);
    if (!entry) return std::move(entry).error().InTensor(named.name);
    entry->name = named.name;
    // PlaceTensor bounds the range, not how often an expanded tensor repeats it.
    const auto own = CheckedMultiply(entry->element_count, InfoOf(entry->dtype).bits / 8);
    const auto sum = own ? CheckedAdd(bytes, *own) : std::nullopt;
    if (!sum || (*sum > most_bytes && *sum > kAlwaysReadBytes)) {
      return Error{.problem = "tensors say they hold far more than the file does",
                   .tensor = named.name,
                   .found = fmt::format("shape [{}]", fmt::join(entry->shape, ", ")),
                   .expected = fmt::format("in all at most {} times the file's {} bytes",
                                           kMostTimesTheFile, source.size_bytes)};
    }
    bytes = *sum;
    table.tensors.push_back(*std::move(entry));
  }
  if (!state.left_out.empty()) {
    table.metadata.emplace(kTorchLeftOut, fmt::format("{}", fmt::join(state.left_out, ", ")));
  }
  return table;
}

Result<TensorTable> ReadTorchTable(const File& file) {
  auto table = ReadTorchTable(SourceOf(file));
  if (!table) return std::move(table).error().InFile(file.path());
  return table;
}

}  // namespace tensorguard::internal
