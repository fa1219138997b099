// tensorguard convert: any readable model as one plain safetensors file.
#include <fmt/format.h>

#include "api/changes/conversion.h"
#include "api/json/convert_json.h"
#include "base/text.h"
#include "base/try.h"
#include "cli/commands/commands.h"
#include "cli/commands/console_session.h"
#include "cli/output/standard_output.h"
#include "cli/output/text_layout.h"

namespace tensorguard::internal::cli {
namespace {

DType DTypeOf(const std::string& name) {
  if (name == "f16") return DType::kF16;
  return name == "bf16" ? DType::kBF16 : DType::kF32;
}

}  // namespace

Result<ExitStatus> RunConvert(const ConvertOptions& options, Console& console) {
  TG_ASSIGN(const auto converted, ConvertModel({.model = options.model,
                                                .base = options.base,
                                                .output = options.output,
                                                .dtype = DTypeOf(options.dtype)},
                                               SessionOf(console, options.part, true)));
  if (console.json()) {
    console.PrintJson(ConvertedModelToJson(converted));
  } else if (!IsStandardOutput(converted.output)) {
    console.Print(fmt::format("{}  ({} tensors as {})\n", EscapeControl(converted.output),
                              WithThousands(converted.tensors), converted.dtype));
  }
  return ExitStatus::kDone;
}

}  // namespace tensorguard::internal::cli
