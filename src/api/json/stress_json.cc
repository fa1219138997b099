#include "api/json/stress_json.h"

namespace tensorguard::internal {
namespace {

OrderedJson CellToJson(const StressCell& cell) {
  OrderedJson json = {{"change", cell.change}, {"strength", cell.strength}};
  if (!cell.with.empty()) json["with"] = cell.with;
  json["against"] = cell.against;
  json["profile"] = cell.profile;
  json["score"] = NumberOrNull(cell.score);
  json["verdict"] = VerdictName(cell.verdict);
  if (cell.profile == "deep") json["log10_p"] = ChanceOrNull(cell.log10_p);
  json["damage"] = NumberOrNull(cell.damage);
  json["outcome"] = OutcomeName(cell.outcome);
  return json;
}

}  // namespace

OrderedJson StressToJson(const StressReport& report, const std::optional<std::string>& html) {
  OrderedJson json = ResultObject("stress");
  json["name"] = report.model;
  json["against"] = report.others;
  json["seed"] = report.seed;
  json["cells"] = OrderedJson::array();
  for (const StressCell& cell : report.cells) json["cells"].push_back(CellToJson(cell));
  json["skipped"] = OrderedJson::array();
  for (const SkippedChange& skipped : report.skipped) {
    json["skipped"].push_back({{"change", skipped.change}, {"reason", skipped.reason}});
  }
  if (report.search_tries > 0) {
    OrderedJson steps = OrderedJson::array();
    for (const StressCell& step : report.search) steps.push_back(CellToJson(step));
    json["search"] = {{"tries", report.search_tries}, {"steps", std::move(steps)}};
  }
  json["weakest"] = report.weakest;
  if (html) json["html"] = *html;
  return json;
}

}  // namespace tensorguard::internal
