#include "aifd/protocol/embedding_answer.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "embeddings.hpp"

namespace aifd::protocol {
namespace {

using enum EmbeddingEncoding;

TEST(EmbeddingAnswer, IsStoredByInput) {
  const Stored stored =
      split(answer(item(1, "[1.5,-2]") + "," + item(0, "[0.1,3e2]")), Sizes{3, 4});
  ASSERT_EQ(stored.size(), 2U);
  const std::string head = "aifd embedding 1\n{\"numbers\":\"float";
  EXPECT_EQ(stored[0].substr(0, stored[0].size() - 16),
            head +
                "64\",\"dimensions\":2,\"model\":\"m\",\"usage\":{\"prompt_tokens\":3,"
                "\"total_tokens\":3},\"answer\":{},\"item\":{}}\n");
  EXPECT_EQ(stored[1], head +
                           "32\",\"dimensions\":2,\"model\":\"m\",\"usage\":{\"prompt_tokens\":4,"
                           "\"total_tokens\":4},\"answer\":{},\"item\":{}}\n" +
                           std::string("\0\0\xC0\x3F\0\0\0\xC0", 8));
}

TEST(EmbeddingAnswer, IsJoinedInTheOrderOfTheInputs) {
  const Stored stored =
      split(answer(item(1, "[1.5,-2]") + "," + item(0, "[0.1,3e2]")), Sizes{3, 4});
  ASSERT_EQ(stored.size(), 2U);
  EXPECT_EQ(joined(stored), answer(item(0, "[0.1,300.0]") + "," + item(1, "[1.5,-2.0]")));
  EXPECT_EQ(joined(stored, base64), answer(item(0, '"' + base64_of({0.1F, 300}) + '"') + "," +
                                           item(1, '"' + base64_of({1.5F, -2}) + '"')));
  EXPECT_EQ(
      joined({stored[1], stored[0], stored[1]}),
      answer(item(0, "[1.5,-2.0]") + "," + item(1, "[0.1,300.0]") + "," + item(2, "[1.5,-2.0]"),
             R"({"prompt_tokens":11,"total_tokens":11})"));
}

TEST(EmbeddingAnswer, ServesBothEncodingsFromEither) {
  const std::vector<float> numbers{0.1F,
                                   -0.0F,
                                   0.0F,
                                   1.0F,
                                   -1e-5F,
                                   16777216.0F,
                                   std::numeric_limits<float>::max(),
                                   std::numeric_limits<float>::min(),
                                   std::numeric_limits<float>::denorm_min(),
                                   -0.006929283F};
  const std::string quoted = '"' + base64_of(numbers) + '"';
  const Stored from_base64 = split(answer(item(0, quoted)), Sizes{1});
  ASSERT_EQ(from_base64.size(), 1U);
  EXPECT_EQ(joined(from_base64, base64), answer(item(0, quoted)));
  const std::string text = joined(from_base64);
  const Json list = Json::parse(text)["data"][0]["embedding"];
  ASSERT_EQ(list.size(), numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_TRUE(list[i].is_number_float()) << list[i];
    EXPECT_EQ(list[i].get<double>(), static_cast<double>(numbers[i]));
    EXPECT_EQ(std::signbit(list[i].get<double>()), std::signbit(numbers[i]));
  }
  EXPECT_EQ(split(text, Sizes{1}), from_base64);
}

TEST(EmbeddingAnswer, LosesNothingOfFloats) {
  for (const std::string list :
       {"[0.0023064255,-0.009327292]", "[-0.006929283495992422,-4.547132266452536e-05]",
        "[0.12345678901234567,1e-30]", "[1,0,-0.0]", "[0.1E1,1.50e+3]", "[1e-300]", "[5e-324]",
        "[0.1000000000000000055511151231257827,0.3]",
        "[340282346638528859811704183484516925440]"}) {
    const Stored stored = split(answer(item(0, list)), Sizes{1});
    ASSERT_EQ(stored.size(), 1U) << list;
    const Json found = Json::parse(joined(stored))["data"][0]["embedding"];
    const Json expected = Json::parse(list);
    EXPECT_EQ(found, expected) << list;
    const std::vector<float> narrow =
        floats_of(Json::parse(joined(stored, base64))["data"][0]["embedding"]);
    ASSERT_EQ(narrow.size(), expected.size());
    for (std::size_t i = 0; i < narrow.size(); ++i) {
      EXPECT_EQ(narrow[i], static_cast<float>(expected[i].get<double>())) << list;
    }
  }
}

TEST(EmbeddingAnswer, KeepsWhatItDoesNotKnow) {
  const std::string text =
      R"({"id":"e-1","created":1.50e3,"object":"list","model":"m\u00e9\"","x":{"y":[1, null]},"data":[)" +
      item(0, "[1.5]", R"(,"flag":true,"z":{ "a":1 })") +
      R"(],"usage":{"prompt_tokens":2,"total_tokens":3,"completion_tokens":0,"cost":0.5,
          "prompt_tokens_details":null,"n":-1,"big":1234567890}})";
  const Stored stored = split(text, Sizes{1});
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(joined(stored),
            R"({"object":"list","data":[)" + item(0, "[1.5]", R"(,"flag":true,"z":{"a":1})") +
                R"(],"model":"m\u00e9\"","id":"e-1","created":1.50e3,"x":{"y":[1,null]},)" +
                R"("usage":{"prompt_tokens":2,"total_tokens":3,"completion_tokens":0}})");
}

TEST(EmbeddingAnswer, DoesWithoutUsage) {
  const std::string bare = R"({"object":"list","data":[)" + item(0, "[1.5]") + R"(],"model":"m"})";
  EXPECT_EQ(joined(split(bare, Sizes{1})), bare);
  EXPECT_EQ(joined(split(answer(item(0, "[1.5]"), "null"), Sizes{1})), bare);
  EXPECT_EQ(joined(split(answer(item(0, "[1.5]"), "{}"), Sizes{1})), bare);
  const Stored one = split(answer(item(0, "[2.5]"), R"({"total_tokens":5})"), Sizes{1});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(joined({split(bare, Sizes{1})[0], one[0]}),
            answer(item(0, "[1.5]") + "," + item(1, "[2.5]"), R"({"total_tokens":5})"));
}

TEST(EmbeddingAnswer, TakesEscapedSlashesInBase64) {
  const std::vector<float> numbers{std::bit_cast<float>(0x3FFFFFFFU)};
  const std::string plain = base64_of(numbers);
  ASSERT_EQ(plain, "////Pw==");
  const std::string escaped = R"("\/\/\/\u002fPw==")";
  EXPECT_EQ(joined(split(answer(item(0, escaped)), Sizes{1}), base64),
            answer(item(0, '"' + plain + '"')));
}

TEST(EmbeddingAnswer, IsNotJoinedFromWhatDoesNotFit) {
  const std::string one = split(answer(item(0, "[1.5]")), Sizes{1}).at(0);
  const std::string wider = split(answer(item(0, "[1.5,2.5]")), Sizes{1}).at(0);
  const std::string other = split(answer(item(0, "[1.5]"), "{}", R"("m2")"), Sizes{1}).at(0);
  const std::string precise = split(answer(item(0, "[0.1]")), Sizes{1}).at(0);
  EXPECT_NE(joined({one, precise}), "nothing");
  EXPECT_EQ(joined({}), "nothing");
  EXPECT_EQ(joined({one, wider}), "nothing");
  EXPECT_EQ(joined({one, other}), "nothing");
  EXPECT_EQ(joined({one, ""}), "nothing");
  EXPECT_EQ(joined({one, one}, EmbeddingEncoding::floats, joined({one, one}).size() - 1),
            "nothing");
  EXPECT_NE(joined({one, one}, EmbeddingEncoding::floats, joined({one, one}).size()), "nothing");
  EXPECT_EQ(joined({one, one.substr(0, one.size() - 1)}), "nothing");
}

TEST(EmbeddingAnswer, SharesTokensOutByTheInputsSizes) {
  struct Case {
    std::size_t total;
    Sizes sizes;
    std::vector<std::size_t> shares;
  };
  const std::size_t huge = std::numeric_limits<std::size_t>::max();
  const Case cases[] = {{0, {1, 2}, {0, 0}},
                        {10, {5, 5}, {5, 5}},
                        {10, {0, 0, 0}, {4, 3, 3}},
                        {1, {1, 3, 1}, {0, 1, 0}},
                        {2, {3, 3, 3}, {1, 1, 0}},
                        {100, {1, 2, 4}, {14, 29, 57}},
                        {999'999'999, {huge, huge}, {500'000'000, 499'999'999}}};
  for (const Case& c : cases) {
    std::string data;
    for (std::size_t i = 0; i < c.sizes.size(); ++i) data += (i > 0 ? "," : "") + item(i, "[1]");
    const std::string usage = R"({"prompt_tokens":)" + std::to_string(c.total) + "}";
    const Stored stored = split(answer(data, usage), c.sizes);
    ASSERT_EQ(stored.size(), c.sizes.size());
    for (std::size_t i = 0; i < stored.size(); ++i) {
      EXPECT_EQ(Json::parse(joined({stored[i]}))["usage"]["prompt_tokens"], c.shares[i]) << usage;
    }
    EXPECT_EQ(Json::parse(joined(stored))["usage"]["prompt_tokens"], c.total);
  }
}

// What came in either encoding, in any order, goes out in both as the upstream would have said it.
TEST(EmbeddingAnswer, ComesBackEqual) {
  RandomNumbers random(7);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t count = 1 + random.below(5);
    const std::size_t dimensions = 1 + random.below(7);
    std::vector<Json> items(count);
    Sizes sizes;
    for (std::size_t i = 0; i < count; ++i) {
      Json numbers = Json::array();
      std::vector<float> narrow;
      for (std::size_t n = 0; n < dimensions; ++n) {
        numbers.push_back(random.any_double());
        narrow.push_back(random.any_float());
      }
      items[i] = {{"object", "embedding"}, {"index", i}, {"embedding", numbers}};
      if (random.below(2) == 0) items[i]["embedding"] = base64_of(narrow);
      sizes.push_back(random.below(1000));
    }
    const std::size_t total = random.below(100'000);
    Json sent{
        {"object", "list"}, {"model", "m"}, {"data", items}, {"usage", {{"total_tokens", total}}}};
    for (std::size_t i = count; i > 1; --i)
      std::swap(sent["data"][i - 1], sent["data"][random.below(i)]);
    const Stored stored = split(sent.dump(static_cast<int>(random.below(3)) - 1), sizes);
    ASSERT_EQ(stored.size(), count) << sent;
    const Json as_floats = Json::parse(joined(stored));
    const Json as_base64 = Json::parse(joined(stored, base64));
    EXPECT_EQ(as_floats["usage"], sent["usage"]);
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<float> narrow = floats_of(as_base64["data"][i]["embedding"]);
      const Json& list = as_floats["data"][i]["embedding"];
      ASSERT_EQ(list.size(), dimensions);
      ASSERT_EQ(narrow.size(), dimensions);
      for (std::size_t n = 0; n < dimensions; ++n) {
        ASSERT_EQ(static_cast<float>(list[n].get<double>()), narrow[n]);
      }
      const Json& in = items[i]["embedding"];
      ASSERT_EQ(in, in.is_string() ? as_base64["data"][i]["embedding"] : list);
    }
  }
}

}  // namespace
}  // namespace aifd::protocol
