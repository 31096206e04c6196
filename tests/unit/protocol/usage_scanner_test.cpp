#include "aifd/protocol/usage_scanner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace aifd::protocol {

void PrintTo(const TokenUsage& usage, std::ostream* out) {
  *out << usage.input << " + " << usage.output << " = " << usage.total;
}

namespace {

using Found = std::optional<TokenUsage>;

Found scan(std::string_view body, Dialect dialect = Dialect::openai) {
  UsageScanner scanner(dialect);
  scanner.feed(body);
  return scanner.usage();
}

struct Shape {
  std::string_view name;
  Dialect dialect;
  std::string body;
  Found usage;
  std::uint64_t events;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.name;
}

std::vector<Shape> shapes() {
  return {
      {"chat", Dialect::openai,
       R"({"id":"c","choices":[{"index":0,"message":{"content":"a \"usage\": {\"prompt_tokens\": 99} b"},)"
       R"("finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21,)"
       R"("prompt_tokens_details":{"cached_tokens":1900,"audio_tokens":0},)"
       R"("completion_tokens_details":{"reasoning_tokens":5,"total_tokens":77}},"system_fingerprint":"fp"})",
       TokenUsage{9, 12, 21}, 0},
      {"chat, pretty", Dialect::openai,
       "{\n  \"usage\" : {\r\n\t\"prompt_tokens\" : 19 ,\n    \"completion_tokens\":\n10,\n"
       "    \"total_tokens\": 29\n  }\n}\n",
       TokenUsage{19, 10, 29}, 0},
      {"chat stream", Dialect::openai,
       "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}],\"usage\":null}\n\n"
       "data: {\"choices\":[{\"delta\":{\"content\":\" you\"}}],\"usage\":null}\n\n"
       "data: "
       "{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":"
       "9}}\n\ndata: [DONE]\n\n",
       TokenUsage{7, 2, 9}, 4},
      {"continuous stream", Dialect::openai,
       "data: {\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1,\"total_tokens\":8}}\n\n"
       "data: {\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\n"
       "data: {\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n\n",
       TokenUsage{7, 3, 10}, 3},
      {"embeddings", Dialect::openai,
       R"({"object":"list","data":[{"embedding":[-0.0069,0.5e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}})",
       TokenUsage{8, 0, 8}, 0},
      {"responses", Dialect::openai,
       R"({"id":"resp_1","metadata":{},"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":3},)"
       R"("output_tokens":87,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":123},"user":null})",
       TokenUsage{36, 87, 123}, 0},
      {"responses stream", Dialect::openai,
       "event: response.created\ndata: {\"response\":{\"id\":\"r\",\"usage\":null}}\n\n"
       "event: response.output_text.delta\ndata: {\"delta\":\"Hi\"}\n\n"
       "event: response.completed\ndata: {\"response\":{\"usage\":{\"input_tokens\":37,"
       "\"output_tokens\":11,\"total_tokens\":48}}}\n\n",
       TokenUsage{37, 11, 48}, 3},
      {"anthropic", Dialect::anthropic,
       R"({"content":[{"text":"Hi"}],"usage":{"cache_creation_input_tokens":100,"cache_read_input_tokens":2000,)"
       R"("cache_creation":{"ephemeral_5m_input_tokens":100},"input_tokens":2095,"output_tokens":503,)"
       R"("service_tier":"standard"}})",
       TokenUsage{4195, 503, 4698}, 0},
      {"anthropic stream", Dialect::anthropic,
       "event: message_start\r\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":"
       "{\"input_tokens\":25,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":5,"
       "\"output_tokens\":1}}}\r\n\r\n"
       "event: ping\r\ndata: {\"type\": \"ping\"}\r\n\r\n"
       "event: message_delta\r\ndata: {\"type\":\"message_delta\",\"delta\":{},\"usage\":"
       "{\"output_tokens\":9}}\r\n\r\n"
       "event: message_delta\r\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":15}}"
       "\r\n\r\n",
       TokenUsage{30, 15, 45}, 4},
      {"gemini stream", Dialect::gemini,
       "data: {\"candidates\":[{}],\"usageMetadata\": {\"promptTokenCount\": "
       "4,\"candidatesTokenCount\""
       ": 3,\"totalTokenCount\": 17,\"promptTokensDetails\": [{\"modality\": "
       "\"TEXT\",\"tokenCount\": "
       "400}],\"thoughtsTokenCount\": 10}}\r\n\r\n"
       "data: {\"usageMetadata\": {\"promptTokenCount\": 4,\"candidatesTokenCount\": 23,"
       "\"totalTokenCount\": 37,\"thoughtsTokenCount\": 10}}\r\n\r\n",
       TokenUsage{4, 33, 37}, 2},
      {"ollama stream", Dialect::ollama,
       "{\"model\":\"m\",\"message\":{\"content\":\"The\"},\"done\":false}\n"
       "{\"model\":\"m\",\"message\":{\"content\":\" \\\"eval_count\\\":9 sky\"},\"done\":false}\n"
       "{\"model\":\"m\",\"done\":true,\"prompt_eval_count\":26,\"prompt_eval_duration\":130079000,"
       "\"eval_count\":298,\"eval_duration\":4799921000}\n",
       TokenUsage{26, 298, 324}, 3},
      {"ollama embed", Dialect::ollama,
       R"({"embeddings":[[0.1]],"load_duration":1,"prompt_eval_count": 8})", TokenUsage{8, 0, 8},
       1},
      {"no report", Dialect::openai,
       "data: {\"a\":1}\n\n: comment\n\ndata:{\"b\":2}\n\ndatum: 3\n\n", std::nullopt, 2},
  };
}

class UsageShapes : public testing::TestWithParam<Shape> {};

INSTANTIATE_TEST_SUITE_P(Each, UsageShapes, testing::ValuesIn(shapes()));

TEST_P(UsageShapes, IsReadWhole) {
  const Shape& shape = GetParam();
  UsageScanner scanner(shape.dialect);
  scanner.feed(shape.body);
  EXPECT_EQ(scanner.usage(), shape.usage);
  EXPECT_EQ(scanner.events(), shape.events);
  EXPECT_EQ(scanner.bytes(), shape.body.size());
}

TEST_P(UsageShapes, IsReadInPiecesOfAnySize) {
  const Shape& shape = GetParam();
  for (std::size_t size = 1; size <= 80; ++size) {
    UsageScanner scanner(shape.dialect);
    for (std::size_t at = 0; at < shape.body.size(); at += size) {
      scanner.feed(std::string_view(shape.body).substr(at, size));
      scanner.feed("");
    }
    ASSERT_EQ(scanner.usage(), shape.usage) << size;
    ASSERT_EQ(scanner.events(), shape.events) << size;
  }
}

TEST_P(UsageShapes, IsReadSplitAtEveryPosition) {
  const Shape& shape = GetParam();
  const std::string_view body = shape.body;
  for (std::size_t at = 0; at <= body.size(); ++at) {
    UsageScanner scanner(shape.dialect);
    scanner.feed(body.substr(0, at));
    scanner.feed(body.substr(at));
    ASSERT_EQ(scanner.usage(), shape.usage) << body.substr(0, at);
    ASSERT_EQ(scanner.events(), shape.events) << body.substr(0, at);
  }
}

// Fed whole and byte by byte.
void expect_same(std::string_view body, const Found& expected, Dialect dialect = Dialect::openai) {
  EXPECT_EQ(scan(body, dialect), expected) << body.substr(0, 200);
  UsageScanner scanner(dialect);
  for (const char c : body) scanner.feed({&c, 1});
  EXPECT_EQ(scanner.usage(), expected) << "in bytes: " << body.substr(0, 200);
}

TEST(UsageScanner, IgnoresWhatIsNoCount) {
  const std::string_view values[] = {"-5",
                                     "1.5",
                                     "1e3",
                                     "1E3",
                                     "+5",
                                     "0x10",
                                     "\"7\"",
                                     "null",
                                     "true",
                                     "[7]",
                                     "{\"a\":7}",
                                     "",
                                     "1 2",
                                     "1-",
                                     "1000000000001",
                                     "18446744073709551615",
                                     "18446744073709551616",
                                     "99999999999999999999999999999999999999999"};
  for (const std::string_view value : values) {
    const std::string body = R"({"usage":{"prompt_tokens":)" + std::string(value) + "}}";
    expect_same(body, std::nullopt);
    const std::string beside =
        R"({"usage":{"prompt_tokens":)" + std::string(value) + R"(,"completion_tokens":3}})";
    expect_same(beside, TokenUsage{0, 3, 3});
  }
  for (const std::string_view value :
       {"-5", "1.5", "1e3", "\"7\"", "null", "{\"eval_count\":", "", "1000000000001"}) {
    expect_same(R"({"eval_count":)" + std::string(value) + "}", std::nullopt, Dialect::ollama);
  }
}

TEST(UsageScanner, TakesTheLargestSaneCount) {
  expect_same(R"("usage":{"total_tokens":1000000000000})", TokenUsage{0, 0, 1'000'000'000'000});
}

TEST(UsageScanner, IgnoresWhatIsNoReport) {
  const std::string_view bodies[] = {
      R"({"usage":null})",
      R"({"usage":[{"prompt_tokens":5}]})",
      R"({"usage":"{"prompt_tokens":5}"})",
      R"({"usage":{"nested":{"prompt_tokens":5}}})",
      R"({"usage":{"list":[{"prompt_tokens":5}]}})",
      R"({"usages":{"prompt_tokens":5}})",
      R"({"usage" {"prompt_tokens":5}})",
      R"({"say \"usage":{"prompt_tokens":5}})",
      R"({"a":"\"usage":{"prompt_tokens":5}})",
      R"({"usageMetadata":{"promptTokenCount":5}})",
      R"({"usage":{}})",
      R"({"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}})",
      R"({"usage":{"type":"object","properties":{"prompt_tokens":{"type":"integer"}}}})",
      R"({"usage":{"prompt_tokens_of_a_name_that_is_far_too_long":5,"\u0070rompt_tokens":6}})",
      R"({"usage":{"a":"prompt_tokens","b":":5","c":"\"prompt_tokens\":5"}})",
      R"({"usage":{"prompt_tokens":5)",
      R"({"usage":{"prompt_tokens":5,"text":"})",
      R"({"usage":)",
      R"("usage")",
      "",
  };
  for (const std::string_view body : bodies) expect_same(body, std::nullopt);
}

TEST(UsageScanner, GoesOnBehindWhatIsNoReport) {
  const std::string report = R"(,"usage":{"total_tokens":5}})";
  const TokenUsage five{0, 0, 5};
  expect_same(R"({"usage":null)" + report, five);
  expect_same(R"({"usage":"usage")" + report, five);
  expect_same(R"({"a":"usage")" + report, five);
  expect_same(R"({"a":"\"usage")" + report, five);
  expect_same(R"({"a":"\\")" + report, five);
  expect_same(R"({"a":["usage","usage"])" + report, five);
  expect_same(R"({"usage":{"x":[[[)" + std::string(9000, '[') + report, five);
  expect_same(R"({"usage":{"x":")" + std::string(9000, 'x') + '"' + report, five);
  expect_same(std::string(70'000, '"') + report, five);
  std::string beginnings;
  for (int i = 0; i < 1000; ++i) beginnings += "\"us\"usag\"u";
  expect_same(beginnings + report, five);
}

TEST(UsageScanner, TakesAReportOfAlmost8KiB) {
  expect_same(R"({"usage":{"x":")" + std::string(8000, 'x') + R"(","total_tokens":5}})",
              TokenUsage{0, 0, 5});
}

TEST(UsageScanner, GivesUpAReportThatDoesNotEnd) {
  expect_same(R"({"usage":{"total_tokens":5,"x":")" + std::string(9000, 'x') + R"("}})",
              std::nullopt);
}

TEST(UsageScanner, FindsNothingOfAnotherDialect) {
  EXPECT_FALSE(scan(R"({"usage":{"total_tokens":5}})", Dialect::gemini));
  EXPECT_FALSE(scan(R"({"usage":{"total_tokens":5}})", Dialect::ollama));
  EXPECT_FALSE(scan(R"({"eval_count":5})", Dialect::openai));
}

// Where a key stands in a piece must not matter to a search in blocks.
TEST(UsageScanner, FindsAKeyAtEveryOffset) {
  const std::string report = R"("usage":{"total_tokens":5})";
  for (std::size_t before = 0; before < 150; ++before) {
    for (const std::size_t after : {0, 1, 31, 32, 33, 64}) {
      const std::string body = std::string(before, '"') + ' ' + report + std::string(after, '"');
      ASSERT_EQ(scan(body), (TokenUsage{0, 0, 5})) << before << " " << after;
    }
  }
}

}  // namespace
}  // namespace aifd::protocol
