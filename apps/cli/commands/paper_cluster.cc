// tensorguard cluster by the paper profile: the paper's families around given models.
#include <fmt/format.h>

#include "api/json/cluster_json.h"
#include "api/paper/paper_families.h"
#include "base/file.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/console_session.h"
#include "cli/commands/profile_commands.h"
#include "cli/output/family_output.h"

namespace tensorguard::internal::cli {
namespace {

std::string ToText(const PaperFamilies& families) {
  std::string text;
  for (size_t c = 0; c < families.clustering.center_names.size(); ++c) {
    const std::vector<std::string> members = families.members_of(c);
    text += fmt::format("{}  ({} model{})\n", EscapeControl(families.clustering.center_names[c]),
                        members.size(), members.size() == 1 ? "" : "s");
    for (const std::string& member : members) text += fmt::format("  {}\n", EscapeControl(member));
  }
  text += families.silhouette ? fmt::format("\nsilhouette {:.3f}\n", *families.silhouette)
                              : "\nsilhouette: not defined for this number of families\n";
  return text + NotesText({}, families.matrix.imputed);
}

}  // namespace

Result<ExitStatus> RunClusterByPaperProfile(const ClusterOptions& options, Console& console) {
  std::optional<ImageFormat> plot_format;
  if (options.plot) {
    TG_ASSIGN(const auto format, ImageFormatOf(*options.plot));
    plot_format = format;
  }
  const auto missing = options.impute ? MissingFeature::kImpute : MissingFeature::kRefuse;
  TG_ASSIGN(const auto families,
            FindFamiliesByPaper(FamilyRequestOf(options), missing, SessionOf(console)));
  if (plot_format) {
    TG_ASSIGN(const auto plot, DrawPaperFamilies(families, *plot_format));
    TG_TRY(WriteFileAtomically(*options.plot, plot));
  }
  if (console.json()) {
    console.PrintJson(PaperFamiliesToJson(families, options.plot));
  } else {
    console.Print(ToText(families));
  }
  return StatusAfter(families.shortfall, ExitStatus::kDone, console);
}

}  // namespace tensorguard::internal::cli
