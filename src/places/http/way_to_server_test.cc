// The way to a server: redirects, proxies, and hosts that are not there.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "tests/support/patient_places.h"
#include "tests/support/test_server.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;

constexpr size_t kSizeBytes = 300'000;

TEST(Redirect, IsFollowedOnceAndRefreshedWhenItExpires) {
  const std::string contents = Pattern(kSizeBytes);
  std::atomic<int> signature = 0;
  std::atomic<int> uses = 0;
  const TestServer store([&](const ServerRequest& request) -> ServerReply {
    if (request.target != fmt::format("/blob?signature={}", signature.load())) {
      return {Answer("403 Forbidden")};
    }
    if (++uses == 2) ++signature;  // expires with this answer
    return {AnswerWithRange(request, contents)};
  });
  const TestServer server([&](const ServerRequest&) -> ServerReply {
    return {Answer("302 Found",
                   fmt::format("Location: {}\r\n",
                               store.Url(fmt::format("/blob?signature={}", signature.load()))))};
  });
  PlaceOptions options = FastOptions();
  options.remote.cache.piece_bytes = 50'000;
  options.remote.most_connections = 1;
  const auto bytes = ReadAll(*PlacesWith(options), server.Url("/f.safetensors"));
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_TRUE(*bytes == contents);
  EXPECT_EQ(server.requests().size(), 2u);  // for the first signature, and for the second
}

TEST(Redirect, IsRelativeOrAbsolute) {
  const std::string contents = Pattern(kSizeBytes);
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target == "/a/b/f") return {AnswerWithRange(request, contents)};
    if (request.target == "/a/f") return {Answer("307 Temporary", "Location: b/f\r\n")};
    return {Answer("301 Moved", "Location: /a/f\r\n")};
  });
  const auto bytes = ReadAll(*PlacesWith(FastOptions()), server.Url("/f"));
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_TRUE(*bytes == contents);
}

TEST(Redirect, ToAStoreThatWentAwayIsAskedForAgain) {
  const std::string contents = Pattern(kSizeBytes);
  const auto answer = [&](const ServerRequest& request) -> ServerReply {
    return {AnswerWithRange(request, contents)};
  };
  auto first = std::make_unique<TestServer>(answer);
  const TestServer second(answer);
  std::atomic<bool> moved = false;
  const std::string before = first->Url("/blob");
  const TestServer server([&](const ServerRequest&) -> ServerReply {
    const std::string to = moved ? second.Url("/blob") : before;
    return {Answer("302 Found", fmt::format("Location: {}\r\n", to))};
  });
  const auto places = PlacesWith(FastOptions());
  const auto file = OpenAt(*places, server.Url("/f.safetensors"));
  ASSERT_TRUE(file) << DescribeError(file.error());
  moved = true;
  first.reset();
  const auto bytes = ReadRange(**file, 100'000, 100'000);
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_TRUE(*bytes == contents.substr(100'000, 100'000));
}

TEST(Unreachable, HostIsAnError) {
  PlaceOptions options = FastOptions();
  ::setenv("no_proxy", "*", 1);
  const auto bytes = ReadAll(*PlacesWith(options), "http://no-such-host.invalid/f.safetensors");
  ::setenv("no_proxy", "127.0.0.1", 1);
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, "no such host");
}

TEST(Proxy, IsAskedInsteadOfTheServer) {
  const TestServer proxy([](const ServerRequest& request) -> ServerReply {
    if (request.target != "http://no-such-host.invalid/f.safetensors") {
      return {Answer("400 Bad Request")};
    }
    return {AnswerWithRange(request, "text")};
  });
  PlaceOptions options = FastOptions();
  ::setenv("http_proxy", proxy.Url("").c_str(), 1);
  const auto bytes = ReadAll(*PlacesWith(options), "http://no-such-host.invalid/f.safetensors");
  ::unsetenv("http_proxy");
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_EQ(*bytes, "text");
}

TEST(Unreachable, ServerIsAnError) {
  const uint16_t port = FreePort();
  PlaceOptions options = FastOptions();
  options.remote.fetch.most_retries = 1;
  const auto bytes =
      ReadAll(*PlacesWith(options), fmt::format("http://127.0.0.1:{}/f.safetensors", port));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, "connection breaks off again and again");
  EXPECT_THAT(bytes.error().found, HasSubstr("onnect"));
}

}  // namespace
}  // namespace tensorguard::internal
