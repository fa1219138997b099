#include "api/changes/stress_trial.h"

#include <utility>

#include "api/models.h"
#include "api/reading/distinct_names.h"
#include "base/try.h"

namespace tensorguard::internal {
namespace {

// Each item of the list is a combination of its own.
Result<std::vector<Combination>> CombinationsOf(const std::vector<std::string>& names) {
  std::vector<Combination> combinations;
  for (const std::string& name : names) {
    std::string list = name;
    for (char& letter : list) {
      if (letter == '+') letter = ',';
    }
    TG_ASSIGN(auto parsed, ParseChanges(list));
    const bool plain = parsed.size() == 1 && list.find(':') == list.npos;
    if (!plain) {
      combinations.push_back(std::move(parsed));
      continue;
    }
    // A name alone means each strength that it is tried at.
    const Change& change = *parsed.front().change;
    for (const double strength : change.strengths) combinations.push_back({{&change, strength}});
  }
  return combinations;
}

}  // namespace

Result<StressReport> RunStressTrial(const StressRequest& request, const Session& session) {
  TG_TRY(CheckBase({request.model}, request.base, session));
  TG_ASSIGN(auto combinations, CombinationsOf(request.changes));
  TG_ASSIGN(auto model, OpenWithBase(request.model, request.base, session));
  std::vector<Model> others;
  for (const std::string& path : request.against) {
    TG_ASSIGN(auto other, OpenWithBase(path, {}, session));
    others.push_back(std::move(other));
  }
  NamesToTellApart names;
  names.AddAsked(model.name, request.model);
  for (size_t i = 0; i < others.size(); ++i) names.Add(others[i].name, request.against[i]);
  names.TellApart();
  std::vector<const Model*> pointers;
  for (const Model& other : others) pointers.push_back(&other);
  auto report = StressModel(model, pointers,
                            {.combinations = std::move(combinations),
                             .deep = request.deep,
                             .search = request.search,
                             .seed = request.seed,
                             .threads = request.threads,
                             .on_progress = session.listener.ShowProgress(model.name)});
  session.listener.EndProgress();
  return report;
}

}  // namespace tensorguard::internal
