#include "cli/arguments/command_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/weight_format.h"

namespace tensorguard::internal::cli {
namespace {

TEST(CommandTexts, WhatAModelMayBeNamesEveryFormat) {
  const Section& models = SharedSections().front();
  ASSERT_EQ(models.title, "Models");
  for (const FormatNames& format : ReadableFormats()) {
    EXPECT_THAT(std::string(models.text), testing::HasSubstr(std::string(format.format)));
  }
}

}  // namespace
}  // namespace tensorguard::internal::cli
