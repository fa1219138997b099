// Text from servers and of people who name places: never a crash; a URL that is accepted is the
// same when it is read again, and a listing names no file outside of its model. The first byte
// says what the rest is.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/refusal_checks.h"
#include "places/http/http_answers.h"
#include "places/hub/hub.h"
#include "places/place_name.h"

namespace {

using namespace tensorguard::internal;  // NOLINT: one function of it is asked each

void TryPlaceName(std::string_view text) {
  const auto place = ParsePlaceName(text);
  if (!place) {
    CheckRefused(place.error());
    return;
  }
  if (const auto* hub = std::get_if<HubPlace>(&*place)) {
    const auto again = ParsePlaceName(hub->Root());
    Require(again && std::get<HubPlace>(*again).repository == hub->repository);
    Require(std::get<HubPlace>(*again).revision == hub->revision);
  }
  LastPartOf(text);
}

void TryRedirect(std::string_view location) {
  static const Url base = *Url::Parse("https://host/a/b?c");
  const auto url = base.Resolve(location);
  if (!url) return;
  const auto again = Url::Parse(url->text());
  Require(again && again->text() == url->text() && again->origin() == url->origin());
  Require(url->text().starts_with("http"));
}

void TryContentRange(std::string_view text) {
  const auto range = ParseContentRange(text);
  if (!range || !range->range) return;
  Require(range->range->begin < range->range->end && range->range->end <= range->size_bytes);
}

void TryListing(std::string_view text) {
  const auto listing = ParseHubListing(text);
  if (!listing) return;
  for (const auto& [path, file] : listing->files) {
    Require(!path.empty() && path.front() != '/' && !path.starts_with("../") && path != "..");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(input) + 1, size - 1);
  switch (input[0] % 5) {
    case 0:
      TryPlaceName(text);
      break;
    case 1:
      TryRedirect(text);
      break;
    case 2:
      TryContentRange(text);
      break;
    case 3:
      TryListing(text);
      break;
    default:
      ParseRetryAfter(text);
      BareTag(text);
  }
  return 0;
}
