// tensorguard fingerprint: the full or the paper profile of each model, written to a file.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/file.h"
#include "base/parallel.h"
#include "base/text.h"
#include "cli/arguments/usage.h"
#include "cli/commands/commands.h"
#include "cli/models/models.h"
#include "cli/output/counted_weights.h"
#include "cli/output/job_progress.h"
#include "cli/output/text_layout.h"
#include "fingerprint/file/fingerprint_file.h"
#include "model/model_name.h"
#include "paper/paper_profile.h"
#include "profile/full_profile.h"

namespace tensorguard::internal::cli {
namespace {

namespace fs = std::filesystem;

struct Fingerprinted {
  std::string name;
  std::string output;
  uint64_t parameters = 0;
  uint64_t bytes_read = 0;
  double seconds = 0;
  std::vector<std::string> notes = {};
  // Of the paper profile.
  std::string features_json = {};
  std::vector<std::string> zero_tensors = {};
};

// What one model's work gets.
struct Work {
  unsigned threads;
  ProgressCallback on_progress;
};

bool IsPaper(const FingerprintOptions& options) { return options.profile == "paper"; }

bool IsFolderOutput(const FingerprintOptions& options) {
  std::error_code ignored;
  return options.models.size() > 1 || options.output->ends_with('/') ||
         fs::is_directory(*options.output, ignored);
}

// The file for each model, before any work is done: no two models may write the same one.
Result<std::vector<std::string>> PlanOutputs(const FingerprintOptions& options) {
  if (options.output && !IsFolderOutput(options)) return std::vector{*options.output};
  if (options.output &&
      (options.output->ends_with(".json") || options.output->ends_with(".safetensors"))) {
    return UsageError("--output names one file for several models", *options.output,
                      "a folder; each model has a file in it");
  }
  const fs::path folder = options.output.value_or("");
  const std::string_view suffix = IsPaper(options) ? "_features.json" : kFingerprintSuffix;
  std::vector<std::string> outputs;
  std::map<std::string, std::string> model_of;
  for (const std::string& model : options.models) {
    outputs.push_back((folder / (ModelNameFromPath(model) + std::string(suffix))).string());
    const auto [earlier, added] = model_of.emplace(outputs.back(), model);
    if (added) continue;
    Error error =
        UsageError("two models would be written to one file", outputs.back(),
                   fmt::format("different names; {} and {} have the same", earlier->second, model));
    error.advice = "write each to a file of its own: -o FILE";
    return error;
  }
  return outputs;
}

Result<void> MakeOutputFolder(const FingerprintOptions& options) {
  if (!options.output || !IsFolderOutput(options)) return {};
  std::error_code failure;
  fs::create_directories(*options.output, failure);
  if (!failure) return {};
  return Error{.kind = ErrorKind::kSystem,
               .problem = fmt::format("cannot make the folder: {}", failure.message()),
               .file = *options.output};
}

Result<Fingerprinted> WritePaperProfile(const Model& model, const std::string& output,
                                        const Work& work) {
  const auto profile = ComputePaperProfile(
      *model.weights, model.name, {.threads = work.threads, .on_progress = work.on_progress});
  if (!profile) return profile.error();
  Fingerprinted done = {.name = {},
                        .output = {},
                        .bytes_read = profile->bytes_read,
                        .features_json = PaperFeaturesToJson(profile->features),
                        .zero_tensors = profile->zero_tensors};
  if (auto written = WriteFileAtomically(output, done.features_json); !written) {
    return std::move(written).error();
  }
  return done;
}

Result<Fingerprinted> WriteFullProfile(Model model, const std::string& output, const Work& work,
                                       bool incomplete) {
  const auto counted = std::make_shared<CountedWeights>(model.weights);
  model.weights = counted;
  const auto fingerprint = ComputeFullFingerprint(
      model, {.threads = work.threads, .on_progress = work.on_progress, .incomplete = incomplete});
  if (!fingerprint) return fingerprint.error();
  if (auto written = WriteFingerprint(*fingerprint, output); !written) {
    return std::move(written).error();
  }
  return Fingerprinted{
      .name = {}, .output = {}, .bytes_read = counted->bytes_read(), .notes = fingerprint->notes};
}

Result<Fingerprinted> FingerprintOne(const std::string& path, const std::string& output,
                                     const FingerprintOptions& options, const Work& work) {
  const auto started = std::chrono::steady_clock::now();
  const auto model = OpenWithBase(path, options.base);
  if (!model) return model.error();
  auto done = IsPaper(options) ? WritePaperProfile(*model, output, work)
                               : WriteFullProfile(*model, output, work, options.incomplete);
  if (!done) return std::move(done).error().InFile(path);
  done->name = model->name;
  done->output = output;
  done->parameters = model->parameter_count();
  done->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  return done;
}

std::string ToText(const Fingerprinted& done) {
  std::string text =
      fmt::format("{}  ({} parameters; {} read in {:.1f} s)\n", EscapeControl(done.output),
                  WithThousands(done.parameters), ReadableBytes(done.bytes_read), done.seconds);
  for (const std::string& note : done.notes) {
    text += fmt::format("note: {}\n", EscapeControl(note));
  }
  for (const std::string& name : done.zero_tensors) {
    text +=
        fmt::format("note: {} holds only zeros and counts in no feature\n", EscapeControl(name));
  }
  return text;
}

OrderedJson ToJson(const Fingerprinted& done, const FingerprintOptions& options) {
  OrderedJson json = {{"name", done.name},       {"profile", options.profile},
                      {"output", done.output},   {"parameters", done.parameters},
                      {"seconds", done.seconds}, {"bytes_read", done.bytes_read},
                      {"notes", done.notes}};
  if (IsPaper(options)) {
    json["zero_tensors"] = done.zero_tensors;
    json["features"] = OrderedJson::parse(done.features_json);
  }
  return json;
}

// Takes results in any order and prints them in the order of the models. Thread-safe.
class ResultsInOrder {
 public:
  ResultsInOrder(const FingerprintOptions& options, Console& console)
      : options_(options), console_(console), results_(options.models.size()) {}

  // Errors: those of Console::Flush.
  Result<void> Add(size_t model, Result<Fingerprinted> result) {
    const std::lock_guard lock(mutex_);
    results_[model] = std::move(result);
    for (; next_ < results_.size() && results_[next_]; ++next_) {
      auto printed = Print(*std::exchange(results_[next_], std::nullopt));
      if (!printed) return printed;
    }
    return {};
  }

  const std::vector<Error>& errors() const { return errors_; }
  OrderedJson& models_json() { return models_json_; }

 private:
  Result<void> Print(const Result<Fingerprinted>& result) {
    if (!result) {
      console_.ReportError(result.error());
      errors_.push_back(result.error());
    } else if (console_.json()) {
      models_json_.push_back(ToJson(*result, options_));
    } else {
      console_.Print(ToText(*result));
      return console_.Flush();
    }
    return {};
  }

  const FingerprintOptions& options_;
  Console& console_;
  std::mutex mutex_;
  std::vector<std::optional<Result<Fingerprinted>>> results_;  // until printed
  size_t next_ = 0;
  std::vector<Error> errors_;
  OrderedJson models_json_ = OrderedJson::array();
};

// `threads` as `jobs` shares, none of them zero and none more than one larger than another.
std::vector<unsigned> ShareThreads(unsigned threads, unsigned jobs) {
  std::vector<unsigned> shares;
  for (unsigned i = 0; i < jobs; ++i) shares.push_back(threads / jobs + (i < threads % jobs));
  return shares;
}

Result<void> FingerprintOneByOne(const FingerprintOptions& options,
                                 const std::vector<std::string>& outputs, Console& console,
                                 ResultsInOrder& results) {
  for (size_t i = 0; i < options.models.size(); ++i) {
    auto done = FingerprintOne(
        options.models[i], outputs[i], options,
        {options.threads, console.ShowProgress(ModelNameFromPath(options.models[i]))});
    console.EndProgress();
    if (auto added = results.Add(i, std::move(done)); !added) return added;
  }
  return {};
}

// Every job has its share of the threads, from its first model to its last.
Result<void> FingerprintAtOnce(const FingerprintOptions& options, unsigned jobs, unsigned threads,
                               const std::vector<std::string>& outputs, Console& console,
                               ResultsInOrder& results) {
  JobProgress progress(options.models.size(),
                       console.ShowProgress(fmt::format("{} models", options.models.size())));
  std::vector<unsigned> free_shares = ShareThreads(threads, jobs);
  std::mutex mutex;  // guards free_shares
  return ParallelFor(options.models.size(), jobs, [&](size_t i) {
    unsigned share;
    {
      const std::lock_guard lock(mutex);
      share = free_shares.back();
      free_shares.pop_back();
    }
    auto done =
        FingerprintOne(options.models[i], outputs[i], options, {share, progress.ForModel(i)});
    progress.End(i);
    {
      const std::lock_guard lock(mutex);
      free_shares.push_back(share);
    }
    return results.Add(i, std::move(done));
  });
}

}  // namespace

Result<ExitStatus> RunFingerprint(const FingerprintOptions& options, Console& console) {
  if (auto base = CheckBase(options.models, options.base); !base) return std::move(base).error();
  const auto outputs = PlanOutputs(options);
  if (!outputs) return outputs.error();
  if (auto made = MakeOutputFolder(options); !made) return std::move(made).error();

  const unsigned threads =
      options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  const auto jobs =
      static_cast<unsigned>(std::min<size_t>({options.jobs, threads, options.models.size()}));
  ResultsInOrder results(options, console);
  const auto worked = jobs == 1
                          ? FingerprintOneByOne(options, *outputs, console, results)
                          : FingerprintAtOnce(options, jobs, threads, *outputs, console, results);
  console.EndProgress();
  if (!worked) return worked.error();

  const std::vector<Error>& errors = results.errors();
  if (console.json()) {
    OrderedJson json = ResultObject("fingerprint");
    json["models"] = std::move(results.models_json());
    AddErrors(errors, &json);
    console.PrintJson(json);
  }
  if (errors.empty()) return ExitStatus::kDone;
  if (options.models.size() > 1) {
    console.Message(FailureCount(errors.size(), options.models.size()));
  }
  return ExitStatus::kError;
}

}  // namespace tensorguard::internal::cli
