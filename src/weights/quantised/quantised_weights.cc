#include "weights/quantised/quantised_weights.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <set>
#include <utility>
#include <vector>

#include "base/try.h"
#include "weights/quantised/foreign_quantisers.h"
#include "weights/quantised/quantisation_scheme.h"
#include "weights/quantised/unused_biases.h"

namespace tensorguard::internal {
namespace {

// Tiles that are decoded at once and tiles that are kept take 1 MiB and 4 MiB at most.
constexpr uint64_t kTileElements = 1 << 18;
constexpr uint64_t kKeptElements = 1 << 20;

// In the order in which they are asked; each knows its own names and types.
constexpr std::array<ReadScheme, 8> kSchemes = {
    ReadGptqOrAwq, ReadCompressedTensor, ReadBitsandbytes, ReadMlx, ReadMxfp4,
    ReadHqq,       ReadBitnet,           ReadScaledNumbers};

// Where a tensor of the table comes from.
struct Origin {
  size_t stored = 0;  // passed on, if there is no decoder
  std::shared_ptr<const TensorDecoder> decoder = {};
  bool input_major = false;
  uint64_t rows_together = 1;
};

struct TableRow {
  TensorInfo info;
  Origin origin;
};

// The last tile that a thread has decoded: rows that share words with their neighbours are asked
// for one after the other.
struct KeptTile {
  uint64_t source = 0;  // 0: none
  size_t tensor = 0;
  Tile tile;
  std::vector<float> values;

  bool Holds(uint64_t wanted_source, size_t wanted_tensor, const Tile& wanted) const {
    return source == wanted_source && tensor == wanted_tensor &&
           wanted.first_column == tile.first_column && wanted.columns == tile.columns &&
           wanted.first_row >= tile.first_row &&
           wanted.first_row + wanted.rows <= tile.first_row + tile.rows;
  }
};

KeptTile& ThreadsKeptTile() {
  thread_local KeptTile kept;
  return kept;
}

// Never given twice: a source that is gone leaves nothing behind for a new one.
uint64_t NewSourceNumber() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

class QuantisedWeights : public WeightSource {
 public:
  QuantisedWeights(std::shared_ptr<const WeightSource> stored, std::vector<TableRow> rows)
      : stored_(std::move(stored)), number_(NewSourceNumber()) {
    for (TableRow& row : rows) {
      tensors_.push_back(std::move(row.info));
      origins_.push_back(std::move(row.origin));
    }
  }

  const std::vector<TensorInfo>& tensors() const override { return tensors_; }

  Result<void> ReadFloat32(size_t tensor_index, uint64_t first_element,
                           std::span<float> out) const override {
    const Origin& origin = origins_[tensor_index];
    if (!origin.decoder) return stored_->ReadFloat32(origin.stored, first_element, out);
    const uint64_t columns = tensors_[tensor_index].shape.back();
    while (!out.empty()) {
      const Tile tile = NextTile(tensor_index, first_element, out.size(), columns);
      const auto part = out.first(tile.element_count());
      auto read = ReadTile(tensor_index, tile, part);
      if (!read) {
        const TensorInfo& info = tensors_[tensor_index];
        return std::move(read).error().InTensor(info.name).InFile(info.file);
      }
      out = out.subspan(part.size());
      first_element += part.size();
    }
    return {};
  }

  bool IsBFloat16(size_t tensor_index) const override {
    const Origin& origin = origins_[tensor_index];
    return origin.decoder ? tensors_[tensor_index].dtype == DType::kBF16
                          : stored_->IsBFloat16(origin.stored);
  }

  Result<void> ReadBFloat16(size_t tensor_index, uint64_t first_element,
                            std::span<BFloat16> out) const override {
    const Origin& origin = origins_[tensor_index];
    if (!origin.decoder) return stored_->ReadBFloat16(origin.stored, first_element, out);
    thread_local std::vector<float> numbers;
    numbers.resize(out.size());
    auto read = ReadFloat32(tensor_index, first_element, numbers);
    if (!read) return read;
    std::transform(numbers.begin(), numbers.end(), out.begin(), RoundToBFloat16);  // exact
    return {};
  }

  Result<void> ReadBytes(size_t tensor_index, uint64_t first_byte,
                         std::span<std::byte> out) const override {
    const Origin& origin = origins_[tensor_index];
    if (origin.decoder) return WeightSource::ReadBytes(tensor_index, first_byte, out);
    return stored_->ReadBytes(origin.stored, first_byte, out);
  }

 private:
  // Rows of one of the matrices that are stacked in the tensor.
  uint64_t MatrixRows(size_t tensor) const {
    const auto& shape = tensors_[tensor].shape;
    return shape.size() < 2 ? 1 : shape[shape.size() - 2];
  }

  // Whole rows, as many as fit, of one matrix; or what is asked for of a row.
  Tile NextTile(size_t tensor, uint64_t first, uint64_t count, uint64_t columns) const {
    const uint64_t row = first / columns;
    const uint64_t column = first % columns;
    if (column != 0 || count < columns || columns > kTileElements) {
      return {row, 1, column, std::min({count, columns - column, kTileElements})};
    }
    const uint64_t left = MatrixRows(tensor) - row % MatrixRows(tensor);
    return {row, std::min({count / columns, kTileElements / columns, left}), 0, columns};
  }

  Result<void> ReadTile(size_t tensor, const Tile& tile, std::span<float> out) const {
    const uint64_t together = std::min(origins_[tensor].rows_together,
                                       std::max<uint64_t>(1, kKeptElements / tile.columns));
    if (tile.rows >= together) return Decode(tensor, tile, out);
    KeptTile& kept = ThreadsKeptTile();
    const uint64_t matrix_rows = MatrixRows(tensor);
    for (uint64_t done = 0; done < tile.rows;) {
      const uint64_t row = tile.first_row + done;
      const uint64_t in_matrix = row % matrix_rows;
      const uint64_t begin = in_matrix - in_matrix % together;
      const uint64_t end = std::min(begin + together, matrix_rows);
      const uint64_t rows = std::min(tile.rows - done, end - in_matrix);
      const Tile wanted = {row, rows, tile.first_column, tile.columns};
      if (!kept.Holds(number_, tensor, wanted)) {
        kept.source = 0;
        kept.tile = {row - in_matrix + begin, end - begin, tile.first_column, tile.columns};
        kept.tensor = tensor;
        kept.values.resize(kept.tile.element_count());
        auto read = Decode(tensor, kept.tile, kept.values);
        if (!read) return read;
        kept.source = number_;
      }
      std::copy_n(
          kept.values.begin() + static_cast<ptrdiff_t>((row - kept.tile.first_row) * tile.columns),
          rows * tile.columns, out.begin() + static_cast<ptrdiff_t>(done * tile.columns));
      done += rows;
    }
    return {};
  }

  Result<void> Decode(size_t tensor, const Tile& tile, std::span<float> out) const {
    const Origin& origin = origins_[tensor];
    if (!origin.input_major) return origin.decoder->Decode(*stored_, tile, out);
    const uint64_t matrix_rows = MatrixRows(tensor);
    const uint64_t matrix_columns = tensors_[tensor].shape.back();
    const Tile turned = {tile.first_row / matrix_rows * matrix_columns + tile.first_column,
                         tile.columns, tile.first_row % matrix_rows, tile.rows};
    std::vector<float> values(out.size());
    auto read = origin.decoder->Decode(*stored_, turned, values);
    if (!read) return read;
    for (uint64_t r = 0; r < tile.rows; ++r) {
      for (uint64_t c = 0; c < tile.columns; ++c) {
        out[r * tile.columns + c] = values[c * tile.rows + r];
      }
    }
    return {};
  }

  std::shared_ptr<const WeightSource> stored_;
  uint64_t number_;
  std::vector<TensorInfo> tensors_;
  std::vector<Origin> origins_;  // of tensors_, in the same order
};

struct Recognised {
  std::vector<QuantisedTensor> tensors;
  std::vector<bool> used;  // of the stored tensors
  bool quantised = false;  // something is, or the config says so
};

Error InPlace(Error error, const TensorInfo& tensor) {
  return std::move(error).InTensor(tensor.name).InFile(tensor.file);
}

Result<Recognised> RecogniseAll(const SchemeInput& input) {
  const auto& stored = input.stored.source().tensors();
  Recognised recognised = {{}, std::vector<bool>(stored.size()), !input.config.method.empty()};
  for (size_t i = 0; i < stored.size(); ++i) {
    for (const ReadScheme& read_scheme : kSchemes) {
      auto tensor = read_scheme(input, i);
      if (!tensor) return InPlace(std::move(tensor).error(), stored[i]);
      if (!*tensor) continue;
      for (const size_t part : (*tensor)->parts) recognised.used[part] = true;
      recognised.tensors.push_back(**std::move(tensor));
      recognised.quantised = true;
      break;
    }
  }
  return recognised;
}

// "model.layers.0.mlp.up_proj" of its weight.
std::string ModuleOf(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(0, dot);
}

// A quantised layer holds what its scheme has, and a bias. More would be a scheme that only looks
// like the known one.
Result<void> CheckSiblings(const Recognised& recognised, const std::vector<TensorInfo>& stored,
                           const QuantisationConfig& config) {
  std::set<std::string> modules;
  std::set<std::string> names;
  for (const QuantisedTensor& tensor : recognised.tensors) {
    names.insert(tensor.info.name);
    if (tensor.info.name.ends_with(".weight")) modules.insert(ModuleOf(tensor.info.name));
  }
  for (size_t i = 0; i < stored.size(); ++i) {
    const TensorInfo& tensor = stored[i];
    if (recognised.used[i] || IsActivationScale(tensor, recognised.quantised)) continue;
    if (MayBeCodes(tensor)) return UnknownCodes(tensor, config);
    if (tensor.name.ends_with(".bias") || names.contains(tensor.name) ||
        !modules.contains(ModuleOf(tensor.name))) {
      continue;
    }
    return Error{.kind = ErrorKind::kUnsupported,
                 .problem = "quantised layer has a tensor whose meaning is not known",
                 .file = tensor.file,
                 .tensor = tensor.name,
                 .advice = "use the model that was quantised, or convert this one to bfloat16"};
  }
  return {};
}

// A model that was only cast to FP8 has no scales at all; where others have some, or the config
// speaks of a quantiser, a matrix without any is one whose scales are lost.
Result<void> CheckFp8Scales(const Recognised& recognised, const std::vector<TensorInfo>& stored,
                            const QuantisationConfig& config) {
  const auto is_scaled = [&](const QuantisedTensor& tensor) {
    return IsFp8(stored[tensor.parts[0]].dtype);  // the codes
  };
  if (config.method.empty() &&
      std::none_of(recognised.tensors.begin(), recognised.tensors.end(), is_scaled)) {
    return {};
  }
  for (size_t i = 0; i < stored.size(); ++i) {
    const TensorInfo& tensor = stored[i];
    if (recognised.used[i] || !IsFp8(tensor.dtype) || tensor.shape.size() < 2) continue;
    return LacksPart(tensor, fmt::format("{0}_scale or {0}_scale_inv", tensor.name));
  }
  return {};
}

// Before anything is recognised: parts of a foreign scheme may look like those of a known one.
Result<void> RefuseForeign(const std::vector<TensorInfo>& stored,
                           const QuantisationConfig& config) {
  const bool quantised =
      !config.method.empty() || std::any_of(stored.begin(), stored.end(), MayBeCodes);
  for (const TensorInfo& tensor : stored) {
    if (auto foreign = ForeignCodes(tensor, config, quantised)) return *std::move(foreign);
  }
  return {};
}

Result<void> CheckUnique(const std::vector<TableRow>& rows) {
  const auto twin = std::adjacent_find(
      rows.begin(), rows.end(),
      [](const TableRow& a, const TableRow& b) { return a.info.name == b.info.name; });
  if (twin == rows.end()) return {};
  return Error{.problem = "weight is stored twice, quantised and as it is",
               .file = twin->info.file,
               .tensor = twin->info.name};
}

}  // namespace

Result<std::shared_ptr<const WeightSource>> DequantiseWeights(
    std::shared_ptr<const WeightSource> stored, const QuantisationConfig& config) {
  const StoredTensors by_name(*stored);
  const SchemeInput input = {by_name, config};
  TG_TRY(RefuseForeign(stored->tensors(), config));
  TG_ASSIGN(auto recognised, RecogniseAll(input));
  const auto& tensors = stored->tensors();
  TG_TRY(CheckSiblings(recognised, tensors, config));
  TG_TRY(CheckFp8Scales(recognised, tensors, config));
  TG_ASSIGN(const auto unused, FindUnusedBiases(*stored, recognised.tensors));
  std::vector<TableRow> rows;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const bool of_quantiser =
        recognised.used[i] || IsActivationScale(tensors[i], recognised.quantised);
    if (of_quantiser || unused.contains(i)) continue;
    rows.push_back({tensors[i], {.stored = i}});
  }
  if (recognised.tensors.empty() && rows.size() == tensors.size()) return stored;
  for (QuantisedTensor& tensor : recognised.tensors) {
    rows.push_back({std::move(tensor.info),
                    {.decoder = std::move(tensor.decoder),
                     .input_major = tensor.input_major,
                     .rows_together = tensor.rows_together}});
  }
  std::sort(rows.begin(), rows.end(),
            [](const TableRow& a, const TableRow& b) { return a.info.name < b.info.name; });
  TG_TRY(CheckUnique(rows));
  return std::shared_ptr<const WeightSource>(
      std::make_shared<QuantisedWeights>(std::move(stored), std::move(rows)));
}

}  // namespace tensorguard::internal
