// What a MODEL argument names: a path of this machine, a model on the Hub, or a URL.
#ifndef TENSORGUARD_PLACES_PLACE_NAME_H_
#define TENSORGUARD_PLACES_PLACE_NAME_H_

#include <string>
#include <string_view>
#include <variant>

#include "places/http/url.h"
#include "tensorguard/result.h"

namespace tensorguard::internal {

// hf://ORG/NAME[@REVISION][/FILE], as huggingface_hub's file system writes it. "/" in a revision is
// %2F, but for refs/pr/N and refs/convert/NAME.
struct HubPlace {
  std::string repository;  // "ORG/NAME", or "NAME" of old models
  std::string revision;    // "main" if none was given
  std::string file;        // below the repository; empty for all of it

  // The way to it, without the file: "hf://ORG/NAME", "hf://ORG/NAME@REVISION".
  std::string Root() const;
};

struct WebPlace {
  Url url;
  bool is_folder = false;  // its path ended in "/"
  // The URL without query and last "/", percent-decoded: names are joined to it as to a path.
  std::string path;
};

struct S3Place {
  std::string bucket;
  std::string key;  // decoded, as S3 URIs are written
};

struct LocalPlace {
  std::string path;
};

using PlaceName = std::variant<LocalPlace, HubPlace, WebPlace, S3Place>;

// Whether `text` starts with a scheme that ParsePlaceName reads ("hf://").
bool IsPlaceUrl(std::string_view text);

// Text without a scheme is a path. Errors: kUsage for a URL that is none of hf://, https://,
// http://, s3:// and file://, or not as these are written.
Result<PlaceName> ParsePlaceName(std::string_view text);

// "NAME" of hf://ORG/NAME@REVISION, else the last part of the path, decoded and without query.
// Empty if `text` is no such URL.
std::string LastPartOf(std::string_view text);

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_PLACE_NAME_H_
