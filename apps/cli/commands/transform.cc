// tensorguard transform: a changed copy of a model that works.
#include <fmt/format.h>

#include "base/random_bits.h"
#include "base/text.h"
#include "cli/arguments/usage.h"
#include "cli/commands/commands.h"
#include "cli/models/models.h"
#include "cli/output/text_layout.h"
#include "transform/change.h"
#include "transform/decoder_model.h"
#include "transform/logits.h"

namespace tensorguard::internal::cli {
namespace {

struct AppliedChange {
  ChosenChange chosen;
  std::optional<double> logit_difference = {};  // empty: the tokens are another model's
};

void ListAsText(Console& console) {
  for (const Change& change : AllChanges()) {
    console.Print(fmt::format("{}  (function {})\n", change.name, KeepsName(change.keeps)));
    console.Print(Wrapped(std::string(change.text) + ".", 4));
    if (!change.strength.empty()) {
      console.Print(Wrapped(fmt::format("Strength: {}; {} to {}, {} if not given.", change.strength,
                                        change.least, change.most, change.strengths.front()),
                            4));
    }
    if (change.second != SecondModel::kNone) {
      console.Print(change.second == SecondModel::kNeeded
                        ? "    Needs --with-model.\n"
                        : "    Uses --with-model where it is given.\n");
    }
    console.Print(Wrapped(fmt::format("Source: {}.", change.source), 4));
  }
}

Result<ExitStatus> ListChanges(Console& console) {
  if (!console.json()) {
    ListAsText(console);
    return ExitStatus::kDone;
  }
  OrderedJson list = OrderedJson::array();
  for (const Change& change : AllChanges()) {
    OrderedJson entry = {{"name", change.name}, {"text", change.text}};
    entry["function"] = KeepsName(change.keeps);
    entry["strength"] = change.strength;
    entry["strengths"] = change.strengths;
    entry["second_model"] = change.second == SecondModel::kNone     ? "none"
                            : change.second == SecondModel::kNeeded ? "needed"
                                                                    : "used";
    entry["source"] = change.source;
    list.push_back(std::move(entry));
  }
  OrderedJson json = ResultObject("transform");
  json["known_changes"] = std::move(list);
  console.PrintJson(json);
  return ExitStatus::kDone;
}

Result<void> CheckOptions(const TransformOptions& options) {
  if (options.model.empty()) return UsageError("MODEL is missing");
  if (!options.output) return UsageError("-o is missing");
  if (!options.with) return UsageError("--with is missing");
  return CheckBase({options.model}, options.base);
}

// Applies the changes one after the other and measures each.
Result<std::vector<AppliedChange>> ApplyAll(const std::vector<ChosenChange>& chosen, uint64_t seed,
                                            const Decoder* other, Decoder& decoder) {
  std::vector<AppliedChange> applied;
  auto before = LogitsOf(decoder, seed);
  if (!before) return std::move(before).error();
  for (size_t i = 0; i < chosen.size(); ++i) {
    auto changed = ApplyChange(chosen[i], RandomBits(seed, i), other, decoder);
    if (!changed) return std::move(changed).error();
    auto after = LogitsOf(decoder, seed);
    if (!after) return std::move(after).error();
    applied.push_back({.chosen = chosen[i]});
    if (*before && *after) applied.back().logit_difference = LogitDifference(**before, **after);
    before = std::move(after);
  }
  return applied;
}

std::optional<DType> DTypeOf(const std::string& name) {
  if (name == "f32") return DType::kF32;
  if (name == "f16") return DType::kF16;
  if (name == "bf16") return DType::kBF16;
  return {};
}

void PrintApplied(const TransformOptions& options, const std::vector<AppliedChange>& applied,
                  Console& console) {
  std::vector<std::vector<std::string>> rows = {{"change", "strength", "function", "logits moved"}};
  for (const AppliedChange& each : applied) {
    const Change& change = *each.chosen.change;
    rows.push_back(
        {std::string(change.name),
         change.strength.empty() ? "" : fmt::format("{}", each.chosen.strength),
         std::string(KeepsName(change.keeps)),
         each.logit_difference ? fmt::format("{:.2g}", *each.logit_difference) : "other tokens"});
  }
  console.Print(EscapeControl(*options.output) + "\n");
  console.Print(Columns(rows, {Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft}, 2));
}

void PrintAppliedAsJson(const TransformOptions& options, const std::string& name,
                        const std::vector<AppliedChange>& applied, Console& console) {
  OrderedJson json = ResultObject("transform");
  json["name"] = name;
  json["output"] = *options.output;
  json["seed"] = options.seed;
  json["changes"] = OrderedJson::array();
  for (const AppliedChange& each : applied) {
    OrderedJson entry = {{"name", each.chosen.change->name}, {"strength", each.chosen.strength}};
    entry["function"] = KeepsName(each.chosen.change->keeps);
    entry["logit_difference"] = NumberOrNull(each.logit_difference);
    json["changes"].push_back(std::move(entry));
  }
  console.PrintJson(json);
}

}  // namespace

Result<ExitStatus> RunTransform(const TransformOptions& options, Console& console) {
  if (options.list) return ListChanges(console);
  if (auto checked = CheckOptions(options); !checked) return std::move(checked).error();
  const auto chosen = ParseChanges(*options.with);
  if (!chosen) return chosen.error();
  const auto model = OpenWithBase(options.model, options.base);
  if (!model) return model.error();
  auto decoder = ReadDecoder(*model);
  if (!decoder) return std::move(decoder).error();
  std::optional<Decoder> other;
  if (options.with_model) {
    const auto second = OpenWithBase(*options.with_model, {});
    if (!second) return second.error();
    auto read = ReadDecoder(*second);
    if (!read) return std::move(read).error();
    other = *std::move(read);
  }
  const auto applied = ApplyAll(*chosen, options.seed, other ? &*other : nullptr, *decoder);
  if (!applied) return applied.error();
  auto written = WriteDecoder(*decoder, *options.output, DTypeOf(options.dtype));
  if (!written) return std::move(written).error();
  if (console.json()) {
    PrintAppliedAsJson(options, model->name, *applied, console);
  } else {
    PrintApplied(options, *applied, console);
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
