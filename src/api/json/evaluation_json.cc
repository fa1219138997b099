#include "api/json/evaluation_json.h"

#include <map>

#include "api/json/comparison_json.h"

namespace tensorguard::internal {
namespace {

OrderedJson CountsToJson(const std::map<std::string, size_t>& counts) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, count] : counts) json[name] = count;
  return json;
}

OrderedJson PairToJson(const EvaluationReport& report, size_t i) {
  const EvaluationPair& pair = report.pairs[i];
  OrderedJson json = {
      {"model", report.models[pair.model].name},           {"base", report.models[pair.base].name},
      {"truth", pair.derived ? "derived" : "independent"}, {"kind", pair.kind},
      {"score", NumberOrNull(report.answers[i].score)},    {"verdict", report.answers[i].verdict}};
  if (report.answers[i].negative_log10_p) {
    json["negative_log10_p"] = *report.answers[i].negative_log10_p;
  }
  return json;
}

OrderedJson RankingToJson(const Ranking& ranking) {
  return {{"derived", ranking.derived},
          {"independent", ranking.independent},
          {"auc", NumberOrNull(ranking.auc)},
          {"found_at_no_false_positive", NumberOrNull(ranking.found_at_no_false_positive)},
          {"found_at_1_percent", NumberOrNull(ranking.found_at_1_percent)},
          {"lowest_derived", NumberOrNull(ranking.lowest_derived)},
          {"highest_independent", NumberOrNull(ranking.highest_independent)},
          {"margin", NumberOrNull(ranking.margin)}};
}

OrderedJson KindsToJson(const Evaluation& evaluation) {
  OrderedJson kinds = OrderedJson::object();
  for (const auto& [name, kind] : evaluation.kinds) {
    kinds[name] = {{"pairs", kind.pairs},
                   {"scored", kind.scored},
                   {"found", kind.found},
                   {"lowest_score", NumberOrNull(kind.lowest_score)},
                   {"highest_score", NumberOrNull(kind.highest_score)},
                   {"verdicts", CountsToJson(kind.verdicts)}};
  }
  return kinds;
}

OrderedJson MergesToJson(const std::vector<MergeAnswer>& merges) {
  OrderedJson json = OrderedJson::array();
  for (const MergeAnswer& merge : merges) {
    json.push_back({{"model", merge.model},
                    {"true_parents", merge.true_parents},
                    {"true_weights", merge.true_weights},
                    {"found", merge.found ? MergeToJson(*merge.found) : OrderedJson()}});
  }
  return json;
}

}  // namespace

OrderedJson EvaluationToJson(const EvaluationReport& report) {
  const Evaluation& evaluation = report.evaluation;
  OrderedJson json = ResultObject("evaluate");
  json["profile"] = EvaluatedProfileName(report.profile);
  json["total"] = RankingToJson(evaluation.ranking);
  json["unscored"] = evaluation.unscored;
  json["nearest_base"] = {{"right", evaluation.nearest_base_right},
                          {"asked", evaluation.nearest_base_asked},
                          {"wrong", evaluation.nearest_base_wrong}};
  json["confusion"] = OrderedJson::object();
  for (const auto& [truth, verdicts] : evaluation.confusion) {
    json["confusion"][truth] = CountsToJson(verdicts);
  }
  json["kinds"] = KindsToJson(evaluation);
  json["merges"] = MergesToJson(report.merges);
  json["copies"] = OrderedJson::array();
  for (const CopyAnswer& copy : report.copies) {
    json["copies"].push_back(
        {{"model", copy.model}, {"twin", copy.twin}, {"verdict", copy.verdict}});
  }
  json["pairs"] = OrderedJson::array();
  for (size_t i = 0; i < report.pairs.size(); ++i) json["pairs"].push_back(PairToJson(report, i));
  AddErrors(report.errors, &json);
  return json;
}

}  // namespace tensorguard::internal
