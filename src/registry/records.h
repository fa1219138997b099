// What a registry tells of a model.
#ifndef TENSORGUARD_REGISTRY_RECORDS_H_
#define TENSORGUARD_REGISTRY_RECORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fingerprint/digest/blake3.h"
#include "fingerprint/digest/sha256.h"

namespace tensorguard::internal {

// Who did something, and when: seconds since 1970, UTC.
struct Stamp {
  int64_t at = 0;
  std::string who = {};
};

struct LicenseClaim {
  std::string place = {};    // where it was found: "person", "card", "file"
  std::string license = {};  // as it stands there
};

// What a person says; nothing where that is empty.
inline std::vector<LicenseClaim> SaidByPerson(const std::string& license) {
  if (license.empty()) return {};
  return {{.place = "person", .license = license}};
}

struct ModelFile {
  std::string path = {};  // below the model's folder
  uint64_t bytes = 0;
  Sha256Digest sha256 = {};
};

// What is told of a model when it is added. All texts are UTF-8 without zero bytes.
struct NewModel {
  std::string name = {};      // a label; the fingerprint's where empty
  std::string source = {};    // where it is from: a URL, a path; by its content where empty
  std::string revision = {};  // a commit, never a branch; by its content where empty
  std::string sub_path = {};  // of one that is a part of its source
  std::string publisher = {};
  std::string kind = "model";  // or "adapter"
  std::string collection = {};
  std::string trust = "own";  // or "verified", "unverified"
  std::vector<LicenseClaim> licenses = {};
  std::vector<ModelFile> files = {};
};

struct ModelRecord {
  int64_t id = 0;
  std::string name = {};
  std::string source = {};
  std::string revision = {};
  std::string sub_path = {};
  std::string publisher = {};
  std::string kind = {};
  std::string collection = {};
  std::string trust = {};
  std::string state = {};  // "present", "superseded", "withdrawn"
  Stamp added = {};
  int64_t fingerprint = 0;  // its row
  Blake3Digest digest = {};
  std::string architecture = {};
  uint64_t parameters = 0;
  uint64_t layers = 0;
};

struct RelationRecord {
  std::string child = {};
  std::string parent = {};
  std::string kind = {};    // "derived", "merge", "adapter", ...; of a measured one the verdict
  std::string origin = {};  // "asserted" or "measured"
  std::optional<double> score = {};
  std::optional<double> p_value = {};
  Stamp added = {};
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_REGISTRY_RECORDS_H_
