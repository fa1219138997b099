#include "weights/native/parallel_shards.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "base/try.h"

namespace tensorguard::internal {
namespace {

enum class Split { kNone, kRows, kColumns };

struct SplitRow {
  std::string_view ending;
  Split split;
};

constexpr std::array kSplits = std::to_array<SplitRow>({
    {"attention.wq.weight", Split::kRows},
    {"attention.wk.weight", Split::kRows},
    {"attention.wv.weight", Split::kRows},
    {"attention.wo.weight", Split::kColumns},
    {"feed_forward.w1.weight", Split::kRows},
    {"feed_forward.w2.weight", Split::kColumns},
    {"feed_forward.w3.weight", Split::kRows},
    {"norm.weight", Split::kNone},
    {"rope.freqs", Split::kNone},
});

std::optional<Split> SplitOf(const TensorInfo& tensor, uint64_t width) {
  if (tensor.name == "output.weight") return Split::kRows;
  if (tensor.name == "tok_embeddings.weight" && tensor.shape.size() == 2) {
    return tensor.shape[1] == width ? Split::kRows : Split::kColumns;
  }
  for (const SplitRow& row : kSplits) {
    if (tensor.name.ends_with(row.ending)) return row.split;
  }
  return {};
}

class JoinedShards : public WeightSource {
 public:
  JoinedShards(std::vector<std::shared_ptr<const WeightSource>> shards,
               std::vector<TensorInfo> tensors, std::vector<Split> splits)
      : shards_(std::move(shards)), tensors_(std::move(tensors)), splits_(std::move(splits)) {}

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    return ReadPieces(tensor_index, first_element, out,
                      [&](const WeightSource& shard, uint64_t first, std::span<float> piece) {
                        return shard.ReadFloat32(tensor_index, first, piece);
                      });
  }

  bool IsBFloat16(size_t tensor_index) const override {
    return shards_[0]->IsBFloat16(tensor_index);
  }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    return ReadPieces(tensor_index, first_element, out,
                      [&](const WeightSource& shard, uint64_t first, std::span<BFloat16> piece) {
                        return shard.ReadBFloat16(tensor_index, first, piece);
                      });
  }

 private:
  // A stretch of one shard's elements after the other: whole shards, or rows of them.
  template <typename Number, typename Read>
  Result<void> ReadPieces(size_t tensor_index, uint64_t element, std::span<Number> out,
                          Read read) const {
    const TensorInfo& own = shards_[0]->tensors()[tensor_index];
    const Split split = splits_[tensor_index];
    if (split == Split::kNone) return read(*shards_[0], element, out);
    // Elements that follow each other in one shard before those of the next come.
    const uint64_t run = split == Split::kRows ? own.element_count : own.shape[1];
    while (!out.empty()) {
      const uint64_t piece = element / run;
      const uint64_t in_run = element % run;
      const uint64_t shard = piece % shards_.size();
      const uint64_t before = piece / shards_.size() * run;  // rows of that shard above
      const auto part = out.first(std::min<uint64_t>(out.size(), run - in_run));
      TG_TRY(read(*shards_[shard], before + in_run, part));
      out = out.subspan(part.size());
      element += part.size();
    }
    return {};
  }

  std::vector<std::shared_ptr<const WeightSource>> shards_;
  std::vector<TensorInfo> tensors_;
  std::vector<Split> splits_;
};

Result<void> CheckAlike(const WeightSource& first, const WeightSource& shard) {
  if (shard.tensors().size() != first.tensors().size()) {
    return Error{.problem = "shards for several processors hold different tensors",
                 .file = shard.tensors().empty() ? std::string() : shard.tensors()[0].file,
                 .found = fmt::format("{} tensors", shard.tensors().size()),
                 .expected = fmt::format("{}, as in the first", first.tensors().size())};
  }
  for (size_t i = 0; i < first.tensors().size(); ++i) {
    const TensorInfo& a = first.tensors()[i];
    const TensorInfo& b = shard.tensors()[i];
    if (a.name == b.name && a.shape == b.shape && a.dtype == b.dtype) continue;
    return Error{.problem = "shards for several processors differ in a tensor",
                 .file = b.file,
                 .tensor = b.name,
                 .found = fmt::format("{} [{}]", InfoOf(b.dtype).name, fmt::join(b.shape, ", ")),
                 .expected = fmt::format("{}: {} [{}]", a.name, InfoOf(a.dtype).name,
                                         fmt::join(a.shape, ", "))};
  }
  return {};
}

uint64_t WidthOf(const WeightSource& shard) {
  const auto norm =
      std::ranges::find(shard.tensors(), std::string_view("norm.weight"),
                        [](const TensorInfo& tensor) { return std::string_view(tensor.name); });
  return norm == shard.tensors().end() ? 0 : norm->element_count;
}

}  // namespace

Result<std::shared_ptr<const WeightSource>> JoinParallelShards(
    std::vector<std::shared_ptr<const WeightSource>> shards) {
  for (const auto& shard : shards) TG_TRY(CheckAlike(*shards[0], *shard));
  const uint64_t width = WidthOf(*shards[0]);
  std::vector<TensorInfo> tensors = shards[0]->tensors();
  std::vector<Split> splits;
  for (TensorInfo& tensor : tensors) {
    const auto split = SplitOf(tensor, width);
    const bool is_matrix = tensor.shape.size() == 2 && tensor.element_count > 0;
    if (!split || (*split != Split::kNone && !is_matrix)) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .problem = "it is not known how the tensor is split over several processors",
                   .file = tensor.file,
                   .tensor = tensor.name,
                   .expected = "the tensors of a Llama in the layout of Meta",
                   .advice = "convert the model to the form of Hugging Face first"};
    }
    splits.push_back(*split);
    if (*split == Split::kNone) continue;
    tensor.shape[*split == Split::kRows ? 0 : 1] *= shards.size();
    tensor.element_count *= shards.size();
    tensor.stored_bytes *= shards.size();
  }
  return std::shared_ptr<const WeightSource>(
      std::make_shared<JoinedShards>(std::move(shards), std::move(tensors), std::move(splits)));
}

}  // namespace tensorguard::internal
