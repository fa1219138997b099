// tensorguard registry: known models, kept and searched.
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>

#include "api/registry/registry_addition.h"
#include "api/registry/registry_json.h"
#include "api/registry/registry_search.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/family_output.h"
#include "cli/output/registry_output.h"
#include "database/open_database.h"
#include "registry/exchange.h"
#include "registry/schema.h"
#include "registry/state.h"

namespace tensorguard::internal::cli {
namespace {

int64_t Now() { return static_cast<int64_t>(std::time(nullptr)); }

Stamp StampOfNow() {
  const char* user = std::getenv("USER");
  if (user == nullptr || *user == '\0') user = std::getenv("LOGNAME");
  return {.at = Now(), .who = user == nullptr ? fmt::format("user {}", ::getuid()) : user};
}

Error Usage(const std::string& action, std::string problem, std::string advice = {}) {
  return {.kind = ErrorKind::kUsage,
          .problem = fmt::format("registry {} {}", action, problem),
          .advice = advice.empty() ? "tensorguard registry --help" : std::move(advice)};
}

// How many arguments an action takes, beside the registry's own name where it may stand first.
Result<void> CheckCount(const RegistryOptions& options, size_t least, size_t most,
                        std::string_view what) {
  const size_t count = options.arguments.size();
  if (count >= least && count <= most) return {};
  if (count < least) return Usage(options.action, fmt::format("needs {}", what));
  return Usage(options.action,
               fmt::format("takes {} and nothing else", most == 0 ? "no argument" : what));
}

// --registry, or the only argument of an action that works on a registry alone, or the environment.
Result<std::string> RegistryOf(const RegistryOptions& options, bool may_be_argument = false) {
  if (may_be_argument && !options.arguments.empty()) {
    if (options.registry) {
      return Usage(options.action, "is given two registries", "name it once");
    }
    return options.arguments.front();
  }
  if (options.registry) return *options.registry;
  const char* const place = std::getenv("TENSORGUARD_REGISTRY");
  if (place != nullptr && *place != '\0') return std::string(place);
  return Usage(options.action, "does not know which registry", "--registry FILE");
}

// For actions on a registry alone, which may be their argument.
Result<std::unique_ptr<Registry>> OpenAlone(const RegistryOptions& options) {
  TG_TRY(CheckCount(options, 0, 1, "a registry"));
  TG_ASSIGN(const auto place, RegistryOf(options, true));
  return Registry::Open(place);
}

// For actions with one argument, which is `what`.
Result<std::unique_ptr<Registry>> OpenForOne(const RegistryOptions& options,
                                             std::string_view what) {
  TG_TRY(CheckCount(options, 1, 1, what));
  TG_ASSIGN(const auto place, RegistryOf(options));
  return Registry::Open(place);
}

void Show(const OrderedJson& json, const std::string& text, Console& console) {
  if (console.json()) {
    console.PrintJson(json);
  } else {
    console.Print(text);
  }
}

// "30d", "12h": seconds.
Result<int64_t> SecondsOf(const std::string& age) {
  int64_t count = 0;
  const char* const end = age.data() + age.size();
  const auto read = std::from_chars(age.data(), end, count);
  const std::string_view unit(read.ptr, end);
  const std::map<std::string_view, int64_t> units = {{"d", 86'400}, {"h", 3'600}, {"m", 60}};
  const auto known = units.find(unit);
  constexpr int64_t kMost = 1'000'000;
  if (read.ec == std::errc() && known != units.end() && count > 0 && count <= kMost) {
    return count * known->second;
  }
  return Error{.kind = ErrorKind::kUsage,
               .problem = "--max-age needs an age",
               .found = EscapeControl(age),
               .expected = "a number with d, h or m: 30d"};
}

Result<ExitStatus> Init(const RegistryOptions& options, Console& console) {
  TG_TRY(CheckCount(options, 0, 1, "a registry"));
  TG_ASSIGN(const auto place, RegistryOf(options, true));
  TG_ASSIGN(const auto registry,
            Registry::Create(place, {.blob_folder = options.blobs.value_or("")}, StampOfNow()));
  Show(RegistryCreatedToJson(registry->place()),
       fmt::format("made the registry {}\n", EscapeControl(registry->place())), console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Upgrade(const RegistryOptions& options, Console& console) {
  TG_TRY(CheckCount(options, 0, 1, "a registry"));
  TG_ASSIGN(const auto place, RegistryOf(options, true));
  TG_ASSIGN(const int64_t from, Registry::Upgrade(place, StampOfNow()));
  const std::string text =
      from == kSchemaVersion
          ? fmt::format("nothing to do: schema version {}\n", from)
          : fmt::format("upgraded from schema version {} to {}\n", from, kSchemaVersion);
  Show(RegistryUpgradedToJson(WithoutPassword(place), from, kSchemaVersion), text, console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Status(const RegistryOptions& options, Console& console) {
  TG_TRY(CheckCount(options, 0, 1, "a registry"));
  TG_ASSIGN(const auto place, RegistryOf(options, true));
  std::optional<int64_t> most;
  if (options.max_age) {
    TG_ASSIGN(most, SecondsOf(*options.max_age));
  }
  TG_ASSIGN(const auto registry, Registry::Open(place));
  TG_ASSIGN(const auto status, StatusOf(*registry));
  std::optional<int64_t> age;
  if (status.last_added_at) age = std::max<int64_t>(0, Now() - *status.last_added_at);
  const bool too_old = most && (!age || *age > *most);
  Show(RegistryStatusToJson(registry->place(), status, age, too_old),
       StatusText(registry->place(), status, age), console);
  return too_old ? ExitStatus::kNamedAnswer : ExitStatus::kDone;
}

Result<ExitStatus> Add(const RegistryOptions& options, Console& console) {
  TG_TRY(CheckCount(options, 1, SIZE_MAX, "models or fingerprints"));
  TG_ASSIGN(const auto place, RegistryOf(options));
  NewModel told = {.name = options.name,
                   .source = options.source,
                   .revision = options.revision,
                   .collection = options.collection,
                   .trust = options.trust,
                   .licenses = SaidByPerson(options.license)};
  TG_ASSIGN(const auto added, AddToRegistry({.registry = place,
                                             .models = options.arguments,
                                             .reading = {.base = options.base,
                                                         .threads = options.threads,
                                                         .incomplete = options.incomplete},
                                             .digests = options.digests,
                                             .told = told,
                                             .stamp = StampOfNow()},
                                            SessionOf(console)));
  Show(RegistryAddedToJson(added), AddedText(added), console);
  return StatusAfter(added.shortfall, ExitStatus::kDone, console);
}

Result<ExitStatus> List(const RegistryOptions& options, Console& console) {
  TG_ASSIGN(const auto registry, OpenAlone(options));
  ModelFilter filter = {.collection = options.collection, .all_states = options.all};
  if (options.limit) filter.limit = *options.limit;
  TG_ASSIGN(const auto models, ListModels(*registry, filter));
  Show(RegistryListToJson(models), ModelListText(models), console);
  return ExitStatus::kDone;
}

Result<ExitStatus> ShowModel(const RegistryOptions& options, Console& console) {
  TG_ASSIGN(const auto registry, OpenForOne(options, "a model's name"));
  TG_ASSIGN(const auto model, FindModel(*registry, options.arguments.front()));
  TG_ASSIGN(const auto details, DetailsOf(*registry, model));
  Show(RegistryModelToJson(details), ModelText(details), console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Remove(const RegistryOptions& options, Console& console) {
  TG_ASSIGN(const auto registry, OpenForOne(options, "a model's name"));
  TG_ASSIGN(const auto model, FindModel(*registry, options.arguments.front()));
  TG_TRY(RemoveModel(*registry, model, StampOfNow()));
  Show(RegistryRemovedToJson(model),
       fmt::format("removed #{} {}\n", model.id, EscapeControl(model.name)), console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Relate(const RegistryOptions& options, Console& console) {
  TG_TRY(CheckCount(options, 2, 2, "a child and its parent"));
  TG_ASSIGN(const auto place, RegistryOf(options));
  TG_ASSIGN(const auto registry, Registry::Open(place));
  TG_ASSIGN(const auto related,
            RelateInRegistry(*registry, {.child = options.arguments[0],
                                         .parent = options.arguments[1],
                                         .kind = options.kind.empty() ? "derived" : options.kind,
                                         .stamp = StampOfNow()}));
  Show(RegistryRelatedToJson(related), RelatedText(related), console);
  return ExitStatus::kDone;
}

RegistryQuery QueryOf(const RegistryOptions& options, std::string place) {
  constexpr unsigned kShown = 20;
  return {.registry = std::move(place),
          .model = options.arguments.front(),
          .reading = {.base = options.base,
                      .threads = options.threads,
                      .incomplete = options.incomplete},
          .limit = options.limit.value_or(kShown)};
}

Result<ExitStatus> Search(const RegistryOptions& options, Console& console) {
  TG_TRY(CheckCount(options, 1, 1, "a model"));
  TG_ASSIGN(auto place, RegistryOf(options));
  if (options.descendants && options.ancestors) {
    return Usage(options.action, "is for descendants or for ancestors", "one of the two");
  }
  const WantedKin kinship = options.descendants ? WantedKin::kDescendants
                            : options.ancestors ? WantedKin::kAncestors
                                                : WantedKin::kAny;
  const auto begin = std::chrono::steady_clock::now();
  TG_ASSIGN(const auto result, SearchRegistry(QueryOf(options, std::move(place)), options.full,
                                              kinship, SessionOf(console)));
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  OrderedJson json = RegistrySearchToJson(result);
  json["seconds"] = taken.count();
  Show(json, SearchText(result, taken.count()), console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Shared(const RegistryOptions& options, Console& console) {
  TG_TRY(CheckCount(options, 1, 1, "a model"));
  TG_ASSIGN(auto place, RegistryOf(options));
  TG_ASSIGN(const auto result,
            SharedPartsInRegistry(QueryOf(options, std::move(place)), SessionOf(console)));
  Show(RegistrySharedToJson(result), SharedText(result), console);
  return ExitStatus::kDone;
}

Result<ExitStatus> ListDuplicates(const RegistryOptions& options, Console& console) {
  TG_ASSIGN(const auto registry, OpenAlone(options));
  TG_ASSIGN(const auto duplicates, FindDuplicates(*registry));
  Show(RegistryDuplicatesToJson(duplicates), DuplicatesText(duplicates), console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Export(const RegistryOptions& options, Console& console) {
  TG_ASSIGN(const auto registry, OpenForOne(options, "a folder"));
  const std::string& folder = options.arguments.front();
  TG_ASSIGN(const auto summary, ExportRegistry(*registry, folder));
  Show(RegistryExportedToJson(folder, summary),
       fmt::format("exported {} models, {} relations, {} fingerprints to {}\n", summary.models,
                   summary.relations, summary.fingerprints, EscapeControl(folder)),
       console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Import(const RegistryOptions& options, Console& console) {
  TG_ASSIGN(const auto registry, OpenForOne(options, "a folder"));
  const std::string& folder = options.arguments.front();
  TG_ASSIGN(const auto summary, ImportRegistry(*registry, folder, StampOfNow()));
  Show(RegistryImportedToJson(folder, summary),
       fmt::format("{} models added, {} there already, {} relations\n", summary.added,
                   summary.known, summary.relations),
       console);
  return ExitStatus::kDone;
}

Result<ExitStatus> Verify(const RegistryOptions& options, Console& console) {
  TG_ASSIGN(const auto registry, OpenAlone(options));
  const ProgressCallback progress = console.ShowProgress("verifying");
  TG_ASSIGN(const auto found,
            VerifyRegistry(*registry, options.repair, StampOfNow(),
                           [&](int64_t done, int64_t all) -> Result<void> {
                             if (progress) {
                               progress({.what = "fingerprints",
                                         .bytes_done = static_cast<uint64_t>(done),
                                         .bytes_total = static_cast<uint64_t>(all),
                                         .unit = ProgressUnit::kFiles});
                             }
                             return {};
                           }));
  console.EndProgress();
  Show(RegistryVerifiedToJson(found), VerificationText(found), console);
  const bool left =
      std::ranges::any_of(found.faults, [](const Fault& each) { return !each.repaired; });
  return left ? ExitStatus::kError : ExitStatus::kDone;
}

}  // namespace

Result<ExitStatus> RunRegistry(const RegistryOptions& options, Console& console) {
  using Action = Result<ExitStatus> (*)(const RegistryOptions&, Console&);
  static const std::map<std::string_view, Action> kActions = {{"init", Init},
                                                              {"upgrade", Upgrade},
                                                              {"status", Status},
                                                              {"add", Add},
                                                              {"list", List},
                                                              {"show", ShowModel},
                                                              {"remove", Remove},
                                                              {"relate", Relate},
                                                              {"search", Search},
                                                              {"shared", Shared},
                                                              {"duplicates", ListDuplicates},
                                                              {"export", Export},
                                                              {"import", Import},
                                                              {"verify", Verify}};
  return kActions.at(options.action)(options, console);
}

}  // namespace tensorguard::internal::cli
