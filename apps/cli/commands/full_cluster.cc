// tensorguard cluster by the full profile: families by how alike the models' layers answer.
#include <fmt/format.h>

#include "api/family_groups.h"
#include "api/json/cluster_json.h"
#include "base/file.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/console_session.h"
#include "cli/commands/profile_commands.h"
#include "cli/output/family_output.h"

namespace tensorguard::internal::cli {
namespace {

std::string ToText(const FamilyGroups& groups) {
  std::string text;
  for (size_t family = 0; family < groups.centers.size(); ++family) {
    const std::vector<std::string> members = MembersOf(groups, family);
    text += fmt::format("{}  ({} model{})\n", EscapeControl(groups.centers[family]), members.size(),
                        members.size() == 1 ? "" : "s");
    for (const std::string& member : members) text += fmt::format("  {}\n", EscapeControl(member));
  }
  text += groups.silhouette ? fmt::format("\nsilhouette {:.3f}\n", *groups.silhouette)
                            : "\nsilhouette: not defined for these families\n";
  return text;
}

}  // namespace

Result<ExitStatus> RunClusterByFullProfile(const ClusterOptions& options, Console& console) {
  std::optional<ImageFormat> plot_format;
  if (options.plot) {
    TG_ASSIGN(const auto format, ImageFormatOf(*options.plot));
    plot_format = format;
  }
  TG_ASSIGN(const auto groups, FindFamilyGroups(FamilyRequestOf(options), SessionOf(console)));
  if (plot_format) {
    TG_ASSIGN(const auto plot, DrawFamilyGroups(groups, *plot_format));
    TG_TRY(WriteFileAtomically(*options.plot, plot));
  }
  if (console.json()) {
    console.PrintJson(FamilyGroupsToJson(groups, options.plot));
  } else {
    console.Print(ToText(groups));
  }
  return StatusAfter(groups.shortfall, ExitStatus::kDone, console);
}

}  // namespace tensorguard::internal::cli
