#include "cli/arguments/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/build_commit.h"
#include "base/text.h"
#include "cli/arguments/command_texts.h"
#include "cli/arguments/completion.h"
#include "cli/arguments/help.h"
#include "cli/arguments/man_page.h"
#include "cli/arguments/option_kinds.h"
#include "cli/arguments/program_description.h"
#include "cli/arguments/registry_options.h"
#include "cli/arguments/usage.h"
#include "cli/output/version_json.h"

namespace tensorguard::internal::cli {
namespace {

constexpr const char* kProfileByFiles =
    "if not given, paper where features files are among the arguments, else full";
constexpr uint64_t kQuickBytes = 64'000'000;
constexpr unsigned kMostClusters = 10'000;
constexpr unsigned kLargestSeed = 4'294'967'295;
constexpr const char* kModelText = "a model: file, folder or adapter folder";
constexpr const char* kEitherText = "a model, or its fingerprint";

// What CLI11 writes into while it parses.
struct Targets {
  bool json = false;
  bool quiet = false;
  bool help = false;
  bool version = false;
  std::string shell;
  InspectOptions inspect;
  FingerprintOptions fingerprint;
  CompareOptions compare;
  ClassifyOptions classify;
  ClusterOptions cluster;
  LineageOptions lineage;
  ConvertOptions convert;
  SensitivityOptions sensitivity;
  EvaluateOptions evaluate;
  TransformOptions transform;
  StressCommandOptions stress;
  RegistryOptions registry;
  std::optional<std::string> changes;
  std::optional<std::string> fail_on;
  std::optional<std::string> centers;
  bool quick = false;
  std::optional<std::string> budget;
};

void AddQuick(CLI::App* command, Targets& targets) {
  command->add_flag("--quick", targets.quick,
                    "a first answer from a part of each model, and how sure it is");
  command
      ->add_option("--budget", targets.budget,
                   "the most bytes that --quick reads of a model's tensors; 64MB if not given")
      ->type_name("SIZE");
}

void AddImpute(CLI::App* command, bool& impute) {
  command->add_flag(
      "--impute", impute,
      "give a feature that a model lacks the mean of the others, instead of refusing");
}

void AddPlot(CLI::App* command, std::optional<std::string>& plot, const std::string& text) {
  command->add_option("--plot", plot, text)->type_name("FILE");
}

void DefineInspect(CLI::App& app, InspectOptions& options) {
  CLI::App* command = AddCommand(app, "inspect");
  AddPositional(command, "MODEL", options.model, kModelText);
  AddBase(command, options.base);
  AddPart(command, options.part);
  command->add_flag("--tensors", options.list_tensors, "list every tensor");
}

void DefineFingerprint(CLI::App& app, FingerprintOptions& options) {
  CLI::App* command = AddCommand(app, "fingerprint");
  AddPositional(command, "MODEL", options.models, kModelText);
  AddBase(command, options.base);
  AddPart(command, options.part);
  command
      ->add_option("-o,--output", options.output,
                   "where to write: a file, or a folder for the file of each model; the current "
                   "folder if not given")
      ->type_name("FILE|DIR");
  AddProfile(command, options.profile, "full if not given");
  AddIncomplete(command, options.incomplete);
  WholeNumber(command
                  ->add_option("--jobs", options.jobs,
                               "how many models are worked on at once, each by its share of the "
                               "threads; 1 if not given")
                  ->type_name("N"),
              1, kMostThreads);
  AddThreads(command, options.threads);
}

void DefineCompare(CLI::App& app, Targets& targets) {
  CompareOptions& options = targets.compare;
  CLI::App* command = AddCommand(app, "compare");
  AddPositional(command, "A", options.first, kEitherText);
  AddPositional(command, "B", options.second, kEitherText);
  command
      ->add_option("--known", options.known,
                   "models among which the parents of a merge are looked for; with the paper "
                   "profile, models whose spread is the unit of the distance")
      ->type_name("FILE|DIR");
  command->add_flag("--deep", options.deep,
                    "test the weights themselves as well, for a p-value; needs both models");
  AddQuick(command, targets);
  AddIncomplete(command, options.incomplete);
  command->add_option("--html", options.html, "write the evidence as one self-contained page")
      ->type_name("FILE");
  AddProfile(command, options.profile, kProfileByFiles);
  AddBase(command, options.base);
  AddPart(command, options.part);
  AddImpute(command, options.impute);
  AddFailOn(command, targets.fail_on);
  AddThreads(command, options.threads);
}

void DefineClassify(CLI::App& app, Targets& targets) {
  ClassifyOptions& options = targets.classify;
  CLI::App* command = AddCommand(app, "classify");
  AddPositional(command, "MODEL", options.model,
                "a model, its fingerprint, or the SHA-256 of a file that a known registry keeps");
  command
      ->add_option(
          "--known", options.known,
          "known models: registries, fingerprints, folders of fingerprints or models, or models")
      ->required()
      ->type_name("FILE|DIR");
  command
      ->add_option("--centers", targets.centers,
                   "names of the known models that families form around, separated by commas; each "
                   "known model on its own if not given")
      ->type_name("NAME,...");
  AddQuick(command, targets);
  AddIncomplete(command, options.incomplete);
  AddBase(command, options.base);
  AddPart(command, options.part);
  AddProfile(command, options.profile, kProfileByFiles);
  AddImpute(command, options.impute);
  AddFailOn(command, targets.fail_on);
  AddThreads(command, options.threads);
}

void DefineCluster(CLI::App& app, Targets& targets) {
  ClusterOptions& options = targets.cluster;
  CLI::App* command = AddCommand(app, "cluster");
  AddPositional(command, "FINGERPRINT", options.models,
                "fingerprints, folders of fingerprints or models, or models");
  command
      ->add_option("--centers", targets.centers,
                   "names of the models that families form around, separated by commas; if not "
                   "given, as many families as there are (full profile only)")
      ->type_name("NAME,...");
  AddProfile(command, options.profile, kProfileByFiles);
  OneOfItsChoices(command->add_option("--method", options.method, "kmeans if not given")
                      ->type_name("kmeans|gmm"));
  WholeNumber(command
                  ->add_option("--clusters", options.clusters,
                               "how many families; as many as centres if not given")
                  ->type_name("K"),
              1, kMostClusters);
  AddPlot(command, options.plot, "draw the families into an .svg or .png file");
  AddImpute(command, options.impute);
  AddThreads(command, options.threads);
}

void DefineLineage(CLI::App& app, LineageOptions& options) {
  CLI::App* command = AddCommand(app, "lineage");
  AddPositional(command, "KNOWN", options.known,
                "fingerprints, folders of fingerprints or models, or models");
  command->add_option("--root", options.root, "show the one family that holds this model")
      ->type_name("NAME");
  OneOfItsChoices(
      command->add_option("--format", options.format, "how to write the trees; text if not given")
          ->type_name("text|json|dot|svg|html"));
  command->add_option("-o,--output", options.output, "the file to write; the screen if not given")
      ->type_name("FILE");
  ShareOfOne(command
                 ->add_option("--min-certainty", options.min_certainty,
                              "leave out steps whose parent is less certain, 0 to 1")
                 ->type_name("X"));
  command->add_flag("--baseline", options.baseline,
                    "also what simpler rules take for the parents, to compare with");
  AddThreads(command, options.threads);
}

void DefineConvert(CLI::App& app, ConvertOptions& options) {
  CLI::App* command = AddCommand(app, "convert");
  AddPositional(command, "MODEL", options.model, kModelText);
  command->add_option("-o,--output", options.output, "the file to write")
      ->required()
      ->type_name("FILE");
  AddBase(command, options.base);
  AddPart(command, options.part);
  OneOfItsChoices(
      command->add_option("--dtype", options.dtype, "type of the numbers; f32 if not given")
          ->type_name("f32|f16|bf16"));
}

void DefineSensitivity(CLI::App& app, SensitivityOptions& options) {
  CLI::App* command = AddCommand(app, "sensitivity");
  AddPositional(command, "MODEL", options.model, kModelText);
  AddBase(command, options.base);
  AddPart(command, options.part);
  AddPlot(command, options.plot, "draw the gains into an .svg or .png file");
  AddThreads(command, options.threads);
}

void DefineEvaluate(CLI::App& app, Targets& targets) {
  EvaluateOptions& options = targets.evaluate;
  CLI::App* command = AddCommand(app, "evaluate");
  AddPositional(command, "TRUTH.json", options.truth,
                "a list of models with their ancestry, beside the models, or a list of pairs");
  OneOfItsChoices(
      command->add_option("--profile", options.profile, "what judges the pairs; full if not given")
          ->type_name("paper|full|deep"));
  AddQuick(command, targets);
  command
      ->add_option("--keep", options.keep,
                   "of a list of pairs: the folder that keeps answers and fingerprints, to go on "
                   "after an interruption")
      ->type_name("DIR");
  AddThreads(command, options.threads);
}

void AddSeed(CLI::App* command, unsigned& seed) {
  WholeNumber(
      command->add_option("--seed", seed, "of all that is random; 0 if not given")->type_name("N"),
      0, kLargestSeed);
}

void DefineTransform(CLI::App& app, TransformOptions& options) {
  CLI::App* command = AddCommand(app, "transform");
  // Not required by the parser: --list takes none.
  command->add_option("MODEL", options.model, kModelText)->type_name("MODEL");
  command->add_option("-o,--output", options.output, "the folder to write, which holds no model")
      ->type_name("DIR");
  command
      ->add_option("--with", options.with, "the changes, applied one after the other; see --list")
      ->type_name("NAME[:STRENGTH],...");
  command
      ->add_option("--with-model", options.with_model,
                   "a second model, for changes that take something of one")
      ->type_name("MODEL");
  AddSeed(command, options.seed);
  OneOfItsChoices(
      command->add_option("--dtype", options.dtype, "type of the numbers; same if not given")
          ->type_name("same|f32|f16|bf16"));
  AddBase(command, options.base);
  AddPart(command, options.part);
  command->add_flag("--list", options.list, "show all changes");
}

void DefineStress(CLI::App& app, Targets& targets) {
  StressCommandOptions& options = targets.stress;
  CLI::App* command = AddCommand(app, "stress");
  AddPositional(command, "MODEL", options.model, kModelText);
  command
      ->add_option("--against", options.against,
                   "other models: changes take parts of them, and no copy may be taken for theirs")
      ->type_name("DIR");
  command
      ->add_option("--changes", targets.changes,
                   "these alone; several joined by + are one copy; all if not given")
      ->type_name("NAME[:STRENGTH],...");
  command->add_flag("--deep", options.deep, "test the weights themselves as well");
  command->add_flag("--search", options.search,
                    "search for the combination of changes that lowers the score most");
  command->add_option("--html", options.html, "write the grid as one self-contained page")
      ->type_name("FILE");
  AddSeed(command, options.seed);
  AddBase(command, options.base);
  AddPart(command, options.part);
  AddThreads(command, options.threads);
}

void DefineCompletionAndMan(CLI::App& app, std::string& shell) {
  CLI::App* completion = AddCommand(app, "completion");
  OneOfItsChoices(completion->add_option("SHELL", shell, "bash, zsh or fish")
                      ->required()
                      ->type_name("bash|zsh|fish"));
  AddCommand(app, "man");
}

void DefineHelp(CLI::App* app, bool& help) {
  // Not CLI11's own, so that it is rendered from the description.
  app->add_flag("-h,--help", help, "explain and show examples");
}

void DefineOutputOptions(CLI::App* app, Targets& targets) {
  app->add_flag("--json", targets.json, "print one JSON object");
  app->add_flag("-q,--quiet", targets.quiet, "no progress bar and no messages but errors");
}

void Define(CLI::App& app, Targets& targets) {
  app.set_help_flag();
  app.allow_extras();  // unknown names are for us to report, with the nearest known one
  app.require_subcommand(0, 1);
  DefineInspect(app, targets.inspect);
  DefineFingerprint(app, targets.fingerprint);
  DefineCompare(app, targets);
  DefineClassify(app, targets);
  DefineCluster(app, targets);
  DefineLineage(app, targets.lineage);
  DefineRegistry(app, targets.registry);
  DefineConvert(app, targets.convert);
  DefineSensitivity(app, targets.sensitivity);
  DefineEvaluate(app, targets);
  DefineTransform(app, targets.transform);
  DefineStress(app, targets);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    DefineOutputOptions(command, targets);
  }
  DefineCompletionAndMan(app, targets.shell);
  DefineOutputOptions(&app, targets);
  DefineHelp(&app, targets.help);
  app.add_flag(
      "--version", targets.version,
      "print the version; with --json also the commit and the versions of what is written");
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    DefineHelp(command, targets.help);
  }
}

OptionDescription Describe(const CLI::Option& option) {
  OptionDescription description = {.value = option.get_type_name(),
                                   .text = option.get_description(),
                                   .required = option.get_required(),
                                   .repeated = option.get_items_expected_max() > 1};
  if (option.get_positional()) description.names = {option.get_name(true)};
  for (const std::string& name : option.get_snames()) description.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) description.names.push_back("--" + name);
  if (option.get_items_expected_max() == 0) description.value.clear();  // a flag
  return description;
}

CommandDescription Describe(const CLI::App& app) {
  const CommandText& text = TextOf(app.get_name());
  CommandDescription command = {.name = app.get_name(),
                                .summary = text.summary,
                                .details = text.details,
                                .examples = text.examples};
  for (const CLI::Option* option : app.get_options()) {
    (option->get_positional() ? command.arguments : command.options).push_back(Describe(*option));
  }
  return command;
}

ProgramDescription DescribeProgram(const CLI::App& app) {
  ProgramDescription program = {.name = kProgram,
                                .version = TENSORGUARD_VERSION,
                                .summary = ProgramSummary(),
                                .sections = SharedSections()};
  for (const CLI::Option* option : app.get_options()) program.options.push_back(Describe(*option));
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    program.commands.push_back(Describe(*command));
  }
  return program;
}

// What CLI11 says, in our form: its texts are "NAME is required", "NAME: what is wrong".
Error FromParseError(const CLI::ParseError& failure, const std::string& command) {
  const std::string text = failure.what();
  Error error = UsageError(text);
  const std::string required = " is required";
  if (text.ends_with(required)) {
    error.problem = fmt::format("{} is missing", text.substr(0, text.size() - required.size()));
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&failure) != nullptr) {
    const std::string name = text.substr(0, text.find(':'));
    const bool too_many = text.find("At Most") != text.npos;
    error.problem =
        fmt::format("{} {}", name, too_many ? "is given more than once" : "needs a value");
  }
  error.advice = TryHelp(command);
  return error;
}

std::string HelpFor(const ProgramDescription& program, const std::string& command) {
  for (const CommandDescription& known : program.commands) {
    if (known.name == command) return CommandHelp(program, known);
  }
  return ProgramHelp(program);
}

// Empty without --quick.
std::optional<uint64_t> QuickBytes(bool quick, const std::optional<std::string>& budget) {
  if (budget && !quick) throw UsageProblem{UsageError("--budget is for --quick")};
  if (!quick) return {};
  return budget ? SizeInBytes("--budget", *budget) : kQuickBytes;
}

// The request of the command that was given. May throw UsageProblem.
Request TakeRequest(const std::string& command, Targets targets,
                    const ProgramDescription& program) {
  Request request = {
      .command = command, .json = targets.json, .quiet = targets.quiet, .options = {}};
  if (targets.fail_on) {
    targets.compare.fail_on = targets.classify.fail_on = VerdictList(*targets.fail_on);
  }
  if (targets.centers) {
    targets.cluster.centers = targets.classify.centers = ListOf("--centers", *targets.centers);
  }
  if (targets.changes) targets.stress.changes = ListOf("--changes", *targets.changes);
  targets.compare.quick_bytes = targets.classify.quick_bytes = targets.evaluate.quick_bytes =
      QuickBytes(targets.quick, targets.budget);
  if (command == "inspect") request.options = std::move(targets.inspect);
  if (command == "fingerprint") request.options = std::move(targets.fingerprint);
  if (command == "compare") request.options = std::move(targets.compare);
  if (command == "classify") request.options = std::move(targets.classify);
  if (command == "cluster") request.options = std::move(targets.cluster);
  if (command == "lineage") request.options = std::move(targets.lineage);
  if (command == "registry") {
    request.command += "-" + targets.registry.action;
    request.options = std::move(targets.registry);
  }
  if (command == "convert") request.options = std::move(targets.convert);
  if (command == "sensitivity") request.options = std::move(targets.sensitivity);
  if (command == "evaluate") request.options = std::move(targets.evaluate);
  if (command == "transform") request.options = std::move(targets.transform);
  if (command == "stress") request.options = std::move(targets.stress);
  if (command == "completion") {
    request.options = ShowText{CompletionScript(program, targets.shell)};
  }
  if (command == "man") request.options = ShowText{ManPage(program)};
  return request;
}

}  // namespace

Result<Request> ParseCommandLine(const std::vector<std::string>& arguments) {
  Targets targets;
  CLI::App app;
  Define(app, targets);
  const auto given_command = [&]() -> const CLI::App* {
    return app.get_subcommands().empty() ? nullptr : app.get_subcommands().front();
  };
  const auto given_name = [&] { return given_command() ? given_command()->get_name() : ""; };
  try {
    std::optional<Error> failure;
    try {
      app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    } catch (const CLI::ParseError& error) {
      failure = FromParseError(error, given_name());
    }
    const ProgramDescription program = DescribeProgram(app);
    if (targets.help) return Request{.options = ShowText{HelpFor(program, given_name())}};
    if (targets.version && targets.json) {
      return Request{.options = ShowText{JsonText(VersionToJson(program.version, BuildCommit()))}};
    }
    if (targets.version) {
      return Request{.options = ShowText{fmt::format("{} {}\n", kProgram, program.version)}};
    }
    CheckAllTaken(program, given_name(), app.remaining(/*recurse=*/true));
    if (failure) return *std::move(failure);
    if (given_command() == nullptr) {
      throw UsageProblem{NotOneOf("a command is missing", "", CommandNames(program))};
    }
    targets.compare.command = ShellLine(arguments);
    return TakeRequest(given_name(), std::move(targets), program);
  } catch (UsageProblem& problem) {
    if (problem.error.advice.empty()) problem.error.advice = TryHelp(given_name());
    return std::move(problem.error);
  }
}

bool AsksForJson(const std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::find(arguments.begin(), end, "--json") != end;
}

}  // namespace tensorguard::internal::cli
