#include "cli/arguments/registry_options.h"

#include <string>
#include <string_view>

#include "cli/arguments/option_kinds.h"

namespace tensorguard::internal::cli {
namespace {

constexpr unsigned kMostRows = 1'000'000'000;
constexpr std::string_view kRegistryActions =
    "init|add|list|show|search|shared|duplicates|relate|remove|status|verify|export|import|upgrade";

}  // namespace

void DefineRegistry(CLI::App& app, RegistryOptions& options) {
  CLI::App* command = AddCommand(app, "registry");
  OneOfItsChoices(command->add_option("ACTION", options.action, "what to do with the registry")
                      ->required()
                      ->type_name(std::string(kRegistryActions)));
  command
      ->add_option(
          "ARGUMENT", options.arguments,
          "what the action works on: of init, status, upgrade, list and verify the "
          "registry; of add models; of show and remove a model's name; of search and shared "
          "a model, its name, or the SHA-256 of a file; of relate a child and its parent; of "
          "export and import a folder")
      ->type_name("MODEL|DIR");
  const auto text = [&](const char* name, std::string& target, const char* type,
                        const char* explanation) {
    command->add_option(name, target, explanation)->type_name(type);
  };
  command
      ->add_option("--registry", options.registry,
                   "a file, or postgresql://USER@HOST/DATABASE; $TENSORGUARD_REGISTRY if not given")
      ->type_name("FILE|URL");
  text("--name", options.name, "NAME",
       "of add: what the model is called; its own name if not given");
  text("--source", options.source, "URL", "of add: where the model is from");
  text("--revision", options.revision, "COMMIT", "of add: which revision of its source it is");
  text("--license", options.license, "NAME", "of add: under which licence it is, as you know it");
  text("--collection", options.collection, "NAME", "of add and list: a group of models");
  OneOfItsChoices(command
                      ->add_option("--trust", options.trust,
                                   "of add: how far its entry is to be believed; own if not given")
                      ->type_name("own|verified|unverified"));
  OneOfItsChoices(
      command
          ->add_option("--kind", options.kind, "of relate: what the child is; derived if not given")
          ->type_name("derived|adapter|merge|quantised|reparameterised|identical"));
  command
      ->add_option("--blobs", options.blobs,
                   "of init: a folder for the fingerprints, beside the registry's file; the whole "
                   "path of one for a server; in the database if not given")
      ->type_name("DIR");
  command
      ->add_option("--max-age", options.max_age,
                   "of status: end with status 1 if nothing was added for so long: 30d, 12h")
      ->type_name("AGE");
  WholeNumber(command
                  ->add_option("--limit", options.limit,
                               "of list and search: how many; all of list, 20 of search if not "
                               "given")
                  ->type_name("N"),
              1, kMostRows);
  command->add_flag("--all", options.all, "of list: superseded models too");
  command->add_flag("--digests", options.digests,
                    "of add: read the weight files once more and keep their SHA-256; that of files "
                    "on the Hub and in its cache is kept without it");
  command->add_flag("--descendants", options.descendants,
                    "of search: what is shown to come from the model");
  command->add_flag("--ancestors", options.ancestors,
                    "of search: what the model is shown to come from");
  command->add_flag("--full", options.full, "of search: compare the nearest in full");
  command->add_flag("--repair", options.repair,
                    "of verify: compute anew what can be, remove what belongs to nothing");
  AddBase(command, options.base);
  AddIncomplete(command, options.incomplete);
  AddThreads(command, options.threads);
}

}  // namespace tensorguard::internal::cli
