// Files read from servers that answer badly: each must give the file's bytes or an error that says
// what is wrong.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include "tests/support/patient_places.h"
#include "tests/support/test_server.h"

namespace tensorguard::internal {
namespace {

constexpr size_t kSizeBytes = 300'000;

std::string Etag(std::string_view tag) { return "\"" + std::string(tag) + "\""; }

TEST(RemoteFile, IsReadInAnyPieces) {
  const std::string contents = Pattern(5'000'000);
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    return {AnswerWithRange(request, contents)};
  });
  const auto places = PlacesWith(FastOptions());
  const auto file = OpenAt(*places, server.Url("/model.safetensors"));
  ASSERT_TRUE(file) << DescribeError(file.error());
  ASSERT_EQ((*file)->size_bytes(), contents.size());
  EXPECT_EQ((*file)->path(), server.Url("/model.safetensors"));
  for (const auto& [begin, size] : {std::pair<size_t, size_t>{0, 8},
                                    {8, 70'000},
                                    {4'999'999, 1},
                                    {123'456, 3'000'000},
                                    {0, 5'000'000},
                                    {5'000'000, 0}}) {
    const auto bytes = ReadRange(**file, begin, size);
    ASSERT_TRUE(bytes) << DescribeError(bytes.error());
    EXPECT_TRUE(*bytes == contents.substr(begin, size)) << begin << " " << size;
  }
  const auto beyond = ReadRange(**file, 4'999'999, 2);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().problem, "file ends while being read");
}

TEST(RemoteFile, IsReadByManyThreadsInBoundedMemory) {
  const std::string contents = Pattern(8'000'000);
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    return {AnswerWithRange(request, contents)};
  });
  PlaceOptions options = FastOptions();
  options.remote.cache = {.piece_bytes = 100'000,
                          .least_request_bytes = 10'000,
                          .least_run_bytes = 100'000,
                          .most_ahead_bytes = 300'000,
                          .most_bytes = 500'000};
  const auto places = PlacesWith(options);
  const auto file = OpenAt(*places, server.Url("/f.safetensors"));
  ASSERT_TRUE(file) << DescribeError(file.error());
  std::atomic<size_t> next = 0;
  std::atomic<size_t> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      constexpr size_t kBlock = 250'000;
      for (size_t begin = next.fetch_add(kBlock); begin < contents.size();
           begin = next.fetch_add(kBlock)) {
        const auto bytes = ReadRange(**file, begin, kBlock);
        if (!bytes || *bytes != contents.substr(begin, kBlock)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  // In order, nothing is fetched twice but for what too little memory drops.
  EXPECT_LT(places->received_bytes(), 2 * contents.size());
}

TEST(RemoteFile, SmallReadsFetchLittle) {
  const std::string contents = Pattern(2'000'000);
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    return {AnswerWithRange(request, contents)};
  });
  const auto places = PlacesWith(FastOptions());
  const auto file = OpenAt(*places, server.Url("/f.safetensors"));
  ASSERT_TRUE(file);
  for (size_t begin = 0; begin < 40'000; begin += 80) ASSERT_TRUE(ReadRange(**file, begin, 8));
  EXPECT_EQ(server.requests().size(), 1u);
  ASSERT_TRUE(ReadRange(**file, 1'000'000, 100));
  EXPECT_EQ(server.requests().size(), 2u);
  EXPECT_LE(places->received_bytes(), 100'000u);
}

TEST(RemoteFile, GoesOnWhereTheConnectionWasCut) {
  const std::string contents = Pattern(kSizeBytes);
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    std::string answer = AnswerWithRange(request, contents);
    const size_t body = answer.find("\r\n\r\n") + 4;
    if (request.Range()->first >= 65'536) answer.resize(std::min(answer.size(), body + 70'000));
    return {answer};
  });
  const auto places = PlacesWith(FastOptions());
  const auto bytes = ReadAll(*places, server.Url("/f.safetensors"));
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_TRUE(*bytes == contents);
  std::set<uint64_t> begins;
  for (const ServerRequest& request : server.requests()) begins.insert(request.Range()->first);
  EXPECT_TRUE(begins.contains(65'536 + 70'000));  // not from the beginning again
  EXPECT_LE(places->received_bytes(), contents.size());
}

// What a server does to requests of the first bytes, and of later ones.
struct Misdeed {
  std::string name;
  std::function<std::string(const ServerRequest&, const std::string& contents)> answer;
  std::string problem;
  size_t most_requests = 20;
};

std::string Later(const ServerRequest& request, const std::string& contents, std::string bad) {
  return request.Range()->first == 0 ? AnswerWithRange(request, contents) : std::move(bad);
}

const Misdeed kMisdeeds[] = {
    {"wrong range",
     [](const ServerRequest& request, const std::string& contents) {
       return Later(
           request, contents,
           Answer("206 Partial Content", "ETag: \"1\"\r\nContent-Range: bytes 0-99/300000\r\n",
                  contents.substr(0, 100)));
     },
     "server sends other bytes than were asked for"},
    {"no range",
     [](const ServerRequest&, const std::string& contents) {
       return Answer("206 Partial Content", "", contents.substr(0, 100));
     },
     "server sends other bytes than were asked for", 1},
    {"unknown size",
     [](const ServerRequest&, const std::string& contents) {
       return Answer("206 Partial Content", "Content-Range: bytes 0-99/*\r\n",
                     contents.substr(0, 100));
     },
     "server sends other bytes than were asked for", 1},
    {"more than announced",
     [](const ServerRequest&, const std::string& contents) {
       return Answer("206 Partial Content", "Content-Range: bytes 0-99/300000\r\n",
                     contents.substr(0, 200));
     },
     "server sends more bytes than it announced", 1},
    {"more than announced, later",
     [](const ServerRequest& request, const std::string& contents) {
       const auto range = *request.Range();
       const std::string head = fmt::format("ETag: \"1\"\r\nContent-Range: bytes {}-{}/300000\r\n",
                                            range.first, range.first + 99);
       return Later(request, contents,
                    Answer("206 Partial Content", head, contents.substr(range.first, 200)));
     },
     "server sends more bytes than it announced"},
    {"short body without ranges",
     [](const ServerRequest&, const std::string& contents) {
       return "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nConnection: close\r\n\r\n" +
              contents.substr(0, 1000);
     },
     "connection breaks off again and again", 6},
    {"several parts",
     [](const ServerRequest&, const std::string&) {
       return Answer("206 Partial Content", "Content-Type: multipart/byteranges; boundary=x\r\n",
                     "--x\r\nContent-Range: bytes 0-0/300000\r\n\r\na\r\n--x--\r\n");
     },
     "server sends other bytes than were asked for", 1},
    {"compressed, later",
     [](const ServerRequest& request, const std::string& contents) {
       return Later(request, contents,
                    Answer("206 Partial Content", "ETag: \"1\"\r\nContent-Encoding: gzip\r\n",
                           contents.substr(0, 100)));
     },
     "server sends the file compressed, without being asked to"},
    {"other ETag",
     [](const ServerRequest& request, const std::string& contents) {
       return Later(request, contents, AnswerWithRange(request, contents, Etag("2")));
     },
     "file changed while it was read"},
    {"other size",
     [](const ServerRequest& request, const std::string& contents) {
       return Later(request, contents, AnswerWithRange(request, contents + "more"));
     },
     "file changed while it was read"},
    {"shorter",
     [](const ServerRequest& request, const std::string& contents) {
       return Later(request, contents, AnswerWithRange(request, contents.substr(0, 10)));
     },
     "file changed while it was read"},
    {"ranges no longer",
     [](const ServerRequest& request, const std::string& contents) {
       return Later(request, contents, Answer("200 OK", "ETag: \"1\"\r\n", contents));
     },
     "server gave ranges of the file and does so no longer"},
    {"compressed",
     [](const ServerRequest&, const std::string& contents) {
       return Answer("200 OK", "Content-Encoding: gzip\r\n", contents);
     },
     "server sends the file compressed, without being asked to", 1},
    {"garbage",
     [](const ServerRequest&, const std::string&) { return std::string("\x01\x02 not HTTP\n"); },
     "server does not answer in HTTP", 1},
    {"nothing", [](const ServerRequest&, const std::string&) { return std::string(); },
     "connection breaks off again and again", 6},
    {"always cut",
     [](const ServerRequest& request, const std::string& contents) {
       const std::string whole = AnswerWithRange(request, contents);
       return whole.substr(0, whole.find("\r\n\r\n") + 5);
     },
     "connection breaks off again and again", 6},
    {"500 for ever",
     [](const ServerRequest&, const std::string&) { return Answer("500 Internal Server Error"); },
     "server fails (500)", 6},
    {"429 for ever",
     [](const ServerRequest&, const std::string&) {
       return Answer("429 Too Many Requests", "Retry-After: 0\r\n");
     },
     "server refuses: too many requests (429)", 6},
    {"429 for a long time",
     [](const ServerRequest&, const std::string&) {
       return Answer("429 Too Many Requests", "Retry-After: 86400\r\n");
     },
     "server refuses: too many requests (429)", 1},
    {"404", [](const ServerRequest&, const std::string&) { return Answer("404 Not Found"); },
     "no such file on the server (404)", 1},
    {"403", [](const ServerRequest&, const std::string&) { return Answer("403 Forbidden"); },
     "access is refused (403)", 1},
    {"401", [](const ServerRequest&, const std::string&) { return Answer("401 Unauthorized"); },
     "access is refused (401)", 1},
    {"redirect to itself",
     [](const ServerRequest&, const std::string&) {
       return Answer("302 Found", "Location: /f.safetensors\r\n");
     },
     "server redirects again and again", 11},
    {"redirect to a file",
     [](const ServerRequest&, const std::string&) {
       return Answer("302 Found", "Location: file:///etc/passwd\r\n");
     },
     "URL is not of the web", 1},
    {"redirect nowhere",
     [](const ServerRequest&, const std::string&) { return Answer("302 Found"); },
     "server gives an unexpected answer (302)", 1},
    {"no length",
     [](const ServerRequest&, const std::string& contents) {
       return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + contents;
     },
     "server does not say how long the file is", 1},
};

TEST(MisbehavingServer, IsFoundOut) {
  const std::string contents = Pattern(kSizeBytes);
  for (const Misdeed& misdeed : kMisdeeds) {
    SCOPED_TRACE(misdeed.name);
    const TestServer server([&](const ServerRequest& request) -> ServerReply {
      return {misdeed.answer(request, contents)};
    });
    const auto places = PlacesWith(FastOptions());
    const auto bytes = ReadAll(*places, server.Url("/f.safetensors"));
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().problem, misdeed.problem) << DescribeError(bytes.error());
    EXPECT_EQ(bytes.error().file, server.Url("/f.safetensors"));
    EXPECT_LE(server.requests().size(), misdeed.most_requests);
  }
}

TEST(MisbehavingServer, ThatStallsIsGivenUp) {
  const TestServer server([](const ServerRequest&) -> ServerReply {
    return {"HTTP/1.1 200 OK\r\n", {}, std::chrono::milliseconds(2500)};
  });
  PlaceOptions options = FastOptions();
  options.remote.fetch.most_retries = 0;
  const auto started = std::chrono::steady_clock::now();
  const auto bytes = ReadAll(*PlacesWith(options), server.Url("/f.safetensors"));
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().problem, "connection breaks off again and again");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST(MisbehavingServer, IsAskedAgainAfterPassingFailures) {
  const std::string contents = Pattern(kSizeBytes);
  for (const std::string status : {"500 Internal Server Error", "503 Service Unavailable",
                                   "429 Too Many Requests", "408 Request Timeout"}) {
    std::atomic<int> failures = 3;
    const TestServer server([&](const ServerRequest& request) -> ServerReply {
      if (failures-- > 0) return {Answer(status)};
      return {AnswerWithRange(request, contents)};
    });
    const auto bytes = ReadAll(*PlacesWith(FastOptions()), server.Url("/f.safetensors"));
    ASSERT_TRUE(bytes) << DescribeError(bytes.error());
    EXPECT_TRUE(*bytes == contents) << status;
  }
}

TEST(MisbehavingServer, IsGivenTheTimeItAsksFor) {
  std::atomic<int> failures = 1;
  const TestServer server([&](const ServerRequest& request) -> ServerReply {
    if (failures-- > 0) return {Answer("429 Too Many Requests", "Retry-After: 1\r\n")};
    return {AnswerWithRange(request, "text")};
  });
  const auto started = std::chrono::steady_clock::now();
  const auto bytes = ReadAll(*PlacesWith(FastOptions()), server.Url("/f.safetensors"));
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
}

TEST(MisbehavingServer, CannotHoldAReaderForEver) {
  struct Endless {
    std::string name;
    ServerReply reply;
    std::string problem;
  };
  const Endless rows[] = {
      {"headers",
       {"HTTP/1.1 200 OK\r\n", "X-More: " + std::string(1000, 'x') + "\r\n"},
       "server sends headers without end"},
      {"chunks",
       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "3E8\r\n" + std::string(1000, 'x') + "\r\n"},
       "server sends whole files only, and this one is too large to be kept"},
      {"length",
       {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", "xxxx"},
       "server sends whole files only, and this one is too large to be kept"},
      {"error body",
       {"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n",
        "3E8\r\n" + std::string(1000, 'x') + "\r\n"},
       "no such file on the server (404)"},
      {"trickle",
       {Answer("206 Partial Content", "Content-Range: bytes 0-65535/300000\r\n",
               std::string(65'536, 'x')),
        {},
        std::chrono::milliseconds(50)},
       "connection breaks off again and again"},
  };
  for (const Endless& row : rows) {
    SCOPED_TRACE(row.name);
    const TestServer server([&](const ServerRequest&) { return row.reply; });
    PlaceOptions options = FastOptions();
    options.remote.fetch.most_retries = 1;
    options.remote.fetch.most_memory_bytes = 10'000;
    options.remote.fetch.most_temporary_bytes = 1'000'000;
    const auto bytes = ReadAll(*PlacesWith(options), server.Url("/f.safetensors"));
    ASSERT_FALSE(bytes);
    EXPECT_EQ(bytes.error().problem, row.problem) << DescribeError(bytes.error());
  }
}

TEST(ServerWithoutRanges, SendsSmallFilesIntoMemoryAndLargeOnesToATemporaryFile) {
  for (const size_t size_bytes : {0u, 5'000u, 200'000u}) {
    const std::string contents = Pattern(size_bytes);
    for (const bool chunked : {false, true}) {
      const TestServer server([&](const ServerRequest&) -> ServerReply {
        if (!chunked) return {Answer("200 OK", "", contents)};
        std::string body;
        if (!contents.empty()) body = fmt::format("{:x}\r\n{}\r\n", contents.size(), contents);
        return {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body + "0\r\n\r\n"};
      });
      PlaceOptions options = FastOptions();
      options.remote.fetch.most_memory_bytes = 10'000;
      const auto bytes = ReadAll(*PlacesWith(options), server.Url("/f.safetensors"));
      ASSERT_TRUE(bytes) << DescribeError(bytes.error());
      EXPECT_TRUE(*bytes == contents) << size_bytes << " " << chunked;
      EXPECT_EQ(server.requests().size(), 1u);
    }
  }
}

TEST(ServerWithoutRanges, HoldsAllItsFilesWithinOneLimit) {
  const std::string contents = Pattern(60'000);
  const TestServer server(
      [&](const ServerRequest&) -> ServerReply { return {Answer("200 OK", "", contents)}; });
  PlaceOptions options = FastOptions();
  options.remote.fetch.most_memory_bytes = 70'000;
  options.remote.fetch.most_temporary_bytes = 130'000;
  auto places = PlacesWith(options);
  for (const char* name : {"/in-memory", "/temporary-1", "/temporary-2"}) {
    const auto bytes = ReadAll(*places, server.Url(name));
    ASSERT_TRUE(bytes) << DescribeError(bytes.error());
    EXPECT_TRUE(*bytes == contents) << name;
  }
  const auto more = ReadAll(*places, server.Url("/too-much"));
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().problem,
            "server sends whole files only, and this one is too large to be kept");
  places = PlacesWith(options);  // nothing is kept of the others
  EXPECT_TRUE(ReadAll(*places, server.Url("/too-much")));
}

TEST(EmptyFile, IsReadThoughItHasNoRange) {
  const TestServer server(
      [&](const ServerRequest& request) -> ServerReply { return {AnswerWithRange(request, "")}; });
  const auto bytes = ReadAll(*PlacesWith(FastOptions()), server.Url("/config.json"));
  ASSERT_TRUE(bytes) << DescribeError(bytes.error());
  EXPECT_EQ(*bytes, "");
}

}  // namespace
}  // namespace tensorguard::internal
