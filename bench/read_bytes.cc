// read_bytes THREADS FOLDER TENSOR...: reads what the paper profile must read of a safetensors
// model, as often as it must: the named tensors, and for each of their widths the first matrix of
// that width, which makes the adversarial input. That one is read on its own even if it is named
// too, because its response to the adversarial input can only be asked once the input is known. The
// time that this takes is the floor for the profile.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/parallel.h"
#include "safetensors/safetensors.h"

namespace tensorguard::internal {
namespace {

constexpr uint64_t kBlockBytes = 4 << 20;  // one thread's read at a time

struct StoredTensor {
  std::shared_ptr<const File> file;
  TensorEntry entry;
};

struct Block {
  const File* file;
  uint64_t begin_bytes;
  uint64_t size_bytes;
};

using Tensors = std::map<std::string, StoredTensor, std::less<>>;

Result<Tensors> OpenModel(const std::filesystem::path& folder) {
  Tensors tensors;
  std::error_code failure;
  for (const auto& item : std::filesystem::directory_iterator(folder, failure)) {
    if (item.path().extension() != ".safetensors") continue;
    auto file = File::Open(item.path());
    if (!file) return file.error();
    auto table = ReadSafetensorsTable(**file);
    if (!table) return table.error();
    for (TensorEntry& entry : table->tensors) tensors[entry.name] = {*file, entry};
  }
  if (failure) {
    return Error{.kind = ErrorKind::kSystem, .problem = failure.message()}.InFile(folder.string());
  }
  return tensors;
}

// The tensors in the order in which the profile reads them.
Result<std::vector<StoredTensor>> Choose(const Tensors& all,
                                         const std::vector<std::string_view>& names) {
  std::vector<StoredTensor> chosen;
  std::set<uint64_t> widths;
  for (const std::string_view name : names) {
    const auto found = all.find(name);
    if (found == all.end() || found->second.entry.shape.size() != 2) {
      return Error{.kind = ErrorKind::kNotFound, .problem = "no such matrix"}.InTensor(name);
    }
    const uint64_t width = found->second.entry.shape[1];
    const auto first_of_width = std::find_if(all.begin(), all.end(), [&](const auto& candidate) {
      const auto& shape = candidate.second.entry.shape;
      return shape.size() == 2 && shape[1] == width;
    });
    if (widths.insert(width).second) chosen.push_back(first_of_width->second);
    chosen.push_back(found->second);
  }
  return chosen;
}

std::vector<Block> BlocksOf(const std::vector<StoredTensor>& tensors) {
  std::vector<Block> blocks;
  for (const StoredTensor& tensor : tensors) {
    for (uint64_t begin = tensor.entry.data_begin_bytes; begin < tensor.entry.data_end_bytes;
         begin += kBlockBytes) {
      blocks.push_back(
          {tensor.file.get(), begin, std::min(kBlockBytes, tensor.entry.data_end_bytes - begin)});
    }
  }
  return blocks;
}

Result<void> ReadOnce(const std::vector<Block>& blocks, unsigned threads) {
  return ParallelFor(blocks.size(), threads, [&](size_t i) {
    thread_local std::vector<std::byte> buffer(kBlockBytes);
    return blocks[i].file->ReadAt(blocks[i].begin_bytes,
                                  std::span(buffer).first(blocks[i].size_bytes));
  });
}

int Fail(const Error& error) {
  fmt::print(stderr, "read_bytes: {}\n", DescribeError(error));
  return 2;
}

int Main(const std::vector<std::string_view>& arguments) {
  unsigned threads = 0;
  if (arguments.size() < 3 ||
      std::from_chars(arguments[0].begin(), arguments[0].end(), threads).ptr !=
          arguments[0].end()) {
    fmt::print(stderr, "usage: read_bytes THREADS FOLDER TENSOR...\n");
    return 2;
  }
  const auto begin = std::chrono::steady_clock::now();
  const auto all = OpenModel(arguments[1]);
  if (!all) return Fail(all.error());
  const auto chosen = Choose(*all, {arguments.begin() + 2, arguments.end()});
  if (!chosen) return Fail(chosen.error());
  const std::vector<Block> blocks = BlocksOf(*chosen);
  if (auto done = ReadOnce(blocks, threads); !done) return Fail(done.error());

  uint64_t bytes = 0;
  for (const Block& block : blocks) bytes += block.size_bytes;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  fmt::print("{} bytes in {} passes over tensors, {:.4f} s\n", bytes, chosen->size(),
             seconds.count());
  return 0;
}

}  // namespace
}  // namespace tensorguard::internal

int main(int argc, char** argv) {
  return tensorguard::internal::Main(std::vector<std::string_view>(argv + 1, argv + argc));
}
