// Every place that models are read from, as one file store.
#ifndef TENSORGUARD_PLACES_PLACES_H_
#define TENSORGUARD_PLACES_PLACES_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_store.h"
#include "places/remote_files.h"
#include "tensorguard/result.h"
#include "weights/files/model_files.h"

namespace tensorguard::internal {

struct PlaceOptions {
  std::string hub_endpoint = "https://huggingface.co";
  std::string hub_token = {};            // sent to the endpoint alone; empty for none
  std::filesystem::path hub_cache = {};  // holds models--ORG--NAME folders; empty for none
  bool offline = false;                  // of the Hub: only what its cache holds
  std::string s3_region = "us-east-1";
  std::string s3_endpoint = {};  // of a store that works like S3; empty for Amazon's
  RemoteSettings remote = {};
};

// What is said of a file by the place where it lies, before it is read.
struct StatedContent {
  uint64_t bytes = 0;
  std::string sha256;  // 64 hexadecimal digits
};

// Paths of this machine, and those that Locate gives for other places. Thread-safe.
class Places : public FileStore {
 public:
  // Errors: kUsage if an endpoint is no URL or the token holds other than visible characters.
  static Result<std::shared_ptr<const Places>> Create(PlaceOptions options);
  ~Places() override;

  // The path under which this store knows what `argument` names (PlaceName). A model on the Hub
  // is looked for in the Hub's cache first; what that lacks is asked for at the endpoint, and all
  // files are then those of one commit. Errors: those of ParsePlaceName; kNotFound, kSystem.
  Result<std::filesystem::path> Locate(std::string_view argument) const;

  // The files of the model that `argument` names. Errors: those of Locate and FindModelFiles.
  Result<ModelFiles> Find(std::string_view argument) const;

  Result<bool> Exists(const std::filesystem::path& path) const override;
  Result<bool> IsFolder(const std::filesystem::path& path) const override;
  Result<std::vector<std::string>> FilesIn(
      const std::filesystem::path& folder,
      std::span<const std::string> likely_names = {}) const override;
  Result<std::vector<std::string>> FoldersIn(const std::filesystem::path& folder) const override;
  Result<std::shared_ptr<const File>> Open(const std::filesystem::path& path) const override;

  // Of a file in the Hub's large storage, or in its cache on this machine. Empty where the place
  // says nothing. Errors: those of the Hub.
  Result<std::optional<StatedContent>> StatedContentOf(const std::filesystem::path& path) const;

  uint64_t received_bytes() const;  // over the network, so far

 private:
  struct State;
  struct Located;
  explicit Places(std::unique_ptr<State> state);
  Result<Located> LocateAny(std::string_view argument) const;
  const FileStore& StoreOf(const std::filesystem::path& path) const;

  std::unique_ptr<State> state_;
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_PLACES_PLACES_H_
