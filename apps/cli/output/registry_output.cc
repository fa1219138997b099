#include "cli/output/registry_output.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "base/readable_bytes.h"
#include "base/text.h"
#include "cli/output/text_layout.h"
#include "fingerprint/digest/hex_text.h"

namespace tensorguard::internal::cli {
namespace {

constexpr size_t kLongestName = 60;

std::string Shown(const std::string& text, size_t longest = kLongestName) {
  return EscapeControl(text, longest);
}

// Content stands in for a source that nobody named.
bool IsContent(const std::string& text) { return text.starts_with("blake3:"); }

std::string Counted(uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", WithThousands(count), count == 1 ? one : many);
}

std::string LayersText(uint32_t begin, uint32_t end) {
  if (end - begin == 1) return fmt::format("layer {}", begin);
  return fmt::format("layers {}-{}", begin, end - 1);
}

std::string StackText(const std::string& stack) {
  return stack.empty() ? "" : fmt::format(" of {}", Shown(stack));
}

std::string RunText(const SharedRun& run) {
  if (!run.part.empty()) {
    return fmt::format("{}  ({} of {} matrices)", Shown(run.part), run.equal, run.all);
  }
  return fmt::format("{}{} equal to {}{}  ({} of {} matrices)", LayersText(run.begin, run.end),
                     StackText(run.stack),
                     LayersText(run.other_begin, run.other_begin + (run.end - run.begin)),
                     StackText(run.other_stack), run.equal, run.all);
}

std::string ScoreText(const std::optional<double>& score) {
  return score ? fmt::format("{:.3f}", *score) : "-";
}

std::string RowText(const std::string& label, const std::string& value) {
  return value.empty() ? "" : fmt::format("{:<14}{}\n", label, value);
}

}  // namespace

std::string TimeText(int64_t seconds_since_1970) {
  // Of the years 1 to 9999; a registry of somebody else may hold any number.
  constexpr int64_t kFirst = -62'135'596'800;
  constexpr int64_t kLast = 253'402'300'799;
  if (seconds_since_1970 < kFirst || seconds_since_1970 > kLast) return "at no known time";
  return fmt::format("{:%Y-%m-%d %H:%M}",
                     fmt::gmtime(static_cast<std::time_t>(seconds_since_1970)));
}

std::string AgeText(int64_t seconds) {
  struct Unit {
    int64_t seconds;
    std::string_view one;
    std::string_view many;
  };
  constexpr std::array<Unit, 3> kUnits = {
      {{86'400, "day", "days"}, {3'600, "hour", "hours"}, {60, "minute", "minutes"}}};
  for (const Unit& unit : kUnits) {
    const int64_t count = seconds / unit.seconds;
    if (count > 0) return fmt::format("{} {}", count, count == 1 ? unit.one : unit.many);
  }
  return "less than a minute";
}

std::string ParametersText(uint64_t parameters) {
  const auto number = static_cast<double>(parameters);
  if (number >= 1e9) return fmt::format("{:.1f}B", number / 1e9);
  if (number >= 1e6) return fmt::format("{:.1f}M", number / 1e6);
  if (number >= 1e3) return fmt::format("{:.0f}k", number / 1e3);
  return std::to_string(parameters);
}

std::string ModelListText(const std::vector<ModelRecord>& models) {
  std::vector<std::vector<std::string>> rows;
  for (const ModelRecord& model : models) {
    std::string where = IsContent(model.source) ? "" : Shown(model.source);
    if (model.state != "present") where += (where.empty() ? "" : "  ") + Shown(model.state);
    rows.push_back({std::to_string(model.id), TimeText(model.added.at),
                    ParametersText(model.parameters), Shown(model.architecture, 20),
                    Shown(model.name), where});
  }
  if (rows.empty()) return "no model\n";
  std::string text = Columns(
      rows, {Align::kRight, Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft});
  return text + Counted(models.size(), "model", "models") + "\n";
}

std::string ModelText(const ModelDetails& details) {
  const ModelRecord& model = details.model;
  std::string text = fmt::format("{}  #{}\n", Shown(model.name), model.id);
  text += RowText("source", IsContent(model.source) ? "not told" : Shown(model.source, 200));
  text += RowText("revision", IsContent(model.revision) ? "" : Shown(model.revision, 200));
  text += RowText("part", Shown(model.sub_path, 200));
  text += RowText("publisher", Shown(model.publisher));
  text += RowText("collection", Shown(model.collection));
  text += RowText("architecture", fmt::format("{}, {} parameters, {}", Shown(model.architecture),
                                              ParametersText(model.parameters),
                                              Counted(model.layers, "layer", "layers")));
  text += RowText("fingerprint", HexOf(model.digest));
  text += RowText("trust", model.trust);
  text += RowText("state", model.state);
  text +=
      RowText("added", fmt::format("{} by {}", TimeText(model.added.at), Shown(model.added.who)));
  for (const LicenseClaim& each : details.licenses) {
    text += RowText("licence",
                    fmt::format("{}  (said by a {})", Shown(each.license, 200), Shown(each.place)));
  }
  for (const ModelFile& each : details.files) {
    text += RowText("file", fmt::format("{}  {}  SHA-256 {}", Shown(each.path, 200),
                                        ReadableBytes(each.bytes), HexOf(each.sha256)));
  }
  for (const RelationRecord& each : details.relations) {
    const bool child = each.child == model.name;
    text += RowText(child ? "parent" : "child",
                    fmt::format("{}  {}, {}{}", Shown(child ? each.parent : each.child), each.kind,
                                each.origin == "measured" ? "measured" : "as somebody said",
                                each.score ? fmt::format(", score {:.3f}", *each.score) : ""));
  }
  return text;
}

std::string StatusText(const std::string& place, const RegistryStatus& status,
                       std::optional<int64_t> age_seconds) {
  std::string text = fmt::format("{}  ({}, schema version {})\n", Shown(place, 200), status.engine,
                                 status.schema_version);
  text += RowText("models", WithThousands(static_cast<uint64_t>(status.models)));
  if (status.past_models > 0) {
    text += RowText("of the past", WithThousands(static_cast<uint64_t>(status.past_models)));
  }
  text +=
      RowText("fingerprints",
              fmt::format("{}, {}, {}", WithThousands(static_cast<uint64_t>(status.fingerprints)),
                          ReadableBytes(static_cast<uint64_t>(status.fingerprint_bytes)),
                          status.blobs == "inline" ? "in the database" : "in a folder"));
  text += RowText("digests", Counted(static_cast<uint64_t>(status.matrices), "matrix", "matrices"));
  text += RowText("relations", WithThousands(static_cast<uint64_t>(status.relations)));
  text += RowText("log", Counted(static_cast<uint64_t>(status.events), "event", "events"));
  if (status.created_at) text += RowText("created", TimeText(*status.created_at));
  text += RowText("last added", status.last_added_at && age_seconds
                                    ? fmt::format("{}, {} ago", TimeText(*status.last_added_at),
                                                  AgeText(*age_seconds))
                                    : "never");
  return text;
}

std::string AddedText(const AddedModels& added) {
  std::string text;
  size_t fresh = 0;
  for (const AddedModel& each : added.added) {
    const bool is_new = each.addition == Addition::kAdded;
    fresh += is_new ? 1 : 0;
    text += fmt::format("{} #{} {}", is_new ? "added" : "there already:", each.model.id,
                        Shown(each.model.name));
    if (each.superseded > 0) {
      text += fmt::format("  (supersedes {})",
                          Counted(each.superseded, "earlier revision", "earlier revisions"));
    }
    text += "\n";
  }
  return text + fmt::format("{} added, {} there already\n", fresh, added.added.size() - fresh);
}

std::string RelatedText(const RelatedModels& related) {
  std::string text = fmt::format("{} from {}: {}, as you say\n", Shown(related.child.name),
                                 Shown(related.parent.name), related.asserted);
  text += fmt::format("measured: {}", related.measured.kind);
  if (related.measured.score) text += fmt::format("  (score {:.3f})", *related.measured.score);
  if (related.contradicted) text += "; this contradicts what you say";
  return text + "\n";
}

std::string SearchText(const RegistrySearchResult& result, double seconds) {
  const bool compared = std::ranges::any_of(
      result.rows, [](const SearchRow& row) { return row.comparison.has_value(); });
  std::vector<std::vector<std::string>> rows;
  std::vector<Align> alignments = {Align::kLeft, Align::kRight};
  rows.push_back({"model", "estimate"});
  if (compared) {
    rows.back() = {"model", "estimate", "score", "verdict", "direction"};
    alignments = {Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft};
  }
  for (const SearchRow& row : result.rows) {
    std::vector<std::string> cells = {Shown(row.model.name), fmt::format("{:.3f}", row.score)};
    if (compared) {
      cells.push_back(ScoreText(row.comparison->score));
      cells.emplace_back(VerdictName(row.comparison->verdict));
      const auto& later = row.comparison->direction.later;
      cells.emplace_back(!later ? "not shown" : *later == Side::kB ? "came later" : "came first");
    }
    rows.push_back(std::move(cells));
  }
  std::string text;
  for (const std::string& exact : ExactTexts(result.exact)) text += Shown(exact, 400) + "\n";
  if (!text.empty()) text += "\n";
  text += result.rows.empty() ? "nothing found\n" : Columns(rows, alignments);
  text += fmt::format("searched {} of {} in {:.2f} s, {} by their signatures\n",
                      Counted(result.summary.fingerprints, "fingerprint", "fingerprints"),
                      Counted(result.summary.models, "model", "models"), seconds,
                      WithThousands(result.summary.rescored));
  if (!compared && !result.rows.empty()) {
    text += "A list, no verdict: --full compares, 'classify --known REGISTRY' answers.\n";
  }
  return text;
}

std::string SharedText(const SharedPartsResult& result) {
  std::string text;
  for (const SharedModel& each : result.parts.models) {
    text += fmt::format("{}  {:.1f}% of the parameters of {}\n", Shown(each.model.name),
                        100 * each.share, Shown(result.name));
    for (const SharedRun& run : each.runs) text += "  " + RunText(run) + "\n";
  }
  if (text.empty()) text = "no matrix of it is in another model, number for number\n";
  text += fmt::format("looked up {}\n", Counted(result.parts.matrices, "matrix", "matrices"));
  if (result.parts.too_common > 0) {
    text += fmt::format("{} of them are in so many models that not all are told\n",
                        result.parts.too_common);
  }
  return text;
}

std::string DuplicatesText(const Duplicates& duplicates) {
  constexpr size_t kMostNamed = 5;
  std::string text;
  for (const DuplicateSet& set : duplicates.sets) {
    std::vector<std::string> names;
    for (size_t i = 0; i < std::min(kMostNamed, set.models.size()); ++i) {
      names.push_back(Shown(set.models[i]));
    }
    if (set.models.size() > kMostNamed) {
      names.push_back(fmt::format("{} more", set.models.size() - kMostNamed));
    }
    text += fmt::format("{}  {} in {}\n", ReadableBytes(set.saved_bytes),
                        Counted(set.matrices, "matrix", "matrices"), fmt::join(names, ", "));
  }
  if (text.empty()) return "no matrix is in two models\n";
  return text + fmt::format("{} could be saved\n", ReadableBytes(duplicates.saved_bytes));
}

std::string VerificationText(const Verification& found) {
  std::string text;
  for (const Fault& each : found.faults) {
    text += fmt::format("{}{}{}{}\n", each.repaired ? "repaired: " : "", Shown(each.problem, 200),
                        each.subject.empty() ? "" : ": ", Shown(each.subject, 80));
  }
  if (const size_t count = found.leftovers.size(); count > 0) {
    const bool removed = std::ranges::all_of(found.leftovers, &Leftover::removed);
    text += fmt::format("{} of a program that was ended{}\n",
                        Counted(count, "leftover file", "leftover files"),
                        removed ? ": removed" : "; --repair removes what is left over");
  }
  const size_t faults = found.faults.size();
  return text + (faults == 0 ? "clean\n" : Counted(faults, "fault", "faults") + "\n");
}

}  // namespace tensorguard::internal::cli
