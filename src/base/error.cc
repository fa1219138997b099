#include "tensorguard/error.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tensorguard {

std::string_view ErrorKindName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kBadFile:
      return "bad_file";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kUnsupported:
      return "unsupported";
    case ErrorKind::kMismatch:
      return "mismatch";
    case ErrorKind::kUsage:
      return "usage";
    case ErrorKind::kSystem:
      return "system";
    case ErrorKind::kCancelled:
      return "cancelled";
  }
  return "system";
}

Error&& Error::InFile(std::string_view path) && {
  if (file.empty()) file = path;
  return std::move(*this);
}

Error&& Error::InTensor(std::string_view name) && {
  if (tensor.empty()) tensor = name;
  return std::move(*this);
}

std::string DescribeError(const Error& error) {
  std::string text;
  if (!error.file.empty()) text += internal::EscapeControl(error.file) + ": ";
  if (!error.tensor.empty())
    text += fmt::format("tensor \"{}\": ", internal::EscapeControl(error.tensor));
  text += internal::EscapeControl(error.problem);
  if (error.byte_offset) text += fmt::format(" (byte {})", *error.byte_offset);
  if (!error.found.empty()) text += "\n  found:    " + internal::EscapeControl(error.found);
  if (!error.expected.empty()) text += "\n  expected: " + internal::EscapeControl(error.expected);
  if (!error.advice.empty()) text += "\n  try:      " + internal::EscapeControl(error.advice);
  return text;
}

}  // namespace tensorguard
