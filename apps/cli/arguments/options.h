// What the user asked for: one plain struct for each command.
#ifndef TENSORGUARD_CLI_ARGUMENTS_OPTIONS_H_
#define TENSORGUARD_CLI_ARGUMENTS_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tensorguard::internal::cli {

struct InspectOptions {
  std::string model;
  std::optional<std::string> base;
  std::optional<std::string> part;
  bool list_tensors = false;
};

struct FingerprintOptions {
  std::vector<std::string> models;
  std::optional<std::string> base;
  std::optional<std::string> part;
  std::optional<std::string> output;  // a file, or a folder
  std::string profile = "full";
  bool incomplete = false;  // go on with models that are not whole
  unsigned threads = 0;     // of all jobs together; 0: one per processor
  unsigned jobs = 1;        // models at once
};

struct CompareOptions {
  std::string first;
  std::string second;
  std::optional<std::string> base;
  std::optional<std::string> part;
  // Full profile: where a merge's other parents are looked for. Paper profile: the population that
  // a distance is measured in. May be none.
  std::vector<std::string> known;
  std::string profile;  // empty: by what is given
  bool deep = false;
  std::optional<uint64_t> quick_bytes;  // read at most this much of each model's tensors
  bool incomplete = false;              // go on with models that are not whole
  std::optional<std::string> html;
  std::string command;  // as it was typed, for the page
  bool impute = false;
  std::vector<std::string> fail_on;  // verdicts that give status 1
  unsigned threads = 0;
};

struct ClassifyOptions {
  std::string model;
  std::optional<std::string> base;
  std::optional<std::string> part;
  std::vector<std::string> known;    // fingerprints, folders of them, models
  std::vector<std::string> centers;  // base models of the families; none: each known model is one
  std::string profile;               // empty: by what is given
  std::optional<uint64_t> quick_bytes;
  bool incomplete = false;
  bool impute = false;
  std::vector<std::string> fail_on;
  unsigned threads = 0;
};

struct ClusterOptions {
  std::vector<std::string> models;   // models, fingerprints and folders of them
  std::vector<std::string> centers;  // none: as many families as there are (full profile)
  std::string method = "kmeans";
  std::string profile;  // empty: by what is given
  std::optional<unsigned> clusters;
  std::optional<std::string> plot;
  bool impute = false;
  unsigned threads = 0;
};

struct LineageOptions {
  std::vector<std::string> known;  // models, fingerprints and folders of them
  std::optional<std::string> root;
  std::string format = "text";
  std::optional<std::string> output;
  double min_certainty = 0;
  bool baseline = false;
  unsigned threads = 0;
};

struct RegistryOptions {
  std::string action;                  // "init", "add", ...
  std::vector<std::string> arguments;  // what the action works on
  std::optional<std::string> registry;
  std::optional<std::string> base;
  std::string name;
  std::string source;
  std::string revision;
  std::string license;
  std::string collection;
  std::string trust = "own";
  std::string kind;
  std::optional<std::string> blobs;  // of init: a folder for fingerprints
  std::optional<std::string> max_age;
  std::optional<unsigned> limit;
  bool all = false;      // superseded models too
  bool digests = false;  // of weight files, read for them
  bool descendants = false;
  bool ancestors = false;
  bool full = false;
  bool repair = false;
  bool incomplete = false;
  unsigned threads = 0;
};

struct ConvertOptions {
  std::string model;
  std::optional<std::string> base;
  std::optional<std::string> part;
  std::string output;
  std::string dtype = "f32";
};

struct SensitivityOptions {
  std::string model;
  std::optional<std::string> base;
  std::optional<std::string> part;
  std::optional<std::string> plot;
  unsigned threads = 0;
};

struct EvaluateOptions {
  std::string truth;
  std::string profile = "full";
  std::optional<uint64_t> quick_bytes;  // of a list of pairs
  std::optional<std::string> keep;      // the folder for answers of a list of pairs
  unsigned threads = 0;
};

struct TransformOptions {
  std::string model;  // empty with `list`
  std::optional<std::string> base;
  std::optional<std::string> part;
  std::optional<std::string> output;  // a folder
  std::optional<std::string> with;    // "NAME[:STRENGTH],..."
  std::optional<std::string> with_model;
  std::string dtype = "same";
  unsigned seed = 0;
  bool list = false;
};

struct StressCommandOptions {
  std::string model;
  std::optional<std::string> base;
  std::optional<std::string> part;
  std::vector<std::string> against;
  std::vector<std::string> changes;  // each a change, or several joined by '+'; none: all
  bool deep = false;
  bool search = false;
  std::optional<std::string> html;
  unsigned seed = 0;
  unsigned threads = 0;
};

// Help, version, completion script or manual page: text that the definitions themselves give.
struct ShowText {
  std::string text;
};

struct Request {
  std::string command = {};  // empty for the program's own help and version
  bool json = false;
  bool quiet = false;
  std::variant<ShowText, InspectOptions, FingerprintOptions, CompareOptions, ClassifyOptions,
               ClusterOptions, LineageOptions, ConvertOptions, SensitivityOptions, EvaluateOptions,
               TransformOptions, StressCommandOptions, RegistryOptions>
      options;
};

}  // namespace tensorguard::internal::cli

#endif  // TENSORGUARD_CLI_ARGUMENTS_OPTIONS_H_
