#include "aifd/services/chat_printer.hpp"

#include <gtest/gtest.h>

namespace aifd::services {
namespace {

std::string printed(std::string_view record, bool colour = false) {
  std::string text;
  const ChatPrinter printer([&text](std::string_view block) { text += block; }, colour);
  printer.print(record);
  return text;
}

const std::string kThin(50, '-');
const std::string kThick(77, '=');

TEST(ChatPrinter, ShowsEachMessageOfARequest) {
  EXPECT_EQ(printed(R"({"messages":[{"role":"system","content":"be brief"},
      {"role":"user","content":[{"type":"text","text":"what is"},{"type":"image_url"}]},
      {"role":"user"}],"model":"m","ip":"::1","uid":"u"})"),
            kThin + "\nsystem: be brief\nuser: what is\n[image_url]\nuser: \n::1@m uid: u\n" +
                kThin + "\n");
}

TEST(ChatPrinter, ShowsAnAnswer) {
  EXPECT_EQ(printed(R"({"assistant":"Hello","is_tool_calls":false,"uid":"u",)"
                    R"("reasoning":"hm","ended_by":"complete"})"),
            kThick + "\nreasoning: hm\nassistant: Hello\nuid: u\n" + kThick + "\n");
  EXPECT_EQ(printed(R"({"assistant":"Hel","uid":"u","ended_by":"client"})"),
            kThick + "\nassistant: Hel\nuid: u (cut by client)\n" + kThick + "\n");
  EXPECT_EQ(printed(R"({"assistant":[{"id":1}],"content":"x","uid":"u","ended_by":"complete"})"),
            kThick + "\nassistant: x\nassistant: [{\"id\":1}]\nuid: u\n" + kThick + "\n");
  EXPECT_EQ(printed(R"({"assistant":null,"error_text":"no","uid":"u","ended_by":"complete"})"),
            kThick + "\nassistant: no\nuid: u\n" + kThick + "\n");
}

TEST(ChatPrinter, ColoursByRole) {
  const std::string text =
      printed(R"({"messages":[{"role":"user","content":"hi"}],"uid":"u"})", true);
  EXPECT_NE(text.find("\x1b[38;2;245;168;142muser: hi\x1b[0m\n"), std::string::npos) << text;
}

TEST(ChatPrinter, PassesNoCommandToTheTerminal) {
  const std::string text = printed(
      R"({"assistant":"a\u001b[2Jb\u009bc\rd\te\nf\u0007é","uid":"u","ended_by":"complete"})");
  EXPECT_EQ(text, kThick + "\nassistant: a[2Jbcd\te\nfé\nuid: u\n" + kThick + "\n");
}

TEST(ChatPrinter, ShowsTextsInTheOrderInWhichTheyAreWritten) {
  const std::string text =
      printed(R"({"assistant":"\u2029a\u202ab\u202ec\u202f\u2065d\u2066e\u2069f\u206a","uid":"u",)"
              R"("ended_by":"complete"})");
  EXPECT_EQ(text, kThick + "\nassistant: \u2029abc\u202f\u2065def\u206a\nuid: u\n" + kThick + "\n");
}

TEST(ChatPrinter, PassesOverWhatIsNoChat) {
  EXPECT_EQ(printed(R"({"input":"x","uid":"u"})"), "");
  EXPECT_EQ(printed("[1]"), "");
  EXPECT_EQ(printed("{"), "");
}

}  // namespace
}  // namespace aifd::services
