#include "independence/numbers/number_agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/parallel.h"
#include "base/text.h"
#include "base/try.h"
#include "independence/numbers/counterparts.h"
#include "independence/numbers/stored_rounding.h"
#include "independence/units/unit_reader.h"

namespace tensorguard::internal {
namespace {

// Numbers of each weight that a thread holds at a time, and that are looked at before anything is
// read in full.
constexpr uint64_t kNumbersPerTask = uint64_t{1} << 19;
constexpr uint64_t kFirstNumbers = 4096;

// Two weights of one shape, read in the order in which they are stored where both are turned.
struct NumberPair {
  Weight a;
  Weight b;
  StoredType type_a = StoredType::kFloat32;
  StoredType type_b = StoredType::kFloat32;
  bool turned = false;

  uint64_t numbers() const { return a.rows * a.columns; }
};

NumberPair MakePair(const Network& network_a, const Weight& a, const Network& network_b,
                    const Weight& b) {
  NumberPair pair{.a = a,
                  .b = b,
                  .type_a = StoredTypeOf(network_a.source().tensors()[a.tensor_index]),
                  .type_b = StoredTypeOf(network_b.source().tensors()[b.tensor_index])};
  if (!a.input_major || !b.input_major) return pair;
  auto turned_a = ReadTransposed(a);
  auto turned_b = ReadTransposed(b);
  if (!turned_a || !turned_b) return pair;
  pair.a = *std::move(turned_a);
  pair.b = *std::move(turned_b);
  pair.turned = true;
  return pair;
}

// Of some numbers, counted in the order of reading.
struct Tally {
  uint64_t rounded = 0;
  uint64_t different = 0;
  uint64_t first = 0;  // of the different ones
  float value_a = 0.0f;
  float value_b = 0.0f;

  void Add(const Tally& later) {
    if (different == 0) {
      first = later.first;
      value_a = later.value_a;
      value_b = later.value_b;
    }
    rounded += later.rounded;
    different += later.different;
  }
};

Result<Tally> CountRows(const Network& network_a, const Network& network_b, const NumberPair& pair,
                        uint64_t first_row, uint64_t rows) {
  TG_ASSIGN(const auto a, ReadWeightRows(network_a.source(), pair.a, first_row, rows));
  TG_ASSIGN(const auto b, ReadWeightRows(network_b.source(), pair.b, first_row, rows));
  const auto of_a = a.values();
  const auto of_b = b.values();
  Tally tally;
  for (size_t i = 0; i < of_a.size(); ++i) {
    if (of_a[i] == of_b[i]) continue;
    if (RelateNumbers(of_a[i], pair.type_a, of_b[i], pair.type_b) == NumberRelation::kRounded) {
      ++tally.rounded;
      continue;
    }
    if (tally.different++ > 0) continue;
    tally.first = first_row * pair.a.columns + i;
    tally.value_a = of_a[i];
    tally.value_b = of_b[i];
  }
  return tally;
}

uint64_t RowsOf(const NumberPair& pair, uint64_t numbers) {
  const uint64_t rows = std::max<uint64_t>(1, numbers / std::max<uint64_t>(1, pair.a.columns));
  return std::min(rows, pair.a.rows);
}

// Whether the first numbers of most weights are those of the other model.
Result<bool> BeginAlike(const Network& a, const Network& b, const std::vector<NumberPair>& pairs,
                        unsigned threads) {
  std::vector<char> alike(pairs.size());
  const auto done = ParallelFor(pairs.size(), threads, [&](size_t i) -> Result<void> {
    const uint64_t rows = RowsOf(pairs[i], kFirstNumbers);
    TG_ASSIGN(const auto tally, CountRows(a, b, pairs[i], 0, rows));
    alike[i] = 2 * tally.different <= rows * pairs[i].a.columns ? 1 : 0;
    return {};
  });
  if (!done) return done.error();
  return 2 * std::count(alike.begin(), alike.end(), 1) > static_cast<int64_t>(pairs.size());
}

// Whether a head is the embedding again, which some writers store twice.
Result<bool> RepeatsEmbedding(const Network& network, const Weight& head, unsigned threads) {
  if (head.role.role != Role::kOutputHead || head.is_vector) return false;
  for (const Weight& weight : network.weights()) {
    if (weight.role.role != Role::kEmbedding || !SameMatrixShape(weight, head)) continue;
    const NumberPair pair = MakePair(network, weight, network, head);
    const uint64_t rows = RowsOf(pair, kNumbersPerTask);
    std::vector<Tally> of_task((pair.a.rows + rows - 1) / rows);
    const auto done = ParallelFor(of_task.size(), threads, [&](size_t task) -> Result<void> {
      const uint64_t first = task * rows;
      TG_ASSIGN(auto tally,
                CountRows(network, network, pair, first, std::min(rows, pair.a.rows - first)));
      of_task[task] = tally;
      return {};
    });
    if (!done) return done.error();
    return std::all_of(of_task.begin(), of_task.end(), [](const Tally& tally) {
      return tally.different == 0 && tally.rounded == 0;
    });
  }
  return false;
}

using PlacedWeights = std::map<WeightPlace, const Weight*>;

// Takes out the heads that the other model has not and that are the embedding again.
Result<void> LeaveOutRepeatedHeads(const Network& network, const PlacedWeights& others,
                                   unsigned threads, PlacedWeights* placed) {
  for (auto at = placed->begin(); at != placed->end();) {
    bool left_out = false;
    if (others.count(at->first) == 0) {
      TG_ASSIGN(const auto repeats, RepeatsEmbedding(network, *at->second, threads));
      left_out = repeats;
    }
    at = left_out ? placed->erase(at) : std::next(at);
  }
  return {};
}

// Empty unless every weight of both has its counterpart.
Result<std::vector<NumberPair>> PairAll(const Network& a, const Network& b, unsigned threads) {
  PlacedWeights in_a = WeightsByPlace(a);
  PlacedWeights in_b = WeightsByPlace(b);
  const PlacedWeights all_a = in_a;
  TG_TRY(LeaveOutRepeatedHeads(a, in_b, threads, &in_a));
  TG_TRY(LeaveOutRepeatedHeads(b, all_a, threads, &in_b));
  if (in_a.size() != in_b.size()) return std::vector<NumberPair>();
  std::vector<NumberPair> pairs;
  for (const auto& [place, weight] : in_a) {
    const auto found = in_b.find(place);
    if (found == in_b.end() || !SameMatrixShape(*weight, *found->second)) {
      return std::vector<NumberPair>();
    }
    pairs.push_back(MakePair(a, *weight, b, *found->second));
  }
  return pairs;
}

struct Task {
  size_t pair = 0;
  uint64_t first_row = 0;
  uint64_t rows = 0;
};

std::vector<Task> CutIntoTasks(const std::vector<NumberPair>& pairs) {
  std::vector<Task> tasks;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const uint64_t rows = RowsOf(pairs[i], kNumbersPerTask);
    for (uint64_t first = 0; first < pairs[i].a.rows; first += rows) {
      tasks.push_back({i, first, std::min(rows, pairs[i].a.rows - first)});
    }
  }
  return tasks;
}

DifferentWeight Describe(const Network& a, const Network& b, const NumberPair& pair,
                         const Tally& tally) {
  const uint64_t row = tally.first / pair.a.columns;
  const uint64_t column = tally.first % pair.a.columns;
  return {.tensor_a = a.source().tensors()[pair.a.tensor_index].name,
          .tensor_b = b.source().tensors()[pair.b.tensor_index].name,
          .numbers = pair.numbers(),
          .different = tally.different,
          .row = pair.turned ? column : row,
          .column = pair.turned ? row : column,
          .value_a = tally.value_a,
          .value_b = tally.value_b};
}

}  // namespace

Result<std::optional<NumberAgreement>> CompareNumbers(const Network& a, const Network& b,
                                                      unsigned threads) {
  TG_ASSIGN(const auto pairs, PairAll(a, b, threads));
  if (pairs.empty()) return std::optional<NumberAgreement>();
  TG_ASSIGN(const auto alike, BeginAlike(a, b, pairs, threads));
  if (!alike) return std::optional<NumberAgreement>();
  const std::vector<Task> tasks = CutIntoTasks(pairs);
  std::vector<Tally> of_task(tasks.size());
  const auto done = ParallelFor(tasks.size(), threads, [&](size_t i) -> Result<void> {
    TG_ASSIGN(const auto tally,
              CountRows(a, b, pairs[tasks[i].pair], tasks[i].first_row, tasks[i].rows));
    of_task[i] = tally;
    return {};
  });
  if (!done) return done.error();
  std::vector<Tally> of_pair(pairs.size());
  for (size_t i = 0; i < tasks.size(); ++i) of_pair[tasks[i].pair].Add(of_task[i]);
  NumberAgreement agreement{.weights = pairs.size()};
  for (size_t i = 0; i < pairs.size(); ++i) {
    agreement.numbers += pairs[i].numbers();
    agreement.rounded += of_pair[i].rounded;
    if (of_pair[i].different == 0) continue;
    agreement.different.push_back(Describe(a, b, pairs[i], of_pair[i]));
  }
  return std::optional(std::move(agreement));
}

std::string DescribeNumbers(const NumberAgreement& agreement) {
  if (agreement.Same()) {
    return fmt::format("Number for number: all {} of both models are the same.", agreement.numbers);
  }
  if (agreement.SameToRounding()) {
    return fmt::format(
        "Number for number: {} of {} differ, none by more than the rounding of its types; the rest "
        "are the same.",
        agreement.rounded, agreement.numbers);
  }
  uint64_t different = 0;
  const DifferentWeight* most = &agreement.different.front();
  for (const DifferentWeight& weight : agreement.different) {
    different += weight.different;
    if (weight.different > most->different) most = &weight;
  }
  return fmt::format(
      "Number for number: {} of {} differ by more than rounding, in {} of {} weights{} {}: {} of "
      "its {}, the first in row {}, column {} ({} and {}).",
      different, agreement.numbers, agreement.different.size(), agreement.weights,
      agreement.different.size() == 1 ? ":" : ", most of them in", EscapeControl(most->tensor_a),
      most->different, most->numbers, most->row, most->column, most->value_a, most->value_b);
}

}  // namespace tensorguard::internal
