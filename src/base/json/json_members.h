// Members of a JSON object taken one by one, each checked.
#ifndef TENSORGUARD_BASE_JSON_JSON_MEMBERS_H_
#define TENSORGUARD_BASE_JSON_JSON_MEMBERS_H_

#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// Keeps the first problem; what is taken after it is a default. Absent members that may be absent
// are defaults, too.
class JsonMembers {
 public:
  // `where` is told in errors: "weights[3]"; empty: names alone. `object` must outlive the members.
  JsonMembers(const Json& object, std::string where);

  bool Has(std::string_view name) const;
  std::string Text(std::string_view name);
  std::string TextOr(std::string_view name, std::string_view absent);
  // Whole numbers in [least, most].
  uint64_t Number(std::string_view name, uint64_t least, uint64_t most);
  std::optional<uint64_t> NumberIfThere(std::string_view name, uint64_t most);
  double Real(std::string_view name);       // any finite number
  bool Flag(std::string_view name);         // must be there
  bool FlagOrFalse(std::string_view name);  // absent: false
  // The place of the text among `names`.
  size_t Choice(std::string_view name, std::span<const std::string_view> names);
  // An array of at most `most` elements; an empty one after a problem.
  const Json& Array(std::string_view name, size_t most);
  // Empty where the member is absent or null.
  std::vector<std::string> TextsIfThere(std::string_view name, size_t most);
  std::vector<double> RealsIfThere(std::string_view name, size_t most);

  // A problem that the caller found with the member.
  void Fail(std::string_view name, std::string found, std::string expected);

  // The first problem.
  Result<void> Check() const;
  // The same; an error, too, if the object has members that were not taken.
  Result<void> Finish() const;

 private:
  const Json* Take(std::string_view name);
  const Json* TakeArrayIfThere(std::string_view name, size_t most);
  std::string PlaceOf(std::string_view name) const;

  const Json& object_;
  std::string where_;
  std::set<std::string_view> taken_;
  std::optional<Error> problem_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_BASE_JSON_JSON_MEMBERS_H_
