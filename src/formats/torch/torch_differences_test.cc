// Bytes of which Python's loader makes another model than a reader that passes over what it does
// not expect: each is refused, so that the model that is checked is the one that is loaded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/torch/torch.h"
#include "tests/support/torch_builder.h"
#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::string Problem(const std::string& bytes) {
  const auto table = ReadTorchTable(SourceOf(std::string_view(bytes)));
  return table ? "no error" : DescribeError(table.error());
}

std::vector<std::string> Names(const std::string& bytes) {
  const auto table = ReadTorchTable(SourceOf(std::string_view(bytes)));
  if (!table) return {DescribeError(table.error())};
  std::vector<std::string> names;
  for (const TensorEntry& entry : table->tensors) names.push_back(entry.name);
  return names;
}

const BuiltTorchTensor kTensor = {.storage_elements = 4, .shape = {4}, .strides = {1}};
const BuiltTorchTensor kOther = {
    .storage_key = "1", .storage_elements = 4, .shape = {4}, .strides = {1}};
const std::string kOnes = FloatBytes({1, 1, 1, 1});
const std::string kTwos = FloatBytes({2, 2, 2, 2});

std::string Zip(const std::string& value) {
  return BuildTorchZip(value, {{"0", kOnes}, {"1", kTwos}});
}

std::string OfW(const std::string& tensor) { return PickleDict({{"w", tensor}}); }

std::string Call(const std::string& module, const std::string& name,
                 const std::vector<std::string>& arguments) {
  return PickleCall(PickleGlobalName(module, name), arguments);
}

// Python gives a state of four to Tensor.set_; a dictionary is its keys.
TEST(TorchDifferences, StateOfATensor) {
  const std::string other = PickleTensor(kOther);
  const size_t begin = other.find("(X");
  const std::string set = other.substr(begin, other.find("tQ") + 2 - begin);
  const std::string state = "}(" + set + "N" + PickleNumber(0) + "N" + PickleNumber(1) + "Nu";
  EXPECT_THAT(Problem(Zip(OfW(PickleTensor(kTensor) + state + "b"))),
              StartsWith("pickle changes a value in a way that is not read"));
  EXPECT_THAT(Problem(Zip(OfW(PickleTensor(kTensor) + "}b"))),
              StartsWith("pickle changes a value in a way that is not read"));
}

TEST(TorchDifferences, AttributesOfATensor) {
  const auto with_state = [](const std::string& state) {
    const std::string call = PickleTensor(kTensor);
    const size_t arguments = call.find('(');
    const std::string tuple = call.substr(arguments, call.size() - 1 - arguments);
    return Problem(Zip(
        OfW(Call("torch._tensor", "_rebuild_from_type_v2",
                 {call.substr(0, arguments), PickleGlobalName("torch", "Tensor"), tuple, state}))));
  };
  const std::string other = PickleTensor(kOther);
  EXPECT_EQ(with_state(PickleDict({{"partition_dim", PickleNumber(0)}})), "no error");
  EXPECT_EQ(with_state(PickleTuple({PickleDict({}), "N"})), "no error");
  for (const char* key : {"data", "real", "__class__"}) {
    EXPECT_THAT(with_state(PickleDict({{key, other}})),
                HasSubstr("attributes that could replace its numbers"));
    EXPECT_THAT(with_state(PickleTuple({"N", PickleDict({{key, other}})})),
                HasSubstr("attributes that could replace its numbers"));
  }
  EXPECT_THAT(
      Problem(Zip(OfW(Call("torch._utils", "_rebuild_parameter_with_state",
                           {PickleTensor(kTensor), "\x89", "N", PickleDict({{"data", other}})})))),
      HasSubstr("attributes that could replace its numbers"));
}

// PyTorch's reader of zip archives ignores case, and takes the root from the first entry.
TEST(TorchDifferences, EntriesThatDifferByCase) {
  const std::string value = OfW(PickleTensor(kTensor));
  const std::string pickle = WholePickle(value);
  const auto problem = [&](const std::string& twin) {
    return Problem(
        BuildZip({{"archive/data.pkl", pickle}, {"archive/data/0", kOnes}, {twin, kTwos}}));
  };
  EXPECT_EQ(problem("archive/data/1"), "no error");
  for (const char* twin : {"archive/DATA.PKL", "archive/DATA/0", "Archive/Data.pkl"}) {
    EXPECT_THAT(problem(twin), StartsWith("names of two zip entries differ by case alone")) << twin;
  }
  EXPECT_THAT(
      Problem(BuildZip(
          {{"other/version", "3\n"}, {"archive/data.pkl", pickle}, {"archive/data/0", kOnes}})),
      StartsWith("zip archive's first entry is not of the PyTorch file in it"));
}

// A header of tar's oldest form has nothing but a checksum; Python's loader tries tar first.
TEST(TorchDifferences, TarInFrontOfPickles) {
  const std::string filler(600, 'x');
  std::string file = BuildTorchLegacy(
      PickleDict({{"w", PickleTensor(kTensor)}, {"note", PickleText(filler)}}), {{"0", kOnes}});
  ASSERT_EQ(Problem(file), "no error");
  file.replace(148, 8, "        ");
  const auto sum = [&] {
    unsigned of_bytes = 0;
    for (size_t i = 0; i < 512; ++i) of_bytes += static_cast<unsigned char>(file[i]);
    return of_bytes;
  };
  std::string field = "000000";
  for (unsigned i = 6, rest = sum(); i-- > 0; rest /= 8)
    field[i] = static_cast<char>('0' + rest % 8);
  file.replace(148, 8, field + "\0 "s);
  EXPECT_THAT(Problem(file), StartsWith("file is a tar archive and a PyTorch file at once"));
}

TEST(TorchDifferences, DictionariesThatPythonMakesOtherwise) {
  const std::string pair = PickleTuple({PickleText("w"), PickleTensor(kTensor)});
  EXPECT_THAT(Names(Zip(Call("collections", "OrderedDict", {PickleTuple({pair})}))),
              ElementsAre("w"));
  EXPECT_THAT(Names(Zip(Call("collections", "defaultdict",
                             {PickleGlobalName("builtins", "list"), PickleList({pair})}))),
              ElementsAre("w"));
  // Counts the pair; is not initialised; keeps the last of equal keys; finds 1 and True equal.
  EXPECT_THAT(Problem(Zip(Call("collections", "Counter", {PickleList({pair})}))),
              StartsWith("pickle makes a dictionary of what are no pairs"));
  EXPECT_THAT(Problem(Zip(PickleGlobalName("collections", "OrderedDict") +
                          PickleTuple({PickleList({pair})}) + "\x81")),
              StartsWith("pickle makes a dictionary without initialising it"));
  EXPECT_THAT(Problem(Zip(PickleDict({{"a", PickleTensor(kTensor)}, {"a", "N"}}))),
              StartsWith("key occurs twice in one dictionary\n  found:    a"));
  EXPECT_THAT(
      Problem(Zip("}(" + PickleNumber(1) + PickleTensor(kTensor) + "\x88" + "Nu")),
      StartsWith("key occurs twice in one dictionary\n  found:    whole numbers beside others"));
  EXPECT_THAT(Problem(Zip("}(" + PickleTuple({}) + PickleTensor(kTensor) + "u")),
              StartsWith("tensors lie under a key that is neither text nor a whole number"));
}

// What a tensor was made of may change afterwards: a list as its shape.
TEST(TorchDifferences, ShapesThatChange) {
  std::string tensor = PickleTensor(kTensor);
  const std::string shape = PickleTuple({PickleNumber(4)});
  tensor.replace(tensor.find(shape), shape.size(), PickleList({PickleNumber(4)}));
  EXPECT_THAT(Problem(Zip(OfW(tensor))), HasSubstr("shape or strides are no tuple"));
  tensor = PickleTensor(kTensor);
  tensor.replace(tensor.find(shape), shape.size(),
                 Call("torch", "Size", {PickleList({PickleNumber(4)})}));
  EXPECT_EQ(Problem(Zip(OfW(tensor))), "no error");
}

TEST(TorchDifferences, TensorsThatAreMadeOtherwise) {
  EXPECT_THAT(Problem(Zip(OfW(Call("torch", "Tensor", {PickleList({PickleNumber(1)})})))),
              HasSubstr("pickle makes a tensor in a way that is not read"));
  EXPECT_THAT(Problem(Zip(OfW(Call("builtins", "list", {PickleList({PickleTensor(kTensor)})})))),
              HasSubstr("value lies among the model's tensors, but is none"));
  // Objects in place of the dictionary that is usually loaded.
  const std::string object =
      PickleGlobalName("argparse", "Namespace") + ")R" + OfW(PickleTensor(kOther)) + "b";
  EXPECT_THAT(Problem(Zip(PickleDict({{"state_dict", object},
                                      {"model", PickleDict({{"l.w", PickleTensor(kTensor)}})}}))),
              StartsWith("file holds several dictionaries of tensors that could be the model"));
}

// A storage is made once for its key, of the type that is named first.
TEST(TorchDifferences, StoragesOfTwoTypes) {
  BuiltTorchTensor halves = kTensor;
  halves.storage_type = "IntStorage";
  const std::string value = PickleDict({{"a", PickleTensor(kTensor)}, {"b", PickleTensor(halves)}});
  const std::string two_types = "storage is said to have two types or lengths";
  EXPECT_THAT(Problem(Zip(value)), StartsWith(two_types));
  EXPECT_THAT(Problem(BuildTorchLegacy(value, {{"0", kOnes}})), StartsWith(two_types));
}

// The form before zip knows parts of storages by keys of their own.
TEST(TorchDifferences, PartsInTwoPlaces) {
  const auto part_at = [](int32_t first, const std::string& key) {
    const BuiltTorchTensor two = {.storage_elements = 4, .shape = {2}, .strides = {1}};
    std::string tensor = PickleTensor(two);
    tensor.insert(tensor.find("tQ"),
                  PickleTuple({PickleText(key), PickleNumber(first), PickleNumber(2)}));
    return tensor;
  };
  const auto problem = [&](const std::string& a, const std::string& b) {
    return Problem(BuildTorchLegacy(PickleDict({{"a", a}, {"b", b}}), {{"0", kOnes}}));
  };
  EXPECT_EQ(problem(part_at(0, "7"), part_at(2, "8")), "no error");
  EXPECT_THAT(problem(part_at(0, "7"), part_at(2, "7")),
              StartsWith("part of a storage is said to lie in two places"));
  EXPECT_THAT(problem(part_at(0, "7"), part_at(2, "0")),
              StartsWith("part of a storage has the key of a storage"));
}

}  // namespace
}  // namespace tensorguard::internal
