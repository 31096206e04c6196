#include "log_source.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "descriptor.hpp"
#include "line_reader.hpp"
#include "logs.hpp"

namespace aifd::convert {
namespace {

class LogSourceTest : public InFolder {
 protected:
  struct Read {
    std::string text;
    std::uint64_t bytes;
    std::string damage;
  };

  // The whole of a file with these bytes, in pieces of that size.
  Read read_all(std::string_view bytes, Packing packing, std::size_t piece = 1000) const {
    const Descriptor file(::open(write("x", bytes).c_str(), O_RDONLY));
    const auto source = LogSource::open(file.get(), packing);
    Read read{};
    std::string buffer(piece, '\0');
    while (const std::size_t count = source->read(buffer)) {
      read.text += buffer.substr(0, count);
    }
    EXPECT_EQ(source->failure(), 0);
    read.bytes = source->bytes_read();
    read.damage = source->damage();
    return read;
  }

  static std::string many_lines() {
    std::string text;
    for (int i = 0; i < 40'000; ++i) text += "line " + std::to_string(i * 7919) + "\n";
    return text;
  }
};

TEST_F(LogSourceTest, ReadsPlainFiles) {
  const std::string text = many_lines();
  const Read read = read_all(text, Packing::none);
  EXPECT_EQ(read.text, text);
  EXPECT_EQ(read.bytes, text.size());
  EXPECT_EQ(read_all("", Packing::none).text, "");
}

TEST_F(LogSourceTest, UnpacksFilesOfSeveralParts) {
  const std::string text = many_lines();
  const std::string_view half = std::string_view(text).substr(0, text.size() / 2);
  const std::string_view rest = std::string_view(text).substr(half.size());
  const std::pair<Packing, std::string> files[] = {
      {Packing::zstd, zstd(text)},
      {Packing::zstd, zstd(half) + zstd("") + zstd(rest)},
      {Packing::gzip, gzip(text)},
      {Packing::gzip, gzip(half) + gzip("") + gzip(rest)}};
  for (const auto& [packing, bytes] : files) {
    for (const std::size_t piece :
         {std::size_t{1}, std::size_t{4096}, text.size(), std::size_t{1} << 20}) {
      const Read read = read_all(bytes, packing, piece);
      EXPECT_TRUE(read.text == text) << piece;
      EXPECT_EQ(read.damage, "");
      EXPECT_EQ(read.bytes, bytes.size());
    }
  }
}

TEST_F(LogSourceTest, TellsOfDamage) {
  const std::string text = many_lines();
  for (const Packing packing : {Packing::zstd, Packing::gzip}) {
    const std::string whole = packing == Packing::zstd ? zstd(text) : gzip(text);
    const Read torn = read_all(std::string_view(whole).substr(0, whole.size() - 10), packing);
    EXPECT_NE(torn.damage, "");
    EXPECT_TRUE(text.starts_with(torn.text));
    EXPECT_NE(read_all(whole + "garbage that is neither", packing).damage, "");
    EXPECT_NE(read_all("not packed at all", packing).damage, "");
    EXPECT_EQ(read_all("", packing).damage, "");
  }
}

TEST_F(LogSourceTest, TellsOfFailures) {
  const Descriptor directory(::open(folder().c_str(), O_RDONLY));
  for (const Packing packing : {Packing::none, Packing::zstd, Packing::gzip}) {
    const auto source = LogSource::open(directory.get(), packing);
    std::string buffer(10, '\0');
    EXPECT_EQ(source->read(buffer), 0U);
    EXPECT_EQ(source->failure(), EISDIR);
    EXPECT_EQ(source->damage(), "");
  }
}

class LineReaderTest : public InFolder {
 protected:
  // Each line, or "too long", and after a last one the number of lines.
  std::vector<std::string> lines_of(std::string_view text, std::size_t most = 1000) const {
    const Descriptor file(::open(write("x", text).c_str(), O_RDONLY));
    const auto source = LogSource::open(file.get(), Packing::none);
    LineReader reader(*source, most);
    std::vector<std::string> lines;
    std::string_view line;
    for (auto found = reader.next(line); found != LineReader::Found::end;
         found = reader.next(line)) {
      lines.emplace_back(found == LineReader::Found::line ? line : "too long");
      EXPECT_EQ(reader.number(), lines.size());
    }
    EXPECT_EQ(reader.next(line), LineReader::Found::end);
    return lines;
  }
};

using Lines = std::vector<std::string>;

TEST_F(LineReaderTest, GivesLinesWithoutTheirEnds) {
  EXPECT_EQ(lines_of(""), Lines{});
  EXPECT_EQ(lines_of("\n"), Lines{""});
  EXPECT_EQ(lines_of("a\n\nb\r\n"), (Lines{"a", "", "b"}));
  EXPECT_EQ(lines_of("a\nb"), (Lines{"a", "b"}));
  EXPECT_EQ(lines_of(std::string_view("a\0b\n\xE2\x80\xA8\n", 8)),
            (Lines{std::string("a\0b", 3), "\xE2\x80\xA8"}));
}

TEST_F(LineReaderTest, PassesOverLinesThatAreTooLong) {
  EXPECT_EQ(lines_of("1234\n12345\n123\n", 4), (Lines{"1234", "too long", "123"}));
  EXPECT_EQ(lines_of("12345", 4), Lines{"too long"});
  const std::string long_line(3'000'000, 'x');
  EXPECT_EQ(lines_of("a\n" + long_line + "\nb\n"), (Lines{"a", "too long", "b"}));
  EXPECT_EQ(lines_of(long_line), Lines{"too long"});
}

TEST_F(LineReaderTest, GivesLinesOfAnyLengthAnywhere) {
  std::string text;
  Lines lines;
  for (const std::size_t length : {1, 262'143, 262'144, 262'145, 0, 3'000'000, 5, 100'000, 9}) {
    lines.emplace_back(length, static_cast<char>('a' + lines.size()));
    text += lines.back() + "\n";
  }
  EXPECT_TRUE(lines_of(text, 10'000'000) == lines);
}

}  // namespace
}  // namespace aifd::convert
