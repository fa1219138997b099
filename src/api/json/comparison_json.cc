#include "api/json/comparison_json.h"

#include "api/json/shortfall_json.h"
#include "comparison/stack_origins.h"

namespace tensorguard::internal {
namespace {

OrderedJson LayerToJson(const ComparedPair& pair, const LayerMatch& match) {
  return {{"a", match.layer_a},
          {"b", match.layer_b},
          {"name_a", LayerName(pair.first.layers[match.layer_a])},
          {"name_b", LayerName(pair.second.layers[match.layer_b])},
          {"similarity", NumberOrNull(match.similarity)},
          {"query_key", NumberOrNull(match.kernels[0])},
          {"output_value", NumberOrNull(match.kernels[1])},
          {"feed_forward", NumberOrNull(match.kernels[2])},
          {"sketch_cosine", NumberOrNull(match.sketch_cosine)},
          {"relative_change", NumberOrNull(match.relative_change)}};
}

OrderedJson KernelsToJson(const ComparedPair& pair) {
  const Comparison& comparison = pair.comparison;
  if (!comparison.kernels) return nullptr;
  const OffPath& off_path = comparison.kernels->alignment.off_path;
  OrderedJson layers = OrderedJson::array();
  for (const LayerMatch& match : comparison.layers) layers.push_back(LayerToJson(pair, match));
  return {{"score", comparison.kernels->score},
          {"common_anchors", comparison.kernels->common_anchors},
          {"anchor_agreement", NumberOrNull(comparison.kernels->anchor_agreement)},
          {"layers", layers},
          {"layers_by_index", comparison.layers_by_index},
          {"other_layers",
           {{"pairs", off_path.pairs},
            {"mean", off_path.mean},
            {"standard_deviation", off_path.standard_deviation},
            {"highest", off_path.highest}}}};
}

OrderedJson SketchesToJson(const ComparedPair& pair) {
  const SketchComparison& sketches = pair.comparison.sketches;
  if (sketches.parts == 0) return nullptr;
  OrderedJson tensors = OrderedJson::array();
  for (const SketchPair& each : sketches.pairs) {
    tensors.push_back({{"a", pair.first.weights[each.weights.in_a].tensor},
                       {"b", pair.second.weights[each.weights.in_b].tensor},
                       {"cosine", each.cosine},
                       {"relative_change", each.relative_change},
                       {"equal", each.equal}});
  }
  const auto vocabulary = [](const std::optional<VocabularyPair>& table) -> OrderedJson {
    if (!table) return nullptr;
    return {{"cosine", table->cosine}, {"relative_change", table->relative_change}};
  };
  return {{"cosine", sketches.cosine},
          {"matrices", sketches.parts},
          {"p_value", ChanceOrNull(sketches.p_value)},
          {"embedding", vocabulary(sketches.embedding)},
          {"head", vocabulary(sketches.head)},
          {"tensors", tensors}};
}

OrderedJson TestToJson(const std::optional<DeepTest>& test) {
  if (!test) return nullptr;
  OrderedJson parts = OrderedJson::array();
  for (const DeepTestPart& part : test->parts) {
    parts.push_back(
        {{"name", part.name}, {"log10_p", ChanceOrNull(part.log10_p)}, {"reason", part.reason}});
  }
  return {{"p_value", ChanceOrNull(test->p_value)},
          {"log10_p", ChanceOrNull(test->log10_p)},
          {"method", test->method},
          {"parts", parts},
          {"assumptions", test->assumptions},
          {"limits", test->limits}};
}

std::string SideName(const ComparedPair& pair, Side side) {
  return side == Side::kA ? pair.first.model_name : pair.second.model_name;
}

OrderedJson FrameToJson(const ComparedPair& pair) {
  const auto& frame = pair.comparison.frame;
  if (!frame) return nullptr;
  const auto matches = [&](const std::vector<FrameMatch>& halves) {
    OrderedJson list = OrderedJson::array();
    for (const FrameMatch& match : halves) {
      list.push_back({{"a", match.layer_a}, {"b", match.layer_b}, {"cosine", match.cosine}});
    }
    return list;
  };
  return {
      {"score", frame->score},
      {"p_value", ChanceOrNull(frame->p_value)},
      {"other_layers", {{"mean", frame->null_mean}, {"standard_deviation", frame->null_deviation}}},
      {"attention", matches(frame->attention)},
      {"feed_forward", matches(frame->feed_forward)}};
}

OrderedJson SharesToJson(const OriginCounts& counts) {
  OrderedJson json;
  for (const Origin origin : kOrigins) json[OriginName(origin)] = counts.Share(origin);
  return json;
}

OrderedJson StacksToJson(const Fingerprint& model, const ModelOrigins& origins) {
  OrderedJson stacks = OrderedJson::array();
  for (const StackOrigins& stack : OriginsByStack(model, origins)) {
    stacks.push_back({{"name", stack.stack},
                      {"parameters", stack.counts.Total()},
                      {"answer", AnswerOf(stack.counts)},
                      {"share", SharesToJson(stack.counts)}});
  }
  return stacks;
}

OrderedJson PartsToJson(const Fingerprint& model, const ModelOrigins& origins,
                        const Fingerprint& other) {
  OrderedJson parts = OrderedJson::array();
  for (const PartOrigin& part : origins.parts) {
    const WeightSummary& weight = model.weights[part.weight];
    OrderedJson json = {{"tensor", weight.tensor},
                        {"role", ShownRoleName(weight.role)},
                        {"layer", weight.role.layer ? OrderedJson(*weight.role.layer) : nullptr},
                        {"origin", OriginName(part.origin)}};
    json["counterpart"] =
        part.counterpart ? OrderedJson(other.weights[*part.counterpart].tensor) : nullptr;
    json["cosine"] = NumberOrNull(part.cosine);
    parts.push_back(std::move(json));
  }
  return parts;
}

OrderedJson PaperEvidenceToJson(const PaperComparison& comparison) {
  OrderedJson differences = OrderedJson::array();
  for (const FeatureDifference& each : comparison.differences) {
    differences.push_back({{"feature", each.feature_name},
                           {"a", NumberOrNull(each.a)},
                           {"b", NumberOrNull(each.b)},
                           {"relative", each.relative},
                           {"shape_only", each.shape_only}});
  }
  // Null: evidence that the paper profile does not hold.
  return {{"kernel", nullptr},
          {"sketch", nullptr},
          {"test", nullptr},
          {"paper",
           {{"distance", NumberOrNull(comparison.distance)},
            {"same_shapes", comparison.same_shapes},
            {"differences", differences}}}};
}

}  // namespace

OrderedJson SignsToJson(const std::vector<DirectionSign>& signs, const std::string& a,
                        const std::string& b) {
  OrderedJson list = OrderedJson::array();
  for (const DirectionSign& sign : signs) {
    list.push_back({{"sign", DirectionSignName(sign.kind)},
                    {"later", sign.later == Side::kB ? b : a},
                    {"weight", sign.weight},
                    {"text", sign.text}});
  }
  return list;
}

OrderedJson ComparedPairToJson(const ComparedPair& pair, const std::optional<std::string>& html) {
  OrderedJson json = ResultObject("compare");
  json["a"] = pair.first.model_name;
  json["b"] = pair.second.model_name;
  json["profile"] = "full";
  json["verdict"] = VerdictName(pair.verdict);
  json["in_part"] = pair.in_part;
  json["score"] = NumberOrNull(pair.comparison.score);
  json["p_value"] = ChanceOrNull(pair.comparison.p_value);
  json["reason"] = ReasonOf(pair);
  json["later_model"] = pair.comparison.derived
                            ? OrderedJson(SideName(pair, *pair.comparison.derived))
                            : OrderedJson();
  const Direction direction = DirectionOf(pair);
  json["direction"] = DirectionName(direction);
  json["direction_certainty"] =
      direction.leaning ? OrderedJson(direction.certainty) : OrderedJson();
  json["evidence"] = {
      {"kernel", KernelsToJson(pair)},
      {"sketch", SketchesToJson(pair)},
      {"frame", FrameToJson(pair)},
      {"direction", SignsToJson(direction.signs, pair.first.model_name, pair.second.model_name)},
      {"test", TestToJson(pair.test)}};
  const PairOrigins& origins = pair.comparison.origins;
  json["share"] = {{"a", SharesToJson(origins.a.all)}, {"b", SharesToJson(origins.b.all)}};
  json["stacks"] = {{"a", StacksToJson(pair.first, origins.a)},
                    {"b", StacksToJson(pair.second, origins.b)}};
  json["parts"] = {{"a", PartsToJson(pair.first, origins.a, pair.second)},
                   {"b", PartsToJson(pair.second, origins.b, pair.first)}};
  json["findings"] = OrderedJson::array();
  for (const Finding& finding : pair.comparison.findings) {
    json["findings"].push_back({{"kind", FindingKindName(finding.kind)}, {"text", finding.text}});
  }
  json["quick"] = QuickToJson(pair.comparison, {&pair.first, &pair.second});
  json["merges"] = OrderedJson::array();
  for (const NamedMerge& merge : pair.merges) json["merges"].push_back(MergeToJson(merge));
  json["notes"] = NotesOf(pair);
  if (html) json["html"] = *html;
  AddShortfall(pair.shortfall, &json);
  return json;
}

OrderedJson PaperComparedPairToJson(const PaperComparedPair& pair) {
  OrderedJson json = ResultObject("compare");
  json["a"] = pair.first;
  json["b"] = pair.second;
  json["profile"] = "paper";
  json["verdict"] = PaperVerdictName(pair.comparison.verdict);
  json["score"] = pair.comparison.score;
  json["evidence"] = PaperEvidenceToJson(pair.comparison);
  json["notes"] = pair.comparison.notes;
  AddShortfall(pair.shortfall, &json);
  return json;
}

OrderedJson MergeToJson(const NamedMerge& merge) {
  OrderedJson parents = OrderedJson::array();
  for (size_t i = 0; i < merge.parents.size(); ++i) {
    parents.push_back({{"name", merge.parents[i]}, {"weight", merge.weights[i]}});
  }
  return {{"model", merge.model}, {"parents", parents}, {"residual", merge.residual}};
}

OrderedJson QuickToJson(const Comparison& comparison,
                        const std::vector<const Fingerprint*>& models) {
  if (!comparison.quick) return nullptr;
  const QuickCertainty& quick = *comparison.quick;
  OrderedJson json = {{"decided", quick.decided},
                      {"kernels", quick.kernels},
                      {"matrices", quick.matrices},
                      {"score_error", quick.score_error},
                      {"models", OrderedJson::array()}};
  for (const Fingerprint* model : models) {
    if (!model->quick) continue;
    json["models"].push_back({{"name", model->model_name},
                              {"budget_bytes", model->quick->budget_bytes},
                              {"read_bytes", model->quick->read_bytes},
                              {"tensor_bytes", model->quick->tensor_bytes},
                              {"layers", model->layers.size()},
                              {"model_layers", model->quick->model_layers},
                              {"kernels", model->quick->kernels}});
  }
  return json;
}

}  // namespace tensorguard::internal
