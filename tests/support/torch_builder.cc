#include "tests/support/torch_builder.h"

#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

std::string Numbers(const std::vector<int32_t>& numbers) {
  std::vector<std::string> items;
  for (const int32_t number : numbers) items.push_back(PickleNumber(number));
  return PickleTuple(items);
}

std::string Joined(const std::vector<std::string>& items) {
  std::string joined;
  for (const std::string& item : items) joined += item;
  return joined;
}

}  // namespace

std::string PickleText(const std::string& text) {
  return "X" + LittleEndian(static_cast<uint32_t>(text.size())) + text;
}

std::string PickleNumber(int32_t number) { return "J" + LittleEndian(number); }

std::string PickleGlobalName(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

std::string PickleTuple(const std::vector<std::string>& items) { return "(" + Joined(items) + "t"; }

std::string PickleList(const std::vector<std::string>& items) { return "](" + Joined(items) + "e"; }

std::string PickleDict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string dict = "}(";
  for (const auto& [key, value] : items) dict += PickleText(key) + value;
  return dict + "u";
}

std::string PickleCall(const std::string& function, const std::vector<std::string>& arguments) {
  return function + PickleTuple(arguments) + "R";
}

std::string WholePickle(const std::string& value) { return "\x80\x02" + value + "."; }

std::string PickleTensor(const BuiltTorchTensor& tensor) {
  const std::string storage =
      PickleTuple({PickleText("storage"), PickleGlobalName("torch", tensor.storage_type),
                   PickleText(tensor.storage_key), PickleText("cpu"),
                   PickleNumber(tensor.storage_elements)}) +
      "Q";
  return PickleCall(
      PickleGlobalName("torch._utils", "_rebuild_tensor_v2"),
      {storage, PickleNumber(tensor.first_element), Numbers(tensor.shape), Numbers(tensor.strides),
       "\x89", PickleCall(PickleGlobalName("collections", "OrderedDict"), {})});
}

std::string BuildTorchZip(const std::string& value,
                          const std::map<std::string, std::string>& storages,
                          const std::map<std::string, std::string>& other_entries) {
  std::vector<BuiltZipEntry> entries = {{"archive/data.pkl", WholePickle(value)}};
  for (const auto& [key, bytes] : storages) entries.push_back({"archive/data/" + key, bytes});
  for (const auto& [name, bytes] : other_entries) entries.push_back({"archive/" + name, bytes});
  return BuildZip(entries);
}

std::string BuildTorchLegacy(const std::string& value,
                             const std::map<std::string, std::string>& storages,
                             bool little_endian) {
  using namespace std::string_literals;
  std::string file = WholePickle("\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19"s) +
                     WholePickle(PickleNumber(1001)) +
                     WholePickle(PickleDict({{"protocol_version", PickleNumber(1001)},
                                             {"little_endian", little_endian ? "\x88" : "\x89"}})) +
                     WholePickle(value);
  std::vector<std::string> keys;
  for (const auto& [key, bytes] : storages) keys.push_back(PickleText(key));
  file += WholePickle(PickleList(keys));
  for (const auto& [key, bytes] : storages)
    file += LittleEndian<uint64_t>(bytes.size() / 4) + bytes;
  return file;
}

std::string FloatBytes(const std::vector<float>& numbers) {
  std::string bytes;
  for (const float number : numbers) bytes += LittleEndian(number);
  return bytes;
}

}  // namespace tensorguard::internal
