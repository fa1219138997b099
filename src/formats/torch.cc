#include "formats/torch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/json.h"
#include "base/text.h"
#include "formats/torch_archive.h"
#include "formats/torch_state.h"
#include "formats/zip.h"

namespace tensorguard {
namespace {

constexpr uint64_t kStartBytes = 512;
constexpr uint64_t kTarMagicBegin = 257;
// Tied weights are counted twice, repeated layers as often as they are named; an expanded tensor of
// a few bytes may say that it holds petabytes.
constexpr uint64_t kMostTimesTheFile = 1024;
constexpr uint64_t kAlwaysReadBytes = 64 << 20;

Result<TorchArchive> OpenArchive(const ByteSource& source) {
  const auto start = ReadBytes(source, 0, std::min(source.size_bytes, kStartBytes));
  if (!start) return start.error();
  if (start->starts_with(kZipMagic)) return OpenTorchZip(source);
  if (start->starts_with(kTorchLegacyMagic)) return OpenTorchLegacy(source);
  if (IsGitLfsPointer(*start)) return GitLfsPointerError("");
  const bool tar = start->size() > kTarMagicBegin &&
                   std::string_view(*start).substr(kTarMagicBegin).starts_with("ustar");
  Error error = {.problem = "not a PyTorch file",
                 .byte_offset = 0,
                 .found = EscapeControl(start->substr(0, 16)),
                 .expected = "a zip archive, or the magic number of the form before 2020"};
  if (tar) {
    error.kind = ErrorKind::kUnsupported;
    error.problem = "a tar archive, the form of PyTorch before 2018, is not read";
    error.advice = "load and save the file once with a current PyTorch";
  } else if (start->starts_with('\x80')) {
    error.kind = ErrorKind::kUnsupported;
    error.problem = "a Python pickle that PyTorch did not write is not read";
  }
  return error;
}

}  // namespace

Result<TensorTable> ReadTorchTable(const ByteSource& source) {
  auto archive = OpenArchive(source);
  if (!archive) return std::move(archive).error();
  auto state = FindTorchState(archive->pickle);
  if (!state) return std::move(state).error();
  const uint64_t most_bytes =
      CheckedMultiply(source.size_bytes, kMostTimesTheFile).value_or(~uint64_t{0});
  uint64_t bytes = 0;
  TensorTable table;
  for (const NamedTensor& named : state->tensors) {
    auto entry = ReadTorchTensor(archive->pickle, named.tensor, archive->find);
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
  if (!state->left_out.empty()) {
    table.metadata.emplace(kTorchLeftOut, fmt::format("{}", fmt::join(state->left_out, ", ")));
  }
  return table;
}

Result<TensorTable> ReadTorchTable(const File& file) {
  auto table = ReadTorchTable(SourceOf(file));
  if (!table) return std::move(table).error().InFile(file.path());
  return table;
}

}  // namespace tensorguard
