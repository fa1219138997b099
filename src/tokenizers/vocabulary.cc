#include "tokenizers/vocabulary.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/try.h"
#include "formats/gguf/gguf.h"
#include "tokenizers/files/gguf_vocabulary.h"
#include "tokenizers/files/sentence_piece.h"
#include "tokenizers/files/tekken.h"
#include "tokenizers/files/tiktoken.h"
#include "tokenizers/files/tokenizer_json.h"
#include "tokenizers/files/vocabulary_files.h"
#include "tokenizers/tokenizer_limits.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;

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

struct FoundFile {
  const Source* source;
  fs::path path;
};

// Of several files with one suffix none: they do not tell which is the model's.
std::optional<std::string> NameOf(const Source& source, const std::vector<std::string>& names) {
  const bool any_stem = source.name.starts_with('*');
  const std::string_view wanted = any_stem ? source.name.substr(1) : source.name;
  const auto fits = [&](std::string_view name) {
    return any_stem ? name.ends_with(wanted) : name == wanted;
  };
  const auto found = std::find_if(names.begin(), names.end(), fits);
  if (found == names.end() || std::any_of(found + 1, names.end(), fits)) return {};
  return *found;
}

Result<std::optional<FoundFile>> FindFile(const fs::path& folder, const FileStore& files) {
  TG_ASSIGN(const auto is_folder, files.IsFolder(folder));
  if (!is_folder) return std::optional<FoundFile>();
  std::vector<std::string> likely;
  for (const Source& source : kSources) {
    if (!source.name.starts_with('*')) likely.emplace_back(source.name);
  }
  TG_ASSIGN(const auto names, files.FilesIn(folder, likely));
  for (const Source& source : kSources) {
    if (const auto name = NameOf(source, names)) {
      return std::optional(FoundFile{&source, folder / *name});
    }
  }
  return std::optional<FoundFile>();
}

Result<Vocabulary> ParseFile(const FoundFile& file, const FileStore& files) {
  TG_ASSIGN(auto bytes, ReadSmallFile(files, file.path, kTokenizerLimitBytes));
  if (IsGitLfsPointer(bytes)) return GitLfsPointerError(file.path.string());
  auto vocabulary = file.source->parse(bytes);
  if (vocabulary && vocabulary->tokens.size() == 0) {
    return Error{.problem = "the tokenizer holds no tokens"};
  }
  return vocabulary;
}

// A GGUF file, which holds a vocabulary itself, is given in place of a folder.
Result<bool> IsFile(const fs::path& path, const FileStore& files) {
  const auto is_folder = files.IsFolder(path);
  if (!is_folder || *is_folder) return is_folder ? Result<bool>(false) : is_folder;
  return files.Exists(path);
}

Result<Vocabulary> ReadGgufVocabulary(const fs::path& path, const FileStore& files) {
  TG_ASSIGN(auto file, files.Open(path));
  TG_ASSIGN(const auto header, ReadGgufHeader(*file));
  auto vocabulary = VocabularyOfGguf(header.metadata);
  if (!vocabulary) return std::move(vocabulary).error().InFile(path.string());
  vocabulary->file = path.string();
  return vocabulary;
}

}  // namespace

Result<std::optional<fs::path>> FindTokenizerFile(const fs::path& folder, const FileStore& files) {
  TG_ASSIGN(const auto is_file, IsFile(folder, files));
  if (is_file) return std::optional(folder);
  const auto file = FindFile(folder, files);
  if (!file) return file.error();
  return *file ? std::optional((*file)->path) : std::nullopt;
}

Result<Vocabulary> ReadVocabulary(const fs::path& folder, const FileStore& files) {
  TG_ASSIGN(const auto is_file, IsFile(folder, files));
  if (is_file) return ReadGgufVocabulary(folder, files);
  TG_ASSIGN(const auto found, FindFile(folder, files));
  if (!found) {
    return Error{.kind = ErrorKind::kNotFound,
                 .problem = "no tokenizer in this folder",
                 .file = folder.string(),
                 .expected = "tokenizer.json, tokenizer.model, vocab.json or vocab.txt"};
  }
  const FoundFile& file = *found;
  auto vocabulary = ParseFile(file, files);
  if (!vocabulary) return std::move(vocabulary).error().InFile(file.path.string());
  vocabulary->file = file.path.string();
  return vocabulary;
}

}  // namespace tensorguard::internal
