#include "api/evaluation/pair_evaluation.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "api/evaluation/evaluation_answers.h"
#include "api/evaluation/kept_answers.h"
#include "api/fingerprints.h"
#include "base/try.h"
#include "comparison/compare_fingerprints.h"
#include "fingerprint/file/fingerprint_file.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

using SharedPrint = std::shared_ptr<const Fingerprint>;  // null where it could not be read

// "hf://a/b@c" as the name of a file: no two names become one.
std::string FileNameOf(const std::string& model) {
  std::string name;
  for (const char letter : model) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '-' || letter == '.';
    name +=
        plain ? std::string(1, letter) : fmt::format("_{:02x}", static_cast<unsigned char>(letter));
  }
  return name;
}

// The fingerprints of the models of a list, each read once.
class ListedModels {
 public:
  ListedModels(const EvaluationRequest& request, const Session& session, EvaluationReport* report)
      : request_(request), session_(session), report_(report) {}

  // Null where it cannot be read; that was reported. Errors: kCancelled.
  Result<SharedPrint> Read(const std::string& model) {
    if (const auto known = prints_.find(model); known != prints_.end()) return known->second;
    auto print = ReadOrCompute(model);
    if (!print && print.error().kind == ErrorKind::kCancelled) return std::move(print).error();
    SharedPrint shared;
    if (print) {
      print->model_name = model;
      shared = std::make_shared<const Fingerprint>(*std::move(print));
    } else {
      session_.listener.ReportError(print.error());
      report_->errors.push_back(std::move(print).error());
    }
    prints_[model] = shared;
    return shared;
  }

 private:
  // A path in the list is one beside it.
  std::string PlaceOf(const std::string& model) const {
    if (model.find("://") != model.npos) return model;
    return (fs::path(request_.truth).parent_path() / model).string();
  }

  Result<Fingerprint> ReadOrCompute(const std::string& model) const {
    const FingerprintReading reading = {.threads = request_.threads,
                                        .quick_bytes = request_.quick_bytes};
    // Of a part of a model nothing is kept but the answer.
    if (!request_.keep || request_.quick_bytes) {
      return FingerprintOf(PlaceOf(model), reading, session_);
    }
    const fs::path kept =
        fs::path(*request_.keep) / (FileNameOf(model) + std::string(kFingerprintSuffix));
    std::error_code ignored;
    if (fs::exists(kept, ignored)) return ReadFingerprint(kept);
    auto print = FingerprintOf(PlaceOf(model), reading, session_);
    if (print) TG_TRY(WriteFingerprint(*print, kept));
    return print;
  }

  const EvaluationRequest& request_;
  const Session& session_;
  EvaluationReport* report_;
  std::map<std::string, SharedPrint> prints_ = {};
};

// The models of the list as the report names them. None counts as derived of a base of its own:
// no nearest base is asked for.
EvaluationReport ReportOn(const std::vector<ListedPair>& pairs) {
  EvaluationReport report;
  std::map<std::string, size_t> index;
  const auto index_of = [&](const std::string& name) {
    const auto [place, is_new] = index.try_emplace(name, report.models.size());
    if (is_new) report.models.push_back({.name = name, .root = name});
    return place->second;
  };
  for (const ListedPair& pair : pairs) {
    const size_t a = index_of(pair.a);
    const size_t b = index_of(pair.b);
    report.pairs.push_back({.model = a, .base = b, .derived = pair.derived, .kind = pair.kind});
  }
  return report;
}

Result<PairAnswer> AnswerOf(const ListedPair& pair, ListedModels& models) {
  TG_ASSIGN(const auto a, models.Read(pair.a));
  TG_ASSIGN(const auto b, models.Read(pair.b));
  if (!a || !b) return PairAnswer{.verdict = kFailedVerdict};
  TG_ASSIGN(const auto comparison, CompareFingerprints(*a, *b));
  return PairAnswer{.score = comparison.score,
                    .verdict = std::string(VerdictName(comparison.verdict))};
}

}  // namespace

Result<EvaluationReport> EvaluatePairs(const EvaluationRequest& request,
                                       const std::vector<ListedPair>& pairs,
                                       const Session& session) {
  if (request.profile != EvaluatedProfile::kFull) {
    return Error{.kind = ErrorKind::kUsage,
                 .problem = "a list of pairs is judged by the full profile alone"};
  }
  std::optional<KeptAnswers> kept;
  if (request.keep) {
    TG_ASSIGN(auto opened, KeptAnswers::Open(*request.keep, request.quick_bytes));
    kept = std::move(opened);
  }
  EvaluationReport report = ReportOn(pairs);
  ListedModels models(request, session, &report);
  for (const ListedPair& pair : pairs) {
    if (kept) {
      if (auto known = kept->Find(pair)) {
        report.answers.push_back(*std::move(known));
        continue;
      }
    }
    TG_ASSIGN(auto answer, AnswerOf(pair, models));
    if (kept && answer.verdict != kFailedVerdict) TG_TRY(kept->Keep(pair, answer));
    report.answers.push_back(std::move(answer));
  }
  report.evaluation = Evaluate(report.models, report.pairs, report.answers);
  return report;
}

}  // namespace tensorguard::internal
