#include "full_profile/weight_summaries.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/parallel.h"
#include "full_profile/kernel_algebra.h"
#include "full_profile/weight_measures.h"

namespace tensorguard {
namespace {

uint64_t SketchedLength(const Weight& weight) {
  return weight.is_vector ? weight.rows : weight.columns;
}

// Probe matrices by length: a model has few lengths. Thread-safe.
class ProbeShelf {
 public:
  std::shared_ptr<const FloatMatrix> Of(uint64_t length) {
    const std::lock_guard lock(mutex_);
    auto& probes = by_length_[length];
    if (!probes) {
      if (by_length_.size() > kMostKept) Empty(length);
      by_length_[length] = std::make_shared<FloatMatrix>(ProbeMatrix(length));
    }
    return by_length_[length];
  }

 private:
  // A hostile model has many lengths.
  static constexpr size_t kMostKept = 16;

  void Empty(uint64_t length) {
    by_length_.clear();
    by_length_[length] = nullptr;
  }

  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<const FloatMatrix>> by_length_;
};

// The measures of one weight from its first block to its last.
struct Task {
  const Weight* weight = nullptr;
  uint64_t first_unit = 0;  // blocks of all weights are counted through
  std::once_flag started;
  std::unique_ptr<WeightMeasures> measures;
  std::atomic<uint64_t> blocks_left = 0;
};

uint64_t BlockCount(const Weight& weight) {
  const uint64_t rows = RowsPerMeasuredBlock(weight.columns);
  return (weight.rows + rows - 1) / rows;
}

uint64_t StoredBytesPerBlock(const TensorInfo& tensor, const Weight& weight) {
  const uint64_t rows = std::min(weight.rows, RowsPerMeasuredBlock(weight.columns));
  const double share = static_cast<double>(rows * weight.columns) /
                       static_cast<double>(std::max<uint64_t>(1, tensor.element_count));
  return static_cast<uint64_t>(share * static_cast<double>(tensor.stored_bytes));
}

}  // namespace

bool HasSketch(const Weight& weight) {
  const Role role = weight.role.role;
  const bool table = role == Role::kEmbedding || role == Role::kOutputHead;
  if (role == Role::kModality || (table && !weight.is_vector)) return false;
  return SketchedLength(weight) <= kLongestSketched;
}

Result<std::vector<WeightSummary>> SummariseWeights(const WeightSource& source,
                                                    std::span<const Weight> weights,
                                                    const SummaryOptions& options) {
  std::vector<const Weight*> kept;
  for (const Weight& weight : weights) {
    if (weight.role.expert.value_or(0) < kExpertsKept) kept.push_back(&weight);
  }
  std::vector<Task> tasks(kept.size());
  uint64_t units = 0;
  for (size_t i = 0; i < tasks.size(); ++i) {
    tasks[i].weight = kept[i];
    tasks[i].first_unit = units;
    tasks[i].blocks_left = BlockCount(*kept[i]);
    units += tasks[i].blocks_left;
  }

  std::vector<WeightSummary> summaries(tasks.size());
  ProbeShelf shelf;
  auto done = ParallelFor(units, options.threads, [&](size_t unit) -> Result<void> {
    const auto after = std::upper_bound(
        tasks.begin(), tasks.end(), unit,
        [](uint64_t wanted, const Task& task) { return wanted < task.first_unit; });
    Task& task = *std::prev(after);
    const Weight& weight = *task.weight;
    std::call_once(task.started, [&] {
      auto probes = HasSketch(weight) ? shelf.Of(SketchedLength(weight)) : nullptr;
      task.measures = std::make_unique<WeightMeasures>(source, weight, std::move(probes));
    });
    auto measured = task.measures->MeasureBlock(unit - task.first_unit);
    if (!measured) return measured;
    const TensorInfo& tensor = source.tensors()[weight.tensor_index];
    if (options.on_read) options.on_read(tensor.name, StoredBytesPerBlock(tensor, weight));
    if (task.blocks_left.fetch_sub(1) > 1) return {};
    auto summary = task.measures->Finish();
    task.measures.reset();
    if (!summary) return std::move(summary).error();
    summaries[static_cast<size_t>(&task - tasks.data())] = *std::move(summary);
    return {};
  });
  if (!done) return std::move(done).error();
  return summaries;
}

Result<FloatMatrix> SketchRows(const WeightSource& source, const Weight& table,
                               std::span<const uint32_t> rows) {
  const FloatMatrix probes = ProbeMatrix(table.columns);
  FloatMatrix sketch(rows.size(), kSketchSize);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = ReadWeightRows(source, table, rows[i], 1);
    if (!row) return row.error();
    std::array<double, kSketchSize> sums = {};
    for (uint64_t column = 0; column < table.columns; ++column) {
      const double value = row->values()[column];
      for (size_t probe = 0; probe < kSketchSize; ++probe) {
        sums[probe] += value * probes.Row(column)[probe];
      }
    }
    std::copy(sums.begin(), sums.end(), sketch.Row(i).begin());
  }
  if (!CanBeStored(sketch)) return TooLargeToSketch(source.tensors()[table.tensor_index]);
  return sketch;
}

}  // namespace tensorguard
