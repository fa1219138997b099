// tensorguard stress: what is still found of a model after each change.
#include "transform/stress/stress.h"

#include "base/file.h"
#include "cli/commands/commands.h"
#include "cli/models/distinct_names.h"
#include "cli/models/models.h"
#include "cli/output/stress_output.h"
#include "report/stress_page.h"

namespace tensorguard::internal::cli {
namespace {

// Each item of the list is a combination of its own.
Result<std::vector<Combination>> CombinationsOf(const std::vector<std::string>& names) {
  std::vector<Combination> combinations;
  for (const std::string& name : names) {
    std::string list = name;
    for (char& letter : list) {
      if (letter == '+') letter = ',';
    }
    auto parsed = ParseChanges(list);
    if (!parsed) return std::move(parsed).error();
    const bool plain = parsed->size() == 1 && list.find(':') == list.npos;
    if (!plain) {
      combinations.push_back(*std::move(parsed));
      continue;
    }
    // A name alone means each strength that it is tried at.
    const Change& change = *parsed->front().change;
    for (const double strength : change.strengths) combinations.push_back({{&change, strength}});
  }
  return combinations;
}

}  // namespace

Result<ExitStatus> RunStress(const StressCommandOptions& options, Console& console) {
  if (auto base = CheckBase({options.model}, options.base); !base) return std::move(base).error();
  auto combinations = CombinationsOf(options.changes);
  if (!combinations) return std::move(combinations).error();
  auto model = OpenWithBase(options.model, options.base);
  if (!model) return std::move(model).error();
  std::vector<Model> others;
  for (const std::string& path : options.against) {
    auto other = OpenWithBase(path, {});
    if (!other) return std::move(other).error();
    others.push_back(*std::move(other));
  }
  NamesToTellApart names;
  names.Add(model->name, options.model);
  for (size_t i = 0; i < others.size(); ++i) names.Add(others[i].name, options.against[i]);
  names.TellApart();
  std::vector<const Model*> pointers;
  for (const Model& other : others) pointers.push_back(&other);
  const auto report = StressModel(*model, pointers,
                                  {.combinations = *std::move(combinations),
                                   .deep = options.deep,
                                   .search = options.search,
                                   .seed = options.seed,
                                   .threads = options.threads,
                                   .on_progress = console.ShowProgress(model->name)});
  console.EndProgress();
  if (!report) return report.error();
  if (options.html) {
    auto written = WriteFileAtomically(*options.html, DrawStressPage(*report));
    if (!written) return std::move(written).error();
  }
  if (console.json()) {
    OrderedJson json = StressToJson(*report);
    if (options.html) json["html"] = *options.html;
    console.PrintJson(json);
  } else {
    console.Print(StressToText(*report));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
