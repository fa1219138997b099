// A server on this machine that answers like the Hub, for tests of the program.
#ifndef TENSORGUARD_TESTS_CLI_SERVED_HUB_H_
#define TENSORGUARD_TESTS_CLI_SERVED_HUB_H_

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "tests/cli/program_runner.h"
#include "tests/cli/sample_models.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/test_server.h"

namespace tensorguard::internal {

inline const std::string kCommit(40, 'c');

inline std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Plays the Hub with the models of a folder, and the store that it sends for large files.
class ServedHub : public testing::Test {
 protected:
  ServedHub() { WriteSampleModels(folder_); }

  ServerReply AnswerAsHub(const ServerRequest& request) {
    if (instead_) {
      if (auto reply = instead_(request)) return *std::move(reply);
    }
    const std::string api = "/api/models/org/";
    const std::string resolve = "/resolve/" + kCommit + "/";
    const std::string& target = request.target;
    if (target.starts_with(api)) {
      return AnswerListing(target.substr(api.size(), target.find('/', api.size()) - api.size()));
    }
    const size_t at = target.find(resolve);
    if (!target.starts_with("/org/") || at == target.npos) return {Answer("404 Not Found")};
    const std::string model = target.substr(5, at - 5);
    const std::string file = target.substr(at + resolve.size());
    if (!file.ends_with(".safetensors")) return AnswerFile(request, model + "/" + file);
    return {Answer("302 Found",
                   fmt::format("Location: {}\r\n", store_.Url("/" + model + "/" + file + "?s=1")))};
  }

  ServerReply AnswerListing(const std::string& model) {
    if (!std::filesystem::is_directory(folder_.path() / model)) {
      return {Answer("401 Unauthorized", "X-Error-Code: RepoNotFound\r\n")};
    }
    nlohmann::json listing = {{"sha", kCommit}, {"siblings", nlohmann::json::array()}};
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path() / model)) {
      listing["siblings"].push_back(
          {{"rfilename", entry.path().filename().string()}, {"size", entry.file_size()}});
    }
    return {Answer("200 OK", "", listing.dump())};
  }

  ServerReply AnswerFile(const ServerRequest& request, const std::string& file) {
    const std::filesystem::path path = folder_.path() / file;
    if (!std::filesystem::is_regular_file(path)) return {Answer("404 Not Found")};
    return {AnswerWithRange(request, Contents(path))};
  }

  ProgramRun Run(const std::string& command) {
    const std::string set = fmt::format(
        "unset HF_TOKEN HUGGING_FACE_HUB_TOKEN HF_HUB_OFFLINE HF_HUB_CACHE HUGGINGFACE_HUB_CACHE\n"
        "export no_proxy=127.0.0.1 HF_HOME='{}/home' HF_ENDPOINT={}\n",
        folder_.path().string(), hub_.Url(""));
    return RunInShell(set + command, folder_.path());
  }

  // What is answered instead; called from any thread. Set before the program runs.
  std::function<std::optional<ServerReply>(const ServerRequest&)> instead_ = {};
  const ScratchFolder folder_;
  TestServer store_{[this](const ServerRequest& request) {
    return AnswerFile(request, request.target.substr(1, request.target.find('?') - 1));
  }};
  TestServer hub_{[this](const ServerRequest& request) { return AnswerAsHub(request); }};
};

}  // namespace tensorguard::internal

#endif  // TENSORGUARD_TESTS_CLI_SERVED_HUB_H_
