#include "registry.h"

#include <pybind11/stl.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "long_work.h"
#include "tensorguard/registry.h"

namespace tensorguard::python {
namespace {

namespace py = pybind11;

// (who, seconds since 1970): the library asks for neither.
using Stamp = std::pair<std::string, int64_t>;

// Several threads of Python may ask at once: one after the other is answered.
class HeldRegistry {
 public:
  explicit HeldRegistry(Registry registry) : registry_(std::move(registry)) {}

  // Without the GIL.
  template <typename T>
  T Ask(const std::function<Result<T>(Registry&)>& ask) {
    return RunForResult<T>(py::none(), [&](const Callbacks&) -> Result<T> {
      const std::lock_guard lock(mutex_);
      if (!registry_) return Error{.kind = ErrorKind::kUsage, .problem = "the registry is closed"};
      return ask(*registry_);
    });
  }

  void Close() {
    const py::gil_scoped_release released;
    const std::lock_guard lock(mutex_);
    registry_.reset();
  }

 private:
  std::mutex mutex_;
  std::optional<Registry> registry_;
};

// A result that is nothing, where Ask wants one.
struct Done {};
Result<Done> DoneOr(const Result<void>& result) {
  if (!result) return result.error();
  return Done();
}

py::dict ToDict(const RegistryModel& model);
py::dict ToDict(const RegistryFault& fault);

py::dict ToDict(const RegistryFile& file) {
  py::dict dict;
  dict["path"] = Text(file.path);
  dict["bytes"] = file.bytes;
  dict["sha256"] = Text(file.sha256);
  return dict;
}

py::dict ToDict(const RegistryRelation& relation) {
  py::dict dict;
  dict["child"] = Text(relation.child);
  dict["parent"] = Text(relation.parent);
  dict["kind"] = Text(relation.kind);
  dict["measured"] = relation.measured;
  dict["score"] = relation.score;
  dict["p_value"] = relation.p_value;
  dict["added_at"] = relation.added_at;
  dict["added_by"] = Text(relation.added_by);
  return dict;
}

template <typename T>
py::list ToList(const std::vector<T>& items) {
  py::list list;
  for (const T& each : items) list.append(ToDict(each));
  return list;
}

py::list ToTexts(const std::vector<std::string>& texts) {
  py::list list;
  for (const std::string& each : texts) list.append(Text(each));
  return list;
}

py::dict ToDict(const RegistryModel& model) {
  py::dict dict;
  dict["id"] = model.id;
  dict["name"] = Text(model.name);
  dict["source"] = Text(model.source);
  dict["revision"] = Text(model.revision);
  dict["collection"] = Text(model.collection);
  dict["trust"] = Text(model.trust);
  dict["state"] = Text(model.state);
  dict["added_at"] = model.added_at;
  dict["added_by"] = Text(model.added_by);
  dict["fingerprint"] = Text(model.fingerprint);
  dict["architecture"] = Text(model.architecture);
  dict["parameters"] = model.parameters;
  dict["licenses"] = ToTexts(model.licenses);
  dict["files"] = ToList(model.files);
  dict["relations"] = ToList(model.relations);
  return dict;
}

py::dict ToDict(const RegistryStatus& status) {
  py::dict dict;
  dict["engine"] = Text(status.engine);
  dict["blobs"] = Text(status.blobs);
  dict["schema_version"] = status.schema_version;
  dict["models"] = status.models;
  dict["past_models"] = status.past_models;
  dict["fingerprints"] = status.fingerprints;
  dict["fingerprint_bytes"] = status.fingerprint_bytes;
  dict["matrices"] = status.matrices;
  dict["relations"] = status.relations;
  dict["events"] = status.events;
  dict["created_at"] = status.created_at;
  dict["last_added_at"] = status.last_added_at;
  return dict;
}

py::dict ToDict(const RegistryFault& fault) {
  py::dict dict;
  dict["problem"] = Text(fault.problem);
  dict["subject"] = Text(fault.subject);
  dict["repaired"] = fault.repaired;
  return dict;
}

// What is told of a model, as Python hands it over.
struct Entry {
  RegistryEntry entry;
};

void DefineEntry(py::module_& module) {
  using Files = std::vector<std::tuple<std::string, uint64_t, std::string>>;
  py::class_<Entry>(module, "Entry")
      .def(py::init([](std::string name, std::string source, std::string revision,
                       std::string collection, std::string license, std::string trust, Stamp stamp,
                       const Files& files) {
             RegistryEntry entry = {.name = std::move(name),
                                    .source = std::move(source),
                                    .revision = std::move(revision),
                                    .collection = std::move(collection),
                                    .license = std::move(license),
                                    .trust = std::move(trust),
                                    .added_at = stamp.second,
                                    .added_by = std::move(stamp.first)};
             for (const auto& [path, bytes, sha256] : files) {
               entry.files.push_back({.path = path, .bytes = bytes, .sha256 = sha256});
             }
             return Entry{std::move(entry)};
           }),
           py::arg("name"), py::arg("source"), py::arg("revision"), py::arg("collection"),
           py::arg("license"), py::arg("trust"), py::arg("stamp"), py::arg("files"));
}

py::tuple ToTuple(const RegistryAddition& addition) {
  return py::make_tuple(ToDict(addition.model), addition.already_there);
}

using RegistryClass = py::class_<HeldRegistry>;

void DefineModels(RegistryClass& registry) {
  registry
      .def(
          "add",
          [](HeldRegistry& self, const Fingerprint& fingerprint, const Entry& entry) {
            return ToTuple(self.Ask<RegistryAddition>(
                [&](Registry& held) { return held.Add(fingerprint, entry.entry); }));
          },
          py::arg("fingerprint"), py::arg("entry"))
      .def(
          "list",
          [](HeldRegistry& self, int64_t after, int64_t limit, const std::string& collection) {
            return ToList(self.Ask<std::vector<RegistryModel>>(
                [&](Registry& held) { return held.List(after, limit, collection); }));
          },
          py::arg("after"), py::arg("limit"), py::arg("collection"))
      .def(
          "find",
          [](HeldRegistry& self, const std::string& name) {
            return ToDict(self.Ask<RegistryModel>([&](Registry& held) { return held.Find(name); }));
          },
          py::arg("name"))
      .def(
          "fingerprint",
          [](HeldRegistry& self, const std::string& name) {
            return self.Ask<Fingerprint>(
                [&](Registry& held) { return held.ReadFingerprint(name); });
          },
          py::arg("name"))
      .def(
          "remove",
          [](HeldRegistry& self, const std::string& name, const Stamp& stamp) {
            self.Ask<Done>([&](Registry& held) {
              return DoneOr(held.Remove(name, stamp.second, stamp.first));
            });
          },
          py::arg("name"), py::arg("stamp"));
}

void DefineSearches(RegistryClass& registry) {
  registry
      .def(
          "search",
          [](HeldRegistry& self, const Fingerprint& model, size_t limit, unsigned threads) {
            const auto found = self.Ask<RegistrySearch>(
                [&](Registry& held) { return held.Search(model, limit, threads); });
            py::list hits;
            for (const RegistryHit& each : found.hits) {
              hits.append(py::make_tuple(ToDict(each.model), each.score));
            }
            return py::make_tuple(found.searched, hits);
          },
          py::arg("model"), py::arg("limit"), py::arg("threads"))
      .def(
          "find_file",
          [](HeldRegistry& self, const std::string& sha256) {
            py::list hits;
            for (const RegistryFileHit& each : self.Ask<std::vector<RegistryFileHit>>(
                     [&](Registry& held) { return held.FindFile(sha256); })) {
              hits.append(py::make_tuple(ToDict(each.model), ToDict(each.file)));
            }
            return hits;
          },
          py::arg("sha256"))
      .def(
          "classify",
          [](HeldRegistry& self, const Fingerprint& model, unsigned threads) {
            return self
                .Ask<RegistryClassification>(
                    [&](Registry& held) { return held.Classify(model, threads); })
                .classification;
          },
          py::arg("model"), py::arg("threads"));
}

void DefineUpkeep(RegistryClass& registry) {
  registry
      .def(
          "relate",
          [](HeldRegistry& self, const std::string& child, const std::string& parent,
             const std::string& kind, const Stamp& stamp) {
            const auto related = self.Ask<RegistryRelated>([&](Registry& held) {
              return held.Relate(child, parent, kind, stamp.second, stamp.first);
            });
            return py::make_tuple(ToDict(related.asserted), ToDict(related.measured),
                                  related.contradicted);
          },
          py::arg("child"), py::arg("parent"), py::arg("kind"), py::arg("stamp"))
      .def("status",
           [](HeldRegistry& self) {
             return ToDict(self.Ask<RegistryStatus>([](Registry& held) { return held.Status(); }));
           })
      .def(
          "verify",
          [](HeldRegistry& self, bool repair, const Stamp& stamp) {
            const auto found = self.Ask<RegistryVerification>(
                [&](Registry& held) { return held.Verify(repair, stamp.second, stamp.first); });
            return py::make_tuple(ToList(found.faults), ToTexts(found.leftovers));
          },
          py::arg("repair"), py::arg("stamp"))
      .def(
          "export",
          [](HeldRegistry& self, const std::string& folder) {
            const auto done =
                self.Ask<RegistryExport>([&](Registry& held) { return held.Export(folder); });
            return py::make_tuple(done.models, done.relations, done.fingerprints);
          },
          py::arg("folder"))
      .def(
          "import_",
          [](HeldRegistry& self, const std::string& folder, const Stamp& stamp) {
            const auto done = self.Ask<RegistryImport>(
                [&](Registry& held) { return held.Import(folder, stamp.second, stamp.first); });
            return py::make_tuple(done.added, done.already_there, done.relations);
          },
          py::arg("folder"), py::arg("stamp"))
      .def("close", &HeldRegistry::Close);
}

std::unique_ptr<HeldRegistry> Held(const std::function<Result<Registry>()>& open) {
  return std::make_unique<HeldRegistry>(
      RunForResult<Registry>(py::none(), [&](const Callbacks&) { return open(); }));
}

}  // namespace

void DefineRegistry(py::module_& module) {
  DefineEntry(module);
  RegistryClass registry(module, "Registry");
  DefineModels(registry);
  DefineSearches(registry);
  DefineUpkeep(registry);
  module.def(
      "open_registry",
      [](const std::string& place) { return Held([&] { return Registry::Open(place); }); },
      py::arg("place"));
  module.def(
      "create_registry",
      [](const std::string& place, const Stamp& stamp) {
        return Held([&] { return Registry::Create(place, stamp.second, stamp.first); });
      },
      py::arg("place"), py::arg("stamp"));
}

}  // namespace tensorguard::python
