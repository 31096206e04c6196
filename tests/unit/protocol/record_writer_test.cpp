#include "record_writer.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "aifd/protocol/dialect.hpp"

namespace aifd::protocol {
namespace {

constexpr RecordName kName = "name";

template <class Write>
std::string written(Write write) {
  LineBuffer out;
  out.append("before\n");
  RecordWriter writer(out);
  write(writer);
  writer.finish();
  return std::string(out.view().substr(7));
}

std::string text_of(std::string_view text) {
  return written([&](RecordWriter& writer) { writer.text(kName, text); });
}

TEST(RecordWriter, EscapesTextsOfAnySizeWhereverTheyNeedIt) {
  for (std::size_t size = 0; size <= 50; ++size) {
    const std::string plain(size, 'a');
    EXPECT_EQ(text_of(plain), R"({"name":")" + plain + "\"}");
    for (std::size_t at = 0; at < size; ++at) {
      for (const char c : {'"', '\\', '\n', '\x7F', '\0', '\xFF'}) {
        std::string text = plain;
        text[at] = c;
        std::string escaped;
        append_json_escaped(escaped, text);
        EXPECT_EQ(text_of(text), R"({"name":")" + escaped + "\"}") << size << " at " << at;
      }
    }
  }
}

TEST(RecordWriter, DoesNotLookBeyondAText) {
  const std::string all = "plain\"\n\\";
  EXPECT_EQ(text_of(std::string_view(all).substr(0, 5)), R"({"name":"plain"})");
  EXPECT_EQ(text_of({}), R"({"name":""})");
}

TEST(RecordWriter, WritesMembersOfAllKinds) {
  constexpr RecordName kWhole("whole", "1.5");
  EXPECT_EQ(written([&](RecordWriter& writer) {
              writer.word(kName, {});
              writer.word(kName, "a word");
              writer.joined(kName, R"(a\n\ud800)");
              writer.boolean(kName, true);
              writer.number(kName, std::numeric_limits<std::uint64_t>::max());
              writer.thousandths(kName, 1002003);
              writer.thousandths(kName, 40);
              writer.null(kName);
              writer.json(kName, "[ 1 ]");
              writer.json(kName, "[ 1");
              writer.whole(kWhole);
              writer.text_if_any(kName, "");
              writer.text_or_null(kName, "");
            }),
            R"({"name":"","name":"a word","name":"a\n\ufffd","name":true,)"
            R"("name":18446744073709551615,"name":1002.003,"name":0.040,"name":null,)"
            R"("name":[1],"name":null,"whole":1.5,"name":null})");
  EXPECT_EQ(written([](RecordWriter&) {}), "{}");
}

}  // namespace
}  // namespace aifd::protocol
