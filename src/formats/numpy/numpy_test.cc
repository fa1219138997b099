#include "formats/numpy/numpy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/numpy/numpy_header.h"
#include "tests/support/zip_builder.h"

namespace tensorguard::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string Array(const std::string& header, const std::string& data, uint8_t version = 1) {
  const std::string length = version == 1 ? LittleEndian(static_cast<uint16_t>(header.size()))
                                          : LittleEndian(static_cast<uint32_t>(header.size()));
  return "\x93NUMPY" + LittleEndian(version) + LittleEndian<uint8_t>(0) + length + header + data;
}

std::string Header(const std::string& descr, const std::string& shape,
                   const std::string& column_major = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + column_major + ", 'shape': " + shape +
         ", }  \n";
}

Result<TensorTable> Read(const std::string& bytes) {
  return ReadNumpyTable(SourceOf(std::string_view(bytes)));
}

std::string Problem(const std::string& bytes) {
  const auto table = Read(bytes);
  return table ? "no error" : DescribeError(table.error());
}

TEST(Numpy, ArraysOfEveryVersionAndOrder) {
  const std::string data(24, 'x');
  for (const uint8_t version : {uint8_t{1}, uint8_t{2}, uint8_t{3}}) {
    const auto table = Read(Array(Header("<f4", "(2, 3)"), data, version));
    ASSERT_TRUE(table) << DescribeError(table.error());
    const TensorEntry& entry = table->tensors.at(0);
    EXPECT_EQ(entry.name, "tensor");
    EXPECT_EQ(entry.dtype, DType::kF32);
    EXPECT_THAT(entry.shape, ElementsAre(2, 3));
    EXPECT_THAT(entry.strides, IsEmpty());
    EXPECT_EQ(entry.data_end_bytes - entry.data_begin_bytes, 24u);
  }
  const auto turned = Read(Array(Header("<f4", "(2, 3)", "True"), data));
  ASSERT_TRUE(turned);
  EXPECT_THAT(turned->tensors[0].strides, ElementsAre(1, 2));
  const auto scalar = Read(Array(Header("<i8", "()"), "12345678"));
  ASSERT_TRUE(scalar);
  EXPECT_THAT(scalar->tensors[0].shape, IsEmpty());
  EXPECT_TRUE(Read(Array(Header("|b1", "(3,)"), "123")));
}

TEST(Numpy, ArchivesAreNamedByTheirEntries) {
  const std::string one = Array(Header("<f2", "(2,)"), "1234");
  const std::string text = Array(Header("<U4", "()"), std::string(16, 'x'));
  const auto table = Read(BuildZip({{"b.weight.npy", one}, {"a/w.npy", one}, {"kind.npy", text}}));
  ASSERT_TRUE(table) << DescribeError(table.error());
  ASSERT_EQ(table->tensors.size(), 2u);
  EXPECT_EQ(table->tensors[0].name, "a/w");
  EXPECT_EQ(table->tensors[1].name, "b.weight");
  EXPECT_THAT(Problem(BuildZip({{"a.npy", one}, {"readme.txt", "x"}})),
              StartsWith("archive of arrays holds something else"));
}

TEST(Numpy, PackedArrays) {
  const std::string array = Array(Header("<f4", "(2, 3)"), std::string(24, 'x'));
  const std::string packed = Deflate(array);
  const auto size = static_cast<uint32_t>(array.size());
  const auto table = Read(BuildZip({{"a.npy", packed, 8, 0, {}, size}}));
  ASSERT_TRUE(table) << DescribeError(table.error());
  ASSERT_TRUE(table->tensors[0].packed);
  EXPECT_EQ(table->tensors[0].packed->size_bytes, size);
  EXPECT_EQ(table->tensors[0].data_end_bytes, size);
  EXPECT_THAT(Problem(BuildZip({{"a.npy", packed, 8, 0, {}, size + 1}})),
              StartsWith("tensor \"a\": packed data ends early"));
  EXPECT_THAT(Problem(BuildZip({{"a.npy", packed, 8, 0, {}, 1u << 31}})),
              StartsWith("tensor \"a\": packed data cannot hold as much as it says"));
  EXPECT_THAT(Problem(BuildZip({{"a.npy", "\xFF\xFF\xFF", 8, 0, {}, 100}})),
              StartsWith("tensor \"a\": packed data is broken"));
  EXPECT_THAT(Problem(BuildZip({{"a.npy", packed.substr(0, 20), 8, 0, {}, size}})),
              StartsWith("tensor \"a\": packed data ends early"));
}

TEST(Numpy, WhatIsNotReadIsNamed) {
  const auto problem = [](const std::string& descr) {
    return Problem(Array(Header(descr, "(2,)"), std::string(16, 'x')));
  };
  EXPECT_THAT(problem("|O"), HasSubstr("Python objects"));
  EXPECT_THAT(problem("|V2"), HasSubstr("no meaning to NumPy"));
  EXPECT_THAT(problem(">f8"), HasSubstr("big-endian"));
  EXPECT_THAT(problem("<f16"), HasSubstr("array's type is not read"));
  EXPECT_THAT(problem("<c16"), HasSubstr("array's type is not read"));
  EXPECT_THAT(problem(""), HasSubstr("array's type is not read"));
  EXPECT_EQ(problem("<f8"), "no error");
  EXPECT_THAT(
      Problem(Array("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234")),
      HasSubstr("an array of structures is not read"));
  EXPECT_THAT(Problem(Array(Header("<f4", "(2,)"), "12345678", 4)), HasSubstr("version of NumPy"));
}

TEST(Numpy, ArraysThatLie) {
  const auto problem = [](const std::string& shape) {
    return Problem(Array(Header("<f4", shape), "12345678"));
  };
  EXPECT_EQ(problem("(2,)"), "no error");
  EXPECT_THAT(problem("(3,)"), StartsWith("tensor reaches past the end of its storage"));
  EXPECT_THAT(problem("(1,)"), StartsWith("array is followed by bytes that are not its own"));
  EXPECT_THAT(problem("(9223372036854775808, 4)"), StartsWith("shape is too large to address"));
  EXPECT_THAT(problem("(4611686018427387905,)"), StartsWith("tensor reaches past the end"));
  EXPECT_THAT(Problem("\x93NUMPY\x01"), StartsWith("file ends inside a value"));
  EXPECT_THAT(Problem("\x93NUMPY\x02" + std::string(1, '\0') + "\xFF\xFF\xFF\x7F"),
              StartsWith("file ends inside a value"));
  EXPECT_THAT(Problem("abc"), StartsWith("not a NumPy file"));
}

TEST(Numpy, HeadersAreLiteralsAndNothingElse) {
  const std::string good = "{\"shape\": (3L, 4L), 'fortran_order': True, 'descr': '<f4'}";
  const auto header = ParseNumpyHeader(good);
  ASSERT_TRUE(header) << DescribeError(header.error());
  EXPECT_EQ(header->descr, "<f4");
  EXPECT_TRUE(header->column_major);
  EXPECT_THAT(header->shape, ElementsAre(3, 4));
  for (const char* wrong :
       {"", "{}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (3,)}",
        "{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)} + f()",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4", "__import__('os')",
        "{'descr': '<f\\x34', 'fortran_order': False, 'shape': (3,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    EXPECT_FALSE(ParseNumpyHeader(wrong)) << wrong;
  }
}

}  // namespace
}  // namespace tensorguard::internal
