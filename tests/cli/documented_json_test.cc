// docs/json.md against what the program prints: no field is missing there, and none is made up.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "tests/cli/program_runner.h"
#include "tests/cli/sample_models.h"

namespace tensorguard::internal {
namespace {

using nlohmann::json;

// The names on the way to a field; a list is its name with "[]".
using Path = std::vector<std::string>;

struct DocumentedField {
  Path path;
  std::string type;  // as the second column of the table says
  bool optional() const { return type.find("optional") != type.npos; }
};

std::string Joined(const Path& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

Path SplitPath(const std::string& text) {
  Path path;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, '.');) path.push_back(name);
  return path;
}

bool Matches(const Path& documented, const Path& printed) {
  if (documented.size() != printed.size()) return false;
  for (size_t i = 0; i < printed.size(); ++i) {
    if (documented[i] != "*" && documented[i] != printed[i]) return false;
  }
  return true;
}

bool IsOfType(const json& value, const std::string& type) {
  const auto starts = [&](const char* name) { return type.rfind(name, 0) == 0; };
  if (value.is_null()) return type.find("or null") != type.npos || starts("any");
  return starts("any") || (starts("string") && value.is_string()) ||
         (starts("integer") && value.is_number_integer()) ||
         (starts("number") && value.is_number()) || (starts("boolean") && value.is_boolean()) ||
         (starts("object") && value.is_object()) || (starts("list") && value.is_array());
}

// Without blanks and back-quotes around them.
std::vector<std::string> CellsOf(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream parts(row.substr(1));
  for (std::string cell; std::getline(parts, cell, '|');) {
    const size_t begin = cell.find_first_not_of(" `");
    const size_t end = cell.find_last_not_of(" `");
    cells.push_back(begin == cell.npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return cells;
}

// By heading: the schemas, and "Every command".
std::map<std::string, std::vector<DocumentedField>> ReadDocument() {
  std::map<std::string, std::vector<DocumentedField>> fields;
  std::ifstream file("docs/json.md");
  std::string heading;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("## ", 0) == 0) heading = line.substr(3);
    if (line.rfind("| `", 0) != 0) continue;
    const std::vector<std::string> cells = CellsOf(line);
    fields[heading].push_back({SplitPath(cells.at(0)), cells.at(1)});
  }
  return fields;
}

class DocumentedJson : public testing::Test {
 protected:
  DocumentedJson() : document_(ReadDocument()) {
    WriteSampleModels(folder_);
    Link("models", "examples/models");
    folder_.Write("mixed/keras/weights.h5", "");
    Link("mixed/tiny", folder_.path() / "tiny");
    Link("mixed/other", folder_.path() / "other");
    folder_.Write("known/truth.json", R"([
        {"name": "elm", "root": "elm", "parents": [], "kind": "base", "relation": "base"},
        {"name": "birch", "root": "birch", "parents": [], "kind": "base", "relation": "base"},
        {"name": "elm--sft1", "root": "elm", "parents": ["elm"], "kind": "sft",
         "relation": "derived"}])");
    for (const char* name : {"elm", "birch", "elm--sft1"}) {
      Link(std::string("known/") + name, std::string("examples/models/") + name);
    }
  }

  void Link(const std::string& name, const std::filesystem::path& target) {
    std::filesystem::create_directory_symlink(std::filesystem::absolute(target),
                                              folder_.path() / name);
  }

  // Runs the command, whatever comes of it, and holds each field that it prints against the page.
  void Check(const std::string& command) {
    const ProgramRun run = RunInShell("tensorguard " + command + " --json", folder_.path());
    const json object = json::parse(run.output, nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(object.is_object()) << command << run.output << run.messages;
    command_ = command;
    CheckFields(object, object.value("schema", ""), {});
  }

  // Every field that is not optional was printed at least once.
  void CheckAllPrinted() {
    for (const auto& [heading, fields] : document_) {
      for (const DocumentedField& field : fields) {
        if (field.optional()) continue;
        EXPECT_TRUE(printed_.contains(&field)) << heading << " " << Joined(field.path);
      }
    }
  }

  ScratchFolder folder_;

 private:
  void CheckFields(const json& value, const std::string& schema, const Path& path) {
    if (value.is_array()) {
      Path items = path;
      items.back() += "[]";
      for (const json& item : value) CheckFields(item, schema, items);
    }
    if (!value.is_object()) return;
    for (const auto& [name, field] : value.items()) {
      Path inner = path;
      inner.push_back(name);
      CheckField(field, schema, inner);
      CheckFields(field, schema, inner);
    }
  }

  void CheckField(const json& value, const std::string& schema, const Path& path) {
    for (const std::string& heading : {schema, std::string("Every command")}) {
      for (const DocumentedField& field : document_[heading]) {
        if (!Matches(field.path, path)) continue;
        printed_.insert(&field);
        EXPECT_TRUE(IsOfType(value, field.type))
            << command_ << ": " << Joined(path) << " is " << value << ", not " << field.type;
        return;
      }
    }
    ADD_FAILURE() << command_ << ": docs/json.md does not name " << schema << " " << Joined(path);
  }

  std::map<std::string, std::vector<DocumentedField>> document_;
  std::set<const DocumentedField*> printed_;
  std::string command_;
};

TEST_F(DocumentedJson, NamesWhatIsPrintedAndNothingElse) {
  // Errors: of the command line, of a file, of some of many models.
  Check("inspect tiny --jsn");
  Check("inspect hostile.safetensors");
  Check("inspect nothing");
  Check("cluster tiny other hostile.safetensors text.safetensors");
  Check("cluster mixed");

  Check("--version");
  Check("inspect tiny");
  Check("inspect garbled");
  Check("inspect lora --base tiny");
  Check("inspect models/birch--sft1.Q4_0.gguf");
  Check("fingerprint models/alder models/birch models/elm models/cedar -o prints");
  Check("fingerprint models/alder models/birch models/elm -o paper --profile paper");
  Check("inspect prints/alder.fingerprint.safetensors");

  Check("compare models/alder models/alder--lora --deep --html page.html");
  Check("compare models/elm models/elm--sft1 --known prints");
  Check("compare models/alder models/birch");
  Check("compare models/alder models/alder --quick --budget 280KB");
  Check("compare paper/alder_features.json paper/birch_features.json");
  Check("compare paper/alder_features.json paper/birch_features.json --known paper");

  Check("classify models/elm--sft1 --known prints");
  Check("classify models/cedar--sft1 --known prints --quick --budget 280KB");
  Check("classify paper/alder_features.json --known paper");
  Check("cluster prints --plot families.svg");
  Check("cluster prints --centers alder,birch");
  Check("cluster paper --centers alder,birch");
  Check("lineage models/alder--lora prints");
  Check("lineage prints --root alder --format json");
  Check("lineage prints --baseline --min-certainty 0.99");
  Check("lineage prints --root nobody");

  Check("registry init known.tgr");
  Check("registry upgrade known.tgr");
  Check("registry add prints models/alder--lora tiny --registry known.tgr --license mit");
  Check("registry list known.tgr");
  Check("registry status known.tgr");
  Check("registry relate alder--lora alder --registry known.tgr");
  Check("registry show alder --registry known.tgr");
  Check("registry search alder --registry known.tgr --full");
  Check("registry shared alder --registry known.tgr");
  Check("registry duplicates known.tgr");
  Check("classify models/elm--sft1 --known known.tgr");
  Check("registry export exported --registry known.tgr");
  Check("registry init mirror.tgr");
  Check("registry import exported --registry mirror.tgr");
  Check("registry remove tiny --registry mirror.tgr");
  Check("registry init files.tgr --blobs files");
  Check("registry add models/elm --registry files.tgr --digests");
  Check("registry show elm --registry files.tgr");
  Check("registry search models/elm --registry files.tgr");
  Check("classify models/elm --known files.tgr");
  std::filesystem::remove_all(folder_.path() / "files");
  folder_.Write("files/aa/aa/" + std::string(64, 'a'), "a file that belongs to nothing");
  Check("registry verify files.tgr");

  Check("evaluate known/truth.json");

  Check("convert tiny -o tiny.safetensors");
  Check("sensitivity tiny");
  Check("transform --list");
  Check("transform models/elm -o changed --with noise");
  Check("stress models/elm --changes noise,rotate --against models/alder --html stress.html");
  CheckAllPrinted();
}

}  // namespace
}  // namespace tensorguard::internal
