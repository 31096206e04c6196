// Reads an upstream's answer to a request for embeddings.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "embedding_numbers.hpp"
#include "json_reader.hpp"

namespace aifd::protocol {

struct EmbeddingAnswer {
  struct Item {
    PackedNumbers numbers;
    std::string unknown;  // members, as one compact object
  };
  std::vector<Item> items;  // by index
  std::string model;        // a JSON string
  std::string usage;        // compact JSON; null where there is none
  std::string unknown;      // as of an item
};

// For one answer with `count` items.
class EmbeddingAnswerReader {
 public:
  // `answer` outlives the reader.
  EmbeddingAnswerReader(std::string_view answer, std::size_t count)
      : reader_(answer), items_(count) {}

  // Once. nullopt as split_embedding_answer() has it, but that usage may be any JSON.
  std::optional<EmbeddingAnswer> read();

 private:
  using Token = JsonReader::Token;

  // Calls take(name, first token of the value) for each member of the object that was begun; false
  // where that is, or where the object does not end well.
  template <class Take>
  bool read_members(Take take);

  bool take_of_answer(std::string_view name, const Token& value);
  bool take_data(const Token& value);
  bool take_item();
  bool take_numbers(const Token& value, PackedNumbers& numbers);
  bool take_list(PackedNumbers& numbers);
  bool take_unknown(std::string_view name, const Token& value, std::string& members);
  bool put(std::string_view index, EmbeddingAnswer::Item item);
  std::optional<EmbeddingAnswer> finish();

  JsonReader reader_;
  std::vector<std::optional<EmbeddingAnswer::Item>> items_;
  std::vector<double> list_;  // kept for its memory
  std::size_t dimensions_ = 0;
  bool has_data_ = false;
  std::string_view object_;
  std::string_view model_;
  std::string_view usage_;
  std::string unknown_ = "{";
};

}  // namespace aifd::protocol
