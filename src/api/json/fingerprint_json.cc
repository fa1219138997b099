#include "api/json/fingerprint_json.h"

namespace tensorguard::internal {
namespace {

OrderedJson ModelToJson(const FingerprintedModel& model) {
  const bool paper = model.profile == Profile::kPaper;
  OrderedJson json = {{"name", model.name},       {"profile", paper ? "paper" : "full"},
                      {"output", model.output},   {"parameters", model.parameters},
                      {"seconds", model.seconds}, {"bytes_read", model.bytes_read},
                      {"notes", model.notes}};
  if (paper) {
    json["zero_tensors"] = model.zero_tensors;
    json["features"] = OrderedJson::parse(model.features_json);
  }
  return json;
}

}  // namespace

OrderedJson FingerprintedModelsToJson(const std::vector<FingerprintedModel>& models,
                                      const std::vector<Error>& errors) {
  OrderedJson json = ResultObject("fingerprint");
  json["models"] = OrderedJson::array();
  for (const FingerprintedModel& model : models) json["models"].push_back(ModelToJson(model));
  AddErrors(errors, &json);
  return json;
}

}  // namespace tensorguard::internal
