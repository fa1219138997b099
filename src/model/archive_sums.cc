#include "model/archive_sums.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <span>
#include <string_view>

#include "base/text.h"
#include "base/try.h"
#include "formats/archives/zip_sums.h"
#include "formats/numpy/numpy.h"
#include "formats/weight_format.h"

namespace tensorguard::internal {
namespace {

Result<bool> IsZip(const File& file) {
  std::string start(std::min<uint64_t>(file.size_bytes(), kZipMagic.size()), '\0');
  TG_TRY(file.ReadAt(0, std::as_writable_bytes(std::span(start))));
  return start == kZipMagic;
}

Error OtherSum(const std::string& path, const std::string& entry) {
  return Error{.problem = "array does not have the checksum that the archive states",
               .file = path,
               .tensor = entry,
               .expected = "bytes with the stated CRC-32, without which NumPy loads none",
               .advice = "fetch the file again; it was damaged, or changed after it was written"};
}

std::string NoteOn(std::string_view file, const std::vector<std::string>& entries) {
  const std::string more =
      entries.size() > 1 ? fmt::format(" and {} more", entries.size() - 1) : std::string();
  return fmt::format(
      "checksums do not fit: {}{} of {}; the file was damaged, changed after it was written, or "
      "written without checksums; PyTorch loads it all the same",
      entries.front(), more, file);
}

}  // namespace

Result<std::vector<std::string>> NotesOnArchiveSums(const Model& model, unsigned threads) {
  std::vector<std::string> notes;
  if (model.files != LocalFiles()) return notes;
  std::set<std::string> paths;
  for (const TensorInfo& tensor : model.weights->tensors()) paths.insert(tensor.file);
  for (const std::string& path : paths) {
    // Weights may come from memory, too.
    TG_ASSIGN(const auto exists, model.files->Exists(path));
    if (!exists) continue;
    TG_ASSIGN(const auto file, model.files->Open(path));
    TG_ASSIGN(const auto is_zip, IsZip(*file));
    if (!is_zip) continue;
    auto entries = EntriesWithOtherSums(SourceOf(*file), threads);
    if (!entries) return std::move(entries).error().InFile(path);
    if (entries->empty()) continue;
    const FormatNames* format = FormatOfWeightName(path);
    if (format != nullptr && format->format == kNumpyFormat) {
      return OtherSum(path, entries->front());
    }
    notes.push_back(NoteOn(std::filesystem::path(path).filename().string(), *entries));
  }
  return notes;
}

}  // namespace tensorguard::internal
