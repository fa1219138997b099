#include "cli/arguments/option_kinds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "cli/arguments/command_texts.h"
#include "cli/arguments/usage.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {

void OneOfItsChoices(CLI::Option* option) {
  const std::vector<std::string> choices = Split(option->get_type_name(), '|');
  const std::string name = option->get_name();
  option->check([choices, name](const std::string& value) -> std::string {
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) return {};
    throw UsageProblem{NotOneOf(fmt::format("{} has no such value", name), value, choices)};
  });
}

void WholeNumber(CLI::Option* option, unsigned lowest, unsigned highest) {
  const std::string name = option->get_name();
  option->check([=](const std::string& text) -> std::string {
    if (IsWholeNumber(text, lowest, highest)) return {};
    throw UsageProblem{UsageError(fmt::format("{} needs a whole number", name), text,
                                  fmt::format("{} to {}", lowest, highest))};
  });
}

void ShareOfOne(CLI::Option* option) {
  const std::string name = option->get_name();
  option->check([=](const std::string& text) -> std::string {
    double value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size() && value >= 0 && value <= 1) {
      return {};
    }
    throw UsageProblem{UsageError(fmt::format("{} needs a number", name), text, "0 to 1")};
  });
}

CLI::App* AddCommand(CLI::App& app, const std::string& name) {
  return app.add_subcommand(name, std::string(TextOf(name).summary));
}

void AddBase(CLI::App* command, std::optional<std::string>& base) {
  command->add_option("--base", base, "the model that an adapter belongs to")->type_name("MODEL");
}

void AddPart(CLI::App* command, std::optional<std::string>& part) {
  command
      ->add_option("--part", part,
                   "of several models in one file, or of the parts of a model, the one whose "
                   "tensors' names begin so")
      ->type_name("NAME");
}

void AddThreads(CLI::App* command, unsigned& threads) {
  CLI::Option* option = command->add_option(
      "--threads", threads, "how many threads work; one per processor if not given");
  WholeNumber(option->type_name("N"), 1, kMostThreads);
}

void AddProfile(CLI::App* command, std::string& profile, const std::string& otherwise) {
  OneOfItsChoices(command->add_option("--profile", profile, "the kind of fingerprint; " + otherwise)
                      ->type_name("full|paper"));
}

void AddFailOn(CLI::App* command, std::optional<std::string>& verdicts) {
  command
      ->add_option("--fail-on", verdicts,
                   "end with status 1 if the verdict is one of these, separated by commas")
      ->type_name("VERDICT,...");
}

void AddPositional(CLI::App* command, const std::string& name, std::string& target,
                   const std::string& text) {
  command->add_option(name, target, text)->required()->type_name(name);
}

void AddPositional(CLI::App* command, const std::string& name, std::vector<std::string>& target,
                   const std::string& text) {
  command->add_option(name, target, text)->required()->type_name(name);
}

void AddIncomplete(CLI::App* command, bool& incomplete) {
  command->add_flag("--incomplete", incomplete,
                    "go on with a model of which parts are missing, and say which (full profile)");
}

}  // namespace tensorguard::internal::cli
