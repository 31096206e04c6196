#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "embeddings.hpp"

namespace aifd::protocol {
namespace {

using enum EmbeddingEncoding;

TEST(DamagedEmbeddings, RefusesWhatIsAnythingElse) {
  const std::string good = item(0, "[1.5]");
  const std::string infinity = base64_of({std::numeric_limits<float>::infinity()});
  const std::string nan = base64_of({1.0F, std::numeric_limits<float>::quiet_NaN()});
  ASSERT_EQ(split(answer(good), Sizes{1}).size(), 1U);
  const std::string texts[] = {
      "", "null", "[]", "{}", "{", good, answer(good) + "x", answer(good).substr(0, 90),
      R"({"error":{"message":"no"}})",
      // indexes
      answer(""), answer(good + "," + good), answer(good + "," + item(1, "[1.5]")),
      answer(item(1, "[1.5]")), answer(R"({"object":"embedding","embedding":[1.5]})"),
      answer(R"({"object":"embedding","index":"0","embedding":[1.5]})"),
      answer(R"({"object":"embedding","index":-0,"embedding":[1.5]})"),
      answer(R"({"object":"embedding","index":0.0,"embedding":[1.5]})"),
      answer(R"({"object":"embedding","index":null,"embedding":[1.5]})"),
      answer(R"({"object":"embedding","index":[0],"embedding":[1.5]})"),
      answer(R"({"object":"embedding","index":{"index":0,"embedding":[1.5]}})"),
      answer(R"({"object":"embedding","index":0,"index":0,"embedding":[1.5]})"),
      // objects
      answer(R"({"index":0,"embedding":[1.5]})"),
      answer(R"({"object":"other","index":0,"embedding":[1.5]})"),
      answer(R"({"object":["embedding"],"index":0,"embedding":[1.5]})"),
      answer(R"({"object":"embedding","object":"embedding","index":0,"embedding":[1.5]})"),
      answer(R"({"\u006fbject":"embedding","index":0,"embedding":[1.5]})"), answer("null"),
      answer("1"), answer("[" + good + "]"), R"({"data":[)" + good + R"(],"model":"m"})",
      R"({"object":"lists","data":[)" + good + R"(],"model":"m"})",
      R"({"object":"list","data":)" + good + R"(,"model":"m"})",
      R"({"object":"list","data":null,"model":"m"})",
      R"({"object":"list","data":[)" + good + R"(],"data":[],"model":"m"})",
      R"({"object":"list","data":[],"data":[)" + good + R"(],"model":"m"})",
      // models and usage
      R"({"object":"list","data":[)" + good + R"(]})", answer(good, "{}", "null"),
      answer(good, "{}", "1"), answer(good, "{}", '"' + std::string(255, 'm') + '"'),
      answer(good, "5"), answer(good, "[]"), answer(good, R"({"a":1,"a":1})"),
      answer(good, R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1})"),
      // numbers
      answer(item(0, "[]")), answer(item(0, "null")), answer(item(0, "1")),
      answer(item(0, "[[1.5]]")), answer(item(0, "[null]")), answer(item(0, "[\"1\"]")),
      answer(item(0, "[NaN]")), answer(item(0, "[1e39]")), answer(item(0, "[-1e400]")),
      answer(item(0, "[3.5e38]")), answer(item(0, "[1e-400]")), answer(item(0, "{}")),
      answer(item(0, "[1.5]", R"(,"embedding":[1.5])")),
      // base64
      answer(item(0, R"("")")), answer(item(0, R"("AAAA")")), answer(item(0, R"("AAAAAA")")),
      answer(item(0, R"("AAAAAA=")")), answer(item(0, R"("AAAAAA==\n")")),
      answer(item(0, R"("AAAA AA==")")), answer(item(0, R"("AAAAAB==")")),
      answer(item(0, R"("AA==AAAAAA==")")), answer(item(0, R"("AAAA-A==")")),
      answer(item(0, '"' + infinity + '"')), answer(item(0, '"' + nan + '"')),
      // unknown members
      answer(item(0, "[1.5]", R"(,"a":1,"a":1)")),
      answer(item(0, "[1.5]", R"(,"a":")" + std::string(1000, 'x') + '"')),
      answer(item(0, "[1.5]", R"(,"a":)" + std::string(2000, '['))),
      answer(good, "{}", R"("m","x":1,"x":2)")};
  for (const std::string& text : texts)
    EXPECT_FALSE(split_embedding_answer(text, Sizes{1})) << text;
  EXPECT_FALSE(split_embedding_answer(answer(good), Sizes{}));
  EXPECT_FALSE(split_embedding_answer(answer(""), Sizes{}));
  EXPECT_FALSE(split_embedding_answer(answer(good), Sizes{1, 1}));
  EXPECT_FALSE(split_embedding_answer(answer(good + "," + item(1, "[1.5,2]")), Sizes{1, 1}));
}

TEST(DamagedEmbeddings, WritesNothingThatItCannotRead) {
  const std::string longest = '"' + std::string(993, '1') + '"';
  const std::string deepest = std::string(497, '[') + std::string(497, ']');
  const std::string name(64, 'n');
  std::string usage = "{";
  for (char c = 'a'; c < 'i'; ++c) usage += '"' + name.substr(1) + c + "\":999999999,";
  usage.back() = '}';
  for (const std::string& value : {longest, deepest}) {
    const std::string text = answer(item(0, "[1.5]", R"(,"x":)" + value), usage,
                                    '"' + std::string(254, 'm') + R"(","y":)" + value);
    const Stored stored = split(text, Sizes{1});
    ASSERT_EQ(stored.size(), 1U);
    EXPECT_TRUE(is_stored_embedding(stored[0]));
    EXPECT_EQ(Json::parse(joined(stored)), Json::parse(text));
  }
}

TEST(DamagedEmbeddings, KnowsItsStoredItems) {
  const std::string head = "aifd embedding 1\n";
  const std::string header =
      R"({"numbers":"float32","dimensions":1,"model":"m","usage":{"t":1},"answer":{"a":1},"item":{}})";
  const std::string bytes("\0\0\xC0\x3F", 4);
  ASSERT_TRUE(is_stored_embedding(head + header + "\n" + bytes));
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = header;
    changed.replace(changed.find(from), from.size(), to);
    return head + changed + "\n" + bytes;
  };
  const std::string texts[] = {
      "",
      head,
      head + "\n",
      head + header,
      head + header + "\n",
      head + header + "\n" + bytes + "x",
      head + header + "\n" + bytes + bytes,
      head + header + "\n\n" + bytes,
      "aifd embedding 2\n" + header + "\n" + bytes,
      head + " " + header + "\n" + bytes,
      head + header + "\n" + std::string("\0\0\x80\x7F", 4),
      head + header + "\n" + std::string("\1\0\x80\xFF", 4),
      with("float32", "float64"),
      with("float32", "float16"),
      with(":1,", ":2,"),
      with(":1,", ":01,"),
      with(":1,", ": 1,"),
      with("\"m\"", "1"),
      with("\"m\"", "null"),
      with("\"m\"", "\"m"),
      with("\"m\"", "\"\xFF\""),
      with(R"("t":1)", R"("t":1.0)"),
      with(R"("t":1)", R"("t":1e3)"),
      with(R"("t":1)", R"("t":-1)"),
      with(R"("t":1)", R"("t":null)"),
      with(R"("t":1)", R"("t":1,"t":1)"),
      with(R"("t":1)", R"("t":1234567890)"),
      with(R"("a":1)", R"("data":1)"),
      with(R"("a":1)", R"("a":1,"a":1)"),
      with(R"("a":1)", R"("\u0061":1)"),
      with(R"("item":{})", R"("item":{"index":1})"),
      with(R"("item":{})", R"("item":[])"),
      with(R"("item":{})", R"("item":{},"more":1)"),
      with(R"(,"item":{})", ""),
      with(R"("model":"m","usage":{"t":1})", R"("usage":{"t":1},"model":"m")"),
      with(R"("a":1)", R"("a":")" + std::string(5000, 'x') + '"')};
  for (const std::string& text : texts) EXPECT_FALSE(is_stored_embedding(text)) << text;
  EXPECT_TRUE(is_stored_embedding(with(R"("t":1)", R"("t":0,"u":999999999)")));
}

std::string damaged(std::string text, RandomNumbers& random) {
  const std::string_view pieces[] = {"\"", ",", "[",  "]", "{",  "}",   ":",
                                     "1",  "-", "\\", "=", "\n", "\xFF"};
  for (std::size_t n = 1 + random.below(3); n > 0; --n) {
    const std::size_t at = random.below(text.size());
    if (random.below(2) == 0) {
      text[at] = static_cast<char>(random.below(256));
    } else {
      text.erase(at, random.below(5));
      text.insert(std::min(at, text.size()), pieces[random.below(std::size(pieces))]);
    }
  }
  return text;
}

TEST(DamagedEmbeddings, SurvivesDamage) {
  RandomNumbers random(13);
  const std::string whole =
      answer(item(1, "[1.5,-2]", R"(,"x":[1])") + "," + item(0, '"' + base64_of({0.1F, 1}) + '"'));
  const Stored good = split(whole, Sizes{3, 4});
  ASSERT_EQ(good.size(), 2U);
  std::size_t split_count = 0;
  std::size_t stored_count = 0;
  for (int round = 0; round < 100'000; ++round) {
    const auto stored = split_embedding_answer(damaged(whole, random), Sizes{3, 4});
    if (stored) {
      ++split_count;
      ASSERT_TRUE(Json::accept(joined(*stored)));
      ASSERT_TRUE(Json::accept(joined(*stored, base64)));
    }
    const Stored changed{damaged(good[random.below(2)], random)};
    ASSERT_EQ(is_stored_embedding(changed[0]), joined(changed) != "nothing");
    if (!is_stored_embedding(changed[0])) continue;
    ++stored_count;
    const std::string out = joined(changed, random.below(2) == 0 ? floats : base64);
    ASSERT_TRUE(Json::accept(out)) << out;
    ASSERT_EQ(split(out, Sizes{1}).size(), 1U) << out;
  }
  EXPECT_GT(split_count, 1000U);
  EXPECT_GT(stored_count, 1000U);
}

}  // namespace
}  // namespace aifd::protocol
