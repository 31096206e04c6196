// Answers to requests for embeddings, and what is made of them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "aifd/protocol/embedding_answer.hpp"
#include "base64.hpp"

namespace aifd::protocol {

using Json = nlohmann::json;
using Stored = std::vector<std::string>;
using Sizes = std::vector<std::size_t>;

inline std::string base64_of(const std::vector<float>& numbers) {
  std::string bytes;
  for (const float number : numbers) {
    const auto bits = std::bit_cast<std::uint32_t>(number);
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(bits >> shift);
  }
  std::string text;
  append_base64(text, bytes);
  return text;
}

inline std::vector<float> floats_of(const std::string& base64) {
  const std::string bytes = decode_base64(base64).value_or("");
  std::vector<float> numbers(bytes.size() / 4);
  std::memcpy(numbers.data(), bytes.data(), numbers.size() * 4);
  return numbers;
}

inline std::string item(std::size_t index, const std::string& embedding,
                        const std::string& more = "") {
  return R"({"object":"embedding","index":)" + std::to_string(index) + R"(,"embedding":)" +
         embedding + more + "}";
}

inline std::string answer(const std::string& data,
                          const std::string& usage = R"({"prompt_tokens":7,"total_tokens":7})",
                          const std::string& model = R"("m")") {
  return R"({"object":"list","data":[)" + data + R"(],"model":)" + model + R"(,"usage":)" + usage +
         "}";
}

inline std::string joined(const Stored& stored,
                          EmbeddingEncoding encoding = EmbeddingEncoding::floats,
                          std::size_t max_bytes = std::size_t{1} << 30) {
  const std::vector<std::string_view> views(stored.begin(), stored.end());
  return join_embedding_answer(views, encoding, max_bytes).value_or("nothing");
}

inline Stored split(const std::string& text, const Sizes& sizes) {
  return split_embedding_answer(text, sizes).value_or(Stored{});
}

class RandomNumbers {
 public:
  explicit RandomNumbers(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }

  float any_float() {
    while (true) {
      const float number = std::bit_cast<float>(static_cast<std::uint32_t>(random_()));
      if (std::isfinite(number)) return number;
    }
  }

  double any_double() {
    if (below(2) == 0) return static_cast<double>(any_float());
    return std::uniform_real_distribution<double>(-1, 1)(random_);
  }

 private:
  std::mt19937 random_;
};

}  // namespace aifd::protocol
