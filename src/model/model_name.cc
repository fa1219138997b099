#include "model/model_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <system_error>

#include "base/text.h"
#include "formats/weight_format.h"
#include "places/place_name.h"

namespace tensorguard::internal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

// A path in two pieces: down to what names the model, and what lies below that.
struct NamingPath {
  Names head;  // at least one; the last is the model's name
  Names tail;
  std::string suffix;  // of a weight file

  bool operator==(const NamingPath&) const = default;
};

// The names that exporters and trainers give to a file whatever the model.
constexpr auto kStems = std::to_array<std::string_view>(
    {"model", "pytorch_model", "adapter_model", "adapters", "consolidated", "ggml-model",
     "encoder_model", "decoder_model", "decoder_with_past_model", "diffusion_pytorch_model"});
// And what they add to those: the type of the numbers, or what was done to the file.
constexpr auto kVariants = std::to_array<std::string_view>(
    {"f32", "f16", "fp32", "fp16", "bf16", "fp8", "int8", "uint8", "int4", "bnb4", "q4f16",
     "quantized", "quantised", "optimized", "merged", "ema", "of", "with", "past"});
// Folders in which exporters put their files.
constexpr auto kFolders = std::to_array<std::string_view>({"onnx", "original"});

template <size_t kCount>
bool Holds(const std::array<std::string_view, kCount>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// "q4", "Q4", "K", "M" and the like, and numbers.
bool IsVariant(std::string_view part) {
  const std::string lower = LowerAscii(part);
  if (lower.empty() || IsNumber(lower) || Holds(kVariants, lower)) return true;
  if (lower.starts_with("iq")) return IsNumber(std::string_view(lower).substr(2));
  if (lower.starts_with('q')) return IsNumber(std::string_view(lower).substr(1));
  return lower == "k" || lower == "s" || lower == "m" || lower == "l" || lower == "xs";
}

// Whether a weight file's name without its suffix says nothing of the model.
bool IsGenericStem(std::string_view stem) {
  return std::any_of(kStems.begin(), kStems.end(), [&](std::string_view generic) {
    if (!stem.starts_with(generic)) return false;
    std::string_view rest = stem.substr(generic.size());
    if (!rest.empty() && std::string_view("-_.").find(rest.front()) == rest.npos) return false;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find_first_of("-_.", 1), rest.size());
      if (!IsVariant(rest.substr(1, end - 1))) return false;
      rest.remove_prefix(end);
    }
    return true;
  });
}

// Of files that tell of a model: they have its name.
constexpr auto kResultSuffixes =
    std::to_array<std::string_view>({"_features.json", ".fingerprint.safetensors"});

// Of weights or of an index of shards.
std::string_view SuffixOf(std::string_view name) {
  if (const FormatNames* format = FormatOfIndexName(name)) return format->index_suffix;
  return WeightSuffixOf(name);
}

void AddParts(std::string_view path, Names& parts) {
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
}

// Without trailing slashes, and with "." and ".." replaced by the folder they mean.
Names PartsOfLocalPath(const fs::path& path) {
  std::error_code failed;
  fs::path absolute = fs::absolute(path, failed).lexically_normal();
  if (failed) absolute = path.lexically_normal();
  Names parts;
  AddParts(absolute.string(), parts);
  return parts;
}

// The parts of a URL or path; a revision on the Hub in the tail.
NamingPath PartsOf(const fs::path& path) {
  const std::string text = path.string();
  const auto place = ParsePlaceName(text);
  NamingPath parts;
  if (place && std::holds_alternative<HubPlace>(*place)) {
    const auto& hub = std::get<HubPlace>(*place);
    AddParts(hub.repository, parts.head);
    AddParts(hub.file, parts.head);
    parts.tail.push_back(hub.revision);
  } else if (place && std::holds_alternative<WebPlace>(*place)) {
    const std::string& url = std::get<WebPlace>(*place).path;
    AddParts(std::string_view(url).substr(url.find("://") + 3), parts.head);
  } else if (place && std::holds_alternative<S3Place>(*place)) {
    const auto& s3 = std::get<S3Place>(*place);
    AddParts(s3.bucket, parts.head);
    AddParts(s3.key, parts.head);
  } else {
    parts.head = PartsOfLocalPath(place ? fs::path(std::get<LocalPlace>(*place).path) : path);
  }
  return parts;
}

// "ORG/NAME" for "models--ORG--NAME" and "models--ORG--NAME/snapshots/REVISION"; the revision goes
// into the tail.
void UnfoldHubCache(NamingPath& path) {
  constexpr std::string_view kPrefix = "models--";
  Names& head = path.head;
  const auto folder = std::find_if(head.begin(), head.end(), [&](const std::string& part) {
    return part.starts_with(kPrefix) && part.size() > kPrefix.size();
  });
  if (folder == head.end()) return;
  const auto after = folder + 1;
  const bool snapshot = head.end() - after >= 2 && *after == "snapshots";
  if (snapshot) path.tail.push_back(after[1]);
  Names unfolded(head.begin(), folder);
  // Models without an organisation are cached as "models--NAME".
  const size_t organisation_end = folder->find("--", kPrefix.size());
  if (organisation_end != folder->npos) {
    unfolded.push_back(folder->substr(kPrefix.size(), organisation_end - kPrefix.size()));
  }
  unfolded.push_back(
      folder->substr(organisation_end == folder->npos ? kPrefix.size() : organisation_end + 2));
  unfolded.insert(unfolded.end(), snapshot ? after + 2 : after, head.end());
  head = std::move(unfolded);
}

// Moves what says nothing of the model into the tail.
void LeaveGenericNames(NamingPath& path) {
  Names& head = path.head;
  const auto move_down = [&] {
    path.tail.insert(path.tail.begin(), std::move(head.back()));
    head.pop_back();
  };
  for (const std::string_view suffix : kResultSuffixes) {
    if (!head.back().ends_with(suffix)) continue;
    if (head.back().size() > suffix.size()) head.back().resize(head.back().size() - suffix.size());
    return;
  }
  path.suffix = SuffixOf(head.back());
  if (path.suffix.empty() || head.back().size() == path.suffix.size()) return;
  head.back().resize(head.back().size() - path.suffix.size());
  if (head.size() < 2 || !IsGenericStem(head.back())) return;
  move_down();
  if (head.size() > 1 && Holds(kFolders, std::string_view(head.back()))) move_down();
}

NamingPath NamingPathOf(const fs::path& path) {
  NamingPath naming = PartsOf(path);
  if (naming.head.empty()) naming.head.push_back(path.string());
  UnfoldHubCache(naming);
  LeaveGenericNames(naming);
  return naming;
}

// The name of one model while names are told apart.
struct Candidate {
  NamingPath path;
  std::string name;
  size_t parts = 0;  // of the head that `name` was made of; 0: it is as it was given
  bool with_tail = false;
  bool keeps_name = false;

  // The next longer name; false if there is none.
  bool Lengthen() {
    if (keeps_name || (parts == path.head.size() && with_tail)) return false;
    if (parts == path.head.size()) {
      with_tail = true;
      parts = 1;
    } else {
      ++parts;
    }
    Names chosen(path.head.end() - static_cast<std::ptrdiff_t>(parts), path.head.end());
    if (with_tail) chosen.insert(chosen.end(), path.tail.begin(), path.tail.end());
    name = fmt::format("{}{}", fmt::join(chosen, "/"), with_tail ? path.suffix : "");
    return true;
  }
};

// Names that models of different paths share, each with the indices of its models.
std::vector<std::vector<size_t>> Clashes(const std::vector<Candidate>& candidates) {
  std::map<std::string, std::vector<size_t>> models_of;
  for (size_t i = 0; i < candidates.size(); ++i) models_of[candidates[i].name].push_back(i);
  std::vector<std::vector<size_t>> clashes;
  for (auto& [name, models] : models_of) {
    const NamingPath& first = candidates[models[0]].path;
    const bool differ = std::any_of(models.begin(), models.end(),
                                    [&](size_t i) { return candidates[i].path != first; });
    if (differ) clashes.push_back(std::move(models));
  }
  return clashes;
}

}  // namespace

std::string ModelNameFromPath(const fs::path& path) { return NamingPathOf(path).head.back(); }

std::vector<std::string> DistinctNames(const std::vector<NamedModel>& models) {
  std::vector<Candidate> candidates;
  for (const NamedModel& model : models) {
    candidates.push_back(
        {.path = NamingPathOf(model.path), .name = model.name, .keeps_name = model.keeps_name});
  }
  for (bool changed = true; changed;) {
    changed = false;
    for (const auto& clash : Clashes(candidates)) {
      for (const size_t i : clash) changed = candidates[i].Lengthen() || changed;
    }
  }
  std::vector<std::string> names;
  for (Candidate& candidate : candidates) names.push_back(std::move(candidate.name));
  return names;
}

}  // namespace tensorguard::internal
