#include "cli/output/version_json.h"

#include "anchors/anchor_list.h"
#include "fingerprint/fingerprint.h"

namespace tensorguard::internal::cli {

OrderedJson VersionToJson(std::string_view version, std::string_view commit) {
  OrderedJson json = ResultObject("version");
  json["version"] = version;
  json["commit"] = commit.empty() ? OrderedJson() : OrderedJson(commit);
  json["fingerprint_version"] = kFingerprintVersion;
  json["anchor_list_version"] = kAnchorListVersion;
  return json;
}

}  // namespace tensorguard::internal::cli
