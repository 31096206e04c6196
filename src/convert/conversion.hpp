// One folder of logs into one file of conversations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "exchange_pairs.hpp"

namespace aifd::convert {

enum class Format {
  json,    // a list, indented by two
  jsonl,   // the same objects, one a line
  openai,  // OpenAI's fine-tuning, one a line
};

struct Report {
  static constexpr std::size_t kMostNamed = 10;
  static constexpr std::size_t kUnfitKinds = 5;

  std::vector<std::filesystem::path> files;
  std::uint64_t written = 0;
  std::uint64_t out_of_order = 0;
  LoneRecords requests;
  LoneRecords answers;
  std::uint64_t bad_lines = 0;
  std::vector<std::string> bad_lines_named;        // the first: "chat.log:12: what is wrong"
  std::vector<std::string> damages;                // of files of which not all could be unpacked
  std::array<std::uint64_t, kUnfitKinds> unfit{};  // by protocol::Unfit, for Format::openai

  std::string name_of(const LogPlace& place) const;  // "chat.log:12", with the file's path
};

// Memory is bounded however large the logs are (see ExchangePairs), but for what their longest line
// takes, times about four; one of over LineReader::kMostLineBytes is passed over. An error text,
// and the target as it was, where a file cannot be read or the target cannot be written.
std::variant<Report, std::string> convert_folder(const std::filesystem::path& folder,
                                                 const std::filesystem::path& target,
                                                 Format format);

}  // namespace aifd::convert
