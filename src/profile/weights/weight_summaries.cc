#include "profile/weights/weight_summaries.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/parallel.h"
#include "base/try.h"
#include "fingerprint/kernels/kernel_algebra.h"
#include "profile/weights/weight_measures.h"

namespace tensorguard::internal {
namespace {

uint64_t SketchedLength(const Weight& weight) {
  return weight.is_vector ? weight.rows : weight.columns;
}

uint64_t StoredBytes(const TensorInfo& tensor, const Weight& weight, const WeightBlock& block) {
  const double share = static_cast<double>(block.rows * weight.columns) /
                       static_cast<double>(std::max<uint64_t>(1, tensor.element_count));
  return static_cast<uint64_t>(share * static_cast<double>(tensor.stored_bytes));
}

}  // namespace

// Random inputs by length: a model has few lengths. Thread-safe.
class WeightSummaries::ProbeShelf {
 public:
  std::shared_ptr<const Probes> Of(uint64_t length) {
    const std::lock_guard lock(mutex_);
    const auto found = by_length_.find(length);
    if (found != by_length_.end()) return found->second;
    if (by_length_.size() == kMostKept) by_length_.clear();
    return by_length_[length] = std::make_shared<Probes>(length);
  }

 private:
  // A hostile model has many lengths.
  static constexpr size_t kMostKept = 16;

  std::mutex mutex_;
  std::map<uint64_t, std::shared_ptr<const Probes>> by_length_;
};

// The measures of one weight from its first block to its last.
struct WeightSummaries::Task {
  explicit Task(const Weight& of) : weight(of), seen(BlockCount(of)), blocks_left(seen.size()) {}

  const Weight& weight;
  std::once_flag started;
  std::unique_ptr<WeightMeasures> measures;
  std::vector<std::atomic<bool>> seen;  // by block
  std::atomic<uint64_t> blocks_left;
  WeightSummary summary;
};

WeightSummaries::WeightSummaries(OnRead on_read)
    : on_read_(std::move(on_read)), probes_(std::make_unique<ProbeShelf>()) {}

WeightSummaries::~WeightSummaries() = default;

void WeightSummaries::Expect(const WeightSource& source, std::span<const Weight> weights) {
  source_ = &source;
  weights_ = weights;
  for (const Weight& weight : weights) {
    tasks_.push_back(std::make_unique<Task>(weight));
  }
}

Result<void> WeightSummaries::Observe(const Weight& weight, const WeightBlock& block) {
  Task& task = *tasks_[static_cast<size_t>(&weight - weights_.data())];
  if (task.seen[block.index].exchange(true)) return {};
  const TensorInfo& tensor = source_->tensors()[weight.tensor_index];
  if (on_read_) on_read_(tensor.name, StoredBytes(tensor, weight, block));
  return Measure(task, tensor, block);
}

Result<void> WeightSummaries::Measure(Task& task, const TensorInfo& tensor,
                                      const WeightBlock& block) {
  const Weight& weight = task.weight;
  std::call_once(task.started, [&] {
    auto probes = HasSketch(weight) ? probes_->Of(SketchedLength(weight)) : nullptr;
    auto row_probes =
        HasRowSample(weight) ? std::make_shared<const RowProbes>(weight.columns) : nullptr;
    task.measures =
        std::make_unique<WeightMeasures>(tensor, weight, std::move(probes), std::move(row_probes));
  });
  auto measured = task.measures->Measure(block);
  if (!measured) return measured;
  if (task.blocks_left.fetch_sub(1) > 1) return {};
  auto summary = task.measures->Finish();
  task.measures.reset();
  if (!summary) return std::move(summary).error();
  task.summary = *std::move(summary);
  return {};
}

Result<void> WeightSummaries::ReadRest(unsigned threads, const std::vector<bool>& wanted) {
  struct Reading {
    const Weight* weight;
    uint64_t first_block;
  };
  std::vector<Reading> readings;
  for (size_t i = 0; i < tasks_.size(); ++i) {
    const auto& task = tasks_[i];
    if (!wanted.empty() && !wanted[i]) continue;
    const uint64_t together = BlocksPerReading(task->weight);
    for (uint64_t first = 0; first < task->seen.size(); first += together) {
      const auto begin = task->seen.begin() + static_cast<ptrdiff_t>(first);
      const auto end =
          begin + static_cast<ptrdiff_t>(std::min(together, task->seen.size() - first));
      if (std::find(begin, end, false) != end) readings.push_back({&task->weight, first});
    }
  }
  return ParallelFor(readings.size(), threads, [&](size_t i) {
    const Weight& weight = *readings[i].weight;
    return ReadBlocks(*source_, weight, readings[i].first_block,
                      [&](const WeightBlock& block) { return Observe(weight, block); });
  });
}

std::vector<WeightSummary> WeightSummaries::Take() {
  std::vector<WeightSummary> summaries;
  for (const auto& task : tasks_) {
    if (task->blocks_left > 0) continue;
    summaries.push_back(std::move(task->summary));
  }
  return summaries;
}

bool HasSketch(const Weight& weight) {
  const Role role = weight.role.role;
  const bool table = role == Role::kEmbedding || role == Role::kOutputHead;
  if (table && !weight.is_vector) return false;
  if (weight.role.expert.value_or(0) >= kExpertsKept) return false;
  return SketchedLength(weight) <= kLongestSketched;
}

bool HasRowSample(const Weight& weight) {
  const Role role = weight.role.role;
  const bool table =
      role == Role::kEmbedding || role == Role::kOutputHead || role == Role::kPositionEmbedding;
  return table && !weight.is_vector && weight.columns <= kLongestSketched;
}

Result<std::vector<WeightSummary>> SummariseWeights(const WeightSource& source,
                                                    std::span<const Weight> weights,
                                                    unsigned threads) {
  WeightSummaries summaries;
  summaries.Expect(source, weights);
  TG_TRY(summaries.ReadRest(threads));
  return summaries.Take();
}

Result<FloatMatrix> SketchRows(const WeightSource& source, const Weight& table,
                               std::span<const uint32_t> rows) {
  const FloatMatrix probes = ProbeMatrix(table.columns);
  FloatMatrix sketch(rows.size(), kSketchSize);
  for (size_t i = 0; i < rows.size(); ++i) {
    TG_ASSIGN(const auto row, ReadWeightRows(source, table, rows[i], 1));
    std::array<double, kSketchSize> sums = {};
    for (uint64_t column = 0; column < table.columns; ++column) {
      const double value = row.values()[column];
      for (size_t probe = 0; probe < kSketchSize; ++probe) {
        sums[probe] += value * probes.Row(column)[probe];
      }
    }
    std::copy(sums.begin(), sums.end(), sketch.Row(i).begin());
  }
  if (!CanBeStored(sketch)) return TooLargeToSketch(source.tensors()[table.tensor_index]);
  return sketch;
}

}  // namespace tensorguard::internal
