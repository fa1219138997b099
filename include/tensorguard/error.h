// Expected failures as values that carry their place.
#ifndef TENSORGUARD_TENSORGUARD_ERROR_H_
#define TENSORGUARD_TENSORGUARD_ERROR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tensorguard/export.h"

namespace tensorguard {

enum class ErrorKind {
  kBadFile,      // the file's bytes break its format
  kNotFound,     // a file, tensor or model that was named is not there
  kUnsupported,  // valid, but of a kind that this program does not read
  kMismatch,     // two inputs do not belong together (adapter and base, say)
  kUsage,        // the request itself makes no sense
  kSystem,       // the operating system refused (permission, read error)
  kCancelled,    // the caller wanted no result any more
};

// The kind's name in JSON output, for example "bad_file".
TENSORGUARD_EXPORT std::string_view ErrorKindName(ErrorKind kind);

// One problem and where it is. `file` and `tensor` hold raw text from outside; whoever shows them
// escapes them, as DescribeError does. Inner layers fill what they know, outer layers add the rest
// with InFile and InTensor, which never overwrite a place that is already known.
struct TENSORGUARD_EXPORT Error {
  ErrorKind kind = ErrorKind::kBadFile;
  std::string problem;                       // one clause, lower case, no full stop
  std::string file = {};                     // path, empty if no file is concerned
  std::string tensor = {};                   // tensor name, empty if none is concerned
  std::optional<uint64_t> byte_offset = {};  // from the start of `file`
  std::string found = {};                    // the actual value, if it helps
  std::string expected = {};                 // the rule, with its number
  std::string advice = {};                   // shown as "try", only where it is known to help

  Error&& InFile(std::string_view path) &&;
  Error&& InTensor(std::string_view name) &&;
};

// "FILE: tensor "NAME": problem (byte N)" and then indented lines for found, expected and try.
// Names are escaped, so that the text is safe to print on a terminal.
TENSORGUARD_EXPORT std::string DescribeError(const Error& error);

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_ERROR_H_
