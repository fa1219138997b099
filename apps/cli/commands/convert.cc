// tensorguard convert: any readable model as one plain safetensors file.
#include "model/convert.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/commands/commands.h"
#include "cli/models/models.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

DType DTypeOf(const std::string& name) {
  if (name == "f16") return DType::kF16;
  return name == "bf16" ? DType::kBF16 : DType::kF32;
}

}  // namespace

Result<ExitStatus> RunConvert(const ConvertOptions& options, Console& console) {
  if (auto base = CheckBase({options.model}, options.base); !base) return std::move(base).error();
  const auto model = OpenWithBase(options.model, options.base);
  if (!model) return model.error();
  const auto converted = ConvertWeights(
      *model->weights, options.output,
      {.dtype = DTypeOf(options.dtype), .on_progress = console.ShowProgress(model->name)});
  console.EndProgress();
  if (!converted) return converted.error();
  const size_t tensors = model->weights->tensors().size();
  if (!console.json()) {
    console.Print(fmt::format("{}  ({} tensors as {})\n", EscapeControl(options.output),
                              WithThousands(tensors), options.dtype));
    return ExitStatus::kDone;
  }
  OrderedJson json = ResultObject("convert");
  json["name"] = model->name;
  json["output"] = options.output;
  json["tensors"] = tensors;
  json["dtype"] = options.dtype;
  console.PrintJson(json);
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
