// Calls of chat completions, as servers number them.
#include "recorded.hpp"

namespace aifd::protocol {
namespace {

// The calls as "index id name arguments".
std::vector<std::string> calls_of(const Json& record) {
  std::vector<std::string> calls;
  for (const Json& call : record["assistant"]) {
    calls.push_back(call["index"].dump() + ' ' + call["id"].get<std::string>() + ' ' +
                    call["function"]["name"].get<std::string>() + ' ' +
                    call["function"]["arguments"].get<std::string>());
  }
  return calls;
}

std::string call(const std::string& members, const std::string& name, const std::string& text) {
  return "{" + members + R"("function":{"name":")" + name + R"(","arguments":")" + text + R"("}})";
}

std::string calls_delta(const std::string& calls) {
  return event(R"({"choices":[{"index":0,"delta":{"tool_calls":[)" + calls + "]}}]}");
}

TEST(ToolCalls, OfOneIndexAreToldByTheirId) {
  const std::vector<std::string> both{"0 a f 1", "1 b g 2"};
  const std::string first = call(R"("index":0,"id":"a",)", "f", "1");
  const std::string second = call(R"("index":0,"id":"b",)", "g", "2");
  EXPECT_EQ(calls_of(recorded({}, calls_delta(first + "," + second))), both);
  EXPECT_EQ(calls_of(recorded({}, calls_delta(first) + calls_delta(second))), both);
  const std::vector<std::string> in_pieces{"0 a f 1", "1 b g 23"};
  EXPECT_EQ(calls_of(recorded({}, calls_delta(first) + calls_delta(second) +
                                      calls_delta(call(R"("index":0,)", "", "3")))),
            in_pieces);
  const std::vector<std::string> three{"0 a f 1", "1 b g 2", "2 c h 34"};
  EXPECT_EQ(calls_of(recorded({}, calls_delta(first) + calls_delta(second) +
                                      calls_delta(call(R"("index":1,"id":"c",)", "h", "3")) +
                                      calls_delta(call(R"("index":1,)", "", "4")))),
            three);
  const std::vector<std::string> late{"0 a f 12"};
  EXPECT_EQ(calls_of(recorded({}, calls_delta(call(R"("index":0,)", "f", "1")) +
                                      calls_delta(call(R"("index":0,"id":"a",)", "", "2")))),
            late);
}

TEST(ToolCalls, MayTakeTurns) {
  std::string stream;
  for (const char* text : {"1", "2"}) {
    stream += calls_delta(call(R"("id":"a",)", "f", text));
    stream += calls_delta(call(R"("id":"b",)", "g", text));
  }
  EXPECT_EQ(calls_of(recorded({}, stream)), (std::vector<std::string>{"0 a f 12", "1 b g 12"}));
}

TEST(ToolCalls, AreInOrderOfTheirIndex) {
  const Json record = recorded({}, calls_delta(call(R"("index":1,"id":"b",)", "g", "2")) +
                                       calls_delta(call(R"("index":0,"id":"a",)", "f", "1")));
  EXPECT_EQ(calls_of(record), (std::vector<std::string>{"0 a f 1", "1 b g 2"}));
}

TEST(ToolCalls, ThatCameWholeGoByTheirPlace) {
  const auto whole = [](const std::string& calls) {
    return calls_of(
        recorded({.content_type = kJson},
                 R"({"choices":[{"message":{"content":null,"tool_calls":[)" + calls + "]}}]}"));
  };
  const std::vector<std::string> both{"0 a f 1", "1 a g 2"};
  for (const std::string index : {"", R"("index":0,)"}) {
    EXPECT_EQ(whole(call(index + R"("id":"a",)", "f", "1") + "," +
                    call(index + R"("id":"a",)", "g", "2")),
              both);
  }
  EXPECT_EQ(whole(call("", "f", "1") + "," + call("", "g", "2")).size(), 2);
}

}  // namespace
}  // namespace aifd::protocol
