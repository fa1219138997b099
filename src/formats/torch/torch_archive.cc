#include "formats/torch/torch_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/checked.h"
#include "base/text.h"
#include "base/try.h"
#include "formats/archives/zip.h"

namespace tensorguard::internal {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";
constexpr uint64_t kLongestByteOrder = 16;
constexpr size_t kLongestRoot = 255;  // of a file name's length

Error BigEndian() {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "file was written on a big-endian machine, which is not read",
          .advice = "load and save it once on a little-endian machine"};
}

Error TorchScript(std::string found) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "file is a TorchScript program, not a model's weights",
          .found = std::move(found),
          .advice = "save the state_dict() of torch.jit.load(FILE)"};
}

// PyTorch's reader tells names apart by more than case, and takes the archive's name from the first
// entry: whatever does not agree with that could be another model to it.
Result<void> CheckAsPyTorchReads(const ZipDirectory& directory, const std::string& root) {
  if (!directory.first_name.starts_with(root + "/")) {
    return Error{.problem = "zip archive's first entry is not of the PyTorch file in it",
                 .found = directory.first_name,
                 .expected = fmt::format("a name that begins with {}/", root)};
  }
  std::vector<std::string> names;
  names.reserve(directory.entries.size());
  for (const ZipEntry& entry : directory.entries) names.push_back(LowerAscii(entry.name));
  std::sort(names.begin(), names.end());
  const auto twin = std::adjacent_find(names.begin(), names.end());
  if (twin == names.end()) return {};
  return Error{.problem = "names of two zip entries differ by case alone, which PyTorch ignores",
               .found = *twin};
}

// "archive" of "archive/data.pkl".
Result<std::string> RootOf(const ZipDirectory& directory) {
  const ZipEntry* pickle = nullptr;
  for (const ZipEntry& entry : directory.entries) {
    if (!entry.name.ends_with(kPickleName)) continue;
    const std::string_view root =
        std::string_view(entry.name).substr(0, entry.name.size() - kPickleName.size());
    if (root.find('/') != root.npos) continue;
    if (pickle != nullptr) return Error{.problem = "zip archive holds two PyTorch files"};
    pickle = &entry;
  }
  if (pickle != nullptr && pickle->name.size() <= kLongestRoot + kPickleName.size()) {
    return pickle->name.substr(0, pickle->name.size() - kPickleName.size());
  }
  Error error = {.kind = ErrorKind::kUnsupported,
                 .problem = "zip archive is not one that PyTorch writes",
                 .expected = "an entry NAME/data.pkl",
                 .advice = "unpack it (unzip FILE) and give the path of the model that it held"};
  if (!directory.entries.empty()) error.found = directory.entries[0].name;
  return error;
}

Result<void> CheckKind(const ByteSource& source, const ZipDirectory& directory,
                       const std::string& root) {
  const std::string code = root + "/code/";
  for (const ZipEntry& entry : directory.entries) {
    if (entry.name == root + "/constants.pkl" || entry.name.starts_with(code)) {
      return TorchScript(entry.name);
    }
  }
  const ZipEntry* order = directory.Find(root + "/byteorder");
  if (order == nullptr) return {};
  if (order->deflated || order->size_bytes > kLongestByteOrder) {
    return Error{.problem = "byte order of the numbers is not understood"};
  }
  TG_ASSIGN(auto text, ReadBytes(source, order->begin_bytes, order->end_bytes));
  if (text == "little") return {};
  if (text == "big") return BigEndian();
  return Error{.problem = "byte order of the numbers is not understood",
               .byte_offset = order->begin_bytes,
               .found = text};
}

Error Packed(const ZipEntry& entry) {
  return {.kind = ErrorKind::kUnsupported,
          .problem = "zip entry is packed, which PyTorch never does",
          .byte_offset = entry.begin_bytes,
          .found = entry.name,
          .advice = "load and save the file once with PyTorch"};
}

Result<StorageRange> FindInZip(const ZipDirectory& directory, const std::string& root,
                               const TorchStorage& storage) {
  const std::string name = fmt::format("{}/data/{}", root, storage.key);
  const ZipEntry* entry = directory.Find(name);
  if (entry == nullptr) return Error{.problem = "tensor's storage is missing", .found = name};
  if (entry->deflated) return Packed(*entry);
  if (entry->size_bytes != storage.bytes()) {
    return Error{.problem = "storage has another length than the tensor says",
                 .byte_offset = entry->begin_bytes,
                 .found = fmt::format("{} bytes", entry->size_bytes),
                 .expected = fmt::format("{} bytes", storage.bytes())};
  }
  return StorageRange{entry->begin_bytes, entry->end_bytes};
}

// Of the machine that wrote the file.
Result<void> CheckMachine(const Pickle& pickle) {
  const PickleValue& machine = pickle[pickle.root];
  if (machine.kind != PickleKind::kDict) {
    return Error{.problem = "description of the machine that wrote the file is not understood"};
  }
  for (size_t i = 0; i + 1 < machine.items.size(); i += 2) {
    if (pickle[machine.items[i]].text != "little_endian") continue;
    const PickleValue& little = pickle[machine.items[i + 1]];
    if (little.kind == PickleKind::kBool && little.integer == 0) return BigEndian();
  }
  return {};
}

// Python's loaders make a storage once for a key, and a part of one once for its own key: whoever
// mentions it later gets that one, whatever else is said of it.
bool SameStorage(const TorchStorage& a, const TorchStorage& b) {
  return a.key == b.key && a.dtype == b.dtype && a.untyped == b.untyped && a.elements == b.elements;
}

bool SamePart(const TorchStorage& a, const TorchStorage& b) {
  return SameStorage(a, b) && a.part_key == b.part_key && a.first_element == b.first_element &&
         a.part_elements == b.part_elements;
}

using Storages = std::map<std::string, TorchStorage>;

// All that the pickle mentions, by key.
Result<Storages> StoragesOf(const Pickle& pickle) {
  Storages storages;
  Storages parts;
  for (PickleRef ref = 0; ref < pickle.values.size(); ++ref) {
    if (pickle[ref].kind != PickleKind::kPersistent) continue;
    TG_ASSIGN(const auto storage, ReadTorchStorage(pickle, ref));
    const auto [known, is_new] = storages.try_emplace(storage.key, storage);
    if (!is_new && !SameStorage(known->second, storage)) {
      return Error{.problem = "storage is said to have two types or lengths", .found = storage.key};
    }
    if (storage.part_key.empty()) continue;
    const auto [part, is_new_part] = parts.try_emplace(storage.part_key, storage);
    if (is_new_part || SamePart(part->second, storage)) continue;
    return Error{.problem = "part of a storage is said to lie in two places",
                 .found = storage.part_key};
  }
  for (const auto& [key, part] : parts) {
    if (storages.contains(key)) {
      return Error{.problem = "part of a storage has the key of a storage", .found = key};
    }
  }
  return storages;
}

using Ranges = std::map<std::string, StorageRange>;

// Each storage of the list, from the cursor's place on.
Result<Ranges> LocateStorages(const ByteSource& source, uint64_t begin_bytes, const Pickle& keys,
                              const Storages& storages) {
  Ranges ranges;
  const PickleValue& list = keys[keys.root];
  if (list.kind != PickleKind::kList) return Error{.problem = "file has no list of its storages"};
  for (const PickleRef item : list.items) {
    const std::string& key = keys[item].text;
    const auto storage = storages.find(key);
    if (keys[item].kind != PickleKind::kText || storage == storages.end()) {
      return Error{.problem = "file lists a storage that no tensor has", .found = key};
    }
    ByteCursor cursor(source, begin_bytes, sizeof(uint64_t));
    const auto elements = cursor.Number<uint64_t>();
    if (!elements) return elements.error();
    if (*elements != storage->second.elements) {
      return Error{.problem = "storage has another length than the tensor says",
                   .byte_offset = begin_bytes,
                   .found = fmt::format("{} elements", *elements),
                   .expected = fmt::format("{} elements", storage->second.elements)};
    }
    const uint64_t data_begin = cursor.position_bytes();
    if (storage->second.bytes() > source.size_bytes - data_begin) {
      return Error{.problem = "storage ends past the end of the file",
                   .byte_offset = data_begin,
                   .found = fmt::format("{} bytes", storage->second.bytes()),
                   .expected = fmt::format("at most {}", source.size_bytes - data_begin),
                   .advice = "fetch the file again; the download was probably cut short"};
    }
    begin_bytes = data_begin + storage->second.bytes();
    if (!ranges.emplace(key, StorageRange{data_begin, begin_bytes}).second) {
      return Error{.problem = "file lists a storage twice", .found = key};
    }
  }
  return ranges;
}

}  // namespace

Result<TorchArchive> OpenTorchZip(const ByteSource& source) {
  TG_ASSIGN(auto opened, ReadZipDirectory(source));
  const auto directory = std::make_shared<const ZipDirectory>(std::move(opened));
  const auto root = RootOf(*directory);
  if (!root) return root.error();
  TG_TRY(CheckAsPyTorchReads(*directory, *root));
  TG_TRY(CheckKind(source, *directory, *root));
  const ZipEntry& entry = *directory->Find(*root + std::string(kPickleName));
  if (entry.deflated) return Packed(entry);
  const ByteSource inside = {.read = source.read, .size_bytes = entry.end_bytes};
  ByteCursor cursor(inside, entry.begin_bytes, kPickleLimitBytes);
  TG_ASSIGN(auto pickle, ReadPickle(cursor));
  TG_TRY(StoragesOf(pickle));
  return TorchArchive{std::move(pickle), [directory, root = *root](const TorchStorage& storage) {
                        return FindInZip(*directory, root, storage);
                      }};
}

Result<TorchArchive> OpenTorchLegacy(const ByteSource& source) {
  ByteCursor cursor(source, 0, kPickleLimitBytes);
  for (const bool machine : {false, false, true}) {
    TG_ASSIGN(auto before, ReadPickle(cursor));
    TG_TRY(machine ? CheckMachine(before) : Result<void>());
  }
  TG_ASSIGN(auto pickle, ReadPickle(cursor));
  TG_ASSIGN(auto keys, ReadPickle(cursor));
  TG_ASSIGN(auto storages, StoragesOf(pickle));
  auto ranges = LocateStorages(source, cursor.position_bytes(), keys, storages);
  if (!ranges) return std::move(ranges).error();
  return TorchArchive{std::move(pickle),
                      [ranges = std::make_shared<const Ranges>(*std::move(ranges))](
                          const TorchStorage& storage) -> Result<StorageRange> {
                        const auto found = ranges->find(storage.key);
                        if (found != ranges->end()) return found->second;
                        return Error{.problem = "tensor's storage is missing",
                                     .found = storage.key};
                      }};
}

}  // namespace tensorguard::internal
