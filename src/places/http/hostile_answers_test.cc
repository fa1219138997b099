// Servers that mean harm: redirects into private networks, small files without end, and the token
// sent back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/json.h"
#include "places/http/file_kinds.h"
#include "tests/support/patient_places.h"
#include "tests/support/test_server.h"

namespace tensorguard::internal {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kPrivate = "server redirects to this machine or a private network";

// Of the tests' machines, 127.0.0.1 stands for the public.
PlaceOptions OnlyFirstLoopbackIsPublic() {
  PlaceOptions options = FastOptions();
  ::setenv("no_proxy", "127.0.0.1,127.0.0.2,localhost", 1);
  options.remote.http.is_private = [](const std::string& address) {
    return address != "127.0.0.1";
  };
  return options;
}

std::string PortOf(const TestServer& server) {
  const std::string url = server.Url("");
  return url.substr(url.rfind(':') + 1);
}

TEST(PrivateRedirect, IsNotFollowedFromAPublicAddress) {
  std::string port;
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target != "/f.safetensors") return {AnswerWithRange(request, "secret")};
    return {Answer("302 Found", "Location: http://127.0.0.2:" + port + "/metadata\r\n")};
  });
  port = PortOf(server);
  const auto bytes =
      ReadAll(*PlacesWith(OnlyFirstLoopbackIsPublic()), server.Url("/f.safetensors"));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, kPrivate);
  EXPECT_EQ(bytes.error().found, "127.0.0.2");
  EXPECT_EQ(server.requests().size(), 1u);
}

// The first step is public and harmless, the second is not; the third would be.
TEST(PrivateRedirect, IsCheckedAtEveryStep) {
  std::string port;
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    const std::string next = request.target == "/f.safetensors" ? "http://127.0.0.1:" + port + "/2"
                                                                : "http://127.0.0.2:" + port + "/3";
    return {Answer("307 Temporary Redirect", "Location: " + next + "\r\n")};
  });
  port = PortOf(server);
  const auto bytes =
      ReadAll(*PlacesWith(OnlyFirstLoopbackIsPublic()), server.Url("/f.safetensors"));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, kPrivate);
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST(PrivateRedirect, MayBeAllowedAndIsFreeAmongPrivateAddresses) {
  std::string port;
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (request.target != "/f.safetensors") return {AnswerWithRange(request, "weights")};
    return {Answer("302 Found", "Location: http://127.0.0.1:" + port + "/elsewhere\r\n")};
  });
  port = PortOf(server);
  PlaceOptions options = OnlyFirstLoopbackIsPublic();
  options.remote.http.is_private = [](const std::string&) { return true; };
  EXPECT_EQ(*ReadAll(*PlacesWith(options), server.Url("/f.safetensors")), "weights");
  bool first = true;  // public, then private, as a name that resolves to another address each time
  options.remote.http.is_private = [&](const std::string&) { return !std::exchange(first, false); };
  options.remote.fetch.allow_private_redirects = true;
  EXPECT_EQ(*ReadAll(*PlacesWith(options), server.Url("/f.safetensors")), "weights");
}

// Chunks without end and without a length: what each kind of file may have is the limit.
TEST(EndlessFile, EndsAtTheLimitOfItsKind) {
  EXPECT_EQ(MostBytesOfKind("a/config.json"), kSmallJsonLimitBytes);
  EXPECT_EQ(MostBytesOfKind("model.safetensors.index.json"), kIndexJsonLimitBytes);
  EXPECT_GT(*MostBytesOfKind("tokenizer.json"), kSmallJsonLimitBytes);
  EXPECT_FALSE(MostBytesOfKind("model.safetensors"));
  const std::string chunk = "100000\r\n" + std::string(1 << 20, ' ') + "\r\n";
  const TestServer server([&](const ServerRequest&) -> ServerReply {
    return {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .repeated = chunk};
  });
  const auto places = PlacesWith(FastOptions());
  const auto bytes = ReadAll(*places, server.Url("/config.json"));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, "file is too large for what it should hold");
  EXPECT_LE(places->received_bytes(), kSmallJsonLimitBytes + (4u << 20));
}

TEST(Token, IsInNoErrorThoughAServerRepeatsIt) {
  for (const char* header : {"X-Error-Message: you sent ", "Location: http://127.0.0.1:1/",
                             "X-Error-Code: ", "Content-Encoding: ", "Content-Range: bytes "}) {
    const TestServer server([&](const ServerRequest& request) -> ServerReply {
      const std::string echo = std::string(header) + request.Header("authorization") + "\r\n";
      return {Answer(header[0] == 'L'   ? "302 Found"
                     : header[0] == 'X' ? "403 No"
                                        : "206 OK",
                     echo, "{}")};
    });
    PlaceOptions options = FastOptions();
    options.hub_endpoint = server.Url("");
    options.hub_token = "hf_secret";
    const auto path = PlacesWith(options)->Locate("hf://org/name");
    ASSERT_FALSE(path);
    EXPECT_THAT(DescribeError(path.error()), Not(HasSubstr("hf_secret"))) << header;
  }
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    return {AnswerWithRange(request, "{\"sha\":\"" + std::string(40, 'a') +
                                         "\",\"siblings\":[{\"rfilename\":\"../" +
                                         request.Header("authorization") + "\"}]}")};
  });
  PlaceOptions options = FastOptions();
  options.hub_endpoint = server.Url("");
  options.hub_token = "hf_secret";
  const auto path = PlacesWith(options)->Locate("hf://org/name");
  ASSERT_FALSE(path);
  EXPECT_THAT(DescribeError(path.error()), HasSubstr("[token]"));
  EXPECT_THAT(DescribeError(path.error()), Not(HasSubstr("hf_secret")));
}

}  // namespace
}  // namespace tensorguard::internal
