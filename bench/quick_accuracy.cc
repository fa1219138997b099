// quick_accuracy DIR: every model of a folder read in part (a share of its bytes), against the full
// fingerprints of all others, and each pair's score against that of the two full fingerprints. Two
// tables: by the share that was read, and by the number of kernels that were compared.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "full_profile/full_profile.h"
#include "model/model.h"

namespace {

using namespace tensorguard;

// In thousandths of the tensors' bytes.
constexpr std::array<uint64_t, 7> kShares = {20, 50, 100, 150, 200, 300, 500};

struct Answer {
  uint64_t share = 0;
  size_t kernels = 0;
  double read_bytes = 0;
  double score_error = 0;
  bool scored = false;
  bool decided = false;
  bool agrees = false;  // related or not, as the full comparison has it
};

bool IsRelated(Verdict verdict) {
  return verdict != Verdict::kIndependent && verdict != Verdict::kInconclusive;
}

Result<std::vector<Model>> OpenAll(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_directory() && !NamesAdapter(entry.path())) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Model> models;
  for (const auto& path : paths) {
    auto model = OpenModel(path);
    if (!model) return std::move(model).error();
    models.push_back(*std::move(model));
  }
  return models;
}

uint64_t TensorBytes(const Model& model) {
  uint64_t bytes = 0;
  for (const TensorInfo& tensor : model.weights->tensors()) bytes += tensor.stored_bytes;
  return bytes;
}

// Of one model at one share against all others; nothing where not even the anchors' rows fit.
Result<std::vector<Answer>> AnswersOf(const std::vector<Model>& models,
                                      const std::vector<FullFingerprint>& full, size_t index,
                                      uint64_t share) {
  const uint64_t budget = TensorBytes(models[index]) * share / 1000;
  const auto quick = ComputeFullFingerprint(models[index], {.budget_bytes = budget});
  if (!quick && quick.error().kind == ErrorKind::kUsage) return std::vector<Answer>();
  if (!quick) return quick.error();
  std::vector<Answer> answers;
  for (size_t other = 0; other < full.size(); ++other) {
    if (other == index) continue;
    const auto part = CompareFingerprints(*quick, full[other]);
    if (!part) return part.error();
    const auto whole = CompareFingerprints(full[index], full[other]);
    if (!whole) return whole.error();
    if (!part->quick || !whole->score) continue;
    answers.push_back({.share = share,
                       .kernels = part->quick->kernels,
                       .read_bytes = static_cast<double>(quick->quick->read_bytes),
                       .score_error = part->score ? std::abs(*part->score - *whole->score) : 1,
                       .scored = part->score.has_value(),
         .decided = part->quick->decided,
                       .agrees = IsRelated(part->verdict) == IsRelated(whole->verdict)});
  }
  return answers;
}

double Quantile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

void PrintRow(const std::string& label, const std::vector<Answer>& answers) {
  std::vector<double> errors;
  double bytes = 0;
  size_t decided = 0;
  size_t right = 0;
  for (const Answer& answer : answers) {
    errors.push_back(answer.score_error);
    bytes += answer.read_bytes;
    decided += answer.decided ? 1 : 0;
    right += answer.decided && answer.agrees ? 1 : 0;
  }
  const auto count = static_cast<double>(answers.size());
  fmt::print("| {} | {} | {:.0f} | {:.3f} | {:.3f} | {:.3f} | {:.1f}% | {:.2f}% |\n", label,
             answers.size(), bytes / count / 1024, Quantile(errors, 0.5), Quantile(errors, 0.95),
             errors.back(), 100 * static_cast<double>(decided) / count,
             decided == 0 ? 0.0 : 100 * static_cast<double>(right) / static_cast<double>(decided));
}

void PrintTable(const std::string& head, const std::map<std::string, std::vector<Answer>>& rows) {
  fmt::print(
      "| {} | pairs | mean KiB | median error | 95% | greatest | decided | of these right |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
      head);
  for (const auto& [label, answers] : rows) PrintRow(label, answers);
  fmt::print("\n");
}

std::string KernelsLabel(const Answer& answer) {
  const size_t kernels = answer.kernels;
  if (kernels == 0) return answer.scored ? " 0, sketches score" : " 0, no score";
  if (kernels < 3) return " 1 to 2";
  if (kernels < 6) return " 3 to 5";
  return kernels < 12 ? " 6 to 11" : "12 or more";
}

Result<void> Run(const std::filesystem::path& folder) {
  const auto models = OpenAll(folder);
  if (!models) return models.error();
  std::vector<FullFingerprint> full;
  for (const Model& model : *models) {
    auto fingerprint = ComputeFullFingerprint(model);
    if (!fingerprint) return std::move(fingerprint).error();
    full.push_back(*std::move(fingerprint));
  }
  std::map<std::string, std::vector<Answer>> by_share;
  std::map<std::string, std::vector<Answer>> by_kernels;
  for (const uint64_t share : kShares) {
    for (size_t i = 0; i < models->size(); ++i) {
      const auto answers = AnswersOf(*models, full, i, share);
      if (!answers) return answers.error();
      for (const Answer& answer : *answers) {
        by_share[fmt::format("{:4.1f}%", static_cast<double>(share) / 10)].push_back(answer);
        by_kernels[KernelsLabel(answer)].push_back(answer);
      }
    }
  }
  PrintTable("of the model", by_share);
  PrintTable("kernels", by_kernels);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: quick_accuracy DIR\n");
    return 2;
  }
  if (const auto done = Run(argv[1]); !done) {
    fmt::print(stderr, "quick_accuracy: {}\n", DescribeError(done.error()));
    return 2;
  }
  return 0;
}
