// quick_accuracy DIR: every model of a folder read in part (a share of its bytes), against the full
// fingerprints of all others and against the others read in part, and each pair's score against
// that of the two full fingerprints. Tables by the share that was read, of related and unrelated
// pairs, and by the number of kernels that were compared; then every decision that was wrong.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "comparison/compare_fingerprints.h"
#include "comparison/verdict.h"
#include "model/model.h"
#include "profile/full_profile.h"

namespace {

using namespace tensorguard::internal;
using tensorguard::DescribeError;
using tensorguard::ErrorKind;
using tensorguard::Result;

// In thousandths of the tensors' bytes.
constexpr std::array<uint64_t, 7> kShares = {20, 50, 100, 150, 200, 300, 500};

struct Answer {
  uint64_t share = 0;
  size_t kernels = 0;
  double read_bytes = 0;
  double score_error = 0;
  bool scored = false;
  bool decided = false;
  bool related = false;  // as the full comparison has it
  bool agrees = false;   // so has the quick one
  std::string verdicts;  // "A, B: quick instead of full"
};

bool IsRelated(tensorguard::Verdict verdict) {
  return verdict != tensorguard::Verdict::kIndependent &&
         verdict != tensorguard::Verdict::kInconclusive;
}

Result<std::vector<Model>> OpenAll(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.is_directory()) continue;
    const auto is_adapter = NamesAdapter(entry.path());
    if (!is_adapter) return is_adapter.error();
    if (!*is_adapter) paths.push_back(entry.path());
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

// Every model at one share; nothing for those of which not even the anchors' rows fit.
Result<std::vector<std::optional<Fingerprint>>> QuickPrints(const std::vector<Model>& models,
                                                            uint64_t share) {
  std::vector<std::optional<Fingerprint>> prints;
  for (const Model& model : models) {
    auto quick = ComputeFullFingerprint(model, {.budget_bytes = TensorBytes(model) * share / 1000});
    if (!quick && quick.error().kind != ErrorKind::kUsage) return std::move(quick).error();
    prints.push_back(quick ? std::optional(*std::move(quick)) : std::nullopt);
  }
  return prints;
}

Result<std::optional<Answer>> AnswerOn(const Fingerprint& a, const Fingerprint& b,
                                       const Comparison& whole, uint64_t share) {
  const auto part = CompareFingerprints(a, b);
  if (!part) return part.error();
  if (!part->quick || !whole.score) return std::optional<Answer>();
  return std::optional(
      Answer{.share = share,
             .kernels = part->quick->kernels,
             .read_bytes = static_cast<double>(a.quick->read_bytes),
             .score_error = part->score ? std::abs(*part->score - *whole.score) : 1,
             .scored = part->score.has_value(),
             .decided = part->quick->decided,
             .related = IsRelated(whole.verdict),
             .agrees = IsRelated(part->verdict) == IsRelated(whole.verdict),
             .verdicts = fmt::format("{}, {}: {} instead of {}", a.model_name, b.model_name,
                                     VerdictName(part->verdict), VerdictName(whole.verdict))});
}

struct Answers {
  std::vector<Answer> with_full;   // the one read in part, the other whole
  std::vector<Answer> with_quick;  // both in part
};

Result<void> AddAnswers(const std::vector<Fingerprint>& full,
                        const std::vector<std::optional<Fingerprint>>& quick, uint64_t share,
                        Answers& answers) {
  for (size_t a = 0; a < full.size(); ++a) {
    for (size_t b = 0; b < full.size(); ++b) {
      if (a == b || !quick[a]) continue;
      const auto whole = CompareFingerprints(full[a], full[b]);
      if (!whole) return whole.error();
      const auto one = AnswerOn(*quick[a], full[b], *whole, share);
      if (!one) return one.error();
      if (*one) answers.with_full.push_back(**one);
      if (!quick[b] || a > b) continue;
      const auto both = AnswerOn(*quick[a], *quick[b], *whole, share);
      if (!both) return both.error();
      if (*both) answers.with_quick.push_back(**both);
    }
  }
  return {};
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

void PrintTables(const std::vector<Answer>& answers) {
  std::map<std::string, std::vector<Answer>> by_share;
  std::map<std::string, std::vector<Answer>> by_kernels;
  for (const Answer& answer : answers) {
    const std::string share = fmt::format("{:4.1f}%", static_cast<double>(answer.share) / 10);
    const std::string kind = answer.related ? ", related" : ", unrelated";
    by_share[share + kind].push_back(answer);
    by_kernels[KernelsLabel(answer) + kind].push_back(answer);
  }
  PrintTable("of the model", by_share);
  PrintTable("kernels", by_kernels);
  for (const Answer& answer : answers) {
    if (answer.decided && !answer.agrees) {
      fmt::print("wrong at {:.1f}%, {} kernels: {}\n", static_cast<double>(answer.share) / 10,
                 answer.kernels, answer.verdicts);
    }
  }
  fmt::print("\n");
}

Result<void> Run(const std::filesystem::path& folder) {
  const auto models = OpenAll(folder);
  if (!models) return models.error();
  std::vector<Fingerprint> full;
  for (const Model& model : *models) {
    auto fingerprint = ComputeFullFingerprint(model);
    if (!fingerprint) return std::move(fingerprint).error();
    full.push_back(*std::move(fingerprint));
  }
  Answers answers;
  for (const uint64_t share : kShares) {
    const auto quick = QuickPrints(*models, share);
    if (!quick) return quick.error();
    if (auto added = AddAnswers(full, *quick, share, answers); !added) return added;
  }
  fmt::print("One model read in part, the other whole:\n\n");
  PrintTables(answers.with_full);
  fmt::print("Both read in part:\n\n");
  PrintTables(answers.with_quick);
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
