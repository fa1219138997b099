#include "tokenizers/vocabulary.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "formats/gguf.h"
#include "tokenizers/gguf_vocabulary.h"
#include "tokenizers/sentence_piece.h"
#include "tokenizers/tekken.h"
#include "tokenizers/tiktoken.h"
#include "tokenizers/tokenizer_json.h"
#include "tokenizers/vocabulary_files.h"

namespace tensorguard {
namespace {

namespace fs = std::filesystem;

// Four times the largest tokenizer.json in use (33 MB for 262,145 tokens).
constexpr uint64_t kTokenizerLimitBytes = 128ull << 20;

// SentencePiece's protobuf starts with a field tag, which is no character of base64.
Result<Vocabulary> ParseTokenizerModel(std::string_view bytes) {
  return LooksLikeTiktoken(bytes) ? ParseTiktoken(bytes) : ParseSentencePiece(bytes);
}

struct Source {
  std::string_view name;  // a file's name, or "*.SUFFIX"
  Result<Vocabulary> (*parse)(std::string_view bytes);
};

constexpr std::array<Source, 9> kSources = {{{"tokenizer.json", ParseTokenizerJson},
                                             {"tokenizer.model", ParseTokenizerModel},
                                             {"spiece.model", ParseSentencePiece},
                                             {"spm.model", ParseSentencePiece},
                                             {"*.tiktoken", ParseTiktoken},
                                             {"tiktoken.model", ParseTiktoken},
                                             {"vocab.json", ParseVocabJson},
                                             {"vocab.txt", ParseVocabTxt},
                                             {"tekken.json", ParseTekken}}};

// The only file with this suffix; two of them do not tell which is the model's.
std::optional<fs::path> OnlyFileWithSuffix(const fs::path& folder, std::string_view suffix) {
  std::optional<fs::path> only;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (!at->path().filename().string().ends_with(suffix)) continue;
    if (only) return {};
    only = at->path();
  }
  return only;
}

std::optional<fs::path> FileOf(const Source& source, const fs::path& folder) {
  if (source.name.starts_with('*')) return OnlyFileWithSuffix(folder, source.name.substr(1));
  std::error_code ignored;
  const fs::path file = folder / source.name;
  return fs::exists(file, ignored) ? std::optional(file) : std::nullopt;
}

struct FoundFile {
  const Source* source;
  fs::path path;
};

std::optional<FoundFile> FindFile(const fs::path& folder) {
  for (const Source& source : kSources) {
    if (const auto file = FileOf(source, folder)) return FoundFile{&source, *file};
  }
  return {};
}

Result<Vocabulary> ParseFile(const FoundFile& file) {
  auto bytes = ReadSmallFile(file.path, kTokenizerLimitBytes);
  if (!bytes) return std::move(bytes).error();
  if (IsGitLfsPointer(*bytes)) return GitLfsPointerError(file.path.string());
  auto vocabulary = file.source->parse(*bytes);
  if (vocabulary && vocabulary->tokens.size() == 0) {
    return Error{.problem = "the tokenizer holds no tokens"};
  }
  return vocabulary;
}

bool IsRegularFile(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

Result<Vocabulary> ReadGgufVocabulary(const fs::path& path) {
  auto file = File::Open(path);
  if (!file) return std::move(file).error();
  const auto header = ReadGgufHeader(**file);
  if (!header) return header.error();
  auto vocabulary = VocabularyOfGguf(header->metadata);
  if (!vocabulary) return std::move(vocabulary).error().InFile(path.string());
  vocabulary->file = path.string();
  return vocabulary;
}

}  // namespace

std::optional<fs::path> FindTokenizerFile(const fs::path& folder) {
  if (IsRegularFile(folder)) return folder;
  const auto file = FindFile(folder);
  return file ? std::optional(file->path) : std::nullopt;
}

Result<Vocabulary> ReadVocabulary(const fs::path& folder) {
  if (IsRegularFile(folder)) return ReadGgufVocabulary(folder);
  const auto file = FindFile(folder);
  if (!file) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "no tokenizer in this folder",
                 .file = folder.string(),
                 .expected = "tokenizer.json, tokenizer.model, vocab.json or vocab.txt"};
  }
  auto vocabulary = ParseFile(*file);
  if (!vocabulary) return std::move(vocabulary).error().InFile(file->path.string());
  vocabulary->file = file->path.string();
  return vocabulary;
}

}  // namespace tensorguard
