#include "kept_answer.hpp"

#include <gtest/gtest.h>

#include <string>

namespace aifd::protocol {
namespace {

TEST(KeptText, CopiesALastingPieceOnlyWhereOthersCome) {
  const std::string piece(100, 'a');
  KeptText text;
  EXPECT_TRUE(text.empty());
  text.append_lasting(piece);
  EXPECT_EQ(text.view().data(), piece.data());
  text.append_lasting("b");
  EXPECT_EQ(text.view(), piece + 'b');
  text.append("c");
  EXPECT_EQ(text.view(), piece + "bc");
}

TEST(KeptText, CopiesAPieceThatGoes) {
  std::string piece(100, 'a');
  KeptText text;
  text.append(piece);
  piece.assign(100, 'b');
  EXPECT_EQ(text.view(), std::string(100, 'a'));
}

TEST(KeptAnswer, KeepsWhatItReadsOfJsonThatGoes) {
  for (const bool lasts : {false, true}) {
    KeptAnswer answer(1000);
    if (lasts) answer.read_lasting();
    std::string json = R"(["one"])";
    JsonTape tape;
    ASSERT_TRUE(tape.read(json));
    KeptText& text = answer.choice(0)->text;
    answer.append(text, *tape.root().begin());
    EXPECT_EQ(text.view().data() == json.data() + 2, lasts);
    answer.append_made(text, "two");
    json.assign(json.size(), ' ');
    EXPECT_EQ(text.view(), "onetwo");
    EXPECT_EQ(answer.content_bytes(), 6);
  }
}

TEST(KeptAnswer, PutsChoicesAndCallsInOrder) {
  KeptAnswer answer(1000);
  for (const std::size_t index : {2, 0, 1})
    answer.choice(index)->text.append(std::to_string(index));
  for (const std::size_t index : {5, 3}) answer.call(*answer.choice(1), index);
  answer.put_in_order();
  ASSERT_EQ(answer.choices.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(answer.choices[i].text.view(), std::to_string(i));
  ASSERT_EQ(answer.choices[1].calls.size(), 2);
  EXPECT_EQ(answer.choices[1].calls[0].index, 3);
}

}  // namespace
}  // namespace aifd::protocol
