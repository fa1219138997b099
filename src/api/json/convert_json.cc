#include "api/json/convert_json.h"

namespace tensorguard::internal {

OrderedJson ConvertedModelToJson(const ConvertedModel& converted) {
  OrderedJson json = ResultObject("convert");
  json["name"] = converted.name;
  json["output"] = converted.output;
  json["tensors"] = converted.tensors;
  json["dtype"] = converted.dtype;
  return json;
}

}  // namespace tensorguard::internal
