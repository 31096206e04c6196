#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "aifd/protocol/conversation.hpp"

namespace aifd::protocol {
namespace {

using Api = ConversationApi;
using Json = nlohmann::ordered_json;

RequestNote note() {
  RequestNote note;
  note.uid = "u1";
  note.ip = "127.0.0.1";
  note.datetime = "2023-10-17 15:27:12";
  note.method = "POST";
  note.path = "/v1/files?key=***";
  note.content_type = "application/json";
  note.route = "/";
  note.body_bytes = 7;
  return note;
}

const std::string kEnd =
    R"("ip":"127.0.0.1","uid":"u1","caching":null,"datetime":"2023-10-17 15:27:12",)";

std::string request_record(Api api, const RequestNote& about, std::string_view body) {
  LineBuffer line;
  append_request_record(line, api, about, body);
  return std::string(line.view());
}

Json record(Api api, const std::string& body, const RequestNote& about = note()) {
  const std::string line = request_record(api, about, body);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  Json json = Json::parse(line, nullptr, false);
  EXPECT_TRUE(json.is_object()) << line;
  return json;
}

TEST(LogPrefix, IsTheRoutesNameAsAFolder) {
  EXPECT_EQ(log_prefix("/"), "openai");
  EXPECT_EQ(log_prefix(""), "openai");
  EXPECT_EQ(log_prefix("/localai"), "localai");
  EXPECT_EQ(log_prefix("/a/b_c"), "a_b_c");
}

TEST(ConversationApi, HasANameAndALog) {
  EXPECT_EQ(to_string(Api::responses), "responses");
  EXPECT_EQ(log_kind(Api::responses), "chat");
  EXPECT_EQ(log_kind(Api::messages), "chat");
  for (const Api api : {Api::chat, Api::completion, Api::embedding, Api::whisper, Api::general}) {
    EXPECT_EQ(log_kind(api), to_string(api));
  }
}

TEST(RequestRecord, OfChat) {
  EXPECT_EQ(
      request_record(Api::chat, note(),
                     R"({"messages":[{"role":"user","content":"hi"}],"model":"gpt-3.5-turbo"})"),
      R"({"messages":[{"role":"user","content":"hi"}],"model":"gpt-3.5-turbo","stream":false,)"
      R"("max_tokens":null,"response_format":null,"n":1,"temperature":1,"top_p":1,)"
      R"("logit_bias":null,"frequency_penalty":0,"presence_penalty":0,"seed":null,)"
      R"("stop":null,"user":null,"tools":null,"tool_choice":null,)" +
          kEnd + R"("api":"chat","route":"/"})");
}

TEST(RequestRecord, KeepsValuesAsTheyWere) {
  RequestNote about = note();
  about.key = "alice";
  EXPECT_EQ(
      request_record(
          Api::chat, about,
          "{ \"x\": {\"model\":1}, \"tools\" : [ {\"a\" : 1.0e2} ],\r\n\"temperature\":0.70, "
          "\"seed\":12345678901234567890,\"stream\":true,\"stop\":[\"\\u00e9\", \"\xC3\xA9\"],"
          "\"max_completion_tokens\":9,\"messages\":null,\"model\":\"a\",\"model\":\"b\","
          "\"n\":null,\"caching\":true,\"user\":\"a\\nb\",\"stream_options\":{}}"),
      "{\"messages\":null,\"model\":\"b\",\"stream\":true,\"max_tokens\":null,"
      "\"max_completion_tokens\":9,\"response_format\":null,\"n\":null,\"temperature\":0.70,"
      "\"top_p\":1,\"logit_bias\":null,\"frequency_penalty\":0,\"presence_penalty\":0,"
      "\"seed\":12345678901234567890,\"stop\":[\"\\u00e9\",\"\xC3\xA9\"],"
      "\"user\":\"a\\nb\",\"tools\":[{\"a\":1.0e2}],\"tool_choice\":null,"
      "\"ip\":\"127.0.0.1\",\"uid\":\"u1\",\"caching\":true,"
      "\"datetime\":\"2023-10-17 15:27:12\",\"api\":\"chat\",\"route\":\"/\",\"key\":\"alice\"}");
}

TEST(RequestRecord, IsJsonForEveryReader) {
  const Json json = record(Api::chat, R"({"messages":"\ud83d x \ud83d\ude00 \\ud83d \ude00",)"
                                      R"("n":1e999,"seed":-1e-999,"temperature":1e10,"stop":)" +
                                          std::string(400, '9') + "}");
  EXPECT_EQ(json["messages"], "\xEF\xBF\xBD x \xF0\x9F\x98\x80 \\ud83d \xEF\xBF\xBD");
  EXPECT_EQ(json["n"], "1e999");
  EXPECT_EQ(json["seed"], "-1e-999");
  EXPECT_EQ(json["temperature"], 1e10);
  EXPECT_EQ(json["stop"], std::string(400, '9'));
}

TEST(RequestRecord, OfResponses) {
  const Json text =
      record(Api::responses,
             R"({"model":"m","input":"hi","instructions":"be \"kind\"","max_output_tokens":5})");
  EXPECT_EQ(text["messages"].dump(), R"([{"role":"system","content":"be \"kind\""},)"
                                     R"({"role":"user","content":"hi"}])");
  EXPECT_EQ(text["max_tokens"], 5);
  EXPECT_EQ(text["api"], "responses");
  const auto messages = [](const std::string& body) {
    return record(Api::responses, body)["messages"].dump();
  };
  EXPECT_EQ(messages(R"({"input":[ {"role":"user","content":"a"},{"type":"x"} ]})"),
            R"([{"role":"user","content":"a"},{"type":"x"}])");
  EXPECT_EQ(messages(R"({"input":[1],"instructions":"s"})"),
            R"([{"role":"system","content":"s"},1])");
  EXPECT_EQ(messages(R"({"input":[],"instructions":"s"})"), R"([{"role":"system","content":"s"}])");
  EXPECT_EQ(messages(R"({"input":[ ],"instructions":""})"), "[]");
  EXPECT_EQ(messages(R"({"input":{"a":1},"instructions":["s"]})"), R"([{"a":1}])");
  EXPECT_EQ(messages(R"({"instructions":null})"), "null");
  EXPECT_EQ(messages(R"({"input":1e999,"instructions":1e999})"), R"(["1e999"])");
  EXPECT_EQ(messages(R"({"instructions":"s","input":null})"),
            R"([{"role":"system","content":"s"}])");
}

TEST(RequestRecord, OfMessages) {
  const Json json = record(
      Api::messages, R"({"model":"claude","system":[{"type":"text","text":"s"}],"max_tokens":9,)"
                     R"("messages":[{"role":"user","content":"a"}],"stop_sequences":["x"]})");
  EXPECT_EQ(json["messages"].dump(), R"([{"role":"system","content":[{"type":"text","text":"s"}]},)"
                                     R"({"role":"user","content":"a"}])");
  EXPECT_EQ(json["stop"].dump(), R"(["x"])");
  EXPECT_EQ(json["max_tokens"], 9);
  EXPECT_EQ(json["api"], "messages");
  EXPECT_EQ(record(Api::messages, R"({"system":"s","messages":[]})")["messages"][0]["content"],
            "s");
}

TEST(RequestRecord, OfCompletionAndEmbedding) {
  EXPECT_EQ(request_record(Api::completion, note(), R"({"prompt":["a"],"model":"m"})"),
            R"({"prompt":["a"],"model":"m","stream":false,"temperature":1,"ip":"127.0.0.1",)"
            R"("uid":"u1","datetime":"2023-10-17 15:27:12","api":"completion","route":"/"})");
  EXPECT_EQ(
      request_record(Api::embedding, note(), R"({"input":[1,2],"model":"m","caching":false})"),
      R"({"input":[1,2],"model":"m","encoding_format":"float","ip":"127.0.0.1","uid":"u1",)"
      R"("caching":false,"datetime":"2023-10-17 15:27:12","api":"embedding","route":"/"})");
}

TEST(RequestRecord, OfWhisper) {
  EXPECT_EQ(request_record(Api::whisper, note(), R"({"file":"a.mp3","model":"whisper-1"})"),
            R"({"file":"a.mp3","model":"whisper-1","language":null,"prompt":null,)"
            R"("response_format":null,"temperature":null,"ip":"127.0.0.1","uid":"u1",)"
            R"("datetime":"2023-10-17 15:27:12","api":"whisper","route":"/"})");
}

TEST(RequestRecord, OfGeneralRoutes) {
  EXPECT_EQ(request_record(Api::general, note(), " {\"a\": 1.0} "),
            R"({"method":"POST","path":"/v1/files?key=***","content_type":"application/json",)"
            R"("payload":{"a":1.0},"payload_bytes":7,"ip":"127.0.0.1","uid":"u1",)"
            R"("datetime":"2023-10-17 15:27:12","api":"general","route":"/"})");
  RequestNote text = note();
  text.content_type = "text/plain";
  EXPECT_EQ(record(Api::general, "12", text)["payload"], "12");
  EXPECT_EQ(record(Api::general, "a=b\n", text)["payload"], "a=b\n");
  EXPECT_EQ(record(Api::general, "", text)["payload"], nullptr);
  EXPECT_FALSE(record(Api::general, "", text).contains("shortened"));
  EXPECT_EQ(record(Api::general, "\xFF\x00", text)["shortened"], "not_utf8");
  EXPECT_EQ(record(Api::general, "{\"a\":\"\xFF\"}")["payload"], nullptr);
  text.content_type.clear();
  EXPECT_EQ(record(Api::general, "12", text)["payload"], 12);
  EXPECT_EQ(record(Api::general, "12", text)["content_type"], nullptr);
  const std::string deep = std::string(600, '[') + std::string(600, ']');
  EXPECT_EQ(record(Api::general, deep)["payload"], deep);
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

TEST(RequestRecord, ReadsEscapedNames) {
  EXPECT_EQ(record(Api::chat, R"({"messages":["a"],"mess\u0061ges":["b"]})")["messages"][0], "b");
  EXPECT_EQ(record(Api::chat, R"({"mess\u0061ges":["a"],"messages":["b"]})")["messages"][0], "b");
  EXPECT_EQ(record(Api::chat, R"({"\u006d\u006f\u0064\u0065\u006C":"m"})")["model"], "m");
  EXPECT_EQ(record(Api::chat, R"({"model":"m","mo\ndel":"n","\"model":"o"})")["model"], "m");
  for (const std::string half :
       {"\\ud83d", "\\ude00", "\\ud83dmodel", "\\ud83d\\n", "\\ud83d\\ud83d"}) {
    EXPECT_EQ(record(Api::chat, R"({"model":"m",")" + half + R"(":"n"})")["model"], "m") << half;
  }
  std::string whole;
  for (const char c : std::string("max_completion_tokens")) {
    constexpr std::string_view kHex = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(c);
    whole.append("\\u00").append(1, kHex[byte >> 4]).append(1, kHex[byte & 15]);
  }
  EXPECT_EQ(record(Api::chat, "{\"" + whole + "\":5}")["max_completion_tokens"], 5);
}

TEST(RequestRecord, ReadsJsonThatSaysToBeCoded) {
  RequestNote coded = note();
  coded.coded = true;
  const Json chat = record(Api::chat, R"({"model":"m","messages":[]})", coded);
  EXPECT_EQ(chat["model"], "m");
  EXPECT_FALSE(chat.contains("shortened"));
  EXPECT_EQ(record(Api::general, R"({"a":1})", coded)["payload"]["a"], 1);
  EXPECT_FALSE(record(Api::general, R"({"a":1})", coded).contains("shortened"));
  EXPECT_EQ(record(Api::general, "a=b", coded)["shortened"], "coded");
}

TEST(RequestRecord, LeavesOutWhatIsNestedTooDeep) {
  const std::string deep = nested(600);
  const Json unused = record(Api::chat, R"({"model":"m","input":[],"x":)" + deep + "}");
  EXPECT_EQ(unused["model"], "m");
  EXPECT_FALSE(unused.contains("shortened"));
  const Json used = record(Api::chat, R"({"model":"m","tools":)" + deep + "}");
  EXPECT_EQ(used["model"], "m");
  EXPECT_EQ(used["tools"], nullptr);
  EXPECT_EQ(used["n"], 1);
  EXPECT_EQ(used["shortened"], "too_deep");
  EXPECT_EQ(record(Api::chat, R"({"caching":)" + deep + "}")["shortened"], "too_deep");
  EXPECT_EQ(record(Api::chat, R"({"input":)" + deep + "}").contains("shortened"), false);
  EXPECT_EQ(record(Api::responses, R"({"input":)" + deep + "}")["shortened"], "too_deep");
  EXPECT_EQ(record(Api::chat, R"({"tools":)" + deep + R"(,"tools":[1]})")["tools"][0], 1);
}

TEST(RequestRecord, SaysWhatItDoesNotHave) {
  RequestNote large = note();
  large.too_large = true;
  RequestNote coded = note();
  coded.coded = true;
  const std::string body = R"({"messages":[],"model":"m"})";
  for (const Api api :
       {Api::chat, Api::responses, Api::messages, Api::completion, Api::embedding, Api::whisper}) {
    for (const auto& [json, reason] : {std::pair{record(api, body, large), "too_large"},
                                       {record(api, "\x1F\x8B", coded), "coded"},
                                       {record(api, body + "x"), "not_json"},
                                       {record(api, ""), "not_json"},
                                       {record(api, "[]"), "not_json"},
                                       {record(api, "{\"a\":\"\x80\"}"), "not_utf8"}}) {
      EXPECT_EQ(json["shortened"], reason);
      EXPECT_EQ(json["model"], nullptr);
      EXPECT_EQ(json.begin().value(), nullptr);
      EXPECT_EQ(json["uid"], "u1");
    }
  }
  EXPECT_EQ(record(Api::chat, "", large)["stream"], nullptr);
  EXPECT_EQ(record(Api::general, body, large)["shortened"], "too_large");
  EXPECT_EQ(record(Api::general, body, large)["payload"], nullptr);
  EXPECT_EQ(record(Api::general, body, large)["payload_bytes"], 7);
  EXPECT_EQ(record(Api::chat, "{\"x\":" + nested(1024) + "}")["shortened"], "not_json");
  const std::string line = request_record(Api::chat, large, "");
  EXPECT_NE(line.find(R"("datetime":"2023-10-17 15:27:12","shortened":"too_large","api":"chat")"),
            std::string::npos);
}

TEST(RequestRecord, EscapesWhatItIsTold) {
  RequestNote about = note();
  about.ip.clear();
  about.key = "a\"\n\xFF";
  about.route.clear();
  const Json json = record(Api::chat, "{}", about);
  EXPECT_EQ(json["ip"], nullptr);
  EXPECT_EQ(json["key"], "a\"\n\xEF\xBF\xBD");
  EXPECT_FALSE(json.contains("route"));
}

}  // namespace
}  // namespace aifd::protocol
