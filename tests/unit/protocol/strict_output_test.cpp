// Whatever arrives: what the checks let pass goes out strictly valid and with the same framing.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "aifd/protocol/credentials.hpp"
#include "aifd/protocol/framing.hpp"
#include "aifd/protocol/head_writer.hpp"
#include "aifd/protocol/json_peek.hpp"
#include "aifd/protocol/target.hpp"
#include "plain_head.hpp"

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

class Mutator {
 public:
  explicit Mutator(unsigned seed) : random_(seed) {}

  std::string mutate(std::string text) {
    for (std::size_t changes = below(4); changes > 0 && !text.empty(); --changes) change(text);
    return text;
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }

 private:
  void change(std::string& text) {
    const std::string pieces[] = {"\r\n"s,
                                  "\n"s,
                                  "\r"s,
                                  "\0"s,
                                  " "s,
                                  "\t"s,
                                  ":"s,
                                  ","s,
                                  "%"s,
                                  "%2e"s,
                                  "/"s,
                                  "//"s,
                                  ".."s,
                                  "0"s,
                                  "\xFF"s,
                                  "\x0B"s,
                                  "\""s,
                                  "chunked"s,
                                  "\r\nHost: b"s,
                                  "\r\nContent-Length: 3"s,
                                  "\r\nTransfer-Encoding: chunked"s,
                                  "\r\nConnection: close, X-Hop"s,
                                  "\r\nUpgrade: h2c"s,
                                  "\r\nX-Forwarded-For: 1.1.1.1"s,
                                  "\r\nExpect: 100-continue"s,
                                  "\r\n\r\n"s};
    const std::size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text.erase(at, 1 + below(4));
        break;
      case 1:
        text[at] = static_cast<char>(below(256));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(30)));
        break;
      default:
        text.insert(at, pieces[below(std::size(pieces))]);
    }
  }

  std::mt19937 random_;
};

const std::string kRequests[] = {
    "GET /v1/models?a=b HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    "POST /v1/chat/completions HTTP/1.1\r\nHost: a:80\r\nAuthorization: Bearer k\r\n"
    "Content-Length: 10\r\nCookie: c\r\n\r\n",
    "POST //a///b/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n",
    "GET http://a/x HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.k\r\n\r\n",
};

TEST(StrictOutput, RequestsGoOutWithTheFramingTheyCameWith) {
  int accepted = 0;
  for (unsigned seed = 0; seed < 40000; ++seed) {
    Mutator mutator(seed);
    const std::string in = mutator.mutate(kRequests[seed % std::size(kRequests)]);
    const std::size_t end = find_head_end(in, 0);
    if (end == std::string::npos) continue;
    const std::string_view raw = std::string_view(in).substr(0, end);
    if (!check_raw_head(raw)) continue;
    const RequestHead head = read_request(raw);
    const auto framing = check_request(head);
    const auto target = parse_target(head.target);
    if (!framing || !target || target->path == "*") continue;
    static_cast<void>(find_credentials(head, target->query));
    ++accepted;
    std::string out;
    const std::string upstream_target = join_target("/base", "/", *target);
    append_request_head(out, {head.method, upstream_target, "upstream:443"}, head.fields,
                        framing->body, framing->wants_upgrade ? "websocket" : "", {});
    ASSERT_TRUE(check_raw_head(out)) << out;
    ASSERT_EQ(find_head_end(out, 0), out.size()) << out;
    const RequestHead again = read_request(out);
    const auto framing_again = check_request(again);
    ASSERT_TRUE(framing_again) << out;
    ASSERT_EQ(framing_again->body, framing->body) << in << out;
    ASSERT_EQ(framing_again->wants_upgrade, framing->wants_upgrade) << in << out;
    ASSERT_EQ(again.fields.get("Host"), "upstream:443");
    ASSERT_FALSE(again.fields.contains("Cookie"));
    ASSERT_FALSE(again.fields.contains("X-Forwarded-For"));
    const auto target_again = parse_target(again.target);
    ASSERT_TRUE(target_again) << out;
    ASSERT_TRUE(covers("/base", target_again->path)) << out;
  }
  EXPECT_GT(accepted, 5000);
}

const std::string kResponses[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx-request-id: r\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nSet-Cookie: a\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 304 \r\nContent-Length: 5\r\nETag: x\r\n\r\n",
};

TEST(StrictOutput, ResponsesGoOutWithTheFramingTheyCameWith) {
  int accepted = 0;
  for (unsigned seed = 0; seed < 40000; ++seed) {
    Mutator mutator(seed);
    const std::string in = mutator.mutate(kResponses[seed % std::size(kResponses)]);
    const std::string_view method = seed % 7 == 0 ? "HEAD" : "POST";
    const std::size_t end = find_head_end(in, 0);
    if (end == std::string::npos || !in.starts_with("HTTP/1.")) continue;
    const std::string_view raw = std::string_view(in).substr(0, end);
    if (!check_raw_head(raw)) continue;
    const ResponseHead head = read_response(raw);
    const auto framing = check_response(head, method);
    if (!framing) continue;
    ++accepted;
    std::string out;
    append_response_head(out, head, framing->body, {});
    ASSERT_TRUE(check_raw_head(out)) << out;
    const auto framing_again = check_response(read_response(out), method);
    ASSERT_TRUE(framing_again) << in << out;
    ASSERT_EQ(framing_again->body, framing->body) << in << out;
  }
  EXPECT_GT(accepted, 5000);
}

TEST(StrictOutput, PeeksSurviveDamage) {
  const std::string body =
      R"({"messages":[{"role":"user","content":"h\u00e9 \"you\""}],"stream":true,"model":"m"})";
  for (unsigned seed = 0; seed < 40000; ++seed) {
    Mutator mutator(seed);
    const std::string in = mutator.mutate(body);
    const auto peek = peek_json(in);
    if (!peek || !peek->model) continue;
    ASSERT_LE(peek->model_offset + peek->model_length, in.size());
    ASSERT_EQ(in[peek->model_offset], '"') << in;
    ASSERT_EQ(in[peek->model_offset + peek->model_length - 1], '"') << in;
  }
}

}  // namespace
}  // namespace aifd::protocol
