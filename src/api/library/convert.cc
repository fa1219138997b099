#include "tensorguard/convert.h"

#include "api/changes/conversion.h"
#include "api/library/caller_session.h"
#include "base/try.h"

namespace tensorguard {
namespace {

internal::DType DTypeOf(NumberType type) {
  switch (type) {
    case NumberType::kFloat16:
      return internal::DType::kF16;
    case NumberType::kBFloat16:
      return internal::DType::kBF16;
    case NumberType::kFloat32:
      break;
  }
  return internal::DType::kF32;
}

}  // namespace

Result<void> ConvertModel(const std::string& model, const std::string& output,
                          const ConvertOptions& options) {
  TG_TRY(internal::ConvertModel({.model = model,
                                 .base = internal::BaseOf(options),
                                 .output = output,
                                 .dtype = DTypeOf(options.type)},
                                internal::CallerSession(options)));
  return {};
}

}  // namespace tensorguard
