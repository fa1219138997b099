// Registries of known models: one SQLite file, or tables on a PostgreSQL server.
#ifndef TENSORGUARD_TENSORGUARD_REGISTRY_H_
#define TENSORGUARD_TENSORGUARD_REGISTRY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tensorguard/classify.h"
#include "tensorguard/export.h"
#include "tensorguard/fingerprint.h"
#include "tensorguard/result.h"

namespace tensorguard {

// A weight file of a model, as it lies there byte for byte.
struct RegistryFile {
  std::string path = {};  // below the model's folder
  uint64_t bytes = 0;
  std::string sha256 = {};  // 64 hexadecimal digits
};

// That one model comes from another.
struct RegistryRelation {
  std::string child = {};
  std::string parent = {};
  std::string kind = {};  // what is said: "derived", "merge", ...; of a measured one the verdict
  bool measured = false;  // else as somebody said
  std::optional<double> score = {};  // in [0, 1]
  std::optional<double> p_value = {};
  int64_t added_at = 0;  // seconds since 1970, UTC
  std::string added_by = {};
};

struct RegistryModel {
  int64_t id = 0;           // its number in this registry; never given twice
  std::string name = {};    // a label; several models may have one
  std::string source = {};  // where it is from; "blake3:..." where nobody said
  std::string revision = {};
  std::string collection = {};
  std::string trust = {};  // "own", "verified", "unverified"
  std::string state = {};  // "present", "superseded", "withdrawn"
  int64_t added_at = 0;    // seconds since 1970, UTC
  std::string added_by = {};
  std::string fingerprint = {};  // BLAKE3 of the fingerprint's file, 64 hexadecimal digits
  std::string architecture = {};
  uint64_t parameters = 0;
  // Only of what Registry::Find returns.
  std::vector<std::string> licenses = {};
  std::vector<RegistryFile> files = {};          // whose digests are known
  std::vector<RegistryRelation> relations = {};  // with it as child or as parent
};

// What is told of a model when it is added. All may be empty.
struct RegistryEntry {
  std::string name = {};  // the fingerprint's where empty
  std::string source = {};
  std::string revision = {};  // a commit: it names one content for ever
  std::string collection = {};
  std::string license = {};
  std::string trust = "own";
  int64_t added_at = 0;  // seconds since 1970, UTC: the library reads no clock
  std::string added_by = {};
  std::vector<RegistryFile> files = {};  // that the model consists of, to be found by their digests
};

struct RegistryAddition {
  RegistryModel model;
  bool already_there = false;  // the same content of the same source: nothing was added
};

// A model that a search found. A list, no verdict: `score` orders, and estimates the score of a
// comparison.
struct RegistryHit {
  RegistryModel model;
  double score = 0;  // in [0, 1]
};

struct RegistrySearch {
  uint64_t searched = 0;  // fingerprints that the query was held against, all there are
  std::vector<RegistryHit> hits = {};
};

struct RegistryClassification {
  // Of the nearest, compared in full; Candidate::known is an index in `models`.
  Classification classification = {};
  std::vector<RegistryModel> models = {};
  uint64_t searched = 0;
};

// A file of a model that a digest names. Whoever added the model said that it has this digest.
struct RegistryFileHit {
  RegistryModel model;
  RegistryFile file;
};

// What was said, and beside it what a comparison of the two measured.
struct RegistryRelated {
  RegistryRelation asserted;
  RegistryRelation measured;
  bool contradicted = false;  // measured as independent
};

struct RegistryStatus {
  std::string engine = {};  // "SQLite", "PostgreSQL"
  std::string blobs = {};   // where fingerprints lie: "inline", "folder"
  int64_t schema_version = 0;
  int64_t models = 0;       // present
  int64_t past_models = 0;  // superseded or withdrawn
  int64_t fingerprints = 0;
  int64_t fingerprint_bytes = 0;
  int64_t matrices = 0;  // whose digests can be looked up
  int64_t relations = 0;
  int64_t events = 0;                         // of the log
  std::optional<int64_t> created_at = {};     // seconds since 1970, UTC
  std::optional<int64_t> last_added_at = {};  // empty where nothing is
};

struct RegistryFault {
  std::string problem = {};  // a sentence
  std::string subject = {};  // a model's name, a fingerprint's BLAKE3; "" for the whole registry
  bool repaired = false;
};

struct RegistryVerification {
  std::vector<RegistryFault> faults = {};
  // BLAKE3 of fingerprints' files that a program which was ended left. Nothing is wrong with them.
  std::vector<std::string> leftovers = {};
};

struct RegistryExport {
  size_t models = 0;
  size_t relations = 0;
  size_t fingerprints = 0;
};

struct RegistryImport {
  size_t added = 0;
  size_t already_there = 0;
  size_t relations = 0;
};

namespace internal {
class RegistrySession;
}

// For one thread at a time; several threads, and several programs, may each open their own. Errors
// of all functions: kSystem for a full disk, a server that does not answer, another program that
// holds the registry for more than 30 seconds; kBadFile for a damaged one.
class TENSORGUARD_EXPORT Registry {
 public:
  // `place`: a file's path, or postgresql://USER@HOST/DATABASE. Errors: kUsage where there is one.
  static Result<Registry> Create(const std::string& place, int64_t created_at = 0,
                                 const std::string& created_by = {});
  // Errors: kNotFound; kBadFile for another program's database; kUnsupported for a registry of
  // another version, or a file on a network disk.
  static Result<Registry> Open(const std::string& place);

  Registry(Registry&&) noexcept;
  Registry& operator=(Registry&&) noexcept;
  ~Registry();

  // Errors: kUsage for a fingerprint that was made with a budget, for texts that are not UTF-8, and
  // for digests that are none; kMismatch for another content under a revision that is there.
  Result<RegistryAddition> Add(const Fingerprint& fingerprint, const RegistryEntry& entry = {});
  // Of NAME.fingerprint.safetensors. Errors: those of ReadFingerprint, too; kBadFile for one whose
  // signature is not that of its numbers.
  Result<RegistryAddition> AddFile(const std::string& path, const RegistryEntry& entry = {});

  // In the order in which they were added: those with higher numbers than `after`, at most `limit`.
  Result<std::vector<RegistryModel>> List(int64_t after = 0, int64_t limit = 1000,
                                          const std::string& collection = {});
  // By name, or by "#7". Errors: kNotFound; kUsage where several models have the name.
  Result<RegistryModel> Find(const std::string& name);
  Result<Fingerprint> ReadFingerprint(const std::string& name);
  // The log keeps that it was there.
  Result<void> Remove(const std::string& name, int64_t removed_at = 0,
                      const std::string& removed_by = {});

  // The nearest by their signatures, nearest first; every fingerprint is looked at.
  Result<RegistrySearch> Search(const Fingerprint& model, size_t limit = 20, unsigned threads = 0);
  // The nearest, compared in full. Of up to 256 models all are compared. p-values are corrected for
  // all that were searched. Errors: kUsage for an empty registry.
  Result<RegistryClassification> Classify(const Fingerprint& model, unsigned threads = 0);
  // Of the file with this SHA-256, in 64 hexadecimal digits: none where no entry names it. Present
  // models come first. Errors: kUsage for what is no digest.
  Result<std::vector<RegistryFileHit>> FindFile(const std::string& sha256);

  // Records that `child` comes from `parent`, and compares the two. `kind`: "derived", "adapter",
  // "merge", "quantised", "reparameterised", "identical". Errors: kUsage for a model and itself.
  Result<RegistryRelated> Relate(const std::string& child, const std::string& parent,
                                 const std::string& kind = "derived", int64_t related_at = 0,
                                 const std::string& related_by = {});

  Result<RegistryStatus> Status();
  // Checks everything, and reads every fingerprint for it. With `repair` what can be computed anew
  // is, and what belongs to nothing is removed.
  Result<RegistryVerification> Verify(bool repair = false, int64_t repaired_at = 0,
                                      const std::string& repaired_by = {});

  // Into a folder that is made, or holds nothing: all models as files that Import reads. Errors:
  // kUsage for a folder that holds something.
  Result<RegistryExport> Export(const std::string& folder);
  // What Export wrote. Models come in as "unverified". Errors: kBadFile for a folder that is no
  // such export, or a file that was changed: then nothing was added.
  Result<RegistryImport> Import(const std::string& folder, int64_t imported_at = 0,
                                const std::string& imported_by = {});

 private:
  explicit Registry(std::unique_ptr<internal::RegistrySession> session);
  std::unique_ptr<internal::RegistrySession> session_;
};

}  // namespace tensorguard

#endif  // TENSORGUARD_TENSORGUARD_REGISTRY_H_
