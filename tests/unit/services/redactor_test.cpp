#include "aifd/services/redactor.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace aifd::services {
namespace {

std::vector<Secret> secrets(std::initializer_list<const char*> texts) {
  std::vector<Secret> all;
  for (const char* text : texts) all.emplace_back(text);
  return all;
}

// What the record becomes; still JSON, or the test fails.
std::string redacted(std::string record, const std::vector<std::string>& patterns,
                     std::initializer_list<const char*> texts = {}) {
  if (auto changed = Redactor(patterns).redacted(record, secrets(texts))) {
    record = std::move(*changed);
  }
  EXPECT_TRUE(nlohmann::json::accept(record)) << record;
  return record;
}

TEST(Redactor, LeavesARecordWithoutAnythingToMaskByteForByte) {
  const std::string record = R"({"a":"\u00e9 \/ \n","n":1.50e3,"uid":"1","b":[ null , true ]})";
  EXPECT_EQ(redacted(record, {}), record);
  EXPECT_EQ(redacted(record, {"secret"}, {"sk-12345"}), record);
}

TEST(Redactor, MasksSecretsInValuesAndNames) {
  EXPECT_EQ(
      redacted(R"({"a":"my sk-12345, sk-12345!","b":[{"sk-12345":"sk-12345"}]})", {}, {"sk-12345"}),
      R"({"a":"my ***, ***!","b":[{"***":"***"}]})");
}

TEST(Redactor, LeavesTheRecordsOwnNamesAndWhatIsNoText) {
  EXPECT_EQ(redacted(R"({"messages":"messages","flag":true})", {}, {"messages", "true"}),
            R"({"messages":"***","flag":true})");
}

TEST(Redactor, MasksTheLongerOfTwoSecretsThatBeginAlike) {
  EXPECT_EQ(redacted(R"({"a":"sk-12345","b":"sk-123"})", {}, {"sk-123", "sk-12345"}),
            R"({"a":"***","b":"***"})");
}

TEST(Redactor, FindsSecretsHoweverTheyAreEscaped) {
  EXPECT_EQ(redacted(R"({"a":"\u0073k-\u0031/x","b":"sk-1\/x","c":"\\sk-1/x"})", {}, {"sk-1/x"}),
            R"({"a":"***","b":"***","c":"\\***"})");
  EXPECT_EQ(redacted(R"({"a":"a\"b\\c\u00e9"})", {}, {"a\"b\\c\u00e9"}), R"({"a":"***"})");
}

TEST(Redactor, FindsSecretsThatAreNoUtf8WhereTheyWereMended) {
  EXPECT_EQ(redacted("{\"a\":\"sk-\xEF\xBF\xBD-1\"}", {}, {"sk-\xFF-1"}), R"({"a":"***"})");
}

TEST(Redactor, FindsSecretsBesideStringsWithEscapes) {
  EXPECT_EQ(
      redacted(R"({"a":"\n","b":"sk-12345","c":"\n\u0073k-12345","d":"k"})", {}, {"sk-12345"}),
      R"({"a":"\n","b":"***","c":"\n***","d":"k"})");
  EXPECT_EQ(redacted(R"({"a":"\n","b":"k","c":"\n\u0073k-12345"})", {}, {"sk-12345"}),
            R"({"a":"\n","b":"k","c":"\n***"})");
}

TEST(Redactor, FindsASecretOfWhichAnyOneLetterIsEscaped) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string secret = "sk-12345~";
  for (const std::string before : {"", "\\n", "\\u00e9", "\\u001f", "\\\\", "\\\\u00"}) {
    for (std::size_t at = 0; at < secret.size(); ++at) {
      const auto byte = static_cast<unsigned char>(secret[at]);
      const std::string escape = std::string("\\u00") + kDigits[byte >> 4] + kDigits[byte & 15];
      const std::string written = std::string(secret).replace(at, 1, escape);
      const std::string text = R"({"a":")" + before + R"(","b":")";
      EXPECT_EQ(redacted(text + written + "\"}", {}, {"sk-12345~"}), text + "***\"}");
    }
  }
}

TEST(Redactor, FindsSecretsInJsonWithinAString) {
  EXPECT_EQ(redacted(R"({"arguments":"{\"key\":\"pa\\\"ss/word\",\"k\":\"pa\\\"ss\\/word\"}"})", {},
                     {"pa\"ss/word"}),
            R"({"arguments":"{\"key\":\"***\",\"k\":\"***\"}"})");
}

TEST(Redactor, DoesNotTakeAnEscapeForALetter) {
  EXPECT_EQ(redacted(R"({"a":"line\nsecret","b":"nsecret\n"})", {}, {"nsecret"}),
            R"({"a":"line\nsecret","b":"***\n"})");
}

TEST(Redactor, MasksNoNumbersAndNoStructure) {
  const std::string record = R"({"seed":123456,"a":["x","y"],"n":null})";
  EXPECT_EQ(redacted(record, {"."}, {"123456", "\",\"", "null"}),
            R"({"seed":123456,"a":["***","***"],"n":null})");
}

TEST(Redactor, IgnoresSecretsThatWouldMaskEverything) {
  EXPECT_EQ(redacted(R"({"a":"text"})", {}, {"", "t", "tex"}), R"({"a":"text"})");
}

TEST(Redactor, MasksWhatPatternsMatchInValuesAlone) {
  EXPECT_EQ(redacted(R"({"mail":"me@example.org or you@example.org","me@example.org":"x"})",
                     {R"([\w.]+@[\w.]+)"}),
            R"({"mail":"*** or ***","me@example.org":"x"})");
}

TEST(Redactor, MatchesPatternsWithoutEscapes) {
  EXPECT_EQ(redacted(R"({"a":"\u00fcber\n\"quoted\"","b":"\ud83d\ude00!"})",
                     {"(?i)ÜBER\n", "\U0001F600"}),
            R"({"a":"***\"quoted\"","b":"***!"})");
}

TEST(Redactor, AppliesAllPatternsInTurn) {
  EXPECT_EQ(redacted(R"({"a":"one two three"})", {"one", "^\\*+ t", "e$"}),
            R"({"a":"***wo thre***"})");
}

TEST(Redactor, LeavesWhatJoinsRecords) {
  const std::string fixed =
      R"("uid":"0123abcd","datetime":"2023-10-17 15:27:12","api":"chat","usage_source":"exact",)"
      R"("ended_by":"client","phase":"stream","drained":"cut","cache":"hit","error":"internal",)"
      R"("shortened":"coded")";
  EXPECT_EQ(redacted("{" + fixed + R"(,"x":{"uid":"0123abcd"},"ip":"::1"})", {".+"}, {"0123abcd"}),
            "{" + fixed + R"(,"x":{"uid":"***"},"ip":"***"})");
}

TEST(Redactor, HasNoUseForEmptyMatches) {
  EXPECT_EQ(redacted(R"({"a":"axxb\u00e9"})", {"x*"}), R"({"a":"a***bé"})");
  EXPECT_EQ(redacted(R"({"a":"text","b":""})", {"^", "$", "\\b", ""}), R"({"a":"text","b":""})");
}

TEST(Redactor, KeepsHalfSurrogatesWhereNothingIsMasked) {
  EXPECT_EQ(Redactor({"y"}).redacted(R"({"a":"\ud83d x"})", {}), std::nullopt);
  EXPECT_EQ(redacted(R"({"a":"\ud83d x"})", {"x"}),
            "{\"a\":\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD ***\"}");
}

TEST(Redactor, MasksTheWholeTextWhereAPatternTakesTooLong) {
  Redactor redactor({"words"}, std::chrono::milliseconds(0));
  EXPECT_EQ(redactor.redacted(R"({"a":"some words","b":"else"})", {}), R"({"a":"***","b":"else"})");
}

TEST(Redactor, FindsInLongTextsWhatLiesWhereTheirPiecesMeet) {
  constexpr std::size_t kPiece = std::size_t{256} << 10;
  for (std::size_t before = kPiece - 20; before < kPiece + 5; ++before) {
    const std::string left(before, ' ');
    EXPECT_EQ(redacted(R"({"a":")" + left + R"(sk-0123456789 end"})", {"sk-[0-9]+"}),
              R"({"a":")" + left + R"(*** end"})");
  }
}

TEST(Redactor, SeesLongTextsAsWhole) {
  const std::string all(1'000'000, 'a');
  EXPECT_EQ(redacted(R"({"a":")" + all + R"(b"})", {"a+"}), R"({"a":"***b"})");
  EXPECT_EQ(redacted(R"({"a":")" + all + R"("})", {"a$"}),
            R"({"a":")" + all.substr(1) + R"(***"})");
  EXPECT_EQ(redacted(R"({"a":")" + all + R"("})", {"^a"}),
            R"({"a":"***)" + all.substr(1) + R"("})");
  EXPECT_EQ(redacted(R"({"a":")" + all + R"("})", {"\\Ba\\b"}),
            R"({"a":")" + all.substr(1) + R"(***"})");
}

TEST(Redactor, LooksAtTheClockWithinALongText) {
  const std::string record = R"({"a":")" + std::string(1'000'000, 'a') + R"("})";
  Redactor redactor({"b"}, std::chrono::milliseconds(0));
  EXPECT_EQ(redactor.redacted(record, {}), R"({"a":"***"})");
}

TEST(Redactor, GoesOnWithoutAPatternThatIsNone) {
  EXPECT_EQ(redacted(R"({"a":"some words"})", {"(", "words"}), R"({"a":"some ***"})");
}

TEST(Redactor, CopesWithDeepNesting) {
  const std::string deep(100'000, '[');
  const std::string record = R"({"a":)" + deep + R"("sk-12345")" + std::string(100'000, ']') + "}";
  const auto changed = Redactor({"x"}).redacted(record, secrets({"sk-12345"}));
  EXPECT_NE(changed.value().find("[\"***\"]"), std::string::npos);
}

}  // namespace
}  // namespace aifd::services
