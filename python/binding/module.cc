// tensorguard._core: the library as Python calls it. What users see is in python/tensorguard/*.py.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdlib>

#include "errors.h"
#include "long_work.h"
#include "registry.h"
#include "tensorguard/tensorguard.h"

namespace tensorguard::python {
namespace {

namespace py = pybind11;
using Names = std::vector<std::string>;
using Prints = std::vector<Fingerprint>;

std::optional<std::string> Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// How models are read, as the functions below take it.
struct Reading {
  std::string base = {};
  unsigned threads = 0;
  bool incomplete = false;
  std::optional<uint64_t> budget = {};
  py::object listener = py::none();

  void Fill(ReadOptions* options, const Callbacks& callbacks) const {
    options->base = base;
    options->threads = threads;
    options->incomplete = incomplete;
    options->places.variable = Variable;
    options->callbacks = callbacks;
  }

  template <typename Options>
  Options As(const Callbacks& callbacks) const {
    Options options;
    Fill(&options, callbacks);
    if constexpr (std::is_base_of_v<FingerprintOptions, Options>) options.budget_bytes = budget;
    return options;
  }
};

// A read-only array on numbers of `owner`, which it keeps alive; None for a part that is not there.
py::object ArrayOf(const MatrixView& view, const py::object& owner) {
  if (view.values.empty()) return py::none();
  py::array_t<float> array({view.rows, view.columns}, view.values.data(), owner);
  array.attr("flags").attr("writeable") = false;
  return array;
}

py::dict LayerOf(const py::object& self, size_t index) {
  const auto& fingerprint = self.cast<const Fingerprint&>();
  if (index >= fingerprint.layers()) throw py::index_error("no such layer");
  const LayerView layer = fingerprint.layer(index);
  py::dict parts;
  parts["stack"] = Text(layer.stack);
  parts["index"] = layer.index;
  parts["query_key"] = ArrayOf(layer.query_key, self);
  parts["output_value"] = ArrayOf(layer.output_value, self);
  parts["feed_forward"] = ArrayOf(layer.feed_forward, self);
  return parts;
}

// (tensor's name, array or None) of each weight.
py::list SketchesOf(const py::object& self) {
  const auto& fingerprint = self.cast<const Fingerprint&>();
  py::list sketches;
  for (size_t i = 0; i < fingerprint.weights(); ++i) {
    const WeightView weight = fingerprint.weight(i);
    sketches.append(py::make_tuple(Text(weight.tensor), ArrayOf(weight.sketch, self)));
  }
  return sketches;
}

HeldModel HeldModelOf(std::string name, const py::list& tensors, std::string config,
                      std::string tokenizer) {
  HeldModel model = {.name = std::move(name),
                     .tensors = {},
                     .config = std::move(config),
                     .tokenizer = std::move(tokenizer)};
  for (const py::handle& each : tensors) {
    const auto [tensor_name, dtype, shape, array] =
        each.cast<std::tuple<std::string, std::string, std::vector<uint64_t>, py::array>>();
    // The array stays alive with the caller's list.
    model.tensors.push_back({.name = tensor_name,
                             .dtype = dtype,
                             .shape = shape,
                             .data = {static_cast<const std::byte*>(array.data()),
                                      static_cast<size_t>(array.nbytes())}});
  }
  return model;
}

NumberType NumberTypeOf(const std::string& name) {
  if (name == "f16") return NumberType::kFloat16;
  return name == "bf16" ? NumberType::kBFloat16 : NumberType::kFloat32;
}

void DefineReading(py::module_& module) {
  py::class_<Reading>(module, "Reading")
      .def(py::init([](std::string base, unsigned threads, bool incomplete,
                       std::optional<uint64_t> budget, py::object listener) {
             return Reading{std::move(base), threads, incomplete, budget, std::move(listener)};
           }),
           py::arg("base"), py::arg("threads"), py::arg("incomplete"), py::arg("budget"),
           py::arg("listener"));
}

void DefineFingerprint(py::module_& module) {
  py::class_<Fingerprint>(module, "Fingerprint")
      .def_property_readonly("model_name",
                             [](const Fingerprint& self) { return Text(self.model_name()); })
      .def_property_readonly("architecture",
                             [](const Fingerprint& self) { return Text(self.architecture()); })
      .def_property_readonly("parameters", &Fingerprint::parameters)
      .def_property_readonly("layer_count", &Fingerprint::layers)
      .def_property_readonly("anchors", &Fingerprint::anchors)
      .def("json", &FingerprintAsJson)
      .def("layer", &LayerOf, py::arg("index"))
      .def("sketches", &SketchesOf)
      .def("renamed", &Fingerprint::Renamed, py::arg("name"))
      .def(
          "write",
          [](const Fingerprint& self, const std::string& path) {
            ValueOrRaise(WriteFingerprint(self, path));
          },
          py::arg("path"));

  module.def(
      "fingerprint",
      [](const std::string& model, const Reading& reading) {
        return RunForResult<Fingerprint>(reading.listener, [&](const Callbacks& callbacks) {
          return FingerprintModel(model, reading.As<FingerprintOptions>(callbacks));
        });
      },
      py::arg("model"), py::arg("reading"));
  module.def(
      "fingerprints",
      [](const Names& models, const Reading& reading) {
        return RunForResult<Prints>(reading.listener, [&](const Callbacks& callbacks) {
          return FingerprintModels(models, reading.As<FingerprintOptions>(callbacks));
        });
      },
      py::arg("models"), py::arg("reading"));
  module.def(
      "fingerprint_tensors",
      [](std::string name, const py::list& tensors, std::string config, std::string tokenizer,
         const Reading& reading) {
        const HeldModel model =
            HeldModelOf(std::move(name), tensors, std::move(config), std::move(tokenizer));
        return RunForResult<Fingerprint>(reading.listener, [&](const Callbacks& callbacks) {
          return FingerprintTensors(model, reading.As<FingerprintOptions>(callbacks));
        });
      },
      py::arg("name"), py::arg("tensors"), py::arg("config"), py::arg("tokenizer"),
      py::arg("reading"));
}

void DefineComparison(py::module_& module) {
  py::class_<Comparison>(module, "Comparison")
      .def("json", &ComparisonAsJson)
      .def("html", &ComparisonAsHtml);
  module.def(
      "compare",
      [](const Fingerprint& a, const Fingerprint& b) {
        return RunForResult<Comparison>(py::none(),
                                        [&](const Callbacks&) { return Compare(a, b); });
      },
      py::arg("a"), py::arg("b"));
  module.def(
      "compare_models",
      [](const std::string& a, const std::string& b, bool deep, const Reading& reading) {
        return RunForResult<Comparison>(reading.listener, [&](const Callbacks& callbacks) {
          auto options = reading.As<CompareOptions>(callbacks);
          options.test_weights = deep;
          return CompareModels(a, b, options);
        });
      },
      py::arg("a"), py::arg("b"), py::arg("deep"), py::arg("reading"));
}

void DefineFamilies(py::module_& module) {
  py::class_<Classification>(module, "Classification").def("json", &ClassificationAsJson);
  module.def(
      "classify",
      [](const Fingerprint& unknown, const Prints& known, unsigned threads) {
        return RunForResult<Classification>(
            py::none(), [&](const Callbacks&) { return Classify(unknown, known, threads); });
      },
      py::arg("unknown"), py::arg("known"), py::arg("threads"));
  module.def(
      "classify_model",
      [](const std::string& model, const Names& known, const Reading& reading) {
        return RunForResult<Classification>(reading.listener, [&](const Callbacks& callbacks) {
          return ClassifyModel(model, known, reading.As<ClassifyOptions>(callbacks));
        });
      },
      py::arg("model"), py::arg("known"), py::arg("reading"));

  py::class_<Families>(module, "Families")
      .def("json", &FamiliesAsJson)
      .def("svg", [](const Families& self) { return ValueOrRaise(FamiliesAsSvg(self)); });
  module.def(
      "find_families",
      [](const Prints& models, unsigned threads) {
        return RunForResult<Families>(
            py::none(), [&](const Callbacks&) { return FindFamilies(models, threads); });
      },
      py::arg("models"), py::arg("threads"));

  py::class_<Lineage>(module, "Lineage")
      .def("json", &LineageAsJson)
      .def("svg", &LineageAsSvg)
      .def("html", &LineageAsHtml)
      .def("dot", &LineageAsDot);
  module.def(
      "trace_lineage",
      [](const Prints& models, const std::string& root, unsigned threads) {
        return RunForResult<Lineage>(py::none(), [&](const Callbacks& callbacks) {
          return TraceLineage(models, {.root = root, .threads = threads, .callbacks = callbacks});
        });
      },
      py::arg("models"), py::arg("root"), py::arg("threads"));
}

void DefineConversion(py::module_& module) {
  module.def(
      "convert",
      [](const std::string& model, const std::string& output, const std::string& dtype,
         const Reading& reading) {
        std::optional<Result<void>> result;
        RunLongWork(reading.listener, [&](const Callbacks& callbacks) {
          auto options = reading.As<ConvertOptions>(callbacks);
          options.type = NumberTypeOf(dtype);
          result.emplace(ConvertModel(model, output, options));
        });
        ValueOrRaise(*result);
      },
      py::arg("model"), py::arg("output"), py::arg("dtype"), py::arg("reading"));
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  module.def("version", &LibraryVersion);
  module.def("fingerprint_version", &FingerprintVersion);
  DefineReading(module);
  DefineFingerprint(module);
  DefineComparison(module);
  DefineFamilies(module);
  DefineRegistry(module);
  DefineConversion(module);
}

}  // namespace tensorguard::python
