#include "cli/arguments/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tensorguard::internal::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Request Parse(const std::vector<std::string>& arguments) {
  const auto request = ParseCommandLine(arguments);
  EXPECT_TRUE(request) << (request ? "" : DescribeError(request.error()));
  return request ? *request : Request{};
}

std::string ErrorOf(const std::vector<std::string>& arguments) {
  const auto request = ParseCommandLine(arguments);
  if (request) return "no error";
  EXPECT_EQ(request.error().kind, ErrorKind::kUsage);
  return DescribeError(request.error());
}

TEST(CommandLine, TakesOptionsBeforeAndAfterTheCommand) {
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--json", "inspect", "m"}, {"inspect", "--json", "m"}, {"inspect", "m", "--json"}}) {
    const Request request = Parse(arguments);
    EXPECT_EQ(request.command, "inspect");
    EXPECT_TRUE(request.json);
    EXPECT_EQ(std::get<InspectOptions>(request.options).model, "m");
  }
}

TEST(CommandLine, ReadsSeveralModelsAndTheirOutput) {
  const auto options = std::get<FingerprintOptions>(
      Parse({"fingerprint", "a", "b", "-o", "out", "--threads", "3"}).options);
  EXPECT_THAT(options.models, ElementsAre("a", "b"));
  EXPECT_EQ(options.output, "out");
  EXPECT_EQ(options.threads, 3u);
  EXPECT_EQ(options.profile, "full");
}

TEST(CommandLine, TakesNamesAfterTwoDashesAsTheyAre) {
  EXPECT_EQ(std::get<InspectOptions>(Parse({"inspect", "--", "--json"}).options).model, "--json");
  EXPECT_FALSE(AsksForJson({"inspect", "--", "--json"}));
  EXPECT_TRUE(AsksForJson({"inspect", "--json", "--"}));
}

TEST(CommandLine, SplitsListsAtCommas) {
  const auto options = std::get<ClusterOptions>(
      Parse({"cluster", "--centers", "a,b", "p", "q", "--method", "gmm", "--clusters", "3"})
          .options);
  EXPECT_THAT(options.models, ElementsAre("p", "q"));
  EXPECT_THAT(options.centers, ElementsAre("a", "b"));
  EXPECT_EQ(options.method, "gmm");
  EXPECT_EQ(options.clusters, 3u);
}

TEST(CommandLine, KnownTakesSeveralValues) {
  const auto options = std::get<ClassifyOptions>(
      Parse({"classify", "m", "--known", "a", "b", "--fail-on", "independent,derived"}).options);
  EXPECT_EQ(options.model, "m");
  EXPECT_THAT(options.known, ElementsAre("a", "b"));
  EXPECT_THAT(options.fail_on, ElementsAre("independent", "derived"));
}

TEST(CommandLine, NamesTheNearestOfUnknownThings) {
  EXPECT_EQ(
      ErrorOf({"inspekt", "m"}),
      "no such command\n"
      "  found:    inspekt\n"
      "  expected: one of inspect, fingerprint, compare, classify, cluster, lineage, registry, "
      "convert, sensitivity, evaluate, transform, stress, completion, man\n"
      "  try:      inspect");
  EXPECT_EQ(ErrorOf({"fingerprint", "m", "--treads=3"}),
            "no such option\n  found:    --treads\n  try:      --threads");
  EXPECT_EQ(ErrorOf({"convert", "m", "--outptu", "x"}),  // said before "--output is missing"
            "no such option\n  found:    --outptu\n  try:      --output");
  EXPECT_EQ(ErrorOf({"inspect", "m", "-z"}),
            "no such option\n  found:    -z\n  try:      tensorguard inspect --help");
}

TEST(CommandLine, SaysWhatIsMissingOrTooMuch) {
  EXPECT_EQ(ErrorOf({"inspect"}), "MODEL is missing\n  try:      tensorguard inspect --help");
  EXPECT_EQ(ErrorOf({"convert", "m"}),
            "--output is missing\n  try:      tensorguard convert --help");
  EXPECT_EQ(ErrorOf({"fingerprint", "m", "--threads"}),
            "--threads needs a value\n  try:      tensorguard fingerprint --help");
  EXPECT_EQ(ErrorOf({"convert", "m", "-o", "a", "-o", "b"}),
            "--output is given more than once\n  try:      tensorguard convert --help");
  EXPECT_EQ(ErrorOf({"inspect", "m", "n"}),
            "inspect takes no further argument\n  found:    n\n"
            "  try:      tensorguard inspect --help");
  EXPECT_THAT(ErrorOf({}), HasSubstr("a command is missing"));
}

TEST(CommandLine, RefusesValuesThatDoNotExist) {
  EXPECT_EQ(ErrorOf({"fingerprint", "m", "--profile", "whole"}),
            "--profile has no such value\n  found:    whole\n  expected: one of full, paper\n"
            "  try:      tensorguard fingerprint --help");
  EXPECT_EQ(ErrorOf({"convert", "m", "-o", "x", "--dtype", "bf61"}),
            "--dtype has no such value\n  found:    bf61\n  expected: one of f32, f16, bf16\n"
            "  try:      bf16");
  EXPECT_EQ(ErrorOf({"compare", "a", "b", "--fail-on", "derived,independant"}),
            "--fail-on has no such verdict\n  found:    independant\n"
            "  expected: one of identical, derived, reparameterised, shared-initialisation, "
            "independent, inconclusive\n  try:      independent");
  EXPECT_THAT(ErrorOf({"compare", "a", "b", "--fail-on", ""}), HasSubstr("empty name in its list"));
  EXPECT_THAT(ErrorOf({"cluster", "d", "--centers", "a,,b"}), HasSubstr("empty name in its list"));
}

TEST(CommandLine, RefusesNumbersOutOfRange) {
  for (const std::string text : {"0", "-1", "x", "3x", "", "99999999999", "1.5"}) {
    EXPECT_THAT(ErrorOf({"fingerprint", "m", "--threads=" + text}), HasSubstr("--threads needs a"))
        << text;
  }
}

TEST(CommandLine, HelpWinsOverWhatIsMissing) {
  const Request request = Parse({"convert", "--help"});
  EXPECT_THAT(std::get<ShowText>(request.options).text, HasSubstr("Usage: tensorguard convert"));
  EXPECT_THAT(std::get<ShowText>(Parse({"--help"}).options).text,
              HasSubstr("Commands:\n  inspect"));
}

}  // namespace
}  // namespace tensorguard::internal::cli
