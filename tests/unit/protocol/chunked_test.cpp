#include "aifd/protocol/chunked.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "plain_chunked.hpp"

namespace aifd::protocol {
namespace {

using std::string_literals::operator""s;

enum class End { done, wants_more, refused };

struct Outcome {
  End end = End::wants_more;
  std::string payload;
  std::size_t consumed = 0;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << static_cast<int>(o.end) << " \"" << o.payload << "\" " << o.consumed;
}

// Decodes `bytes` in pieces of the sizes that `next_size` gives.
template <class NextSize>
Outcome decode(const std::string& bytes, NextSize next_size) {
  ChunkedDecoder decoder;
  Outcome outcome;
  while (outcome.consumed < bytes.size() && !decoder.done()) {
    std::string piece = bytes.substr(outcome.consumed, next_size());
    const auto step = decoder.decode(piece);
    if (!step) {
      EXPECT_EQ(step.error().kind, ErrorKind::bad_request);
      EXPECT_TRUE(step.error().detail.ends_with('.'));
      return {End::refused, {}, 0};
    }
    EXPECT_TRUE(decoder.done() || step->consumed == piece.size());
    EXPECT_TRUE(step->payload.empty() ||
                (step->payload.data() >= piece.data() &&
                 step->payload.data() + step->payload.size() <= piece.data() + step->consumed));
    outcome.payload += step->payload;
    outcome.consumed += step->consumed;
  }
  outcome.end = decoder.done() ? End::done : End::wants_more;
  return outcome;
}

Outcome decode_at_once(const std::string& bytes) {
  return decode(bytes, [&] { return bytes.size(); });
}

void expect_same_for_every_split(const std::string& bytes) {
  const Outcome whole = decode_at_once(bytes);
  EXPECT_EQ(decode(bytes, [] { return 1; }), whole) << bytes;
  if (bytes.size() > 2000) return;
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    bool is_first = true;
    EXPECT_EQ(decode(bytes,
                     [&] {
                       const std::size_t size = is_first ? cut : bytes.size();
                       is_first = false;
                       return size;
                     }),
              whole)
        << bytes << " cut at " << cut;
  }
}

TEST(ChunkedDecoder, DecodesWholeBodies) {
  const struct {
    std::string bytes;
    std::string payload;
    std::string rest;
  } cases[] = {
      {"0\r\n\r\n", "", ""},
      {"000\r\n\r\n", "", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
      {"5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "hello", "GET / HTTP/1.1\r\n"},
      {"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "abcdef", ""},
      {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", ""},
      {"0000000000000001\r\nx\r\n0000000000000000\r\n\r\n", "x", ""},
      {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", ""},
      {"3\r\n0\r\n\r\n0\r\n\r\n", "0\r\n", ""},
      {"1;a\r\nx\r\n0;b=c\r\n\r\n", "x", ""},
      {"1 ;a\r\nx\r\n0\t ; b = c ;d\r\n\r\n", "x", ""},
      {"1;a=\"q;\\\"\\\\ \xFF\t\"\r\nx\r\n0\r\n\r\n", "x", ""},
      {"1;\r\nx\r\n0\r\n\r\n", "x", ""},
      {"1\r\nx\r\n0\r\nA: b\r\n\r\n", "x", ""},
      {"1\r\nx\r\n0\r\nA:\r\nContent-Length: 5\r\nB: \xFF\tc\r\n\r\nrest", "x", "rest"},
  };
  for (const auto& c : cases) {
    const Outcome expected{End::done, c.payload, c.bytes.size() - c.rest.size()};
    EXPECT_EQ(decode_at_once(c.bytes), expected) << c.bytes;
    expect_same_for_every_split(c.bytes);
  }
}

TEST(ChunkedDecoder, WaitsForMore) {
  const std::string whole = "2 ;a=\"\\\"\"\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Outcome outcome = decode_at_once(whole.substr(0, size));
    EXPECT_EQ(outcome.end, End::wants_more) << size;
    EXPECT_EQ(outcome.consumed, size);
  }
}

TEST(ChunkedDecoder, RefusesWhatIsMalformed) {
  const std::string cases[] = {
      "\r\n"s,
      "\n"s,
      " 1\r\nx\r\n0\r\n\r\n"s,
      "\r\n1\r\nx\r\n"s,
      "g\r\n"s,
      "x1\r\n"s,
      "0x1\r\nx\r\n0\r\n\r\n"s,
      "+1\r\nx\r\n"s,
      "-1\r\nx\r\n"s,
      "1_0\r\n"s,
      "1,\r\n"s,
      ";a\r\n"s,
      "\"1\"\r\n"s,
      "1\nx\r\n0\r\n\r\n"s,
      "1\r\rx\r\n"s,
      "1\rx"s,
      "1 \r\nx\r\n0\r\n\r\n"s,
      "1\t\r\nx\r\n0\r\n\r\n"s,
      "1 1\r\n"s,
      "1\0\r\nx"s,
      "1\x0B\r\nx"s,
      "1;a\nx\r\n"s,
      "1;\n"s,
      "1;a\0\r\nx"s,
      "1;a\x7F\r\nx"s,
      "1;\xC3\xA9\r\nx"s,
      "1;a=\"b\r\nx\r\n0\r\n\r\n"s,
      "1;a=\"b\nc\"\r\nx"s,
      "1;a=\"\\\r\nx"s,
      "1;a=\"\0\"\r\nx"s,
      "1;a\rb"s,
      "1\r\nxy\r\n"s,
      "1\r\nx\n0\r\n\r\n"s,
      "1\r\nx\r0\r\n\r\n"s,
      "1\r\nx0\r\n\r\n"s,
      "1\r\nx\r\n\r\n0\r\n\r\n"s,
      "1\r\nx\r\n0\n\r\n"s,
      "0\r\n\n"s,
      "0\r\n\r\r"s,
      "0\r\n\rx"s,
      "0\r\nGET / HTTP/1.1\r\n"s,
      "0\r\nA\r\n\r\n"s,
      "0\r\n: b\r\n\r\n"s,
      "0\r\nA : b\r\n\r\n"s,
      "0\r\nA: b\n\r\n"s,
      "0\r\nA: b\r\n c\r\n\r\n"s,
      "0\r\n A: b\r\n\r\n"s,
      "0\r\nA: \0\r\n\r\n"s,
      "0\r\nA: b\rc\r\n\r\n"s,
      "0\r\nA: b\r\n\n"s,
      "8000000000000000\r\nx"s,
      "ffffffffffffffff\r\nx"s,
      "10000000000000000\r\nx"s,
      "00000000000000001\r\nx"s,
      "fffffffffffffffffffff\r\nx"s,
      std::string(5000, '0'),
  };
  for (const auto& bytes : cases) {
    EXPECT_EQ(decode_at_once(bytes).end, End::refused) << bytes;
    expect_same_for_every_split(bytes);
  }
}

TEST(ChunkedDecoder, TakesTheGreatestSize) {
  EXPECT_EQ(decode_at_once("7fffffffffffffff\r\nabc"), (Outcome{End::wants_more, "abc", 21}));
}

std::string with_size_line(std::size_t bytes) {
  return "1;" + std::string(bytes - 2, 'e') + "\r\nx\r\n0\r\n\r\n";
}

std::string with_trailers(std::size_t bytes) {
  return "0\r\nA: " + std::string(bytes - 7, 'v') + "\r\n\r\n";
}

TEST(ChunkedDecoder, BoundsLines) {
  EXPECT_EQ(decode_at_once(with_size_line(4095)).end, End::done);
  EXPECT_EQ(decode_at_once(with_size_line(4097)).end, End::refused);
  EXPECT_EQ(decode_at_once("1;\"" + std::string(5000, 'e')).end, End::refused);
  EXPECT_EQ(decode_at_once("1" + std::string(5000, ' ')).end, End::refused);
  EXPECT_EQ(decode_at_once(with_trailers(16 * 1024)).end, End::done);
  EXPECT_EQ(decode_at_once(with_trailers(16 * 1024 + 1)).end, End::refused);
  std::string many = "0\r\n";
  for (int i = 0; i < 4000; ++i) many += "A: b\r\n";
  EXPECT_EQ(decode_at_once(many).end, End::refused);
}

TEST(ChunkedDecoder, LeavesALoneChunkWhereItIs) {
  std::string bytes = "5\r\nhello\r\n";
  ChunkedDecoder decoder;
  const auto step = decoder.decode(bytes);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->payload, "hello");
  EXPECT_EQ(step->payload.data(), bytes.data() + 3);
  EXPECT_EQ(bytes, "5\r\nhello\r\n");
}

TEST(ChunkedDecoder, TakesNothingOnceDone) {
  std::string bytes = "0\r\n\r\n";
  ChunkedDecoder decoder;
  ASSERT_TRUE(decoder.decode(bytes));
  ASSERT_TRUE(decoder.done());
  std::string next = "5\r\nhello\r\n";
  const auto step = decoder.decode(next);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->consumed, 0U);
  EXPECT_TRUE(step->payload.empty());
}

TEST(ChunkedDecoder, TakesAnEmptySpan) {
  ChunkedDecoder decoder;
  const auto step = decoder.decode({});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->consumed, 0U);
}

// Makes a body of random chunks, extensions and trailers, followed by other bytes.
class BodyMaker {
 public:
  explicit BodyMaker(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::string make() {
    std::string bytes;
    for (std::size_t chunks = below(6); chunks > 0; --chunks) {
      const std::string data = text(1 + below(40), "ab\r\n0;\0"s);
      bytes += hex(data.size()) + extension() + "\r\n" + data + "\r\n";
    }
    bytes += std::string(1 + below(3), '0') + extension() + "\r\n";
    for (std::size_t trailers = below(3); trailers > 0; --trailers) bytes += "T-x: v v\r\n";
    return bytes + "\r\n" + text(below(8), "0\r\nG");
  }

  void damage(std::string& bytes) {
    const std::string alphabet = "0123456789abcdefg \t\r\n;\"\\:=\0\x7F\xFF"s;
    const std::size_t at = below(bytes.size());
    switch (below(3)) {
      case 0:
        bytes[at] = alphabet[below(alphabet.size())];
        break;
      case 1:
        bytes.insert(at, 1, alphabet[below(alphabet.size())]);
        break;
      default:
        bytes.erase(at, 1);
    }
  }

 private:
  std::string text(std::size_t size, const std::string& alphabet) {
    std::string made;
    for (; size > 0; --size) made += alphabet[below(alphabet.size())];
    return made;
  }

  std::string hex(std::size_t size) {
    std::array<char, 20> buffer{};
    std::string digits(chunk_header(size, buffer));
    digits.resize(digits.size() - 2);
    return std::string(below(3), '0') + digits;
  }

  std::string extension() {
    const std::string choices[] = {"",        "", ";a", ";a=b", " ; a = b", ";q=\"x\\\"y;\r\"",
                                   ";q=\"x\""};
    return choices[below(std::size(choices))];
  }

  std::mt19937 random_;
};

TEST(ChunkedDecoder, AgreesWithAPlainModelOnRandomBodies) {
  int done = 0;
  int refused = 0;
  for (unsigned seed = 0; seed < 20000; ++seed) {
    BodyMaker maker(seed);
    std::string bytes = maker.make();
    for (std::size_t damages = maker.below(3); damages > 0; --damages) maker.damage(bytes);
    const PlainResult plain = decode_plainly(bytes);
    const Outcome expected{
        plain.verdict == PlainVerdict::whole
            ? End::done
            : (plain.verdict == PlainVerdict::cut ? End::wants_more : End::refused),
        plain.payload, plain.consumed};
    ASSERT_EQ(decode_at_once(bytes), expected) << "seed " << seed;
    ASSERT_EQ(decode(bytes, [&] { return 1 + maker.below(12); }), expected) << "seed " << seed;
    done += expected.end == End::done ? 1 : 0;
    refused += expected.end == End::refused ? 1 : 0;
  }
  EXPECT_GT(done, 5000);
  EXPECT_GT(refused, 2000);
}

TEST(ChunkHeader, WritesHexAndLineEnd) {
  std::array<char, 20> buffer{};
  EXPECT_EQ(chunk_header(26, buffer), "1a\r\n");
  EXPECT_EQ(chunk_header(0, buffer), "0\r\n");
  EXPECT_EQ(chunk_header(65536, buffer), "10000\r\n");
  EXPECT_EQ(chunk_header(UINT64_MAX, buffer), "ffffffffffffffff\r\n");
}

TEST(ChunkHeader, IsReadBackByTheDecoder) {
  for (const std::size_t size : {1U, 9U, 10U, 255U, 256U, 70000U}) {
    std::array<char, 20> buffer{};
    const std::string payload(size, 'p');
    const std::string bytes =
        std::string(chunk_header(size, buffer)) + payload + "\r\n" + std::string(kLastChunk);
    EXPECT_EQ(decode_at_once(bytes), (Outcome{End::done, payload, bytes.size()}));
  }
}

}  // namespace
}  // namespace aifd::protocol
