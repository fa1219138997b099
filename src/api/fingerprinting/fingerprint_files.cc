#include "api/fingerprinting/fingerprint_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <thread>
#include <utility>

#include "api/fingerprinting/counted_weights.h"
#include "api/fingerprinting/job_progress.h"
#include "api/fingerprinting/planned_outputs.h"
#include "api/models.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/try.h"
#include "fingerprint/file/fingerprint_file.h"
#include "model/model_name.h"
#include "paper/paper_profile.h"
#include "profile/full_profile.h"

namespace tensorguard::internal {
namespace {

// What one model's work gets.
struct Work {
  unsigned threads;
  ProgressCallback on_progress;
};

Result<FingerprintedModel> WritePaperProfile(const Model& model, const std::string& output,
                                             const Work& work) {
  TG_ASSIGN(const auto profile,
            ComputePaperProfile(*model.weights, model.name,
                                {.threads = work.threads, .on_progress = work.on_progress}));
  FingerprintedModel done = {.name = {},
                             .output = {},
                             .bytes_read = profile.bytes_read,
                             .features_json = PaperFeaturesToJson(profile.features),
                             .zero_tensors = profile.zero_tensors};
  TG_TRY(WriteFileAtomically(output, done.features_json));
  return done;
}

Result<FingerprintedModel> WriteFullProfile(Model model, const std::string& output,
                                            const Work& work, bool incomplete) {
  const auto counted = std::make_shared<CountedWeights>(model.weights);
  model.weights = counted;
  TG_ASSIGN(const auto fingerprint, ComputeFullFingerprint(model, {.threads = work.threads,
                                                                   .on_progress = work.on_progress,
                                                                   .incomplete = incomplete}));
  TG_TRY(WriteFingerprint(fingerprint, output));
  return FingerprintedModel{
      .name = {}, .output = {}, .bytes_read = counted->bytes_read(), .notes = fingerprint.notes};
}

Result<FingerprintedModel> FingerprintOne(const std::string& path, const std::string& output,
                                          const FingerprintRequest& request, const Work& work,
                                          const Session& session) {
  const double started = request.clock ? request.clock() : 0;
  TG_ASSIGN(const auto model, OpenWithBase(path, request.base, session));
  auto done = request.profile == Profile::kPaper
                  ? WritePaperProfile(model, output, work)
                  : WriteFullProfile(model, output, work, request.incomplete);
  if (!done) return std::move(done).error().InFile(path);
  done->name = model.name;
  done->profile = request.profile;
  done->output = output;
  done->parameters = model.parameter_count();
  if (request.clock) done->seconds = request.clock() - started;
  return done;
}

// Takes results in any order and hands them on in the order of the models. Thread-safe.
class ResultsInOrder {
 public:
  ResultsInOrder(size_t models, const TakeFingerprinted& take) : take_(take), results_(models) {}

  // Errors: kCancelled, of the result; those of the taker.
  Result<void> Add(size_t model, Result<FingerprintedModel> result) {
    if (!result && result.error().kind == ErrorKind::kCancelled) return result.error();
    const std::lock_guard lock(mutex_);
    results_[model] = std::move(result);
    for (; next_ < results_.size() && results_[next_]; ++next_) {
      auto taken = take_(*std::exchange(results_[next_], std::nullopt));
      if (!taken) return taken;
    }
    return {};
  }

 private:
  const TakeFingerprinted& take_;
  std::mutex mutex_;
  std::vector<std::optional<Result<FingerprintedModel>>> results_;  // until taken
  size_t next_ = 0;
};

// `threads` as `jobs` shares, none of them zero and none more than one larger than another.
std::vector<unsigned> ShareThreads(unsigned threads, unsigned jobs) {
  std::vector<unsigned> shares;
  for (unsigned i = 0; i < jobs; ++i) shares.push_back(threads / jobs + (i < threads % jobs));
  return shares;
}

Result<void> FingerprintOneByOne(const FingerprintRequest& request,
                                 const std::vector<std::string>& outputs, const Session& session,
                                 ResultsInOrder& results) {
  for (size_t i = 0; i < request.models.size(); ++i) {
    auto done = FingerprintOne(
        request.models[i], outputs[i], request,
        {request.threads, session.listener.ShowProgress(ModelNameFromPath(request.models[i]))},
        session);
    session.listener.EndProgress();
    if (auto added = results.Add(i, std::move(done)); !added) return added;
  }
  return {};
}

// Every job has its share of the threads, from its first model to its last.
Result<void> FingerprintAtOnce(const FingerprintRequest& request, unsigned jobs, unsigned threads,
                               const std::vector<std::string>& outputs, const Session& session,
                               ResultsInOrder& results) {
  const size_t models = request.models.size();
  JobProgress progress(models, session.listener.ShowProgress(fmt::format("{} models", models)));
  std::vector<unsigned> free_shares = ShareThreads(threads, jobs);
  std::mutex mutex;  // guards free_shares
  return ParallelFor(models, jobs, [&](size_t i) {
    unsigned share;
    {
      const std::lock_guard lock(mutex);
      share = free_shares.back();
      free_shares.pop_back();
    }
    auto done = FingerprintOne(request.models[i], outputs[i], request,
                               {share, progress.ForModel(i)}, session);
    progress.End(i);
    {
      const std::lock_guard lock(mutex);
      free_shares.push_back(share);
    }
    return results.Add(i, std::move(done));
  });
}

}  // namespace

Result<void> FingerprintModels(const FingerprintRequest& request, const TakeFingerprinted& take,
                               const Session& session) {
  auto base = CheckBase(request.models, request.base, session);
  if (!base) return base;
  TG_ASSIGN(const auto outputs, PlanOutputs(request));
  if (auto made = MakeOutputFolder(request); !made) return made;

  const unsigned threads =
      request.threads > 0 ? request.threads : std::max(1u, std::thread::hardware_concurrency());
  const auto jobs =
      static_cast<unsigned>(std::min<size_t>({request.jobs, threads, request.models.size()}));
  ResultsInOrder results(request.models.size(), take);
  auto worked = jobs == 1 ? FingerprintOneByOne(request, outputs, session, results)
                          : FingerprintAtOnce(request, jobs, threads, outputs, session, results);
  session.listener.EndProgress();
  return worked;
}

}  // namespace tensorguard::internal
