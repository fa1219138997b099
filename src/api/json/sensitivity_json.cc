#include "api/json/sensitivity_json.h"

namespace tensorguard::internal {

OrderedJson MeasuredSensitivityToJson(const MeasuredSensitivity& measured) {
  const Model& model = measured.model;
  OrderedJson json = ResultObject("sensitivity");
  json["model"] = model.name;
  json["tensors"] = OrderedJson::array();
  for (const TensorSensitivity& each : measured.tensors) {
    const TensorRole& role = model.architecture.roles[each.tensor_index];
    OrderedJson tensor = {{"name", model.weights->tensors()[each.tensor_index].name},
                          {"role", RoleName(role.role)}};
    tensor["layer"] = role.layer ? OrderedJson(*role.layer) : OrderedJson();
    for (size_t i = 0; i < kNoiseCount; ++i) {
      const std::string noise(NoiseName(kAllNoises[i]));
      tensor["gain"][noise] = each.gain[i];
      tensor["gradient_norm"][noise] = each.gradient_norm[i];
    }
    json["tensors"].push_back(std::move(tensor));
  }
  return json;
}

}  // namespace tensorguard::internal
