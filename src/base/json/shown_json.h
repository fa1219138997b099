// A value of a document as an error shows it.
#ifndef TENSORGUARD_BASE_JSON_SHOWN_JSON_H_
#define TENSORGUARD_BASE_JSON_SHOWN_JSON_H_

#include <string>

#include "base/json.h"

namespace tensorguard::internal {

// In ASCII, no more than 200 characters: a file may write anything, at any length.
std::string ShownJson(const Json& value);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_JSON_SHOWN_JSON_H_
